//! The document of a report. Times are seconds on the axis of the page that made the report, whose zero is the first frame.

use serde::{Deserialize, Serialize};

use super::{
    bounds::{
        self, MAX_ABSENCES, MAX_BUCKETS, MAX_EVENTS, MAX_FRAMES, MAX_LEDGER, MAX_MARKS, MAX_SAMPLES,
        MAX_SIDES, MAX_TERMS, plain,
    },
    check::{possible, possible_length},
    sound::SoundEntry,
};
use crate::measure::{
    metric::Metric,
    playout::{Score, ScoreTerm, ScoreTermKind, SourceKnownBy},
};

/// The value of [`Report::format`].
pub const FORMAT: &str = "sightline-report";
/// The version of the format.
pub const VERSION: u32 = 1;
/// Size of the largest file that is opened, in bytes.
pub const MAX_REPORT_BYTES: usize = 64 * 1024 * 1024;

/// The report of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`FORMAT`], which identifies a file as a report.
    #[serde(deserialize_with = "bounds::text")]
    pub format: String,
    /// The format's version: [`VERSION`].
    pub version: u32,
    /// The id of the run.
    #[serde(deserialize_with = "bounds::text")]
    pub run: String,
    /// The room's name.
    #[serde(deserialize_with = "bounds::text")]
    pub room: String,
    /// Time of the first frame in milliseconds since 1970, by the clock of the computer that made the report.
    pub started_at_unix_ms: f64,
    /// Time from the first frame to the end.
    pub duration_s: f64,
    /// Why the run ended.
    pub ended_by: EndReason,
    /// The measurements of each browser: the reporter's own sides, each followed by the side from the other end.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_SIDES>")]
    pub sides: Vec<Side>,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A person stopped the run.
    Stopped,
    /// The run reached its time limit.
    TimeLimit,
    /// The video file ended.
    FileEnded,
    /// All other members were gone.
    ConnectionGone,
}

/// A member and its browser.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Party {
    /// The member's id in the room.
    #[serde(deserialize_with = "bounds::text")]
    pub member: String,
    /// The member's name.
    #[serde(deserialize_with = "bounds::name")]
    pub name: String,
    /// The browser's `navigator.userAgent`; empty if not known.
    #[serde(default, deserialize_with = "bounds::text")]
    pub browser: String,
}

impl Party {
    /// A copy with texts cleaned for a report.
    #[must_use]
    pub(crate) fn plain(self) -> Self {
        Self { member: plain(&self.member), name: plain(&self.name), browser: plain(&self.browser) }
    }
}

/// The offset of another page's clock from the reporter's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Seconds to add to the reporter's time to get the other page's time.
    pub offset_s: f64,
    /// Maximum error of the offset.
    pub error_s: f64,
}

/// The measurements that one browser made of one other: of the received media and of the sent media.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// The member that measured.
    pub observer: Party,
    /// The member that was measured.
    pub observed: Party,
    /// How the observer's times were converted to the report's axis. `None` for the reporter's own side, and if the offset is
    /// unknown: then the times are placed according to the arrival of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// The video file that the observer played; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileEntry>,
    /// The times of the run for which this side has no measurements.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounds::list::<_, _, MAX_ABSENCES>"
    )]
    pub absences: Vec<AbsenceEntry>,
    /// Other conditions of the measurement, as pairs of words: `codec`, `path`, limits.
    #[serde(default, deserialize_with = "bounds::conditions")]
    pub conditions: Vec<(String, String)>,
    /// The names of the columns of `samples`; the first is `time`.
    #[serde(deserialize_with = "bounds::columns")]
    pub columns: Vec<String>,
    /// One row for each stats report; `null` means "not reported".
    #[serde(deserialize_with = "bounds::samples")]
    pub samples: Vec<Vec<Option<f64>>>,
    /// The changes during the run.
    #[serde(default, deserialize_with = "bounds::list::<_, _, MAX_EVENTS>")]
    pub events: Vec<EventEntry>,
    /// How the picture was shown; `None` if there was no picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playout: Option<PlayoutEntry>,
    /// The totals from the stamps in the frames; `None` if they carried no stamps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_source: Option<KnownSourceEntry>,
    /// How the sound arrived; `None` if there was no sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundEntry>,
}

/// A time of the run for which a side has no measurements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbsenceEntry {
    /// Start of the absence.
    pub from_s: f64,
    /// End of the absence.
    pub to_s: f64,
    /// Why.
    pub reason: AbsenceReason,
}

/// Why a side has no measurements of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceReason {
    /// The other page was away, or the connection to it was down.
    Away,
    /// The page was loaded again, and what it had measured is lost; or it took part only later.
    NotRecorded,
    /// A value from a later version.
    #[serde(other)]
    Unknown,
}

/// The video file that the observer played.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The file's name.
    #[serde(deserialize_with = "bounds::text")]
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: f64,
    /// SHA-256 of the bytes as 64 lower-case hex digits; `None` if it was not computed.
    #[serde(default, deserialize_with = "bounds::optional_text")]
    pub sha256: Option<String>,
    /// Frames per second by the usual step of the media time; `None` while unknown.
    #[serde(default)]
    pub frames_per_second: Option<f64>,
    /// Length of the file; `None` where the file does not contain it.
    #[serde(default)]
    pub duration_s: Option<f64>,
    /// Whether every frame that was sent carried a stamp.
    pub stamped: bool,
}

impl FileEntry {
    /// A copy with its text cleaned for a report, and without numbers that a report cannot hold.
    #[must_use]
    pub(crate) fn plain(self) -> Self {
        Self {
            name: plain(&self.name),
            size_bytes: possible(self.size_bytes).unwrap_or_default(),
            sha256: self.sha256.map(|digest| plain(&digest)),
            frames_per_second: self.frames_per_second.and_then(possible).map(rounded),
            duration_s: self.duration_s.and_then(possible_length).map(rounded),
            stamped: self.stamped,
        }
    }
}

/// A change during the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventEntry {
    /// Time of the change.
    pub at_s: f64,
    /// The subject of the change, such as `codec`.
    #[serde(deserialize_with = "bounds::text")]
    pub subject: String,
    /// The new value.
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
    pub source_known_by: Option<SourceKnowledge>,
    pub source_frames: Option<u32>,
    pub source_frames_presented: Option<u32>,
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

/// By what the frames of a source were known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKnowledge {
    /// Every frame carried a stamp.
    Stamps,
    /// The page that played the file reported which frames it showed.
    Frames,
    /// The sender reported once a second how many frames its source delivered.
    Counts,
    /// A value from a later version.
    #[serde(other)]
    Unknown,
}

impl From<SourceKnownBy> for SourceKnowledge {
    fn from(known_by: SourceKnownBy) -> Self {
        match known_by {
            SourceKnownBy::Stamps => Self::Stamps,
            SourceKnownBy::Frames => Self::Frames,
            SourceKnownBy::Counts => Self::Counts,
        }
    }
}

/// The totals of a source whose every frame carries a number and a time (`docs/measuring.md`).
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
    /// Each shown frame once: its number, the time at which it was shown, and the delay from painting to display.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_FRAMES>")]
    pub frames: Vec<(u32, f64, Option<f64>)>,
    /// The estimates of the sender's clock with which the delays were computed: from when on, the offset, and its greatest error.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_SAMPLES>")]
    pub clocks: Vec<(f64, f64, f64)>,
}

/// Histogram of inter-frame gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapCounts {
    /// Upper bounds of the buckets, exclusive; the last bucket has none.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_BUCKETS>")]
    pub bounds_ms: Vec<u32>,
    /// The counts: one more than there are bounds.
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_BUCKETS>")]
    pub counts: Vec<u32>,
}

/// The score with its calculation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreEntry {
    /// From 1 to 5.
    pub value: f64,
    /// The deductions from 5 points.
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

    /// The score that this entry was written from; `None` if a deduction has an unknown kind.
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

/// One deduction of the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreTermEntry {
    /// The kind of the deduction.
    #[serde(deserialize_with = "bounds::text")]
    pub kind: String,
    /// Size of the deduction in points.
    pub points: f64,
    /// The figure that causes the deduction: a percentage, a number per minute, frames per second, or seconds.
    pub figure: f64,
}

/// A stall in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StallEntry {
    /// The time at which the next frame was due.
    pub start_s: f64,
    /// The time from `start_s` until a frame was shown.
    pub duration_s: f64,
    /// The most likely cause.
    #[serde(deserialize_with = "bounds::text")]
    pub cause: String,
    /// How certain the cause is, in percent; `None` in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
}

/// A time in which a still picture was no stall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarkEntry {
    /// The reason of the mark.
    #[serde(deserialize_with = "bounds::text")]
    pub kind: String,
    /// Start of the mark.
    pub from_s: f64,
    /// End of the mark; `None` if it lasted to the end.
    #[serde(default)]
    pub to_s: Option<f64>,
}

impl Report {
    /// The text of the file (JSON).
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serializing cannot fail: every value in a report has a form in JSON.
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
            Metric::SourceFrames => self.source_frames.map(f64::from),
            Metric::SourceFramesPresented => self.source_frames_presented.map(f64::from),
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
    /// The values of a column with their times, in order; `None` for missing values.
    pub fn column<'a>(&'a self, name: &str) -> impl Iterator<Item = (f64, Option<f64>)> + 'a {
        let at = self.columns.iter().position(|column| column == name);
        self.samples.iter().filter_map(move |row| {
            let time = *row.first()?;
            Some((time?, at.and_then(|at| row.get(at).copied().flatten())))
        })
    }

    /// The total of a metric over the whole run, in its base unit; `None` if there is no value.
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

    /// Adds `by_s` to every time.
    pub(crate) fn shift(&mut self, by_s: f64) {
        let shift = |time: &mut f64| *time = rounded(*time + by_s);
        for row in &mut self.samples {
            if let Some(Some(time)) = row.first_mut() {
                shift(time);
            }
        }
        self.events.iter_mut().for_each(|event| shift(&mut event.at_s));
        for absence in &mut self.absences {
            shift(&mut absence.from_s);
            shift(&mut absence.to_s);
        }
        for (_, shown_at_s, _) in self.known_source.iter_mut().flat_map(|known| &mut known.frames) {
            shift(shown_at_s);
        }
        for (from_s, ..) in self.known_source.iter_mut().flat_map(|known| &mut known.clocks) {
            shift(from_s);
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

/// Rounds to thousandths of the unit. For times that is more precise than the clocks are.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
