//! What one direction of a link does to packets.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use str0m_netem::{Bitrate, DataSize, NetemConfig, Probability, RandomLoss};

/// Most that waits in a buffer, in bytes.
const MAX_BUFFER_BYTES: usize = 64 * 1024 * 1024;

/// One direction of a link. The default is a wire: nothing is delayed, lost or held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkProfile {
    /// Every packet takes this long, in milliseconds.
    pub delay_ms: f64,
    /// ... and up to this much more or less.
    pub jitter_ms: f64,
    /// The part of the packets that is lost, from 0 to 1, each by itself.
    pub loss_ratio: f64,
    /// How many bits pass in a second; `None` for no limit.
    pub rate_bps: Option<u64>,
    /// How much waits before that, in bytes; what comes on top is dropped.
    pub buffer_bytes: usize,
    /// Nothing passes.
    pub is_cut: bool,
    /// The same seed loses the same packets.
    pub seed: u64,
}

impl Default for LinkProfile {
    fn default() -> Self {
        Self {
            delay_ms: 0.0,
            jitter_ms: 0.0,
            loss_ratio: 0.0,
            rate_bps: None,
            // A quarter of a second at 2 Mbit/s: what a home router of no great ambition has.
            buffer_bytes: 64 * 1024,
            is_cut: false,
            seed: 1,
        }
    }
}

impl LinkProfile {
    /// A wire with a delay.
    #[must_use]
    pub fn delayed(delay: Duration) -> Self {
        Self { delay_ms: delay.as_secs_f64() * 1000.0, ..Self::default() }
    }

    pub(crate) fn netem(&self) -> NetemConfig {
        let milliseconds =
            |ms: f64| Duration::try_from_secs_f64(ms.clamp(0.0, 600_000.0) / 1000.0).unwrap_or_default();
        let mut config = NetemConfig::new()
            .latency(milliseconds(self.delay_ms))
            .jitter(milliseconds(self.jitter_ms))
            .seed(self.seed);
        if self.loss_ratio > 0.0 {
            config = config.loss(RandomLoss::new(Probability::new(self.loss_ratio.min(1.0) as f32)));
        }
        if let Some(rate_bps) = self.rate_bps {
            config = config.link(
                Bitrate::bps(rate_bps),
                DataSize::bytes(self.buffer_bytes.min(MAX_BUFFER_BYTES) as i64),
            );
        }
        config
    }
}
