//! A room as seen by one member.
//!
//! [`RoomSession`] coordinates these parts; each has its own state, and none knows another one's fields:
//!
//! | module | subject |
//! |---|---|
//! | `session` | routes inputs to the parts, and their outputs to each other and to the page |
//! | `signal_path` | signals and room events through the server: connection, protection by the link (`sealing`, `listed_names`), ICE servers |
//! | `members` | the other members ([`PeerSession`](crate::peer::PeerSession)), and the intake of what they send (`budgets`) |
//! | `peer_trust` | what the person knows of each member: codes that they compare (`verifying`), devices from earlier calls |
//! | `hosting` | hosts, lock and visitors, as the server says |
//! | `defense` | what hosts do against those whom they do not want: `hosting`, and the replacement of the secret |
//! | `content` | the conversation and the files |
//! | `notices` | which problems with members the page shows |
//! | `changes` | paces the events on their way to the page |
//!
//! The room never looks into a peer connection, nor decides how one is made or repaired: [`peer`](crate::peer) does.
//!
//! Invariants: when the signaling socket ends, links that work stay open. A member leaves the roster in one place, when its
//! peer returns [`PeerOutput::Gone`](crate::peer::PeerOutput::Gone). No message of a member is processed before the budgets
//! have admitted it.

mod budgets;
mod changes;
mod content;
mod defense;
mod hands;
mod hosting;
mod listed_names;
mod members;
mod notices;
mod output;
mod peer_trust;
mod reactions;
mod sealing;
mod session;
mod signal_path;
mod verifying;

pub use crate::{
    link::{LinkEvent, LinkId},
    peer::{LinkState, PeerView},
    recovery::PeerConnectionState,
};
pub use changes::Changes;
pub use hosting::{HostAction, Hosting, VisitorView};
pub use output::{RoomEvent, RoomOutput};
pub use peer_trust::PeerTrust;
pub use reactions::{Reactions, SHOWN_FOR, ShownReaction};
pub use session::RoomSession;
