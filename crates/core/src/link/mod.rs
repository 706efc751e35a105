//! One peer connection to another member.
//!
//! Owns the names of links and, in [`Link`], the negotiation, health and deadline of one link. It never knows the member at the
//! other end, which of several links is used, or the messages on the channels: that is for [`peer`](crate::peer). Nothing in here
//! imports `peer` or `room`.
//!
//! Invariant: an id is never reused. So a late event or completion of a closed link finds no link and changes nothing.

mod connection;
mod event;
mod id;

pub use connection::{Link, LinkOutput, TelemetryReading, time_to_come_up};
pub use event::LinkEvent;
pub use id::{LinkId, LinkName, LinkNames};
