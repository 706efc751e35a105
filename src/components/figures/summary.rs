//! The table above the figures: one line for each member says who has trouble, and why.

use leptos::prelude::*;
use sightline_browser::page::document;
use sightline_core::measure::{Figure, FigureValue, Metric};

use super::figure_text;
use crate::{
    components::call::{
        member_name::member_name,
        signal_bars::{SignalBars, cause_text},
        state_text::state_text,
    },
    language::{Language, Sentence},
    sentence,
    session::model::TileModel,
};

/// Shown where a figure has no value.
const NO_VALUE: &str = "–";

/// One line for each member. A line leads to the figures of its member.
#[component]
pub fn Summary(
    /// The other members.
    others: RwSignal<Vec<TileModel>>,
) -> AnyView {
    let language = Language::from_context();
    let columns = [
        sentence!(summary.member),
        sentence!(summary.sees),
        sentence!(summary.seen),
        sentence!(metric.round_trip_time),
        sentence!(metric.loss_ratio),
        sentence!(metric.stall_ratio),
    ];
    let headers = columns
        .into_iter()
        .map(|column| view! { <th scope="col" role="columnheader">{language.text(column)}</th> }.into_any())
        .collect_view();
    view! {
        <table
            class="stats-summary"
            data-testid="stats-summary"
            role="table"
            translate="no"
            aria-label=language.text(sentence!(summary.title))
            hidden=Signal::derive(move || others.with(Vec::is_empty))
        >
            <thead role="rowgroup">
                <tr role="row">{headers}</tr>
            </thead>
            <tbody role="rowgroup">
                <For
                    each=move || others.get()
                    key=|tile| tile.member.get_value()
                    children=move |tile| view! { <Line tile=tile /> }
                />
            </tbody>
        </table>
    }
    .into_any()
}

/// The id of the element with the figures of a member.
pub(super) fn section_id(tile: TileModel) -> String {
    id_of_section(&tile.member.get_value())
}

/// The id of the element with the figures of the member that has this id.
pub(super) fn id_of_section(member: &str) -> String {
    ["figures-of-", member].concat()
}

#[component]
fn Line(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    let name = member_name(tile, language);
    let words = Signal::derive(move || {
        let cause = || match tile.quality.get() {
            Some(quality) => cause_text(quality.cause, false),
            None => sentence!(figures.measuring),
        };
        let sentence = state_text(tile.state.get(), tile.standing.get()).unwrap_or_else(cause);
        sentence(language.locale())
    });
    let show = move |_| document::go_to(&section_id(tile));
    view! {
        <tr class="summary-line" role="row" data-testid="summary-line" data-member=tile.member.get_value() on:click=show>
            <th scope="row" role="rowheader">
                <button type="button" class="summary-name" dir="auto">{name}</button>
                <SignalBars quality=tile.quality />
                <p>{words}</p>
            </th>
            {cell(tile, sentence!(summary.sees), picture_here)}
            {cell(tile, sentence!(summary.seen), picture_there)}
            {cell(tile, sentence!(metric.round_trip_time), |figures| shown(figures, Metric::RoundTripTime))}
            {cell(tile, sentence!(metric.loss_ratio), |figures| shown(figures, Metric::LossRatio))}
            {cell(tile, sentence!(metric.stall_ratio), |figures| shown(figures, Metric::StallRatio))}
        </tr>
    }
    .into_any()
}

/// A cell, with the title of its column for narrow windows.
fn cell(tile: TileModel, title: Sentence, text: fn(&[Figure]) -> String) -> AnyView {
    let language = Language::from_context();
    let text = Memo::new(move |_| tile.figures.with(|figures| text(figures)));
    view! { <td role="cell" data-label=language.text(title)>{text}</td> }.into_any()
}

fn picture_here(figures: &[Figure]) -> String {
    picture(figures, [Metric::FrameWidth, Metric::FrameHeight, Metric::FramesPerSecond])
}

fn picture_there(figures: &[Figure]) -> String {
    picture(figures, [Metric::RemoteFrameWidth, Metric::RemoteFrameHeight, Metric::RemoteFramesPerSecond])
}

/// The size and rate of a picture: "640×360, 15 fps".
fn picture(figures: &[Figure], [width, height, rate]: [Metric; 3]) -> String {
    let pixels = |metric| match figure_text::value_of(figures, metric) {
        Some(FigureValue::Number(pixels)) if pixels > 0.0 => Some(pixels.round().to_string()),
        _ => None,
    };
    let Some((width, height)) = pixels(width).zip(pixels(height)) else { return NO_VALUE.to_owned() };
    let size = [&width, "×", &height].concat();
    match figure_text::human(rate, figure_text::value_of(figures, rate).as_ref()) {
        Some(rate) => [&size, ", ", &rate].concat(),
        None => size,
    }
}

fn shown(figures: &[Figure], metric: Metric) -> String {
    figure_text::human(metric, figure_text::value_of(figures, metric).as_ref())
        .unwrap_or_else(|| NO_VALUE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(metric: Metric, value: f64) -> Figure {
        Figure { metric, value: Some(FigureValue::Number(value)) }
    }

    #[test]
    fn a_picture_is_told_by_size_and_rate_and_without_a_size_not_at_all() {
        let mut figures = vec![figure(Metric::FrameWidth, 640.0), figure(Metric::FrameHeight, 360.0)];
        assert_eq!(picture_here(&figures), "640×360");
        assert_eq!(picture_there(&figures), NO_VALUE);
        figures.push(figure(Metric::FramesPerSecond, 14.6));
        assert_eq!(picture_here(&figures), "640×360, 15 fps");
        figures[0] = figure(Metric::FrameWidth, 0.0);
        assert_eq!(picture_here(&figures), NO_VALUE);
    }
}
