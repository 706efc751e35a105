//! The browser's own counters of the received sound, summed over rebuilt connections.

use crate::{Timestamp, measure::entry::StatsEntry};

/// Totals since the measurement began. `None` means that the browser does not report the value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) samples: Option<f64>,
    pub(super) concealed: Option<f64>,
    pub(super) silent: Option<f64>,
    pub(super) events: Option<f64>,
    pub(super) inserted: Option<f64>,
    pub(super) removed: Option<f64>,
    pub(super) buffer_s: Option<f64>,
    pub(super) emitted: Option<f64>,
}

/// The increase of the counters between two reports.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Step {
    /// The time at which the earlier report was read.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) samples: Option<f64>,
    pub(super) concealed: Option<f64>,
    pub(super) silent: Option<f64>,
    pub(super) buffer_s: Option<f64>,
    pub(super) emitted: Option<f64>,
    pub(super) packets: f64,
    pub(super) lost: f64,
    pub(super) discarded: f64,
}

impl Step {
    /// Number of audible concealed samples. If the browser does not count silent ones, all concealed samples.
    pub(super) fn audible(&self) -> Option<f64> {
        Some((self.concealed? - self.silent.unwrap_or(0.0)).max(0.0))
    }

    /// Concealed samples, silent or not, divided by all samples.
    pub(super) fn concealed_share(&self) -> f64 {
        let share = self.concealed.zip(self.samples).map(|(concealed, samples)| concealed / samples);
        share.filter(|share| share.is_finite()).map_or(0.0, |share| share.min(1.0))
    }

    /// Mean time that samples spent in the jitter buffer.
    pub(super) fn buffer_delay_s(&self) -> Option<f64> {
        self.buffer_s
            .zip(self.emitted)
            .filter(|(_, emitted)| *emitted > 0.0)
            .map(|(delay, count)| delay / count)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Counters {
    pub(super) totals: Totals,
    /// Whether sound may have been arriving when the measurement began. If so, the first report is only the base of the counts.
    began_within: bool,
    /// The time at which the last report was read, even if it had no sound.
    read_at: Option<Timestamp>,
    last: Option<Report>,
}

#[derive(Debug, Clone, Default)]
struct Report {
    /// `id` and `ssrc` of the entry: the counters of another stream start at zero.
    stream: (String, Option<u32>),
    totals: Totals,
    packets: f64,
    lost: f64,
    discarded: f64,
}

impl Counters {
    /// Counters of sound that starts now, or that may have been arriving (`began_within`).
    pub(super) fn new(began_within: bool) -> Self {
        Self { totals: Totals::default(), began_within, read_at: None, last: None }
    }

    /// Takes a report. Returns the increase since the report before, if there was one.
    pub(super) fn handle_report(&mut self, entries: &[StatsEntry], now: Timestamp) -> Option<Step> {
        let read_at = self.read_at.replace(now);
        let report = Report::new(entries)?;
        let last = self.last.replace(report.clone());
        let is_baseline = self.began_within && read_at.is_none();
        let is_same = |last: &Report| {
            last.stream == report.stream
                && last.packets <= report.packets
                && last.totals.samples <= report.totals.samples
        };
        let before = match last {
            Some(last) if is_same(&last) => last,
            None if is_baseline => report.clone(),
            _ => Report::default(),
        };
        let grown = |of: fn(&Totals) -> Option<f64>| {
            let after = of(&report.totals)?;
            Some((after - of(&before.totals).unwrap_or(0.0)).max(0.0))
        };
        let totals = &mut self.totals;
        for (total, of) in [
            (&mut totals.samples, (|totals| totals.samples) as fn(&Totals) -> Option<f64>),
            (&mut totals.concealed, |totals| totals.concealed),
            (&mut totals.silent, |totals| totals.silent),
            (&mut totals.events, |totals| totals.events),
            (&mut totals.inserted, |totals| totals.inserted),
            (&mut totals.removed, |totals| totals.removed),
            (&mut totals.buffer_s, |totals| totals.buffer_s),
            (&mut totals.emitted, |totals| totals.emitted),
        ] {
            if let Some(grown) = grown(of) {
                *total = Some(total.unwrap_or(0.0) + grown);
            }
        }
        Some(Step {
            from: read_at?,
            to: now,
            samples: grown(|totals| totals.samples),
            concealed: grown(|totals| totals.concealed),
            silent: grown(|totals| totals.silent),
            buffer_s: grown(|totals| totals.buffer_s),
            emitted: grown(|totals| totals.emitted),
            packets: (report.packets - before.packets).max(0.0),
            // A late packet was counted as lost before, so the count can decrease.
            lost: (report.lost - before.lost).max(0.0),
            discarded: (report.discarded - before.discarded).max(0.0),
        })
    }
}

impl Report {
    /// `None` before the first packet, since sound played until then is not the member's.
    fn new(entries: &[StatsEntry]) -> Option<Self> {
        let packets = |entry: &StatsEntry| entry.packets_received.unwrap_or(0.0);
        // A reused transceiver may leave a silent entry behind, so the entry with the most data is the audible one.
        let audio = entries
            .iter()
            .filter(|entry| entry.entry_type == "inbound-rtp" && entry.kind.as_deref() == Some("audio"))
            .max_by(|a, b| packets(a).total_cmp(&packets(b)))
            .filter(|entry| packets(entry) > 0.0)?;
        let counter = |counter: Option<f64>| counter.filter(|number| number.is_finite() && *number >= 0.0);
        Some(Self {
            stream: (audio.id.clone(), audio.ssrc),
            totals: Totals {
                samples: counter(audio.total_samples_received),
                concealed: counter(audio.concealed_samples),
                silent: counter(audio.silent_concealed_samples),
                events: counter(audio.concealment_events),
                inserted: counter(audio.inserted_samples_for_deceleration),
                removed: counter(audio.removed_samples_for_acceleration),
                buffer_s: counter(audio.jitter_buffer_delay),
                emitted: counter(audio.jitter_buffer_emitted_count),
            },
            packets: packets(audio),
            lost: audio.packets_lost.unwrap_or(0.0),
            discarded: counter(audio.packets_discarded).unwrap_or(0.0),
        })
    }
}
