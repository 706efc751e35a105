//! The totals of the sound.

use crate::measure::metric::Metric;

/// What is told of the sound.
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

/// What is known at one moment. `None` is "not reported" or "nothing yet", never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "each is defined in docs/measuring.md under the same name")]
pub struct SoundSummary {
    /// `totalSamplesReceived`
    pub samples_received: Option<f64>,
    /// `concealedSamples`
    pub concealed_samples: Option<f64>,
    /// `silentConcealedSamples`
    pub silent_concealed_samples: Option<f64>,
    /// `concealmentEvents`
    pub concealment_events: Option<f64>,
    /// `insertedSamplesForDeceleration`
    pub inserted_samples: Option<f64>,
    /// `removedSamplesForAcceleration`
    pub removed_samples: Option<f64>,
    /// Concealed and audible, of all, while sound was to be expected.
    pub concealed_ratio: Option<f64>,
    /// The same between the last two reports.
    pub recent_concealed_ratio: Option<f64>,
    /// Mean time in the jitter buffer.
    pub jitter_buffer_delay_s: Option<f64>,
    /// The same between the last two reports.
    pub recent_jitter_buffer_delay_s: Option<f64>,
    /// Bursts; `None` where the browser does not report what it conceals.
    pub burst_count: Option<u32>,
}

impl SoundSummary {
    /// The number of a row, in its base unit; `None` for every other metric, and where there is none.
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
