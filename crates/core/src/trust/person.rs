//! The people that a device remembers, and what it knows of a member by them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The public key of the person's device.
    pub key: DeviceKey,
    /// The name at the time of the comparison.
    pub name: DisplayName,
    /// The time of the comparison.
    pub verified_at_unix_ms: u64,
}

/// What this page knows of a member from earlier calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Acquaintance {
    /// Nothing: nobody that this device remembers has this name or this device.
    #[default]
    Unknown,
    /// The device of this person.
    Known(Person),
    /// The name of a remembered person, on another device.
    OtherDevice,
}
