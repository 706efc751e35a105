//! What names a room on this server: its name, and for a protected room the tag that admits to it.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use sightline_protocol::{AdmissionDigest, AdmissionTag, RoomName};

const HASH_BYTES: usize = 32;

/// Two rooms of the same name are different rooms if their tags differ, or if only one has a tag. Of a tag only its SHA-256 is kept, so
/// neither memory nor a resume token has something that admits to the room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKey {
    /// The name in the address.
    pub name: RoomName,
    admission: Option<[u8; HASH_BYTES]>,
}

impl RoomKey {
    /// The room of this name that the tag admits to; without a tag the unprotected room.
    #[must_use]
    pub fn new(name: RoomName, tag: Option<&AdmissionTag>) -> Self {
        let hash = |tag: &AdmissionTag| digest(&SHA256, tag.as_str().as_bytes()).as_ref().try_into().ok();
        Self { name, admission: tag.and_then(hash) }
    }

    /// Whether a tag admits to the room.
    pub(super) fn is_protected(&self) -> bool {
        self.admission.is_some()
    }

    /// SHA-256 of the tag, for the members.
    pub(super) fn digest(&self) -> Option<AdmissionDigest> {
        AdmissionDigest::new(URL_SAFE_NO_PAD.encode(self.admission?)).ok()
    }

    /// Reads what `Display` wrote.
    #[must_use]
    pub(super) fn read(text: &str) -> Option<Self> {
        let Some((name, hash)) = text.split_once('#') else {
            return Some(Self { name: RoomName::new(text).ok()?, admission: None });
        };
        let hash = URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok()?;
        Some(Self { name: RoomName::new(name).ok()?, admission: Some(hash) })
    }
}

impl fmt::Display for RoomKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.admission {
            None => self.name.fmt(formatter),
            Some(hash) => write!(formatter, "{}#{}", self.name, URL_SAFE_NO_PAD.encode(hash)),
        }
    }
}
