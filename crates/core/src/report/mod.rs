//! What a measurement leaves behind: a report with both sides on one axis of time, and its exports.
//!
//! The format is described in `docs/report.md`; its version changes when an older reader would misunderstand it.

mod csv;
mod document;
mod rtcstats;

pub use csv::to_csv;
pub(crate) use document::rounded;
pub use document::{
    Clock, EndReason, EventEntry, FORMAT, GapCounts, KnownSourceEntry, MAX_REPORT_BYTES, MarkEntry, Party,
    PlayoutEntry, Report, ReportInvalid, ScoreEntry, ScoreTermEntry, Side, StallEntry, VERSION,
};
pub use rtcstats::{RtcStatsDump, RtcStatsHeader};
