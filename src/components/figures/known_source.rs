//! What is true of a stamped source: of each frame, whether it was seen and how long it took.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    components::when::When,
    language::{Language, Sentence},
    sentence,
    session::model::{StampFigures, TileModel},
};

/// A row: its metric, its words, its value in base units and as a person reads it.
type Row = (&'static str, Sentence, fn(&StampFigures) -> Option<Value>);

/// A figure of known-source mode.
enum Value {
    Count(u32),
    Time(Duration),
    /// One's own clock against theirs, in microseconds.
    Offset(i64),
}

const ROWS: [Row; 11] = [
    ("stamped_frames_shown", sentence!(known.shown), |figures| Some(Value::Count(figures.truth.shown))),
    ("stamped_frames_lost", sentence!(known.lost), |figures| Some(Value::Count(figures.truth.lost))),
    ("stamped_frames_repeated", sentence!(known.repeated), |figures| {
        Some(Value::Count(figures.truth.repeated))
    }),
    ("stamped_frames_late", sentence!(known.late), |figures| Some(Value::Count(figures.truth.late))),
    ("stamped_frames_unreadable", sentence!(known.unreadable), |figures| {
        Some(Value::Count(figures.truth.unreadable))
    }),
    ("stamped_delay", sentence!(known.delay), |figures| figures.truth.delay.map(Value::Time)),
    ("stamped_delay_mean", sentence!(known.delay_mean), |figures| figures.truth.mean_delay.map(Value::Time)),
    ("stamped_delay_longest", sentence!(known.delay_longest), |figures| {
        figures.truth.longest_delay.map(Value::Time)
    }),
    ("clock_offset", sentence!(known.clock_offset), |figures| {
        figures.truth.clock.map(|clock| Value::Offset(clock.offset_us))
    }),
    ("clock_error", sentence!(known.clock_error), |figures| {
        figures.truth.clock.map(|clock| Value::Time(clock.error))
    }),
    ("stamp_read_cost", sentence!(known.read_cost), |figures| Some(Value::Time(figures.read_cost))),
];

/// Nothing while the member's frames carry no stamps.
#[component]
pub fn KnownSource(
    /// Whose.
    tile: TileModel,
) -> AnyView {
    let language = Language::from_context();
    let is_known = Signal::derive(move || tile.stamps.with(Option::is_some));
    let row = move |(metric, words, value): Row| {
        let value = Memo::new(move |_| {
            tile.stamps
                .with(|stamps| stamps.as_ref().and_then(value))
                .map(|value| (value.raw(), value.human()))
        });
        view! {
            <div
                class="stat"
                data-testid="stat"
                data-metric=metric
                data-member=tile.member.get_value()
                data-value=move || value.get().map(|(raw, _)| raw).unwrap_or_default()
            >
                <dt>{language.text(words)}</dt>
                <dd>
                    {move || match value.get() {
                        Some((_, human)) => human,
                        None => sentence!(figures.measuring)(language.locale()).to_owned(),
                    }}
                </dd>
            </div>
        }
        .into_any()
    };
    view! {
        <When is=is_known>
            <h4>{language.text(sentence!(known.title))}</h4>
            <dl class="stats-rows">{ROWS.map(row).collect_view()}</dl>
        </When>
    }
    .into_any()
}

impl Value {
    fn raw(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Time(time) => micros_as_seconds(i64::try_from(time.as_micros()).unwrap_or(i64::MAX)),
            Self::Offset(offset_us) => micros_as_seconds(*offset_us),
        }
    }

    fn human(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Time(time) => milliseconds(*time),
            Self::Offset(offset_us) => format!("{} s", micros_as_seconds(offset_us / 1000 * 1000)),
        }
    }
}

/// `62.4 ms`
#[must_use]
pub fn milliseconds(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

fn micros_as_seconds(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_seconds_to_scripts_and_in_milliseconds_to_people() {
        assert_eq!(Value::Time(Duration::from_micros(62_480)).raw(), "0.062480");
        assert_eq!(Value::Time(Duration::from_micros(62_480)).human(), "62.4 ms");
        assert_eq!(Value::Offset(-1_500_000).raw(), "-1.500000");
        assert_eq!(Value::Offset(-1_500_999).human(), "-1.500000 s");
        assert_eq!(Value::Count(3).raw(), "3");
    }
}
