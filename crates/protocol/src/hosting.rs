//! Who may open a room, its hosts, and visitors that wait to be let into a locked one.

use serde::{Deserialize, Serialize};

use crate::{
    id::{InstanceId, MemberId},
    member::DisplayName,
    picture::VisitorPicture,
    sealed::SealedName,
};

/// Somebody who waits to be let into a locked room, as a host sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The id that the visitor has as a member, once it is let in.
    pub id: MemberId,
    /// The display name; empty in a protected room.
    pub name: DisplayName,
    /// The encrypted display name, in a protected room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_name: Option<SealedName>,
    /// The page instance that waits.
    pub instance: InstanceId,
    /// The picture that the visitor shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<VisitorPicture>,
}

/// Why a room does not admit somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The client does not wait for an answer, or what it was part of is over.
    Locked,
    /// A host said no.
    Refused,
    /// No host answered in time.
    NoAnswer,
    /// Too many wait already, or this address knocks too often.
    TooMany,
    /// Nobody is in the room, and this server's operator lets only holders of a token open one.
    NotOpen,
    /// The secret in the link was replaced when a member was removed.
    LinkChanged,
}

impl RefusalReason {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Refused => "refused",
            Self::NoAnswer => "no-answer",
            Self::TooMany => "too-many",
            Self::NotOpen => "not-open",
            Self::LinkChanged => "link-changed",
        }
    }
}
