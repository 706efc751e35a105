//! The messages between tabs of one browser over a `BroadcastChannel` where there is no server: each message is one JSON object,
//! tagged by `type`. Every tab receives every message, so a message for one tab has a `to`.

use serde::{Deserialize, Serialize};

use crate::{
    id::{InstanceId, MemberId},
    member::Member,
    room::RoomName,
    sealed::AdmissionTag,
    signaling::Signal,
};

/// The name of the channel of a room, with the tag of a protected one. Tabs with different protocol versions use different channels.
#[must_use]
pub fn channel_name(room: &RoomName, admission: Option<&AdmissionTag>) -> String {
    match admission {
        None => format!("sightline/{}/{room}", crate::PROTOCOL_VERSION),
        Some(tag) => format!("sightline/{}/{room}/{}", crate::PROTOCOL_VERSION, tag.as_str()),
    }
}

/// A message between tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TabMessage {
    /// A tab that has not entered yet asks who is in the room.
    Ask {
        /// The asking tab's member id.
        from: MemberId,
    },
    /// A tab says that it is in the room: on entering, and repeatedly. Answered by [`Self::Here`].
    Hello {
        /// The sending member.
        member: Member,
    },
    /// The answer to [`Self::Ask`] and [`Self::Hello`].
    Here {
        /// The member that is answered.
        to: MemberId,
        /// The answering member.
        member: Member,
    },
    /// A signal for one other member.
    Signal {
        /// The sending member.
        from: MemberId,
        /// The receiving member.
        to: MemberId,
        /// The signal, with its fields beside `from` and `to` in the JSON object.
        #[serde(flatten)]
        signal: Signal,
    },
    /// The page goes away; it may be a reload.
    Away {
        /// The member whose page goes away.
        from: MemberId,
        /// The page instance that goes away.
        instance: InstanceId,
    },
    /// The member leaves for good.
    Leave {
        /// The member that leaves.
        from: MemberId,
        /// The page instance of that member.
        instance: InstanceId,
    },
}
