//! The part of a report about the sound.

use serde::{Deserialize, Serialize};

use super::bounds::{self, MAX_SOUND_LEDGER};
use crate::measure::metric::Metric;

/// How the sound arrived (`docs/measuring.md`). `None` means that the browser does not report the value.
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

/// A burst of concealed sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BurstEntry {
    /// The time of the last report before the burst.
    pub start_s: f64,
    /// The time from `start_s` to the last report that shows the burst.
    pub duration_s: f64,
    /// Length of the concealed sound in the burst.
    pub concealed_s: f64,
    /// The most likely cause.
    #[serde(deserialize_with = "bounds::text")]
    pub cause: String,
}

impl SoundEntry {
    /// The total of a metric over the whole run, in its base unit.
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
