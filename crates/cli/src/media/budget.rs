//! How fast one viewer is sent to.

use std::time::Duration;

use sightline_core::Timestamp;

/// The budget of a viewer: this many times the mean bitrate of the file, and at least 10 Mbit/s.
const SPEED: u64 = 4;
const MIN_BYTES_PER_SECOND: u64 = 1_250_000;
/// What may be sent without a pause: twenty packets.
const MAX_BURST_BYTES: u64 = 24_000;

/// What may be sent: fills with time.
#[derive(Debug)]
pub(super) struct Budget {
    bytes_per_second: u64,
    bytes: u64,
    at: Option<Timestamp>,
}

impl Budget {
    pub(super) fn new(mean_bytes_per_second: u64) -> Self {
        let bytes_per_second = mean_bytes_per_second.saturating_mul(SPEED).max(MIN_BYTES_PER_SECOND);
        Self { bytes_per_second, bytes: MAX_BURST_BYTES, at: None }
    }

    /// Takes bytes, or says when there are enough.
    pub(super) fn take(&mut self, bytes: u64, now: Timestamp) -> Result<(), Timestamp> {
        let since = self.at.map_or(Duration::ZERO, |at| now.since(at));
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX).min(1_000_000);
        let earned = self.bytes_per_second.saturating_mul(micros) / 1_000_000;
        if earned > 0 || self.at.is_none() {
            self.bytes = self.bytes.saturating_add(earned).min(MAX_BURST_BYTES);
            self.at = Some(now);
        }
        match self.bytes.checked_sub(bytes) {
            Some(rest) => {
                self.bytes = rest;
                Ok(())
            }
            None => {
                let missing = bytes - self.bytes;
                Err(now + Duration::from_micros(missing * 1_000_000 / self.bytes_per_second + 1))
            }
        }
    }
}
