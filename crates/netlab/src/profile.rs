//! The properties of one direction of a link.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use str0m_netem::{Bitrate, DataSize, NetemConfig, Probability, RandomLoss};

/// Largest buffer, in bytes.
const MAX_BUFFER_BYTES: usize = 64 * 1024 * 1024;

/// The properties of one direction. By default nothing is delayed, lost or limited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkProfile {
    /// Delay of every packet, in milliseconds.
    pub delay_ms: f64,
    /// Largest random deviation from the delay, in milliseconds.
    pub jitter_ms: f64,
    /// Share of packets that are lost, from 0 to 1, each independently.
    pub loss_ratio: f64,
    /// Bits per second; `None` for no limit.
    pub rate_bps: Option<u64>,
    /// Bytes that may wait because of the rate; further packets are dropped.
    pub buffer_bytes: usize,
    /// Whether the direction is cut: no packet passes.
    pub is_cut: bool,
    /// The seed of the losses; the same seed loses the same packets.
    pub seed: u64,
}

impl Default for LinkProfile {
    fn default() -> Self {
        Self {
            delay_ms: 0.0,
            jitter_ms: 0.0,
            loss_ratio: 0.0,
            rate_bps: None,
            // A quarter of a second at 2 Mbit/s, as in a simple home router.
            buffer_bytes: 64 * 1024,
            is_cut: false,
            seed: 1,
        }
    }
}

impl LinkProfile {
    /// A direction with only this delay.
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
