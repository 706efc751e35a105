//! The only receiver of a message that is not for everyone.

use sightline_protocol::MemberId;

/// The member that a private message is for, and whether it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The id of the member.
    pub member: MemberId,
    /// The member's name now; empty for a member without a name.
    pub name: String,
    /// Whether the member is in the room, present or away.
    pub is_in_room: bool,
    /// Whether the channel to the member is open.
    pub is_open: bool,
}
