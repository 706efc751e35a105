//! Values keep what they were made of, and are valid within their limits only.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use sightline_protocol::{
    AdmissionTag, DisplayName, Generation, MemberId, RoomName, SealedName,
    telemetry::SentPicture,
    transfer::{
        FileOffer, MAX_CHUNK_BYTES, MAX_FILE_BYTES, MAX_FILE_NAME_BYTES, MAX_FOLDER_BYTES,
        MAX_MEDIA_TYPE_BYTES, Sha256Digest,
    },
};

fn offer(name: usize, folder: usize, media_type: usize, modified_ms: u64) -> FileOffer {
    let text = |bytes: usize| "x".repeat(bytes);
    serde_json::from_value(json!({
        "transfer": "t", "sequence": 1, "number": 1, "name": text(name), "folder": text(folder),
        "size_bytes": 1, "media_type": text(media_type), "modified_ms": modified_ms,
    }))
    .unwrap()
}

#[test]
fn an_offer_is_valid_up_to_each_of_its_limits() {
    let most = (MAX_FILE_NAME_BYTES, MAX_FOLDER_BYTES, MAX_MEDIA_TYPE_BYTES, MAX_FILE_BYTES);
    assert!(offer(most.0, most.1, most.2, most.3).has_valid_lengths());
    assert!(!offer(most.0 + 1, 0, 0, 0).has_valid_lengths());
    assert!(!offer(0, most.1 + 1, 0, 0).has_valid_lengths());
    assert!(!offer(0, 0, most.2 + 1, 0).has_valid_lengths());
    assert!(!offer(0, 0, 0, most.3 + 1).has_valid_lengths());
}

#[test]
fn a_chunk_and_its_header_fill_a_message_of_256_kib() {
    assert_eq!(MAX_CHUNK_BYTES, 262_144 - 48);
}

#[test]
fn a_sent_picture_is_empty_until_it_has_a_value() {
    assert!(SentPicture::default().is_empty());
    assert!(!serde_json::from_value::<SentPicture>(json!({"lost": 1})).unwrap().is_empty());
}

#[test]
fn a_generation_is_followed_by_the_next_number() {
    assert_eq!(Generation(7).next(), Generation(8));
}

#[test]
fn texts_are_shown_as_they_were_given() {
    assert_eq!(DisplayName::new("Ada").unwrap().to_string(), "Ada");
    assert_eq!(RoomName::new("team-7").unwrap().to_string(), "team-7");
    assert_eq!(MemberId::new("a-Z_9").unwrap().to_string(), "a-Z_9");
    assert_eq!(SealedName::new("aZ-_9".to_owned()).unwrap().as_str(), "aZ-_9");
    let tag = "t".repeat(43);
    assert_eq!(AdmissionTag::new(tag.clone()).unwrap().as_str(), tag);
    assert_eq!(format!("{:?}", Sha256Digest([0xa7; 32])), "a7".repeat(32));
}
