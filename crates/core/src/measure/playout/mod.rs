//! How smoothly a picture is shown, from shown frames and the browser's counters.
//!
//! [`PlayoutMeter`] takes frames (`requestVideoFrameCallback`), stats reports and the sender's declarations, and returns
//! totals, a ledger of stalls and a score. `docs/measuring.md` defines a stall and its causes; each part of the definition has
//! a file here.

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
mod told_source;
mod totals;

pub use cause::{SenderInterval, StallCause};
pub use histogram::{GAP_BUCKETS_MS, GapHistogram};
pub use marks::{Declaration, Mark, MarkKind};
pub use meter::{MAX_STALLS, PlayoutMeter};
pub use score::{Score, ScoreTerm, ScoreTermKind};
pub use sender::{SenderTimeline, sending};
pub use stall::Stall;
pub use summary::{PlayoutSummary, SourceKnownBy};
pub use totals::RECENT;
