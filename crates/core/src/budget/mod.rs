//! How much one member may ask of this page.
//!
//! Owns a budget for each member and each kind of message ([`MessageKind`]), in the caller's time. It never looks into a message:
//! the room session reports each message and learns whether it takes effect. A member over a budget is *muted*: the excess is
//! dropped and counted. A member that continues is *cut off*: the session closes its peer connections and ignores it until its
//! page is a new instance.
//!
//! Invariant: honest use at its limits stays within every budget (`tests/budget/honest.rs`), so whoever is muted or cut off is
//! broken or hostile.

mod account;
mod accounts;
mod bucket;
mod limits;

pub use account::{Standing, Verdict};
pub use accounts::{Accounts, Change};
pub use bucket::Bucket;
pub use limits::{
    CODES_OF_MEMBER, CODES_OF_PAGE, FIRST_EXILE, LONGEST_EXILE, Limit, MAX_ACCOUNTS, MAX_CANDIDATE_BYTES,
    MUTE, MessageKind, PATIENCE, RECOGNITIONS_OF_MEMBER, RECOGNITIONS_OF_PAGE, REKEYS, ROOM_CONNECTIONS,
    TAB_GREETINGS, TAB_SIGNALS, UNREADABLE_FRAMES,
};
