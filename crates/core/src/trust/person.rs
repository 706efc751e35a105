//! The people that a device remembers, and what it knows of a member by them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sightline_protocol::{DeviceKey, DisplayName};

/// Identifies a remembered person: SHA-256 of the public key of the device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonId(String);

impl PersonId {
    /// The person with this device.
    #[must_use]
    pub fn of(key: &DeviceKey) -> Self {
        let hash = Sha256::new_with_prefix("sightline/1 person\n").chain_update(key.as_str()).finalize();
        Self(URL_SAFE_NO_PAD.encode(hash))
    }

    /// The text that names the person in the records of this device.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person that this device remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The public key of the person's device.
    pub key: DeviceKey,
    /// The name at the time of the comparison.
    pub name: DisplayName,
    /// The time of the comparison.
    pub verified_at_unix_ms: u64,
}

impl Person {
    /// The record as text (JSON).
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Reads the output of [`Self::to_text`]; `None` for anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether others would take this name for the name that the person had at the comparison.
    pub(super) fn has_name(&self, name: &DisplayName) -> bool {
        self.name.as_str().eq_ignore_ascii_case(name.as_str())
    }
}

/// What this page knows of a member from earlier calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Acquaintance {
    /// Nothing: nobody that this device remembers has this name or this device.
    #[default]
    Unknown,
    /// The device of this person, under the name of the comparison.
    Known(Person),
    /// The device of this person, under another name.
    Renamed(Person),
    /// The name of a remembered person, on another device.
    OtherDevice,
}
