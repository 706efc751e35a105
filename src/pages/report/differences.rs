//! The table of figures: a column for each view, with its difference from the first.

use leptos::prelude::*;

use super::{
    Views,
    opened::View,
    place,
    rows::{ROWS, Row, difference, text},
};
use crate::{
    language::{Language, Sentence},
    sentence,
};

/// The conditions that have a row: the name in the file, and the title.
const CONDITIONS: [(&str, Sentence); 7] = [
    ("source", sentence!(report.condition.source)),
    ("codec", sentence!(report.condition.codec)),
    ("path", sentence!(report.condition.path)),
    ("protocol", sentence!(report.condition.protocol)),
    ("max_bitrate_bps", sentence!(report.condition.max_bitrate_bps)),
    ("wanted_codec", sentence!(report.condition.wanted_codec)),
    ("relay_only", sentence!(report.condition.relay_only)),
];

/// The table with all figures of all views.
#[component]
pub(super) fn Differences(views: Views) -> AnyView {
    let language = Language::from_context();
    let table = move || {
        let views = views.get();
        if views.is_empty() {
            return ().into_any();
        }
        let heads = views.iter().map(|view| {
            let baseline = view.baseline(&views);
            let compared = baseline.map(|at| {
                view! {
                    <small class="report-compared">
                        " "
                        {language.text(sentence!(report.compared_with))}
                        " "
                        {views[at].title()}
                        " \u{b7} "
                        {views[at].file.clone()}
                    </small>
                }
                .into_any()
            });
            view! {
                <th
                    scope="col"
                    data-testid="report-column"
                    data-place=place(view.at)
                    data-compared-with=baseline.map(place)
                >
                    {view.title()}
                    " "
                    <small>{view.file.clone()}</small>
                    {compared}
                </th>
            }
            .into_any()
        });
        let figures = ROWS.map(|row| figure_row(row, &views, language)).collect_view();
        let resolution =
            row_of_words(("resolution", sentence!(report.condition.resolution)), &views, language, |view| {
                let playout = view.playout()?;
                Some(format!("{}\u{d7}{}", playout.frame_width?, playout.frame_height?))
            });
        let conditions =
            CONDITIONS.map(|named| row_of_words(named, &views, language, |view| view.condition(named.0)));
        view! {
            <div class="report-table" tabindex="0" translate="no" role="region" aria-label=language.text(sentence!(report.figures))>
                <table data-testid="report-figures">
                    <caption>{language.text(sentence!(report.figures))}</caption>
                    <thead>
                        <tr>
                            <td></td>
                            {heads.collect_view()}
                        </tr>
                    </thead>
                    <tbody>{figures} {resolution} {conditions.collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    table.into_any()
}

fn figure_row(row: Row, views: &[View], language: Language) -> AnyView {
    let values: Vec<_> = views.iter().map(|view| row.value(view.receiver())).collect();
    let is_unknown = values.iter().all(Option::is_none);
    let is_silent = row.is_of_sound() && views.iter().all(|view| view.receiver().sound.is_none());
    if row.is_of_stamps() && is_unknown || is_silent {
        return ().into_any();
    }
    let cells = values.iter().zip(views).map(|(value, view)| {
        let compared = view.baseline(views).map(|at| difference(row.unit(), *value, values[at]));
        let by = compared.unwrap_or_default();
        let raw = value.map(|value| value.to_string()).unwrap_or_default();
        // If sound was received, a missing value is one that the browser does not report.
        let is_unreported = row.is_of_sound() && value.is_none() && view.receiver().sound.is_some();
        let shown = if is_unreported {
            language.text(sentence!(sound.not_reported)).get_untracked().to_owned()
        } else {
            text(row.unit(), *value)
        };
        view! {
            <td data-value=raw>
                {shown}
                " "
                <small data-testid="report-difference">{by}</small>
            </td>
        }
        .into_any()
    });
    view! {
        <tr data-testid="report-row" data-metric=row.name() title=language.text(row.help())>
            <th scope="row">{language.text(row.title())}" "</th>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}

/// A row of technical terms, which are not translated; no row if no view has a value.
fn row_of_words(
    (name, title): (&'static str, Sentence),
    views: &[View],
    language: Language,
    of: impl Fn(&View) -> Option<String>,
) -> AnyView {
    let words: Vec<_> = views.iter().map(of).collect();
    if words.iter().all(Option::is_none) {
        return ().into_any();
    }
    let cells = words
        .into_iter()
        .map(|word| view! { <td>{word.unwrap_or_else(|| "\u{2013}".to_owned())}</td> }.into_any());
    view! {
        <tr data-testid="report-row" data-metric=name>
            <th scope="row">{language.text(title)}</th>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}
