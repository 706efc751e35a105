//! One entry of an `RTCStatsReport`, as the browser reports it.

use serde::{Deserialize, Serialize};

/// The members that Sightline reads, of all entry types in one struct (W3C webrtc-stats). `None` means that the browser does
/// not report the member, which is different from zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs, reason = "names and units are those of W3C webrtc-stats")]
pub struct StatsEntry {
    #[serde(rename = "type")]
    pub entry_type: String,
    pub id: String,
    /// Milliseconds since 1970.
    pub timestamp: f64,
    /// `audio` or `video`.
    pub kind: Option<String>,
    pub mid: Option<String>,
    pub ssrc: Option<u32>,
    pub track_identifier: Option<String>,
    // codec
    pub codec_id: Option<String>,
    pub mime_type: Option<String>,
    pub clock_rate: Option<f64>,
    pub payload_type: Option<f64>,
    pub sdp_fmtp_line: Option<String>,
    // transport and candidate pair
    pub selected_candidate_pair_id: Option<String>,
    pub dtls_state: Option<String>,
    pub ice_state: Option<String>,
    pub dtls_cipher: Option<String>,
    pub srtp_cipher: Option<String>,
    pub selected_candidate_pair_changes: Option<f64>,
    pub local_candidate_id: Option<String>,
    pub remote_candidate_id: Option<String>,
    pub state: Option<String>,
    pub nominated: Option<bool>,
    /// Firefox only, on a candidate pair.
    pub selected: Option<bool>,
    pub current_round_trip_time: Option<f64>,
    pub available_outgoing_bitrate: Option<f64>,
    pub available_incoming_bitrate: Option<f64>,
    // candidates
    pub candidate_type: Option<String>,
    pub protocol: Option<String>,
    pub relay_protocol: Option<String>,
    pub address: Option<String>,
    pub port: Option<f64>,
    pub network_type: Option<String>,
    // rtp
    pub packets_sent: Option<f64>,
    pub packets_received: Option<f64>,
    pub packets_lost: Option<f64>,
    pub packets_discarded: Option<f64>,
    pub bytes_sent: Option<f64>,
    pub bytes_received: Option<f64>,
    pub header_bytes_sent: Option<f64>,
    pub header_bytes_received: Option<f64>,
    pub retransmitted_packets_sent: Option<f64>,
    pub retransmitted_packets_received: Option<f64>,
    /// Seconds that all packets together waited before they were sent.
    pub total_packet_send_delay: Option<f64>,
    pub jitter: Option<f64>,
    pub jitter_buffer_delay: Option<f64>,
    pub jitter_buffer_emitted_count: Option<f64>,
    pub fraction_lost: Option<f64>,
    pub round_trip_time: Option<f64>,
    pub total_round_trip_time: Option<f64>,
    pub round_trip_time_measurements: Option<f64>,
    pub nack_count: Option<f64>,
    pub fir_count: Option<f64>,
    pub pli_count: Option<f64>,
    // video
    pub frame_width: Option<f64>,
    pub frame_height: Option<f64>,
    pub frames_per_second: Option<f64>,
    /// Number of frames that the source delivered, in a `media-source` entry.
    pub frames: Option<f64>,
    pub frames_encoded: Option<f64>,
    pub frames_sent: Option<f64>,
    pub frames_received: Option<f64>,
    pub frames_decoded: Option<f64>,
    pub frames_dropped: Option<f64>,
    pub key_frames_decoded: Option<f64>,
    pub key_frames_encoded: Option<f64>,
    pub freeze_count: Option<f64>,
    pub total_freezes_duration: Option<f64>,
    pub total_decode_time: Option<f64>,
    pub total_encode_time: Option<f64>,
    pub total_processing_delay: Option<f64>,
    pub qp_sum: Option<f64>,
    pub total_inter_frame_delay: Option<f64>,
    pub total_squared_inter_frame_delay: Option<f64>,
    pub quality_limitation_reason: Option<String>,
    pub encoder_implementation: Option<String>,
    pub decoder_implementation: Option<String>,
    pub target_bitrate: Option<f64>,
    // audio
    pub audio_level: Option<f64>,
    pub total_audio_energy: Option<f64>,
    pub total_samples_duration: Option<f64>,
    pub concealed_samples: Option<f64>,
    pub silent_concealed_samples: Option<f64>,
    pub concealment_events: Option<f64>,
    pub inserted_samples_for_deceleration: Option<f64>,
    pub removed_samples_for_acceleration: Option<f64>,
    pub total_samples_received: Option<f64>,
}

/// Number of received picture and sound packets in a report (`packetsReceived` of `inbound-rtp`).
#[must_use]
pub fn inbound_packets(entries: &[StatsEntry]) -> u64 {
    let packets = entries
        .iter()
        .filter(|entry| entry.entry_type == "inbound-rtp")
        .filter_map(|entry| entry.packets_received)
        .sum::<f64>();
    packets as u64
}

/// The id of the candidate pair in use. Chromium names the pair in the `transport` entry; Firefox marks the pair itself.
#[must_use]
pub fn selected_pair_id(entries: &[StatsEntry]) -> Option<&str> {
    let named = entries.iter().find_map(|entry| entry.selected_candidate_pair_id.as_deref());
    let marked = || {
        let pair = entries.iter().find(|entry| {
            entry.entry_type == "candidate-pair"
                && entry.selected.unwrap_or(entry.nominated.unwrap_or(false))
                && entry.state.as_deref() == Some("succeeded")
        })?;
        Some(pair.id.as_str())
    };
    named.filter(|id| entries.iter().any(|entry| entry.id == *id)).or_else(marked)
}
