//! Reads the report of `RTCPeerConnection.getStats()` into entries of the core.

use js_sys::{Map, Promise};
use sightline_core::measure::StatsEntry;
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    js::{error::BrowserError, promise::settled},
    page::window::member,
};

/// The entries of the report behind the promise.
pub(super) async fn read(report: Promise) -> Result<Vec<StatsEntry>, BrowserError> {
    let report: Map = settled(report).await?.unchecked_into();
    Ok(report.values().into_iter().filter_map(Result::ok).map(|entry| read_entry(&entry)).collect())
}

/// Reads each member by hand: a derived deserializer of this many members would add 16 KB to the download. A member that is
/// missing or of the wrong type is `None`.
fn read_entry(entry: &JsValue) -> StatsEntry {
    let text = |name: &str| member(entry, name).and_then(|value| value.as_string());
    let number = |name: &str| member(entry, name).and_then(|value| value.as_f64());
    let flag = |name: &str| member(entry, name).and_then(|value| value.as_bool());
    StatsEntry {
        entry_type: text("type").unwrap_or_default(),
        id: text("id").unwrap_or_default(),
        timestamp: number("timestamp").unwrap_or_default(),
        kind: text("kind"),
        mid: text("mid"),
        ssrc: number("ssrc").map(|number| number as u32),
        track_identifier: text("trackIdentifier"),
        codec_id: text("codecId"),
        mime_type: text("mimeType"),
        clock_rate: number("clockRate"),
        payload_type: number("payloadType"),
        sdp_fmtp_line: text("sdpFmtpLine"),
        selected_candidate_pair_id: text("selectedCandidatePairId"),
        dtls_state: text("dtlsState"),
        ice_state: text("iceState"),
        dtls_cipher: text("dtlsCipher"),
        srtp_cipher: text("srtpCipher"),
        selected_candidate_pair_changes: number("selectedCandidatePairChanges"),
        local_candidate_id: text("localCandidateId"),
        remote_candidate_id: text("remoteCandidateId"),
        state: text("state"),
        nominated: flag("nominated"),
        selected: flag("selected"),
        current_round_trip_time: number("currentRoundTripTime"),
        available_outgoing_bitrate: number("availableOutgoingBitrate"),
        available_incoming_bitrate: number("availableIncomingBitrate"),
        candidate_type: text("candidateType"),
        protocol: text("protocol"),
        relay_protocol: text("relayProtocol"),
        address: text("address"),
        port: number("port"),
        network_type: text("networkType"),
        packets_sent: number("packetsSent"),
        packets_received: number("packetsReceived"),
        packets_lost: number("packetsLost"),
        packets_discarded: number("packetsDiscarded"),
        bytes_sent: number("bytesSent"),
        bytes_received: number("bytesReceived"),
        header_bytes_sent: number("headerBytesSent"),
        header_bytes_received: number("headerBytesReceived"),
        retransmitted_packets_sent: number("retransmittedPacketsSent"),
        retransmitted_packets_received: number("retransmittedPacketsReceived"),
        total_packet_send_delay: number("totalPacketSendDelay"),
        jitter: number("jitter"),
        jitter_buffer_delay: number("jitterBufferDelay"),
        jitter_buffer_emitted_count: number("jitterBufferEmittedCount"),
        fraction_lost: number("fractionLost"),
        round_trip_time: number("roundTripTime"),
        total_round_trip_time: number("totalRoundTripTime"),
        round_trip_time_measurements: number("roundTripTimeMeasurements"),
        nack_count: number("nackCount"),
        fir_count: number("firCount"),
        pli_count: number("pliCount"),
        frame_width: number("frameWidth"),
        frame_height: number("frameHeight"),
        frames_per_second: number("framesPerSecond"),
        frames: number("frames"),
        frames_encoded: number("framesEncoded"),
        frames_sent: number("framesSent"),
        frames_received: number("framesReceived"),
        frames_decoded: number("framesDecoded"),
        frames_dropped: number("framesDropped"),
        key_frames_decoded: number("keyFramesDecoded"),
        key_frames_encoded: number("keyFramesEncoded"),
        freeze_count: number("freezeCount"),
        total_freezes_duration: number("totalFreezesDuration"),
        total_decode_time: number("totalDecodeTime"),
        total_encode_time: number("totalEncodeTime"),
        total_processing_delay: number("totalProcessingDelay"),
        qp_sum: number("qpSum"),
        total_inter_frame_delay: number("totalInterFrameDelay"),
        total_squared_inter_frame_delay: number("totalSquaredInterFrameDelay"),
        quality_limitation_reason: text("qualityLimitationReason"),
        encoder_implementation: text("encoderImplementation"),
        decoder_implementation: text("decoderImplementation"),
        target_bitrate: number("targetBitrate"),
        audio_level: number("audioLevel"),
        total_audio_energy: number("totalAudioEnergy"),
        total_samples_duration: number("totalSamplesDuration"),
        concealed_samples: number("concealedSamples"),
        silent_concealed_samples: number("silentConcealedSamples"),
        concealment_events: number("concealmentEvents"),
        inserted_samples_for_deceleration: number("insertedSamplesForDeceleration"),
        removed_samples_for_acceleration: number("removedSamplesForAcceleration"),
        total_samples_received: number("totalSamplesReceived"),
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use js_sys::{Object, Reflect};
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::*;

    wasm_bindgen_test_configure!(run_in_browser);

    /// An entry with a valid value for every member that serde knows.
    fn full() -> JsValue {
        let entry = serde_wasm_bindgen::to_value(&StatsEntry::default()).unwrap();
        for name in Object::keys(entry.unchecked_ref::<Object>()).iter() {
            let fits =
                [JsValue::from(7), JsValue::from_str("word"), JsValue::TRUE].into_iter().any(|value| {
                    Reflect::set(&entry, &name, &value).unwrap();
                    serde_wasm_bindgen::from_value::<StatsEntry>(entry.clone()).is_ok()
                });
            assert!(fits, "{name:?}");
        }
        entry
    }

    #[wasm_bindgen_test]
    fn every_member_is_read_under_the_name_that_it_is_written_with() {
        let entry = full();
        let expected: StatsEntry = serde_wasm_bindgen::from_value(entry.clone()).unwrap();
        assert_eq!(expected.frames_decoded, Some(7.0));
        assert_eq!(expected.mid.as_deref(), Some("word"));
        assert_eq!(read_entry(&entry), expected);
    }

    #[wasm_bindgen_test]
    fn what_is_absent_or_of_another_type_is_none() {
        assert_eq!(read_entry(&Object::new().into()), StatsEntry::default());
        let entry = full();
        Reflect::set(&entry, &"mid".into(), &7.into()).unwrap();
        Reflect::set(&entry, &"ssrc".into(), &"word".into()).unwrap();
        let read = read_entry(&entry);
        assert_eq!((read.mid, read.ssrc, read.jitter), (None, None, Some(7.0)));
    }
}
