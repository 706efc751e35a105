//! The messages by which two devices recognize each other after their people compared a code. `sightline-core` makes them (`trust`).

use serde::{Deserialize, Serialize};

use crate::{
    limits::{DEVICE_KEY_CHARS, RECOGNITION_TAG_CHARS, RECOGNITION_TAGS},
    verification::Base64Url,
};

/// The public key of a device: a point of P-256, uncompressed (SEC 1, section 2.3.3).
pub type DeviceKey = Base64Url<DEVICE_KEY_CHARS>;

/// 16 bytes that only the sender's device and one other device can compute, or 16 random bytes.
pub type RecognitionTag = Base64Url<RECOGNITION_TAG_CHARS>;

/// A message about the device of the sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum RecognitionMessage {
    /// The sender's person said that the code matches, and gives the receiver the key of this device.
    Introduce {
        /// The public key.
        key: DeviceKey,
    },
    /// Sent whenever a channel opens: one tag for each person that the device remembers, and random ones.
    Recognize {
        /// The tags. Their order does not say which of them are random.
        tags: Box<[RecognitionTag; RECOGNITION_TAGS]>,
    },
    /// A step of a later version.
    #[serde(other)]
    Unknown,
}
