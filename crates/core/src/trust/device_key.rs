//! Public keys and tags as the bytes with which a browser computes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sightline_protocol::{DeviceKey, RecognitionTag};

use super::KeyTags;

/// Length of a tag in bytes; a tag is the beginning of an HMAC.
const TAG_BYTES: usize = 16;

/// The public key with these bytes; `None` if there are too many or too few.
#[must_use]
pub fn device_key(bytes: &[u8]) -> Option<DeviceKey> {
    DeviceKey::new(URL_SAFE_NO_PAD.encode(bytes)).ok()
}

/// The bytes of a public key. They may be no point of the curve.
#[must_use]
pub fn device_key_bytes(key: &DeviceKey) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(key.as_str()).unwrap_or_default()
}

impl KeyTags {
    /// The tags of a key, from the HMACs of both texts; `None` if one is shorter than a tag.
    #[must_use]
    pub fn of_hmacs(key: DeviceKey, sent: &[u8], expected: &[u8]) -> Option<Self> {
        let tag = |hmac: &[u8]| RecognitionTag::new(URL_SAFE_NO_PAD.encode(hmac.get(..TAG_BYTES)?)).ok();
        Some(Self { key, sent: tag(sent)?, expected: tag(expected)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_65_bytes_and_a_tag_is_the_beginning_of_an_hmac() {
        let bytes: Vec<u8> = (0..65).collect();
        let key = device_key(&bytes).unwrap();
        assert_eq!(device_key_bytes(&key), bytes);
        for odd in [0, 64, 66] {
            assert_eq!(device_key(&vec![4; odd]), None, "{odd}");
        }
        let tags = KeyTags::of_hmacs(key.clone(), &[1; 32], &[2; 32]).unwrap();
        assert_eq!(tags.sent.as_str(), "AQEBAQEBAQEBAQEBAQEBAQ");
        assert_eq!(tags.expected.as_str(), "AgICAgICAgICAgICAgICAg");
        assert_eq!(KeyTags::of_hmacs(key, &[1; 32], &[2; 15]), None);
    }
}
