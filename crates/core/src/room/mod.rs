//! A room as the session of one member.
//!
//! Owns the connection to the signaling server, the other members ([`PeerSession`](crate::peer::PeerSession)), their budgets, the
//! conversation and the files. It routes: signals and events to the peer that they concern, and what members say to
//! chat, files or whoever measures. It never looks into a peer connection, nor decides how one is made or repaired: that is
//! for [`peer`](crate::peer).
//!
//! Invariants: the end of the signaling socket closes no link that works. A member leaves the roster in one place, when its
//! peer says [`PeerOutput::Gone`](crate::peer::PeerOutput::Gone). Nothing of a member counts before the budgets have admitted it.

mod budgets;
mod content;
mod members;
mod notices;
mod output;
mod session;

pub use crate::{
    link::LinkId,
    peer::{LinkState, PeerView},
    recovery::PeerConnectionState,
};
pub use output::{RoomEvent, RoomOutput};
pub use session::RoomSession;
