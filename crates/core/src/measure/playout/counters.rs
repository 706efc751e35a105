//! The browser's own counters of the received picture, summed over rebuilt connections.

use crate::{
    Timestamp,
    measure::entry::{StatsEntry, selected_pair_id},
};

/// Totals since the measurement began. `None` means that the browser does not report the value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) bytes: Option<f64>,
    pub(super) packets: Option<f64>,
    pub(super) lost: Option<f64>,
    pub(super) frames_received: Option<f64>,
    pub(super) frames_decoded: Option<f64>,
    pub(super) frames_dropped: Option<f64>,
    pub(super) freeze_count: Option<f64>,
    pub(super) freezes_s: Option<f64>,
    /// Seconds since the first report, by the reports' own clock.
    pub(super) seconds: f64,
    /// Bytes received in these seconds.
    pub(super) bytes_within: Option<f64>,
}

/// The increase of the counters between two reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// The time at which the earlier report was read.
    pub(super) from: Timestamp,
    /// The time at which the later report was read.
    pub(super) to: Timestamp,
    pub(super) bytes: f64,
    pub(super) packets: f64,
    pub(super) lost: f64,
    /// The round-trip time at the later report, in seconds.
    pub(super) round_trip_s: Option<f64>,
    pub(super) seconds: f64,
    /// Whether the candidate pair changed.
    pub(super) has_new_path: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Counters {
    pub(super) totals: Totals,
    /// Whether the picture was already arriving when the measurement began. If so, the first report is only the base of the
    /// counts.
    began_within: bool,
    last: Option<(Report, Timestamp)>,
}

#[derive(Debug, Clone)]
struct Report {
    at_ms: f64,
    /// `id` and `ssrc` of the entry: the counters of another stream start at zero.
    stream: (String, Option<u32>),
    pair: Option<String>,
    bytes: Option<f64>,
    packets: Option<f64>,
    lost: Option<f64>,
    frames_received: Option<f64>,
    frames_decoded: Option<f64>,
    frames_dropped: Option<f64>,
    freeze_count: Option<f64>,
    freezes_s: Option<f64>,
    round_trip_s: Option<f64>,
}

impl Counters {
    /// Counters of a picture that starts now, or that has already been arriving (`began_within`).
    pub(super) fn new(began_within: bool) -> Self {
        Self { totals: Totals::default(), began_within, last: None }
    }

    /// Whether there was a report.
    pub(super) fn has_report(&self) -> bool {
        self.last.is_some()
    }

    /// Takes a report. Returns the increase since the report before, if there was one.
    pub(super) fn handle_report(&mut self, entries: &[StatsEntry], now: Timestamp) -> Option<Step> {
        let report = Report::new(entries)?;
        let Some((last, last_at)) = self.last.replace((report.clone(), now)) else {
            let counted = |counter: Option<f64>| {
                counter.map(|already| if self.began_within { 0.0 } else { already.max(0.0) })
            };
            self.totals = Totals {
                bytes: counted(report.bytes),
                packets: counted(report.packets),
                lost: counted(report.lost),
                frames_received: counted(report.frames_received),
                frames_decoded: counted(report.frames_decoded),
                frames_dropped: counted(report.frames_dropped),
                freeze_count: counted(report.freeze_count),
                freezes_s: counted(report.freezes_s),
                seconds: 0.0,
                bytes_within: report.bytes.map(|_| 0.0),
            };
            return None;
        };
        let is_same = last.stream == report.stream && last.bytes <= report.bytes;
        let grown = |of: fn(&Report) -> Option<f64>| {
            let before = if is_same { of(&last).unwrap_or(0.0) } else { 0.0 };
            Some(of(&report)? - before)
        };
        let add = |total: &mut Option<f64>, of: fn(&Report) -> Option<f64>| {
            if let Some(grown) = grown(of) {
                *total = Some((total.unwrap_or(0.0) + grown).max(0.0));
            }
        };
        let totals = &mut self.totals;
        add(&mut totals.bytes, |report| report.bytes);
        add(&mut totals.bytes_within, |report| report.bytes);
        add(&mut totals.packets, |report| report.packets);
        add(&mut totals.lost, |report| report.lost);
        add(&mut totals.frames_received, |report| report.frames_received);
        add(&mut totals.frames_decoded, |report| report.frames_decoded);
        add(&mut totals.frames_dropped, |report| report.frames_dropped);
        add(&mut totals.freeze_count, |report| report.freeze_count);
        add(&mut totals.freezes_s, |report| report.freezes_s);
        let seconds = ((report.at_ms - last.at_ms) / 1000.0).max(0.0);
        totals.seconds += seconds;
        Some(Step {
            from: last_at,
            to: now,
            bytes: grown(|report| report.bytes).unwrap_or(0.0),
            packets: grown(|report| report.packets).unwrap_or(0.0),
            // A late packet was counted as lost before, so the count can decrease.
            lost: grown(|report| report.lost).unwrap_or(0.0).max(0.0),
            round_trip_s: report.round_trip_s,
            seconds,
            has_new_path: report.pair.is_some() && last.pair.is_some() && report.pair != last.pair,
        })
    }
}

impl Report {
    fn new(entries: &[StatsEntry]) -> Option<Self> {
        // A reused transceiver may leave a silent entry behind, so the entry with the most data is the visible one.
        let video = entries
            .iter()
            .filter(|entry| entry.entry_type == "inbound-rtp" && entry.kind.as_deref() == Some("video"))
            .max_by(|a, b| a.bytes_received.unwrap_or(0.0).total_cmp(&b.bytes_received.unwrap_or(0.0)))?;
        Some(Self {
            at_ms: video.timestamp,
            stream: (video.id.clone(), video.ssrc),
            pair: selected_pair_id(entries).map(ToOwned::to_owned),
            bytes: video.bytes_received,
            packets: video.packets_received,
            lost: video.packets_lost,
            frames_received: video.frames_received,
            frames_decoded: video.frames_decoded,
            frames_dropped: video.frames_dropped,
            freeze_count: video.freeze_count,
            freezes_s: video.total_freezes_duration,
            round_trip_s: selected_pair_id(entries)
                .and_then(|id| entries.iter().find(|entry| entry.id == id))
                .and_then(|pair| pair.current_round_trip_time),
        })
    }
}
