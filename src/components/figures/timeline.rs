//! The time axis and the cursor that all charts share.

use leptos::prelude::*;
use sightline_browser::page::clock;
use sightline_core::{Timestamp, measure::connection::TimeAxis};

use crate::{language::Language, sentence, session::model::TileModel};

/// The shared time axis and cursor.
#[derive(Debug, Clone, Copy)]
pub struct Timeline {
    /// The range that the charts show.
    pub axis: Memo<TimeAxis>,
    /// Position from 0 (left) to 1 (right); `None` without a cursor.
    pub cursor: RwSignal<Option<f64>>,
    /// The origin of timestamps in milliseconds since 1970, read once, because the clock may be set while the panel is open.
    origin_ms: f64,
}

impl Timeline {
    /// An axis that covers the measurements of all members.
    #[must_use]
    pub fn new(tiles: RwSignal<Vec<TileModel>>) -> Self {
        let axis = Memo::new(move |_| {
            let tiles = tiles.get();
            let ends = |tile: &TileModel| {
                tile.history.try_with(|history| history.first_at().zip(history.last_at()))?
            };
            let (first, last) = tiles
                .iter()
                .filter_map(ends)
                .reduce(|(first, last), (other_first, other_last)| {
                    (first.min(other_first), last.max(other_last))
                })
                .unwrap_or_default();
            // Reports of several connections arrive within moments; rounding to seconds avoids a redraw for each.
            let second = last.since_origin().as_millis().div_ceil(1000);
            let to = std::time::Duration::from_secs(u64::try_from(second).unwrap_or_default());
            TimeAxis::fitting(first, Timestamp::from_origin(to))
        });
        let origin_ms = js_sys::Date::now() - clock::now().since_origin().as_secs_f64() * 1e3;
        Self { axis, cursor: RwSignal::new(None), origin_ms }
    }

    /// The time at the cursor; `None` for the present.
    #[must_use]
    pub fn chosen(self) -> Option<Timestamp> {
        self.cursor.get().map(|position| self.axis.get().time_at(position))
    }

    /// The time of day with milliseconds, in the same format in every language, for logs.
    #[must_use]
    pub fn wall_clock(self, at: Timestamp) -> String {
        let date = js_sys::Date::new(&(self.origin_ms + at.since_origin().as_secs_f64() * 1e3).into());
        let (hours, minutes, seconds) = (date.get_hours(), date.get_minutes(), date.get_seconds());
        format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", date.get_milliseconds())
    }

    /// How long ago the time at the cursor was, and its time of day.
    fn chosen_text(self, language: Language) -> String {
        let locale = language.locale();
        match self.chosen() {
            None => sentence!(charts.now)(locale).to_owned(),
            Some(at) => {
                let ago = (self.axis.get().to - at).as_secs();
                format!("{ago} s {} ({})", sentence!(charts.ago)(locale), self.wall_clock(at))
            }
        }
    }
}

/// Moves the cursor of all charts, with pointer or keyboard.
#[component]
pub fn TimeSlider(
    /// The time axis and cursor.
    timeline: Timeline,
) -> AnyView {
    let language = Language::from_context();
    let span_s = Signal::derive(move || timeline.axis.get().span.as_secs().to_string());
    let value = Signal::derive(move || {
        let span_s = timeline.axis.get().span.as_secs_f64();
        (timeline.cursor.get().unwrap_or(1.0) * span_s).round().to_string()
    });
    let words = Signal::derive(move || timeline.chosen_text(language));
    let choose = move |event: leptos::ev::Event| {
        let span_s = timeline.axis.get_untracked().span.as_secs_f64();
        let position = event_target_value(&event).parse::<f64>().map_or(1.0, |seconds| seconds / span_s);
        timeline.cursor.set((position < 1.0).then_some(position));
    };
    view! {
        <label class="time-slider" translate="no">
            <span>{language.text(sentence!(charts.cursor))}</span>
            <input
                type="range"
                min="0"
                max=span_s
                step="1"
                data-testid="chart-cursor"
                aria-valuetext=words
                prop:value=value
                on:input=choose
            />
            <output>{words}</output>
        </label>
    }
    .into_any()
}
