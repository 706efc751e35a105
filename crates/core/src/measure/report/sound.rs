//! How the sound arrived, as a report has it.

use serde::{Deserialize, Serialize};

use super::bounds::{self, MAX_SOUND_LEDGER};
use crate::measure::metric::Metric;

/// How the sound arrived (`docs/measuring.md`). `None` is "not reported".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "each is defined in docs/measuring.md under the same name")]
pub struct SoundEntry {
    pub samples_received: Option<f64>,
    pub concealed_samples: Option<f64>,
    pub silent_concealed_samples: Option<f64>,
    pub concealment_events: Option<f64>,
    pub inserted_samples: Option<f64>,
    pub removed_samples: Option<f64>,
    pub concealed_ratio: Option<f64>,
    pub jitter_buffer_delay_s: Option<f64>,
    pub burst_count: Option<u32>,
    #[serde(deserialize_with = "bounds::list::<_, _, MAX_SOUND_LEDGER>")]
    pub bursts: Vec<BurstEntry>,
}

/// A time in which the browser made sound up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BurstEntry {
    /// When the last report before it was read.
    pub start_s: f64,
    /// From then until the last report that shows it.
    pub duration_s: f64,
    /// How much of that was made up.
    pub concealed_s: f64,
    /// The most likely reason.
    #[serde(deserialize_with = "bounds::text")]
    pub cause: String,
}

impl SoundEntry {
    /// The total of a metric over the whole measurement, in its base unit.
    pub(super) fn total(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::ConcealedRatio => self.concealed_ratio,
            Metric::SoundBursts => self.burst_count.map(f64::from),
            Metric::JitterBufferDelay => self.jitter_buffer_delay_s,
            Metric::ConcealedSamples => self.concealed_samples,
            Metric::SilentConcealedSamples => self.silent_concealed_samples,
            Metric::ConcealmentEvents => self.concealment_events,
            Metric::InsertedSamples => self.inserted_samples,
            Metric::RemovedSamples => self.removed_samples,
            Metric::SamplesReceived => self.samples_received,
            _ => None,
        }
    }
}
