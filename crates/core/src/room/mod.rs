//! A room as seen by one member.
//!
//! Owns the connection to the signaling server, the other members ([`PeerSession`](crate::peer::PeerSession)), their budgets,
//! the conversation and the files. It routes signals and events to the peer that they concern, and the messages of members to
//! chat, files or measurements. It never looks into a peer connection, nor decides how one is made or repaired:
//! [`peer`](crate::peer) does.
//!
//! Invariants: when the signaling socket ends, links that work stay open. A member leaves the roster in one place, when its
//! peer returns [`PeerOutput::Gone`](crate::peer::PeerOutput::Gone). No message of a member is processed before the budgets
//! have admitted it.

mod budgets;
mod changes;
mod content;
mod hands;
mod hosting;
mod members;
mod notices;
mod output;
mod reactions;
mod sealing;
mod session;
mod verifying;

pub use crate::{
    link::LinkId,
    peer::{LinkState, PeerView},
    recovery::PeerConnectionState,
};
pub use changes::Changes;
pub use hosting::{HostAction, Hosting, VisitorView};
pub use output::{RoomEvent, RoomOutput};
pub use reactions::{Reactions, SHOWN_FOR, ShownReaction};
pub use session::RoomSession;
