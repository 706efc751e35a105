//! One other member of the room, with everything that connects this page to it.
//!
//! Owns, in [`PeerSession`], the member's link in use, the link that is built beside it to replace it, the links for the bytes of
//! files, the plan of the repair ([`recovery`](crate::recovery)), what the member publishes, and whether it leaves. It never
//! counts budgets, reads a text from a channel, or knows chat, files or other members: the room admits what came and
//! routes what comes out.
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
