//! The JSON that `docs/protocol.md` shows is the JSON that the types read and write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, from_value, json, to_value};
use sightline_protocol::{
    ErrorCode, Reaction, RecognitionMessage, VerificationStep,
    bounded::UpTo,
    control::{ControlMessage, Playback, PublishedSource, PublishedState},
    signaling::{ClientMessage, ServerMessage},
    telemetry::{Cause, Limitation, MAX_TELEMETRY_BYTES, Reception, TelemetryMessage},
};

fn client(value: Value) {
    let message: ClientMessage = from_value(value.clone()).expect("a valid client message");
    assert_eq!(to_value(message).expect("serialises"), value);
}

fn server(value: Value) {
    let message: ServerMessage = from_value(value.clone()).expect("a valid server message");
    assert_eq!(to_value(message).expect("serialises"), value);
}

#[test]
fn every_client_message_reads_and_writes_as_documented() {
    client(json!({"type": "join", "protocol": 1, "room": "team-7", "name": "Ada", "instance": "i1"}));
    client(
        json!({"type": "join", "protocol": 1, "room": "team-7", "name": "", "instance": "i1", "resume": "t"}),
    );
    client(json!({"type": "signal", "to": "m2", "connection": "c1", "generation": 0,
        "payload": {"description": {"kind": "offer", "exchange": 1, "sdp": "v=0\r\n"}}}));
    client(json!({"type": "signal", "to": "m2", "connection": "c1", "generation": 0,
        "payload": {"description": {"kind": "offer", "exchange": 1, "sdp": "v=0\r\n",
            "published": {"microphone": true, "source": "camera", "private_chat": true}}}}));
    client(json!({"type": "signal", "to": "m2", "connection": "c1", "generation": 3,
        "payload": {"candidate": {"candidate": "", "sdp_mid": "0", "sdp_m_line_index": 0, "ufrag": "abcd"}}}));
    client(json!({"type": "signal", "to": "m2", "connection": "c1", "generation": 0,
        "payload": {"sealed": "aZ09-_"}}));
    client(json!({"type": "join", "protocol": 1, "room": "team-7", "admission": "t".repeat(43), "name": "",
        "sealed_name": "aZ09-_", "instance": "i1"}));
    client(
        json!({"type": "join", "protocol": 1, "room": "team-7", "name": "Ada", "instance": "i1", "attended": true}),
    );
    client(json!({"type": "lock", "locked": true}));
    client(json!({"type": "answer_knock", "id": "m3", "admit": false}));
    client(json!({"type": "remove", "id": "m2"}));
    client(json!({"type": "make_host", "id": "m2"}));
    client(json!({"type": "end"}));
    client(json!({"type": "join", "protocol": 1, "room": "team-7", "admission": "t".repeat(43), "name": "",
        "sealed_name": "aZ09-_", "instance": "i1", "attended": true, "rekeys": true}));
    client(json!({"type": "rekey", "admission": "t".repeat(43), "sealed_name": "aZ09-_"}));
    client(json!({"type": "leave"}));
    client(json!({"type": "ice_servers"}));
    client(json!({"type": "ping", "nonce": 7}));
}

#[test]
fn every_server_message_reads_and_writes_as_documented() {
    let member = json!({"id": "m2", "name": "Bo", "instance": "i2", "arrival": 5, "presence": "present"});
    server(
        json!({"type": "joined", "you": "m1", "arrival": 6, "room": "team-7", "members": [member.clone()],
        "resume": "t", "ice_servers": [{"urls": ["stun:stun.example.org"]}], "room_limit": 8}),
    );
    server(json!({"type": "peer_joined", "member": member}));
    server(
        json!({"type": "peer_joined", "member": {"id": "m2", "name": "", "sealed_name": "aZ09-_", "instance": "i2",
        "arrival": 5, "presence": "present"}}),
    );
    server(json!({"type": "signal", "from": "m2", "connection": "c1", "generation": 0,
        "payload": {"sealed": "aZ09-_"}}));
    server(json!({"type": "signal", "from": "m2", "connection": "c1", "generation": 0,
        "payload": {"description": {"kind": "answer", "exchange": 1, "sdp": "v=0\r\n"}}}));
    server(json!({"type": "peer_away", "id": "m2"}));
    server(json!({"type": "peer_left", "id": "m2"}));
    server(json!({"type": "full", "room_limit": 8}));
    server(
        json!({"type": "joined", "you": "m1", "arrival": 6, "room": "team-7", "members": [], "resume": "t",
        "ice_servers": [], "room_limit": 8, "hosts": ["m1"], "locked": true}),
    );
    server(json!({"type": "room_state", "hosts": ["m1"], "locked": false, "resume": "t"}));
    server(json!({"type": "room_state", "hosts": ["m1"], "locked": true, "resume": "t",
        "admission_sha256": "d".repeat(43)}));
    server(json!({"type": "waiting"}));
    server(json!({"type": "waiting", "pictures": true}));
    server(json!({"type": "knock", "visitor": {"id": "m3", "name": "Cy", "instance": "i3"}}));
    server(
        json!({"type": "knock", "visitor": {"id": "m3", "name": "", "sealed_name": "aZ09-_", "instance": "i3"}}),
    );
    for picture in [json!({"jpeg": "_9j_4AAQ"}), json!({"sealed": "aZ09-_"})] {
        client(json!({"type": "knock_picture", "picture": picture.clone()}));
        server(
            json!({"type": "knock", "visitor": {"id": "m3", "name": "Cy", "instance": "i3", "picture": picture}}),
        );
    }
    server(json!({"type": "knock_ended", "id": "m3"}));
    for reason in ["locked", "refused", "no-answer", "too-many", "not-open", "link-changed"] {
        server(json!({"type": "refused", "reason": reason}));
    }
    server(json!({"type": "removed"}));
    server(json!({"type": "peer_removed", "id": "m2"}));
    server(json!({"type": "ended"}));
    server(json!({"type": "replaced"}));
    server(
        json!({"type": "ice_servers", "ice_servers": [{"urls": ["turn:h"], "username": "u", "credential": "c"}],
            "ice_servers_life_s": 600}),
    );
    server(json!({"type": "pong", "nonce": 7}));
    server(json!({"type": "error", "code": "room-name-invalid", "message": "m"}));
}

#[test]
fn every_error_code_is_the_same_word_in_json_and_in_a_close_frame() {
    for code in [
        ErrorCode::RoomNameInvalid,
        ErrorCode::NameInvalid,
        ErrorCode::ProtocolVersion,
        ErrorCode::ProtocolError,
        ErrorCode::FrameTooLarge,
        ErrorCode::RateLimited,
        ErrorCode::TooSlow,
        ErrorCode::JoinTimeout,
        ErrorCode::ServerFull,
        ErrorCode::ShuttingDown,
        ErrorCode::PeerUnreachable,
        ErrorCode::NotHost,
    ] {
        assert_eq!(to_value(code).expect("serialises"), json!(code.as_str()));
    }
}

#[test]
fn a_client_message_of_unknown_type_or_with_bad_fields_is_refused() {
    for value in [
        json!({"type": "dance"}),
        json!({"type": "join", "protocol": 1, "room": "a b", "name": "", "instance": "i"}),
        json!({"type": "join", "protocol": 1, "room": "abc", "name": "x".repeat(65), "instance": "i"}),
        json!({"type": "join", "protocol": 1, "room": "abc", "name": "", "instance": ""}),
        json!({"type": "signal", "to": "m2"}),
        json!({"type": "ping", "nonce": -1}),
        json!([]),
        json!("leave"),
    ] {
        assert!(from_value::<ClientMessage>(value.clone()).is_err(), "{value}");
    }
}

#[test]
fn a_control_message_of_a_later_version_is_read_as_unknown() {
    let read: ControlMessage = from_value(json!({"type": "hologram", "x": 1})).expect("readable");
    assert_eq!(read, ControlMessage::Unknown);
}

#[test]
fn a_chat_message_is_read_only_with_a_time_that_a_date_can_hold() {
    let read = |sent_at_ms: &str| {
        let text = format!(r#"{{"type":"chat","id":"x1","text":"hi","sent_at_ms":{sent_at_ms}}}"#);
        serde_json::from_str::<ControlMessage>(&text).is_ok()
    };
    for time in ["0", "1790000000000", "8640000000000000"] {
        assert!(read(time), "{time}");
    }
    for time in [
        "8640000000000001",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "0.5",
        "1e300",
        "1e999",
        "null",
        "\"5\"",
    ] {
        assert!(!read(time), "{time}");
    }
}

#[test]
fn an_offer_with_a_batch_that_cannot_be_is_not_read() {
    let read = |batch: &str| {
        let text = format!(
            r#"{{"type":"transfer_offer","transfer":"t1","sequence":1,"number":3,"name":"a","size_bytes":5,"modified_ms":7,"batch":{batch}}}"#
        );
        serde_json::from_str::<ControlMessage>(&text).is_ok()
    };
    assert!(read(r#"{"id":"b1","files":2,"bytes":10}"#) && read("null"));
    for batch in [
        r#"{"id":"","files":2,"bytes":10}"#,
        r#"{"id":"b1","files":20001,"bytes":10}"#,
        r#"{"id":"b1","files":-1,"bytes":10}"#,
        r#"{"id":"b1","files":2,"bytes":9007199254740993}"#,
        r#"{"id":"b1","files":2,"bytes":1e999}"#,
        r#"{"id":"b1","files":2}"#,
        "7",
    ] {
        assert!(!read(batch), "{batch}");
    }
}

#[test]
fn a_recognition_has_a_key_of_one_length_or_exactly_32_tags() {
    let read = |step: Value| {
        let mut message = step;
        message["type"] = json!("recognition");
        from_value::<ControlMessage>(message)
    };
    let later = read(json!({"step": "photo", "key": 7})).expect("readable");
    assert_eq!(later, ControlMessage::Recognition(RecognitionMessage::Unknown));
    let tags = |count: usize, length: usize| vec!["a".repeat(length); count];
    assert!(read(json!({"step": "introduce", "key": "a".repeat(87)})).is_ok());
    assert!(read(json!({"step": "recognize", "tags": tags(32, 22)})).is_ok());
    for step in [
        json!({}),
        json!({"step": "introduce"}),
        json!({"step": "introduce", "key": "a".repeat(88)}),
        json!({"step": "introduce", "key": "=".repeat(87)}),
        json!({"step": "recognize", "tags": tags(31, 22)}),
        json!({"step": "recognize", "tags": tags(33, 22)}),
        json!({"step": "recognize", "tags": tags(32, 21)}),
        json!({"step": "recognize", "tags": "a"}),
    ] {
        assert!(read(step.clone()).is_err(), "{step}");
    }
}

#[test]
fn a_step_of_a_verification_is_read_with_hashes_and_nonces_of_one_length_only() {
    let read = |step: Value| {
        let mut message = step;
        message["type"] = json!("verify");
        from_value::<ControlMessage>(message)
    };
    let later = read(json!({"step": "video", "nonce": 7})).expect("readable");
    assert_eq!(later, ControlMessage::Verify(VerificationStep::Unknown));
    for step in [
        json!({}),
        json!({"step": "commit"}),
        json!({"step": "commit", "commitment": "a".repeat(42)}),
        json!({"step": "commit", "commitment": "a".repeat(44)}),
        json!({"step": "commit", "commitment": "+".repeat(43)}),
        json!({"step": "answer", "commitment": "a".repeat(43)}),
        json!({"step": "answer", "nonce": "a".repeat(22)}),
        json!({"step": "reveal", "nonce": "a".repeat(21)}),
        json!({"step": "reveal", "nonce": 22}),
    ] {
        assert!(read(step.clone()).is_err(), "{step}");
    }
}

#[test]
fn a_reaction_of_a_later_version_is_read_as_unknown() {
    let read: ControlMessage = from_value(json!({"type": "reaction", "reaction": "cat"})).expect("readable");
    assert_eq!(read, ControlMessage::Reaction { reaction: Reaction::Unknown });
    for reaction in Reaction::ALL {
        assert_eq!(to_value(reaction).expect("serialises"), json!(reaction.as_str()));
        assert!(!reaction.emoji().is_empty());
    }
}

#[test]
fn every_control_message_reads_and_writes_as_documented() {
    let state = ControlMessage::State(PublishedState {
        microphone: true,
        source: PublishedSource::Camera,
        ..PublishedState::default()
    });
    assert_eq!(
        to_value(&state).expect("serialises"),
        json!({"type": "state", "microphone": true, "source": "camera"})
    );
    for value in [
        json!({"type": "state", "microphone": false, "source": "file", "playback": "seeking", "stamped": true}),
        json!({"type": "state", "microphone": true, "source": "file", "playback": "failed", "failed_at_s": 187}),
        json!({"type": "chat", "id": "x1", "text": "a\nb", "sent_at_ms": 5}),
        json!({"type": "state", "microphone": false, "source": "none", "hand": 2, "private_chat": true}),
        json!({"type": "private_chat", "id": "x1", "text": "a\nb", "sent_at_ms": 5}),
        json!({"type": "reaction", "reaction": "thumbs_up"}),
        json!({"type": "chat_ack", "id": "x1"}),
        json!({"type": "use"}),
        json!({"type": "transfer_offer", "transfer": "t1", "sequence": 1, "number": 3, "name": "a.txt",
            "folder": "x/y", "size_bytes": 5, "media_type": "text/plain", "modified_ms": 7, "is_paused": true}),
        json!({"type": "transfer_offer", "transfer": "t1", "sequence": 1, "number": 3, "name": "a.txt",
            "size_bytes": 5, "modified_ms": 7}),
        json!({"type": "transfer_offer", "transfer": "t1", "sequence": 1, "number": 3, "name": "a.txt",
            "size_bytes": 5, "modified_ms": 7, "batch": {"id": "b1", "files": 20_000, "bytes": 1_u64 << 53}}),
        json!({"type": "transfer_progress", "transfer": "t1", "sequence": 2, "attempt": 1, "verified_bytes": 5,
            "sha256": "0f".repeat(32), "is_paused": true}),
        json!({"type": "transfer_progress", "transfer": "t1", "sequence": 2, "attempt": 1, "verified_bytes": 5}),
        json!({"type": "transfer_done", "transfer": "t1", "sha256": "0f".repeat(32)}),
        json!({"type": "transfer_end", "transfer": "t1", "reason": "disk-full"}),
        json!({"type": "bulk_signal", "connection": "c1",
            "payload": {"description": {"kind": "offer", "exchange": 1, "sdp": "v=0"}}}),
        json!({"type": "bulk_signal", "connection": "c1", "payload": {"candidate": {"candidate": "", "sdp_mid": "0"}}}),
        json!({"type": "verify", "step": "commit", "commitment": "a".repeat(43)}),
        json!({"type": "verify", "step": "answer", "commitment": "a".repeat(43), "nonce": "-_".repeat(11)}),
        json!({"type": "verify", "step": "reveal", "nonce": "-_".repeat(11)}),
        json!({"type": "bye"}),
    ] {
        let read: ControlMessage = from_value(value.clone()).expect("readable");
        assert_eq!(to_value(read).expect("serialises"), value);
    }
}

fn fullest_reception() -> Reception {
    Reception {
        sequence: u32::MAX,
        bars: UpTo::saturating(u64::MAX),
        cause: Cause::NothingArrives,
        limitation: Limitation::Bandwidth,
        bitrate_bps: Some(u32::MAX),
        frame_width: Some(UpTo::saturating(u64::MAX)),
        frame_height: Some(UpTo::saturating(u64::MAX)),
        frames_per_second: Some(UpTo::saturating(u64::MAX)),
        loss_permille: Some(UpTo::saturating(u64::MAX)),
        jitter_ms: Some(UpTo::saturating(u64::MAX)),
        frozen_permille: Some(UpTo::saturating(u64::MAX)),
        stall_count: Some(u32::MAX),
        stall_permille: Some(UpTo::saturating(u64::MAX)),
        stamped_lost: Some(u32::MAX),
        stamped_delay_ms: Some(UpTo::saturating(u64::MAX)),
    }
}

#[test]
fn a_playback_of_a_later_version_is_read_as_unknown() {
    let state = json!({"type": "state", "microphone": false, "source": "file", "playback": "rewinding"});
    let read: ControlMessage = from_value(state).expect("readable");
    let ControlMessage::State(state) = read else { panic!("{read:?}") };
    assert_eq!(state.playback, Some(Playback::Unknown));
}

#[test]
fn every_telemetry_message_reads_and_writes_as_documented() {
    for value in [
        json!({"type": "reception", "sequence": 7, "bars": 2, "cause": "loss", "limitation": "bandwidth",
            "bitrate_bps": 1_200_000, "frame_width": 640, "frame_height": 360, "frames_per_second": 24,
            "loss_permille": 31, "jitter_ms": 12, "frozen_permille": 40, "stall_count": 3, "stall_permille": 12,
            "stamped_lost": 9, "stamped_delay_ms": 71}),
        json!({"type": "reception", "sequence": 0, "bars": 4, "cause": "no_video"}),
        json!({"type": "source_frames", "from_us": 81_200_000, "to_us": 84_200_000, "frames_ms": [12, 40, 680],
            "breaks": [{"kind": "seeking", "from_ms": 2_000, "to_ms": 2_060}, {"kind": "paused", "from_ms": 2_900}],
            "interval_us": 40_000}),
        json!({"type": "source_frames", "from_us": 1, "to_us": 2}),
        json!({"type": "ping", "nonce": 7}),
        json!({"type": "pong", "nonce": 7}),
        json!({"type": "clock_ping", "sent_us": 1_234_567_890_123_u64}),
        json!({"type": "clock_pong", "sent_us": 1, "received_us": 1_234_567_890_123_u64, "answered_us": 3}),
    ] {
        let read: TelemetryMessage = from_value(value.clone()).expect("readable");
        assert_eq!(to_value(read).expect("serialises"), value);
    }
}

#[test]
fn the_longest_reception_is_within_its_limit() {
    let text = serde_json::to_string(&TelemetryMessage::Reception(fullest_reception())).expect("serialises");
    assert!(text.len() <= MAX_TELEMETRY_BYTES, "{text}");
}

#[test]
fn telemetry_of_a_later_version_is_read_as_far_as_it_is_known() {
    let read: TelemetryMessage = from_value(json!({"type": "clock", "x": 1})).expect("readable");
    assert_eq!(read, TelemetryMessage::Unknown);
    let later = json!({"type": "reception", "sequence": 1, "bars": 3, "cause": "solar_flare", "limitation": "heat", "x": 1});
    let read: TelemetryMessage = from_value(later).expect("readable");
    let known = Reception {
        sequence: 1,
        bars: UpTo::saturating(3),
        cause: Cause::Unknown,
        limitation: Limitation::Other,
        ..Reception::default()
    };
    assert_eq!(read, TelemetryMessage::Reception(known));
}

#[test]
fn telemetry_with_a_number_that_cannot_be_is_not_read() {
    for text in [
        r#"{"type":"reception","sequence":0,"bars":5}"#,
        r#"{"type":"reception","sequence":0,"bars":-1}"#,
        r#"{"type":"reception","sequence":-1,"bars":4}"#,
        r#"{"type":"reception","sequence":0,"bars":4,"loss_permille":1001}"#,
        r#"{"type":"reception","sequence":0,"bars":4,"frozen_permille":65535}"#,
        r#"{"type":"reception","sequence":0,"bars":4,"stall_permille":1e300}"#,
        r#"{"type":"reception","sequence":0,"bars":4,"frame_width":65535}"#,
        r#"{"type":"reception","sequence":0,"bars":4,"frames_per_second":60000}"#,
        r#"{"type":"reception","sequence":0,"bars":4,"jitter_ms":4294967295}"#,
        r#"{"type":"reception","sequence":0,"bars":4,"bitrate_bps":1e999}"#,
        r#"{"type":"sending","at_us":18446744073709551615}"#,
        r#"{"type":"sending","at_us":1,"frames_sent":-1}"#,
        r#"{"type":"sending","at_us":1,"picture":{"encode_ms":-1}}"#,
        r#"{"type":"sending","at_us":1,"picture":{"packets":4294967296}}"#,
        r#"{"type":"sending","at_us":1,"picture":{"round_trip_ms":600001}}"#,
        r#"{"type":"sending","at_us":1,"picture":{"busy_ms":600001}}"#,
        r#"{"type":"sending","at_us":1,"picture":"none"}"#,
        r#"{"type":"source_frames","from_us":1,"to_us":18446744073709551615}"#,
        r#"{"type":"source_frames","from_us":1,"to_us":2,"frames_ms":[-1]}"#,
        r#"{"type":"source_frames","from_us":1,"to_us":2,"frames_ms":[10001]}"#,
        r#"{"type":"source_frames","from_us":1,"to_us":2,"breaks":[{"kind":"paused","from_ms":1e300}]}"#,
        r#"{"type":"clock_ping","sent_us":18446744073709551615}"#,
        r#"{"type":"clock_pong","sent_us":1,"received_us":1e300,"answered_us":3}"#,
        r#"{"type":"clock_pong","sent_us":1,"received_us":2,"answered_us":9223372036854775807}"#,
        r#"{"type":"ping","nonce":4294967296}"#,
    ] {
        assert!(serde_json::from_str::<TelemetryMessage>(text).is_err(), "{text}");
    }
}

#[test]
fn run_messages_with_a_number_that_cannot_be_are_not_read() {
    for text in [
        r#"{"type":"run_log","run":"r1","part":-1,"parts":3,"text":""}"#,
        r#"{"type":"run_log","run":"r1","part":0,"parts":65536,"text":""}"#,
        r#"{"type":"run_log","run":"r1","part":0.5,"parts":3,"text":""}"#,
        r#"{"type":"run_start","run":"","is_running":true}"#,
        r#"{"type":"run_start","run":"r1","is_running":1e999}"#,
        r#"{"type":"run_start","run":"r1","is_running":true,"first_us":-1}"#,
        r#"{"type":"run_start","run":"r1","is_running":true,"first_us":900000000000001}"#,
    ] {
        assert!(serde_json::from_str::<ControlMessage>(text).is_err(), "{text}");
    }
}
