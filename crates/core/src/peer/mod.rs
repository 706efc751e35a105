//! One other member of the room, and all connections to it.
//!
//! [`PeerSession`] owns the member's link in use, the link that is built to replace it, the bulk links, the plan of the repair
//! ([`recovery`](crate::recovery)), the member's published state, and its departure. It never counts budgets, decodes the text of
//! a channel, or knows chat, files or other members: the room admits inputs and routes outputs.
//!
//! Invariants: a member has at most one link in use and one beside it. The links for files end with the link in use that they
//! were opened over. Links that end for good are closed before [`PeerOutput::Gone`], which is the last output.

mod files;
mod links;
mod output;
mod presence;
mod session;
mod state;
mod view;

pub use files::{Allowance, FileLoad};
pub use output::PeerOutput;
pub use presence::LocalMember;
pub use session::PeerSession;
pub use state::LinkState;
pub use view::PeerView;
