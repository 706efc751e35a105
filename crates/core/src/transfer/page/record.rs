//! The records of transfers that outlive a reload of the page.

use serde::{Deserialize, Serialize};
use sightline_protocol::{
    MemberId,
    transfer::{FileOffer, Sha256Digest},
};

use crate::transfer::identity::FileIdentity;

/// The record of a transfer that has not ended, or whose file was not saved yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTransfer {
    /// The offered file.
    pub offer: FileOffer,
    /// The member at the other end.
    pub member: MemberId,
    /// The name that this page gave to the file.
    pub name: String,
    /// Whether the receiver accepted the file.
    pub is_accepted: bool,
    /// Hash of the whole file, once it has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The identity of the file, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<FileIdentity>,
    /// Whether another file with this name, size and time was offered to the same member.
    #[serde(default)]
    pub is_ambiguous: bool,
    /// Whether such a file was also in a folder with the same path.
    #[serde(default)]
    pub is_path_ambiguous: bool,
    /// Whether the file was not offered yet.
    #[serde(default)]
    pub is_queued: bool,
    /// Whether the person removed the received file from the list.
    #[serde(default)]
    pub is_cleared: bool,
}

/// All records of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Records of outgoing files.
    pub sending: Vec<KeptTransfer>,
    /// Records of incoming files.
    pub receiving: Vec<KeptTransfer>,
    /// Files that wait for a member to come.
    #[serde(default)]
    pub waiting: KeptNames,
}

/// Files of which only the names outlive a reload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNames {
    /// Number of files.
    pub count: usize,
    /// The first file names, with their folders.
    pub names: Vec<String>,
}

impl Records {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sending.is_empty() && self.receiving.is_empty() && self.waiting.count == 0
    }

    /// Reads the output of [`Self::to_json`]; `None` for anything else, including records of another version.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The records as text (JSON).
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
