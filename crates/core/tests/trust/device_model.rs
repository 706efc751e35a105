//! A model of the keys of devices. The key that two devices have in common is a hash of both public keys, which only the owner of one
//! of them may make.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sightline_core::trust::KeyTags;
use sightline_protocol::{DeviceKey, RecognitionTag};

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn device_key(owner: &str) -> DeviceKey {
    let half = Sha256::digest(owner);
    DeviceKey::new(text(&[&[4][..], &half[..], &half[..]].concat())).unwrap()
}

fn tag(one: &DeviceKey, other: &DeviceKey, about: &str) -> RecognitionTag {
    let mut keys = [one.as_str(), other.as_str()];
    keys.sort_unstable();
    let hash = Sha256::digest(format!("{keys:?} {about}"));
    RecognitionTag::new(text(&hash[..16])).unwrap()
}

/// The tags that the owner of `own` makes with these keys.
pub(crate) fn compute(own: &DeviceKey, keys: Vec<DeviceKey>, sent: &str, expected: &str) -> Vec<KeyTags> {
    let of_key = |key| KeyTags { sent: tag(own, &key, sent), expected: tag(own, &key, expected), key };
    keys.into_iter().map(of_key).collect()
}
