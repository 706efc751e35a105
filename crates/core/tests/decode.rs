//! Decoding of messages: random bytes and near misses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use sightline_core::decode::{self, Envelope, ServerFrame, Unreadable};
use sightline_protocol::{MemberId, limits::MAX_FRAME_BYTES, telemetry::MAX_TELEMETRY_BYTES};

#[test]
fn an_oversized_message_is_refused_before_it_is_parsed() {
    let long = "x".repeat(MAX_FRAME_BYTES + 1);
    assert_eq!(decode::control_message(&long), Err(Unreadable::TooLong));
    assert_eq!(decode::server_frame(&long), Err(Unreadable::TooLong));
    assert_eq!(decode::envelope(&long), Envelope::default());
    let long = "x".repeat(MAX_TELEMETRY_BYTES + 1);
    assert_eq!(decode::telemetry_message(&long), Err(Unreadable::TooLong));
}

#[test]
fn the_first_of_duplicate_fields_counts_because_the_server_wrote_it() {
    let frame = r#"{"type":"signal","from":"eve","from":"ada","type":"joined","to":1e999"#;
    let eve = MemberId::new("eve").unwrap();
    assert_eq!(decode::envelope(frame).from, Some(eve.clone()));
    assert_eq!(decode::server_frame(frame), Ok(ServerFrame::UnreadableSignal(eve)));
}

#[test]
fn oversized_candidates_are_refused_on_every_signaling_path() {
    let candidate = format!(r#"{{"candidate":{{"candidate":"{}"}}}}"#, "x".repeat(10_000));
    let signal =
        format!(r#"{{"type":"signal","from":"eve","connection":"c","generation":0,"payload":{candidate}}}"#);
    assert!(matches!(decode::server_frame(&signal), Ok(ServerFrame::UnreadableSignal(_))));
    let bulk = format!(r#"{{"type":"bulk_signal","connection":"c","payload":{candidate}}}"#);
    assert_eq!(decode::control_message(&bulk), Err(Unreadable::Malformed));
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,200}", depth in 0..3_000_usize) {
        for text in [text.clone(), "[".repeat(depth) + &text, format!(r#"{{"type":"signal","from":"a","payload":{text}}}"#)] {
            let _ = decode::control_message(&text);
            let _ = decode::telemetry_message(&text);
            let _ = decode::server_frame(&text);
            let _ = decode::tab_message(&text);
            let _ = decode::envelope(&text);
        }
    }
}
