//! The way for the bytes of files to a member: how many peer connections, and how fast beside a call.
//!
//! One SCTP association is slow on a long path, because its congestion window stays small whatever the path would take. So
//! while much is on its way there, [`BulkLinks`] has several peer connections for bytes alone, beside the member's own; what
//! is said to open them is said on the `control` channel of that one, which they end with: nothing is left of an older
//! connection, and whoever is on the signalling way has no part in them.
//!
//! SCTP also fills a bottleneck's queue, and a call waits behind it. While there is a call, [`Pacer`] lets bytes leave as the
//! round trip allows, which [`RoundTrips`] measures.

mod links;
mod pacer;
mod round_trips;
mod servers;

pub use links::{BulkLinks, BulkOutput, buffer_bytes, links_for};
pub use pacer::Pacer;
pub use round_trips::RoundTrips;
pub use servers::servers_for;
