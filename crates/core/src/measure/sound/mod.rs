//! How a member's sound arrives: what the browser had to make up, insert and remove, and a ledger of the bursts in which it made
//! sound up.
//!
//! [`SoundMeter`] takes stats reports (`inbound-rtp` of kind `audio`) and what the sender says of itself. It knows nothing of the
//! picture. A browser reports no single gap in the sound, so a burst is as exact as the reports: one a second.

mod burst;
mod counters;
mod meter;
mod summary;

pub use burst::{MAX_BURSTS, SoundBurst, SoundCause};
pub use meter::{SentSound, SoundMeter};
pub use summary::{SOUND_METRICS, SoundSummary};
