//! How the bytes of files reach a member: how many peer connections carry them, and how fast they may leave beside a call.
//!
//! One SCTP association is slow on a long path, because its congestion window stays small. So for a large transfer [`BulkLinks`]
//! opens several peer connections in addition to the member's own. Their signals go over the `control` channel of the member's
//! own connection, and they end with it: no bulk link of an older connection remains, and the signaling server has no part in
//! them.
//!
//! SCTP also fills the queue of a bottleneck, and the packets of a call wait in that queue. During a call, [`Pacer`] limits the
//! bytes by the round-trip time that [`RoundTrips`] measures.

mod links;
mod pacer;
mod round_trips;
mod servers;

pub use links::{BulkLinks, BulkOutput, buffer_bytes, links_for};
pub use pacer::Pacer;
pub use round_trips::RoundTrips;
pub use servers::servers_for;
