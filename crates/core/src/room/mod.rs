//! A room as one member's session sees it: who is there, which links there are, what everyone publishes.
//!
//! Invariants: a member has at most one link in use, and at most one that is built beside it to replace it
//! ([`recovery`](crate::recovery)); the later page instance of a pair offers first, leads the repair and says which link
//! is used; the signalling socket closing never closes a healthy link.

mod budgets;
mod bulk;
mod connection;
mod draining;
mod files;
mod link;
mod membership;
mod output;
mod peer;
mod repair;
mod session;
mod state;

pub use crate::recovery::PeerConnectionState;
pub use link::LinkId;
pub use output::{RoomEvent, RoomOutput};
pub use peer::PeerView;
pub use session::RoomSession;
pub use state::LinkState;
