//! What a page keeps of its transfers for the time after a reload.

use serde::{Deserialize, Serialize};
use sightline_protocol::{
    MemberId,
    transfer::{FileOffer, Sha256Digest},
};

use crate::transfer::identity::FileIdentity;

/// One transfer that is not over, or whose file was not taken yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTransfer {
    /// What is sent.
    pub offer: FileOffer,
    /// The other side.
    pub member: MemberId,
    /// The name that it was given here.
    pub name: String,
    /// The receiver has accepted it.
    pub is_accepted: bool,
    /// Of the whole file, where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// Which file is sent, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<FileIdentity>,
    /// Another file of this name, size and time was offered to the same member.
    #[serde(default)]
    pub is_ambiguous: bool,
    /// And in the same folder.
    #[serde(default)]
    pub is_path_ambiguous: bool,
    /// It was not offered yet.
    #[serde(default)]
    pub is_queued: bool,
}

/// Everything that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Files from here.
    pub sending: Vec<KeptTransfer>,
    /// Files to here.
    pub receiving: Vec<KeptTransfer>,
    /// Files that wait for somebody to come.
    #[serde(default)]
    pub waiting: KeptNames,
}

/// Files of which only the names outlive a reload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNames {
    /// All of them.
    pub count: usize,
    /// The first ones, with their folders.
    pub names: Vec<String>,
}

impl Records {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sending.is_empty() && self.receiving.is_empty() && self.waiting.count == 0
    }

    /// Reads what [`Self::to_json`] wrote; `None` where it is something else, as of another version.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// As text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
