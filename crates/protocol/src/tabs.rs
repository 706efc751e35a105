//! What tabs of one browser say to each other over a `BroadcastChannel` where there is no server: one JSON object a
//! message, tagged by `type`. Every tab hears everything, so what is for one has a `to`.

use serde::{Deserialize, Serialize};

use crate::{
    id::{InstanceId, MemberId},
    member::Member,
    room::RoomName,
    signalling::Signal,
};

/// The channel of a room. Tabs of another version do not hear each other.
#[must_use]
pub fn channel_name(room: &RoomName) -> String {
    format!("sightline/{}/{room}", crate::PROTOCOL_VERSION)
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TabMessage {
    /// Who is there? Asked by a tab that is not in the room yet.
    Ask {
        /// Who asks.
        from: MemberId,
    },
    /// I am in the room: said on entering, and again and again. Answered by [`Self::Here`].
    Hello {
        /// Who says so.
        member: Member,
    },
    /// The answer to both.
    Here {
        /// Whom it answers.
        to: MemberId,
        /// Who says so.
        member: Member,
    },
    /// Something for one other member.
    Signal {
        /// Who says so.
        from: MemberId,
        /// Whom it is for.
        to: MemberId,
        /// What it says.
        #[serde(flatten)]
        signal: Signal,
    },
    /// The page goes away, and is perhaps only loaded again.
    Away {
        /// Whose.
        from: MemberId,
        /// Which life of it.
        instance: InstanceId,
    },
    /// The member leaves and does not come back.
    Leave {
        /// Who.
        from: MemberId,
        /// Which life of its page.
        instance: InstanceId,
    },
}
