//! The units of RTP timestamps.

use std::time::Duration;

/// Units of pictures in a second, whatever the codec.
pub(crate) const VIDEO_HZ: u32 = 90_000;
/// Units of Opus in a second, whatever the sample rate (RFC 7587, 4.1).
pub(crate) const AUDIO_HZ: u32 = 48_000;

/// A time in units of which a second has `hz`.
pub(crate) fn ticks(time: Duration, hz: u32) -> u64 {
    u64::try_from(time.as_nanos() * u128::from(hz) / 1_000_000_000).unwrap_or(u64::MAX)
}
