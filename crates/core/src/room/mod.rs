//! A room as one member's session sees it: who is there, which links there are, what everyone publishes.
//!
//! Invariants: a member has at most one link at a time; the later page instance of a pair offers first; the
//! signalling socket closing never closes a healthy link; a link is replaced only by an offer of the side whose turn
//! it is, or by the member's page being another instance.

mod connection;
mod link;
mod membership;
mod peer;
mod session;
mod state;

pub use link::{LinkId, PeerConnectionState};
pub use peer::PeerView;
pub use session::{RoomEvent, RoomOutput, RoomSession};
pub use state::LinkState;
