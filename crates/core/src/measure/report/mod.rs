//! The result of a run: a report with both sides on one time axis, and its exports.
//!
//! `docs/report.md` describes the format. Its version changes when an older reader would misunderstand a newer report.

mod bounds;
mod check;
mod csv;
mod document;
mod read;
mod rtcstats;
mod sound;

pub use bounds::plain;
pub(crate) use bounds::{MAX_ABSENCES, MAX_CONDITIONS, MAX_EVENTS, MAX_SAMPLES, MAX_SIDES};
pub use check::LONGEST_S;
pub(crate) use check::{possible, possible_length};
pub use csv::to_csv;
pub(crate) use document::rounded;
pub use document::{
    AbsenceEntry, AbsenceReason, Clock, EndReason, EventEntry, FORMAT, FileEntry, GapCounts,
    KnownSourceEntry, MAX_REPORT_BYTES, MarkEntry, Party, PlayoutEntry, Report, ScoreEntry, ScoreTermEntry,
    Side, SourceKnowledge, StallEntry, VERSION,
};
pub use read::ReportInvalid;
pub use rtcstats::{RtcStatsDump, RtcStatsHeader};
pub use sound::{BurstEntry, SoundEntry};
