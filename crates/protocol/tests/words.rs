//! The words that reports, logs and tests show are those of the JSON messages; the limits are those that the documents name.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use sightline_protocol::{
    ErrorCode, Reaction, RefusalReason,
    control::{Playback, PublishedSource},
    limits,
    telemetry::Milliseconds,
    transfer::TransferEnd,
};

/// Checks that each word is read, shown and written as itself.
fn have_words<T: Serialize + DeserializeOwned + Debug>(shown: impl Fn(T) -> &'static str, words: &[&str]) {
    for word in words {
        let json = format!("\"{word}\"");
        let value: T = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        assert_eq!(shown(value), *word);
    }
}

#[test]
fn every_word_is_the_same_in_json_and_where_it_is_shown() {
    have_words(Playback::as_str, &["playing", "paused", "seeking", "ended", "failed", "unknown"]);
    have_words(PublishedSource::as_str, &["none", "camera", "screen", "file"]);
    have_words(
        Reaction::as_str,
        &["thumbs_up", "applause", "heart", "laughter", "surprise", "celebration", "unknown"],
    );
    have_words(
        RefusalReason::as_str,
        &["locked", "refused", "no-answer", "too-many", "not-open", "link-changed"],
    );
    have_words(
        TransferEnd::as_str,
        &[
            "declined",
            "cancelled",
            "disk-full",
            "too-large",
            "storage-refused",
            "file-changed",
            "file-unreadable",
            "corrupted",
            "too-many",
            "unknown",
            "other",
        ],
    );
}

#[test]
fn a_client_may_ask_again_after_errors_that_pass() {
    let transient = ["rate-limited", "too-slow", "join-timeout", "server-full", "shutting-down"].map(code);
    let lasting =
        ["room-name-invalid", "name-invalid", "protocol-version", "protocol-error", "frame-too-large"]
            .map(code);
    assert!(transient.into_iter().all(ErrorCode::is_transient));
    assert!(!lasting.into_iter().any(ErrorCode::is_transient));
    // The member stays in the room.
    let harmless = ["peer-unreachable", "not-host"].map(code);
    assert!(!harmless.into_iter().any(ErrorCode::closes));
    assert!(transient.into_iter().chain(lasting).all(ErrorCode::closes));
}

fn code(word: &str) -> ErrorCode {
    serde_json::from_value(word.into()).unwrap()
}

#[test]
fn every_reaction_has_another_picture() {
    let mut pictures = Reaction::ALL.map(Reaction::emoji).to_vec();
    pictures.sort_unstable();
    pictures.dedup();
    assert_eq!(pictures.len(), Reaction::ALL.len());
    assert!(pictures.iter().all(|picture| !picture.is_ascii()));
    assert_eq!(Reaction::Unknown.emoji(), "");
}

#[test]
fn the_limits_in_bytes_are_those_of_the_protocol() {
    assert_eq!(limits::MAX_FRAME_BYTES, 65_536);
    assert_eq!(limits::MAX_CHAT_TEXT_BYTES, 16_384);
    assert_eq!(limits::MAX_RUN_LOG_PART_BYTES, 24_576);
    assert_eq!((limits::MAX_PICTURE_BYTES, limits::MAX_PICTURE_CHARS), (12_288, 16_384));
}

#[test]
fn a_bounded_number_is_shown_and_counted_as_its_value() {
    let number: Milliseconds = serde_json::from_str("7").unwrap();
    assert_eq!(number.to_string(), "7");
    assert!((f64::from(number) - 7.0).abs() < f64::EPSILON);
}
