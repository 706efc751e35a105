//! Recovery: detecting that a peer connection carries no data, and repairing it.
//!
//! # Detection
//! Browsers say `disconnected` after six to ten seconds, `failed` after fifteen to thirty, and sometimes `connected` over a dead
//! data channel. So each side pings the other once a second on the `telemetry` channel ([`LinkWatch`]). A connection is in
//! trouble when nothing at all was heard for three pings (no message, no growth of the inbound counters), when pings are not
//! answered although the other side is heard, or when the browser says so. Only an answered ping ends the trouble: it proves both
//! directions of the channel. Pings are counted, not timed, so a page that slept or whose timers are throttled suspects no
//! connection when it wakes up.
//!
//! # Repair
//! The side that made the first offer leads; the other follows ([`Repair`]). So offers do not collide and attempts do not
//! multiply. The leader
//! 1. lets a short cut heal by itself;
//! 2. restarts ICE once in each trouble, when signaling can reach the other side;
//! 3. two seconds later, or at once where the channel closed or the connection failed, builds a peer connection of the
//!    next generation *beside* the old one, with the same tracks and channels; and another one when that does not come up;
//! 4. the first of the two that carries data wins. The leader says so on it (`use`) and closes the other.
//!
//! Attempts are at least [`ATTEMPT_SPACING`] apart, last at most [`ATTEMPT_DEADLINE`], and follow each other without a pause
//! for the first minute, since only an attempt under way meets the network on its return; then the pauses grow to
//! [`LONGEST_PAUSE`].

mod repair;
mod state;
mod watch;

pub use repair::{
    ATTEMPT_DEADLINE, ATTEMPT_SPACING, LONGEST_PAUSE, Repair, RepairAction, SELF_HEALING, Situation,
};
pub use state::PeerConnectionState;
pub use watch::{Health, LinkWatch};
