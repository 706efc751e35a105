//! The data of the charts as a table.

use leptos::{html, prelude::*};
use sightline_core::measure::Metric;

use super::{chart::Chart, figure_text};
use crate::{components::kit::when::When, language::Language, sentence, session::model::TileModel};

/// A table of the charted metrics: present, least and greatest value. It has rows only while it is unfolded.
#[component]
pub fn FiguresTable(
    /// The member's tile.
    tile: TileModel,
    /// The charts whose lines become rows.
    charts: StoredValue<Vec<Chart>>,
) -> AnyView {
    let language = Language::from_context();
    let is_open = RwSignal::new(false);
    let element = NodeRef::<html::Details>::new();
    let note = move |_| is_open.set(element.get_untracked().is_some_and(|details| details.open()));
    view! {
        <details node_ref=element class="charts-table" translate="no" on:toggle=note>
            <summary data-testid="chart-table">{language.text(sentence!(charts.table))}</summary>
            <When is=is_open>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{language.text(sentence!(charts.figure))}</th>
                            <th scope="col">{language.text(sentence!(charts.now))}</th>
                            <th scope="col">{language.text(sentence!(charts.least))}</th>
                            <th scope="col">{language.text(sentence!(charts.greatest))}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {charts.with_value(|charts| charts.iter().map(|chart| rows(tile, *chart)).collect_view())}
                    </tbody>
                </table>
            </When>
        </details>
    }
    .into_any()
}

fn rows(tile: TileModel, chart: Chart) -> AnyView {
    let language = Language::from_context();
    let row = |(metric, line): &(Metric, crate::language::Sentence)| {
        let (metric, line) = (*metric, *line);
        let title = Signal::derive(move || {
            let locale = language.locale();
            let title = (chart.title)(locale);
            if chart.lines.len() > 1 { format!("{title}, {}", line(locale)) } else { title.to_owned() }
        });
        let summary = Memo::new(move |_| tile.history.with(|history| history.summary(metric)));
        let text = move |number: Option<f64>| match (number, summary.with(Option::is_some)) {
            (Some(number), _) => figure_text::of_number(metric.unit(), number),
            (None, true) => sentence!(charts.no_data)(language.locale()).to_owned(),
            (None, false) => sentence!(figures.not_reported)(language.locale()).to_owned(),
        };
        let of = move |part: fn(sightline_core::measure::connection::Summary) -> Option<f64>| {
            Signal::derive(move || text(summary.get().and_then(part)))
        };
        view! {
            <tr>
                <th scope="row">{title}</th>
                <td>{of(|summary| summary.latest)}</td>
                <td>{of(|summary| Some(summary.least))}</td>
                <td>{of(|summary| Some(summary.greatest))}</td>
            </tr>
        }
        .into_any()
    };
    chart.lines.iter().map(row).collect_view().into_any()
}
