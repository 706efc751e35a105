//! The engine's calls to its caller. `io` implements them with sockets, tests in memory.

use std::net::SocketAddr;

use super::client::{Client, PortId};

/// Opens ports and takes the engine's packets. No call waits: an action that is not possible at once is skipped.
pub(in crate::turn) trait Network {
    /// Opens a UDP port for peers; `None` where it is taken.
    fn open_port(&mut self, at: SocketAddr) -> Option<PortId>;

    /// Closes a port. Its id may be given out again.
    fn close_port(&mut self, port: PortId);

    /// Sends a client's data to a peer.
    fn send_to_peer(&mut self, from: PortId, to: SocketAddr, payload: &[u8]);

    /// Sends a peer's data to a client, as one message of two parts; `false` where there is no room for it.
    fn send_to_client(&mut self, to: &Client, head: &[u8], payload: &[u8]) -> bool;

    /// Sends the answer to a request.
    fn answer(&mut self, to: &Client, message: &[u8]);
}
