//! How a member's sound arrives: the samples that the browser concealed, inserted and removed, and a ledger of the bursts of
//! concealed sound.
//!
//! [`SoundMeter`] takes stats reports (`inbound-rtp` of kind `audio`) and the sender's reports about itself. It does not depend
//! on the picture. A browser does not report single gaps in the sound, so a burst is as exact as the reports, which come once a
//! second.

mod burst;
mod counters;
mod meter;
mod summary;

pub use burst::{MAX_BURSTS, SoundBurst, SoundCause};
pub use meter::{SentSound, SoundMeter};
pub use summary::{SOUND_METRICS, SoundSummary};
