//! How smoothly a picture is shown, from shown frames and the browser's counters.
//!
//! [`PlayoutMeter`] takes frames (`requestVideoFrameCallback`), stats reports and the sender's declarations, and returns
//! totals, a ledger of stalls and a score. `docs/measuring.md` defines a stall and its causes; each part of the definition has
//! a file here.

mod cause;
mod counters;
mod facts;
mod frame;
mod histogram;
mod interval;
mod ledger;
mod marks;
mod meter;
mod reported_source;
mod score;
mod sender;
mod source_rate;
mod stall;
mod summary;
mod totals;
mod transit;

pub use cause::StallCause;
pub use histogram::{GAP_BUCKETS_MS, GapHistogram};
pub use ledger::MAX_STALLS;
pub use marks::{Declaration, Mark, MarkKind};
pub use meter::PlayoutMeter;
pub use score::{Score, ScoreTerm, ScoreTermKind};
pub use sender::{IntervalPicture, SenderInterval, SenderTimeline, sending};
pub use stall::Stall;
pub use summary::{PlayoutSummary, SourceKnownBy};
pub use totals::RECENT;
