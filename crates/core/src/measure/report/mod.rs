//! What a measurement leaves behind: a report with both sides on one axis of time, and its exports.
//!
//! The format is described in `docs/report.md`; its version changes when an older reader would misunderstand it.

mod bounds;
mod check;
mod csv;
mod document;
mod read;
mod rtcstats;
mod sound;

pub use bounds::plain;
pub(crate) use bounds::{MAX_CONDITIONS, MAX_EVENTS, MAX_SAMPLES, MAX_SIDES};
pub use check::LONGEST_S;
pub(crate) use check::{possible, possible_length};
pub use csv::to_csv;
pub(crate) use document::rounded;
pub use document::{
    Clock, EndReason, EventEntry, FORMAT, GapCounts, KnownSourceEntry, MAX_REPORT_BYTES, MarkEntry, Party,
    PlayoutEntry, Report, ScoreEntry, ScoreTermEntry, Side, StallEntry, VERSION,
};
pub use read::ReportInvalid;
pub use rtcstats::{RtcStatsDump, RtcStatsHeader};
pub use sound::{BurstEntry, SoundEntry};
