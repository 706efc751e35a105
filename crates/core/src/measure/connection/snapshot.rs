//! The relevant values of a connection, extracted from the entries of one stats report.

use super::LinkPath;
use crate::measure::entry::{StatsEntry, selected_pair_id};

/// Totals since the connection was made, and present values. `None` means that the browser does not report the value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Snapshot {
    /// The report's own timestamp, in milliseconds.
    pub(super) at_ms: f64,
    pub(super) video_in: Option<Inbound>,
    pub(super) audio_in: Option<Inbound>,
    pub(super) video_out: Option<Outbound>,
    pub(super) audio_out: Option<Outbound>,
    pub(super) pair: Option<Pair>,
    pub(super) dtls_state: Option<String>,
    /// Round-trip time that the other side's receiver reports, in seconds.
    pub(super) remote_round_trip_time: Option<f64>,
}

/// The values of an `inbound-rtp` entry and its codec.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inbound {
    pub(super) bytes: Option<f64>,
    pub(super) packets: Option<f64>,
    pub(super) lost: Option<f64>,
    pub(super) jitter: Option<f64>,
    pub(super) frames_per_second: Option<f64>,
    pub(super) frames_decoded: Option<f64>,
    pub(super) frames_dropped: Option<f64>,
    pub(super) decode_time: Option<f64>,
    pub(super) quantizers: Option<f64>,
    pub(super) retransmitted: Option<f64>,
    pub(super) key_frames: Option<f64>,
    pub(super) width: Option<f64>,
    pub(super) height: Option<f64>,
    pub(super) freeze_count: Option<f64>,
    pub(super) freezes_duration: Option<f64>,
    pub(super) audio_level: Option<f64>,
    pub(super) codec: Option<String>,
}

/// The values of an `outbound-rtp` entry and its codec; with simulcast, the sums over all entries.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outbound {
    pub(super) bytes: Option<f64>,
    pub(super) frames_per_second: Option<f64>,
    pub(super) frames_sent: Option<f64>,
    pub(super) frames_encoded: Option<f64>,
    pub(super) encode_time: Option<f64>,
    pub(super) quantizers: Option<f64>,
    pub(super) retransmitted: Option<f64>,
    pub(super) key_frames: Option<f64>,
    pub(super) target_bitrate: Option<f64>,
    pub(super) width: Option<f64>,
    pub(super) height: Option<f64>,
    pub(super) limitation: Option<String>,
    pub(super) codec: Option<String>,
}

/// The values of the candidate pair in use.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pair {
    pub(super) round_trip_time: Option<f64>,
    pub(super) available_outgoing_bitrate: Option<f64>,
    pub(super) is_relayed: bool,
    pub(super) protocol: Option<String>,
}

impl Snapshot {
    /// The path of the candidate pair in use.
    pub(super) fn path(&self) -> Option<LinkPath> {
        self.pair.as_ref().map(|pair| if pair.is_relayed { LinkPath::Relay } else { LinkPath::Direct })
    }

    pub(super) fn new(entries: &[StatsEntry]) -> Self {
        let of_type =
            |entry_type: &'static str| entries.iter().filter(move |entry| entry.entry_type == entry_type);
        let codec = |entry: &StatsEntry| {
            let id = entry.codec_id.as_ref()?;
            let mime = entries.iter().find(|entry| entry.id == *id)?.mime_type.as_ref()?;
            Some(mime.split_once('/').map_or(mime.as_str(), |(_, name)| name).to_owned())
        };
        let inbound = |kind: &str| {
            // A reused transceiver may leave a silent entry behind, so the entry with the most data is the visible one.
            of_type("inbound-rtp")
                .filter(|entry| entry.kind.as_deref() == Some(kind))
                .max_by(|a, b| a.bytes_received.unwrap_or(0.0).total_cmp(&b.bytes_received.unwrap_or(0.0)))
                .map(|entry| Inbound {
                    bytes: entry.bytes_received,
                    packets: entry.packets_received,
                    lost: entry.packets_lost,
                    jitter: entry.jitter,
                    frames_per_second: entry.frames_per_second,
                    frames_decoded: entry.frames_decoded,
                    frames_dropped: entry.frames_dropped,
                    decode_time: entry.total_decode_time,
                    quantizers: entry.qp_sum,
                    retransmitted: entry.retransmitted_packets_received,
                    key_frames: entry.key_frames_decoded,
                    width: entry.frame_width,
                    height: entry.frame_height,
                    freeze_count: entry.freeze_count,
                    freezes_duration: entry.total_freezes_duration,
                    audio_level: entry.audio_level,
                    codec: codec(entry),
                })
        };
        let outbound = |kind: &str| {
            let sent: Vec<_> =
                of_type("outbound-rtp").filter(|entry| entry.kind.as_deref() == Some(kind)).collect();
            let total = |of: fn(&StatsEntry) -> Option<f64>| {
                sent.iter().filter_map(|entry| of(entry)).reduce(|a, b| a + b)
            };
            let largest = sent
                .iter()
                .max_by(|a, b| a.frame_width.unwrap_or(0.0).total_cmp(&b.frame_width.unwrap_or(0.0)))?;
            Some(Outbound {
                bytes: total(|entry| entry.bytes_sent),
                frames_per_second: largest.frames_per_second,
                frames_sent: largest.frames_sent,
                frames_encoded: total(|entry| entry.frames_encoded),
                encode_time: total(|entry| entry.total_encode_time),
                quantizers: total(|entry| entry.qp_sum),
                retransmitted: total(|entry| entry.retransmitted_packets_sent),
                key_frames: total(|entry| entry.key_frames_encoded),
                target_bitrate: total(|entry| entry.target_bitrate),
                width: largest.frame_width,
                height: largest.frame_height,
                limitation: largest.quality_limitation_reason.clone(),
                codec: codec(largest),
            })
        };
        Self {
            at_ms: entries.iter().map(|entry| entry.timestamp).fold(0.0, f64::max),
            video_in: inbound("video"),
            audio_in: inbound("audio"),
            video_out: outbound("video"),
            audio_out: outbound("audio"),
            pair: selected_pair(entries),
            dtls_state: of_type("transport").find_map(|entry| entry.dtls_state.clone()),
            remote_round_trip_time: of_type("remote-inbound-rtp")
                .filter_map(|entry| entry.round_trip_time)
                .reduce(f64::min),
        }
    }
}

fn selected_pair(entries: &[StatsEntry]) -> Option<Pair> {
    let id = selected_pair_id(entries)?;
    let pair = entries.iter().find(|entry| entry.id == id)?;
    let candidate =
        |id: &Option<String>| id.as_ref().and_then(|id| entries.iter().find(|entry| entry.id == *id));
    let (local, remote) = (candidate(&pair.local_candidate_id), candidate(&pair.remote_candidate_id));
    let is_relay =
        |side: Option<&StatsEntry>| side.is_some_and(|side| side.candidate_type.as_deref() == Some("relay"));
    Some(Pair {
        round_trip_time: pair.current_round_trip_time,
        available_outgoing_bitrate: pair.available_outgoing_bitrate,
        is_relayed: is_relay(local) || is_relay(remote),
        protocol: local.and_then(|local| local.relay_protocol.clone().or_else(|| local.protocol.clone())),
    })
}
