//! One peer connection to another member.
//!
//! Owns the names of links and, in [`Link`], what is known of one: its negotiation, its health, and until when it must have come
//! up. It never knows the member at the other end, which of several links is used, or what is said on the channels:
//! that is for [`peer`](crate::peer). Nothing in here imports `peer` or `room`.
//!
//! Invariant: an id is given once. So an event or a completion of a link that is closed finds no link, and changes nothing.

mod connection;
mod id;

pub use connection::{Link, LinkOutput, TelemetryReading, time_to_come_up};
pub use id::{LinkId, LinkName, LinkNames};
