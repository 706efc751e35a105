//! The totals of the sound.

use crate::measure::metric::Metric;

/// The metrics about the sound.
pub const SOUND_METRICS: [Metric; 9] = [
    Metric::ConcealedRatio,
    Metric::SoundBursts,
    Metric::JitterBufferDelay,
    Metric::ConcealedSamples,
    Metric::SilentConcealedSamples,
    Metric::ConcealmentEvents,
    Metric::InsertedSamples,
    Metric::RemovedSamples,
    Metric::SamplesReceived,
];

/// The totals at one moment. `None` means "not reported" or "nothing yet". Zero never stands for a missing value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "each is defined in docs/measuring.md under the same name")]
pub struct SoundSummary {
    /// Number of samples played, concealed ones included (`totalSamplesReceived`).
    pub samples_received: Option<f64>,
    /// Number of concealed samples (`concealedSamples`).
    pub concealed_samples: Option<f64>,
    /// Number of concealed samples that were silent (`silentConcealedSamples`).
    pub silent_concealed_samples: Option<f64>,
    /// Number of times that concealment began (`concealmentEvents`).
    pub concealment_events: Option<f64>,
    /// Samples inserted to slow playout down (`insertedSamplesForDeceleration`).
    pub inserted_samples: Option<f64>,
    /// Samples removed to speed playout up (`removedSamplesForAcceleration`).
    pub removed_samples: Option<f64>,
    /// Audible concealed samples divided by all samples, while sound was expected.
    pub concealed_ratio: Option<f64>,
    /// The same ratio between the last two reports.
    pub recent_concealed_ratio: Option<f64>,
    /// Mean time that samples spent in the jitter buffer.
    pub jitter_buffer_delay_s: Option<f64>,
    /// The same time between the last two reports.
    pub recent_jitter_buffer_delay_s: Option<f64>,
    /// Number of bursts; `None` if the browser does not report concealment.
    pub burst_count: Option<u32>,
}

impl SoundSummary {
    /// The number for a row, in its base unit; `None` for metrics of other sources, and if there is no value.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::ConcealedRatio => self.recent_concealed_ratio,
            Metric::ConcealedSamples => self.concealed_samples,
            Metric::SilentConcealedSamples => self.silent_concealed_samples,
            Metric::ConcealmentEvents => self.concealment_events,
            Metric::InsertedSamples => self.inserted_samples,
            Metric::RemovedSamples => self.removed_samples,
            Metric::SamplesReceived => self.samples_received,
            Metric::JitterBufferDelay => self.recent_jitter_buffer_delay_s,
            Metric::SoundBursts => self.burst_count.map(f64::from),
            _ => None,
        }
    }
}
