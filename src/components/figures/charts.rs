//! The charts of one member, one above the other with the same time axis.

use leptos::prelude::*;

use super::{
    chart::{Chart, charts},
    event_text::event_text,
    figure_text,
    plot::{HEIGHT, Plot, WIDTH, cursor_path},
    table::FiguresTable,
    timeline::Timeline,
};
use crate::{language::Language, sentence, session::model::TileModel};

/// Charts of bitrates, frame rates, round-trip time, loss and jitter over the last minutes; freezes are bands, events are ticks.
#[component]
pub fn Charts(
    /// The member's tile.
    tile: TileModel,
    /// The time axis and cursor, shared by all charts.
    timeline: Timeline,
) -> AnyView {
    let language = Language::from_context();
    let drawn = charts().map(|chart| view! { <ChartView tile=tile timeline=timeline chart=chart /> });
    // The events within a fiftieth of the axis around the cursor.
    let happened = Signal::derive(move || {
        let at = timeline.chosen()?;
        let reach = timeline.axis.get().span / 50;
        tile.history.with(|history| {
            let near = history.events().filter(|event| event.at.since(at).max(at.since(event.at)) <= reach);
            let texts: Vec<_> = near.map(|event| event_text(event, timeline)).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        })
    });
    let ticks = move || {
        let axis = timeline.axis.get();
        let locale = language.locale();
        let marks = axis.ticks().into_iter().map(|ago| {
            if ago.is_zero() {
                sentence!(charts.now)(locale).to_owned()
            } else {
                format!("\u{2212}{} s", ago.as_secs())
            }
        });
        marks.map(|mark| view! { <span>{mark}</span> }.into_any()).collect_view().into_any()
    };
    view! {
        <div
            class="charts"
            translate="no"
            data-testid="charts"
            data-member=tile.member.get_value()
            data-samples=Signal::derive(move || tile.history.with(|history| history.len().to_string()))
            on:pointerleave=move |_| timeline.cursor.set(None)
        >
            {drawn.into_iter().collect_view()}
            <p class="time-ticks" aria-hidden="true">{ticks}</p>
            <p class="chart-events" data-testid="chart-events">{happened}</p>
            <FiguresTable tile=tile charts=StoredValue::new(charts().into()) />
        </div>
    }
    .into_any()
}

#[component]
fn ChartView(tile: TileModel, timeline: Timeline, chart: Chart) -> AnyView {
    let language = Language::from_context();
    let plot = Memo::new(move |_| {
        let bands = tile.playout.with(|playout| playout.as_ref().and_then(|playout| playout.bands.clone()));
        tile.history.with(|history| Plot::new(history, bands, chart, timeline.axis.get()))
    });
    let in_words = Signal::derive(move || {
        let locale = language.locale();
        let mut text = format!("{}:", (chart.title)(locale));
        tile.history.with(|history| {
            for (metric, name) in chart.lines {
                let figure = |number| figure_text::of_number(metric.unit(), number);
                text.push(' ');
                text.push_str(name(locale));
                text.push(' ');
                match history.summary(*metric) {
                    None => text.push_str(sentence!(figures.not_reported)(locale)),
                    Some(summary) => {
                        let none = || sentence!(charts.no_data)(locale).to_owned();
                        for part in [
                            &*summary.latest.map_or_else(none, figure),
                            ", ",
                            sentence!(charts.from_to)(locale),
                            " ",
                            &figure(summary.least),
                            " ",
                            sentence!(charts.and)(locale),
                            " ",
                            &figure(summary.greatest),
                        ] {
                            text.push_str(part);
                        }
                    }
                }
                text.push(';');
            }
        });
        text
    });
    let legend = (0..).zip(chart.lines).map(|(at, (metric, name))| {
        let (metric, name) = (*metric, *name);
        let value = Signal::derive(move || {
            let chosen = timeline.chosen();
            let (value, is_known) = tile.history.with(|history| {
                let summary = history.summary(metric);
                let value = match chosen {
                    Some(at) => history.value_at(metric, at),
                    None => summary.and_then(|summary| summary.latest),
                };
                (value, summary.is_some())
            });
            match value {
                Some(number) => figure_text::of_number(metric.unit(), number),
                None if is_known => "\u{2013}".to_owned(),
                None => sentence!(figures.not_reported)(language.locale()).to_owned(),
            }
        });
        // A single line has the name of the chart, so it needs no other.
        let name = (chart.lines.len() > 1).then(|| language.text(name));
        view! {
            <span class="chart-key" data-line=at data-metric=metric.name()>
                <i></i>
                {name}
                " "
                <b>{value}</b>
                " "
            </span>
        }
        .into_any()
    });
    let element = NodeRef::<leptos::html::Div>::new();
    let point = move |event: leptos::ev::PointerEvent| {
        let Some(element) = element.get_untracked() else { return };
        let width = f64::from(element.client_width());
        if width > 0.0 {
            timeline.cursor.set(Some((f64::from(event.offset_x()) / width).clamp(0.0, 1.0)));
        }
    };
    let drawn = move |part: fn(&Plot) -> String| Signal::derive(move || plot.with(part));
    let lines = (0..).zip(chart.lines).map(|(at, _)| {
        let path = Signal::derive(move || plot.with(|plot| plot.lines.get(at).cloned().unwrap_or_default()));
        view! { <path class="chart-line" data-line=at d=path></path> }.into_any()
    });
    let top =
        Signal::derive(move || figure_text::of_number(chart.lines[0].0.unit(), plot.with(|plot| plot.top)));
    // An attribute instead of a style, since the page's policy forbids inline styles.
    let cursor = Signal::derive(move || timeline.cursor.get().map(cursor_path).unwrap_or_default());
    view! {
        <figure class="chart" data-testid="chart" data-metric=chart.name>
            <figcaption>
                <span class="chart-title">{language.text(chart.title)}</span>
                " "
                {legend.collect_view()}
            </figcaption>
            <div class="chart-plot" node_ref=element on:pointermove=point role="img" aria-label=in_words>
                <svg
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                    aria-hidden="true"
                    data-points=drawn(|plot| plot.points.to_string())
                    data-gaps=drawn(|plot| plot.gaps.to_string())
                >
                    <path class="chart-stalls" data-testid="chart-stalls" d=drawn(|plot| plot.stalls.clone())></path>
                    <path class="chart-grid" d=drawn(|plot| plot.grid.clone())></path>
                    <path class="chart-ticks" d=drawn(|plot| plot.events.clone())></path>
                    {lines.collect_view()}
                    <path class="chart-cursor" d=cursor></path>
                </svg>
                <span class="chart-top" aria-hidden="true">{top}</span>
            </div>
        </figure>
    }
    .into_any()
}
