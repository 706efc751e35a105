//! A table of how each member receives the local picture, from the members' own reports.

use leptos::prelude::*;
use sightline_core::measure::{FigureValue, Metric};
use sightline_protocol::telemetry::{Permille, Reception};

use super::member_name::member_name;
use crate::{
    components::{
        figures::{figure_text, metric_help::metric_help},
        kit::when::When,
    },
    language::{Language, Sentence},
    sentence,
    session::model::TileModel,
};

/// A column: its metric, its title, and the value in a reception report.
type Column = (Metric, Sentence, fn(&Reception) -> Option<f64>);

const COLUMNS: [Column; 7] = [
    (Metric::ReceiveBitrate, sentence!(receivers.bitrate), |told| told.bitrate_bps.map(f64::from)),
    (Metric::FramesPerSecond, sentence!(receivers.frame_rate), |told| told.frames_per_second.map(f64::from)),
    (Metric::LossRatio, sentence!(receivers.loss), |told| permille(told.loss_permille)),
    (Metric::StallCount, sentence!(receivers.stalls), |told| told.stall_count.map(f64::from)),
    (Metric::StallRatio, sentence!(receivers.stall_ratio), |told| permille(told.stall_permille)),
    (Metric::StampedFramesLost, sentence!(receivers.lost), |told| told.stamped_lost.map(f64::from)),
    (Metric::StampedDelay, sentence!(receivers.delay), |told| {
        told.stamped_delay_ms.map(|delay| f64::from(delay) / 1e3)
    }),
];

/// A table with a row for each receiver; nothing without receivers.
#[component]
pub fn Receivers(
    /// The tiles of the other members.
    others: RwSignal<Vec<TileModel>>,
) -> AnyView {
    let language = Language::from_context();
    let has_any = Signal::derive(move || others.with(|others| !others.is_empty()));
    view! {
        <When is=has_any>
            <div class="receivers" tabindex="0" role="region" aria-label=language.text(sentence!(receivers.title))>
                <table data-testid="receivers">
                    <thead>
                        <tr>
                            <th scope="col">{language.text(sentence!(receivers.name))}</th>
                            <th scope="col">{language.text(sentence!(receivers.size))}</th>
                            {COLUMNS
                                .map(|(metric, words, _)| {
                                    let help = language.text(metric_help(metric));
                                    view! { <th scope="col" title=help>{language.text(words)}</th> }
                                })
                                .collect_view()}
                            <th scope="col">{language.text(sentence!(receivers.round_trip))}</th>
                        </tr>
                    </thead>
                    <tbody translate="no">
                        <For
                            each=move || others.get()
                            key=|tile| tile.member.get_value()
                            children=move |tile| view! { <Receiver tile=tile /> }
                        />
                    </tbody>
                </table>
            </div>
        </When>
    }
    .into_any()
}

#[component]
fn Receiver(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    let name = member_name(tile, language);
    let told = move |of: fn(&Reception) -> Option<f64>| {
        tile.seen_by.with(|seen| seen.as_ref().and_then(|seen| of(&seen.reception)))
    };
    let size = move || {
        let (width, height) =
            (told(|told| told.frame_width.map(f64::from)), told(|told| told.frame_height.map(f64::from)));
        width.zip(height).map_or_else(missing, |(width, height)| format!("{width}\u{d7}{height}"))
    };
    let cell = move |(metric, _, of): Column| number_cell(metric, Memo::new(move |_| told(of)));
    let round_trip = Memo::new(move |_| tile.round_trip_s.get());
    view! {
        <tr data-testid="receiver" data-member=tile.member.get_value() data-name=tile.name>
            <th scope="row" dir="auto">{name}</th>
            <td>{size}</td>
            {COLUMNS.map(cell).collect_view()}
            {number_cell(Metric::RoundTripTime, round_trip)}
        </tr>
    }
    .into_any()
}

fn number_cell(metric: Metric, value: Memo<Option<f64>>) -> AnyView {
    let shown = move || {
        let value = value.get().map(FigureValue::Number);
        figure_text::human(metric, value.as_ref()).unwrap_or_else(missing)
    };
    let raw = move || value.get().map(|number| number.to_string());
    view! { <td data-metric=metric.name() data-value=raw>{shown}</td> }.into_any()
}

fn permille(of: Option<Permille>) -> Option<f64> {
    of.map(|permille| f64::from(permille) / 1e3)
}

fn missing() -> String {
    "\u{2013}".to_owned()
}
