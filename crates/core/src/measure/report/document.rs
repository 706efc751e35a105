//! The document itself. Times are seconds on the axis of the page that made the report, whose zero is the first frame.

use serde::{Deserialize, Serialize};

use super::{
    bounds::{self, MAX_BUCKETS, MAX_EVENTS, MAX_FRAMES, MAX_LEDGER, MAX_MARKS, MAX_SIDES, MAX_TERMS, plain},
    sound::SoundEntry,
};
use crate::measure::{
    metric::Metric,
    playout::{Score, ScoreTerm, ScoreTermKind},
};

/// The word that says what a file is.
pub const FORMAT: &str = "sightline-report";
/// The version of the format.
pub const VERSION: u32 = 1;
/// Largest file that is opened, in bytes.
pub const MAX_REPORT_BYTES: usize = 64 * 1024 * 1024;

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`]
    #[serde(deserialize_with = "bounds::text")]
    pub format: String,
    /// [`VERSION`]
    pub version: u32,
    /// The measurement's id.
    #[serde(deserialize_with = "bounds::text")]
    pub run: String,
    /// The room's name.
    #[serde(deserialize_with = "bounds::text")]
    pub room: String,
    /// When the first frame was shown, in milliseconds since 1970 by the clock of the computer that made the report.
    pub started_at_unix_ms: f64,
    /// From the first frame to the end.
    pub duration_s: f64,
    /// Why it ended.
    pub ended_by: EndReason,
    /// What each browser measured of another: the reporter's own views first, after each the view from the other end.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_SIDES>")]
    pub sides: Vec<Side>,
}

/// Why a measurement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Somebody stopped it.
    Stopped,
    /// It was to last so long.
    TimeLimit,
    /// The video file was over.
    FileEnded,
    /// Everybody else was gone.
    ConnectionGone,
}

/// A browser.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Party {
    /// The member's id in the room.
    #[serde(deserialize_with = "bounds::text")]
    pub member: String,
    /// The name shown.
    #[serde(deserialize_with = "bounds::name")]
    pub name: String,
    /// The browser, by its `navigator.userAgent`; empty where it is not known.
    #[serde(default, deserialize_with = "bounds::text")]
    pub browser: String,
}

impl Party {
    /// The same, as a report keeps texts.
    #[must_use]
    pub(crate) fn plain(self) -> Self {
        Self { member: plain(&self.member), name: plain(&self.name), browser: plain(&self.browser) }
    }
}

/// How another page's clock stands to the reporter's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// What was added to one's own time to have theirs.
    pub offset_s: f64,
    /// It is wrong by at most this.
    pub error_s: f64,
}

/// What one browser measured of one other: what came from it, and what was sent to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Who measured.
    pub observer: Party,
    /// Whom.
    pub observed: Party,
    /// How the observer's clock was laid on the axis; `None` for the reporter's own, and where it is not known, in
    /// which case the times are laid by the moment at which they arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// What else is known of the circumstances, as words: `codec`, `path`, limits.
    #[serde(default, deserialize_with = "bounds::conditions")]
    pub conditions: Vec<(String, String)>,
    /// The names of the columns of `samples`; the first is `time`.
    #[serde(deserialize_with = "bounds::columns")]
    pub columns: Vec<String>,
    /// One row for each stats report; `null` is "not reported".
    #[serde(deserialize_with = "bounds::samples")]
    pub samples: Vec<Vec<Option<f64>>>,
    /// What became another.
    #[serde(default, deserialize_with = "bounds::list::<_, _, MAX_EVENTS>")]
    pub events: Vec<EventEntry>,
    /// How the picture was shown; `None` where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playout: Option<PlayoutEntry>,
    /// What the stamps in the frames tell; `None` where they carried none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_source: Option<KnownSourceEntry>,
    /// How the sound arrived; `None` where none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundEntry>,
}

/// Something became another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventEntry {
    /// When.
    pub at_s: f64,
    /// What, as `codec`.
    #[serde(deserialize_with = "bounds::text")]
    pub subject: String,
    /// What it is now.
    #[serde(deserialize_with = "bounds::text")]
    pub value: String,
}

/// How a picture was shown (`docs/measuring.md`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "each is defined in docs/measuring.md under the same name")]
pub struct PlayoutEntry {
    pub first_frame_at_s: f64,
    pub watched_s: f64,
    pub marked_s: f64,
    pub time_to_first_frame_s: Option<f64>,
    pub stall_count: u32,
    pub stall_time_s: f64,
    pub stall_ratio: f64,
    pub stalls_per_minute: f64,
    pub longest_stall_s: f64,
    pub usual_stall_count: Option<u32>,
    pub usual_stall_time_s: Option<f64>,
    pub usual_stall_ratio: Option<f64>,
    pub source_frames_per_second: Option<f64>,
    pub lower_rate_ratio: Option<f64>,
    pub freeze_count: Option<f64>,
    pub total_freezes_duration_s: Option<f64>,
    pub bytes_received: Option<f64>,
    pub mean_receive_bitrate_bps: Option<f64>,
    pub loss_ratio: Option<f64>,
    pub frames_received: Option<f64>,
    pub frames_decoded: Option<f64>,
    pub frames_dropped: Option<f64>,
    pub frames_presented: Option<u32>,
    pub frames_per_second: Option<f64>,
    pub frame_width: Option<u32>,
    pub frame_height: Option<u32>,
    pub gaps: GapCounts,
    pub score: Option<ScoreEntry>,
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_LEDGER>")]
    pub stalls: Vec<StallEntry>,
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_MARKS>")]
    pub marks: Vec<MarkEntry>,
}

/// What is true of a source whose every frame carries a number and a time (`docs/measuring.md`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "each is defined in docs/measuring.md under the same name")]
pub struct KnownSourceEntry {
    pub frames_shown: u32,
    pub frames_lost: u32,
    pub frames_repeated: u32,
    pub frames_late: u32,
    pub frames_unreadable: u32,
    pub delay_mean_s: Option<f64>,
    pub delay_shortest_s: Option<f64>,
    pub delay_longest_s: Option<f64>,
    pub clock_offset_s: Option<f64>,
    pub clock_error_s: Option<f64>,
    /// Each frame that was shown, once: its number, when, and the delay from painting to display.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_FRAMES>")]
    pub frames: Vec<(u32, f64, Option<f64>)>,
}

/// Inter-frame gaps, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapCounts {
    /// Upper bounds of the buckets, exclusive; the last bucket has none.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_BUCKETS>")]
    pub bounds_ms: Vec<u32>,
    /// One more than bounds.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_BUCKETS>")]
    pub counts: Vec<u32>,
}

/// The score with its arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreEntry {
    /// From 1 to 5.
    pub value: f64,
    /// What was taken off.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_TERMS>")]
    pub terms: Vec<ScoreTermEntry>,
}

impl ScoreEntry {
    pub(crate) fn new(score: &Score) -> Self {
        let entry = |term: &ScoreTerm| ScoreTermEntry {
            kind: term.kind.as_str().to_owned(),
            points: f64::from(term.tenths) / 10.0,
            figure: f64::from(term.figure_tenths) / 10.0,
        };
        Self { value: f64::from(score.tenths) / 10.0, terms: score.terms.iter().map(entry).collect() }
    }

    /// The score that this was written from; `None` where it has a term that is not known here.
    #[must_use]
    pub fn score(&self) -> Option<Score> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast to u32 saturates"
        )]
        let tenths = |number: f64| (number * 10.0).round() as u32;
        let term = |entry: &ScoreTermEntry| {
            let kind = ScoreTermKind::from_word(&entry.kind)?;
            Some(ScoreTerm { kind, tenths: tenths(entry.points), figure_tenths: tenths(entry.figure) })
        };
        let terms = self.terms.iter().map(term).collect::<Option<_>>()?;
        Some(Score { tenths: tenths(self.value), terms })
    }
}

/// One thing that was taken off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreTermEntry {
    /// For what.
    #[serde(deserialize_with = "bounds::text")]
    pub kind: String,
    /// How much.
    pub points: f64,
    /// What it follows from: percent, a number a minute, frames a second, or seconds.
    pub figure: f64,
}

/// One stall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StallEntry {
    /// When the next frame was due.
    pub start_s: f64,
    /// From then until a frame was shown.
    pub duration_s: f64,
    /// The most likely reason.
    #[serde(deserialize_with = "bounds::text")]
    pub cause: String,
}

/// A time in which standing still was no stall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarkEntry {
    /// Why.
    #[serde(deserialize_with = "bounds::text")]
    pub kind: String,
    /// From when.
    pub from_s: f64,
    /// Until when; `None` where it lasted to the end.
    #[serde(default)]
    pub to_s: Option<f64>,
}

impl Report {
    /// The file's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // There is nothing in it that JSON has no form for.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl PlayoutEntry {
    fn total(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::StallRatio => Some(self.stall_ratio),
            Metric::StallCount => Some(f64::from(self.stall_count)),
            Metric::StallTime => Some(self.stall_time_s),
            Metric::LongestStall => Some(self.longest_stall_s),
            Metric::StallsPerMinute => Some(self.stalls_per_minute),
            Metric::UsualStallRatio => self.usual_stall_ratio,
            Metric::SourceFramesPerSecond => self.source_frames_per_second,
            Metric::LowerRateRatio => self.lower_rate_ratio,
            Metric::FreezeCount => self.freeze_count,
            Metric::TotalFreezesDuration => self.total_freezes_duration_s,
            Metric::MeanReceiveBitrate => self.mean_receive_bitrate_bps,
            Metric::BytesReceived => self.bytes_received,
            Metric::FramesPerSecond => self.frames_per_second,
            Metric::FramesPresented => self.frames_presented.map(f64::from),
            Metric::FramesReceived => self.frames_received,
            Metric::FramesDecoded => self.frames_decoded,
            Metric::FramesDropped => self.frames_dropped,
            Metric::LossRatio => self.loss_ratio,
            Metric::TimeToFirstFrame => self.time_to_first_frame_s,
            _ => None,
        }
    }
}

impl Side {
    /// The values of a column by time, in order; gaps are `None`.
    pub fn column<'a>(&'a self, name: &str) -> impl Iterator<Item = (f64, Option<f64>)> + 'a {
        let at = self.columns.iter().position(|column| column == name);
        self.samples.iter().filter_map(move |row| {
            let time = *row.first()?;
            Some((time?, at.and_then(|at| row.get(at).copied().flatten())))
        })
    }

    /// The total of a metric over the whole measurement, in its base unit; `None` where there is none.
    #[must_use]
    pub fn total(&self, metric: Metric) -> Option<f64> {
        if let Some(total) = self.sound.as_ref().and_then(|sound| sound.total(metric)) {
            return Some(total);
        }
        let known = self.known_source.as_ref();
        match metric {
            Metric::StampedFramesShown => known.map(|known| f64::from(known.frames_shown)),
            Metric::StampedFramesLost => known.map(|known| f64::from(known.frames_lost)),
            Metric::StampedFramesRepeated => known.map(|known| f64::from(known.frames_repeated)),
            Metric::StampedFramesLate => known.map(|known| f64::from(known.frames_late)),
            Metric::StampedFramesUnreadable => known.map(|known| f64::from(known.frames_unreadable)),
            Metric::StampedDelayMean => known?.delay_mean_s,
            Metric::StampedDelayLongest => known?.delay_longest_s,
            Metric::ClockError => known?.clock_error_s,
            _ => self.playout.as_ref()?.total(metric),
        }
    }

    /// Moves every time by so much.
    pub(crate) fn shift(&mut self, by_s: f64) {
        let shift = |time: &mut f64| *time = rounded(*time + by_s);
        for row in &mut self.samples {
            if let Some(Some(time)) = row.first_mut() {
                shift(time);
            }
        }
        self.events.iter_mut().for_each(|event| shift(&mut event.at_s));
        for (_, shown_at_s, _) in self.known_source.iter_mut().flat_map(|known| &mut known.frames) {
            shift(shown_at_s);
        }
        for burst in self.sound.iter_mut().flat_map(|sound| &mut sound.bursts) {
            shift(&mut burst.start_s);
        }
        if let Some(playout) = &mut self.playout {
            shift(&mut playout.first_frame_at_s);
            playout.stalls.iter_mut().for_each(|stall| shift(&mut stall.start_s));
            for mark in &mut playout.marks {
                shift(&mut mark.from_s);
                mark.to_s.iter_mut().for_each(shift);
            }
        }
    }
}

/// To the millisecond, which is more than any of the clocks is good for, or a thousandth of another unit.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
