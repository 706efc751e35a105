//! How smoothly a picture was shown, from the frames that were shown and the browser's counters.
//!
//! [`PlayoutMeter`] takes frames (`requestVideoFrameCallback`), stats reports, and what the sender declares, and gives
//! totals, a ledger of stalls and a score. What a stall is, and why, stands in `docs/measuring.md`; each part of that
//! definition has a file here.

mod cause;
mod counters;
mod frame;
mod histogram;
mod interval;
mod marks;
mod meter;
mod score;
mod sender;
mod source_rate;
mod stall;
mod summary;
mod totals;

pub use cause::{SenderInterval, StallCause};
pub use histogram::{GAP_BUCKETS_MS, GapHistogram};
pub use marks::{Declaration, Mark, MarkKind};
pub use meter::{MAX_STALLS, PlayoutMeter};
pub use score::{Score, ScoreTerm, ScoreTermKind};
pub use sender::{SenderTimeline, sending};
pub use stall::Stall;
pub use summary::PlayoutSummary;
pub use totals::RECENT;
