//! Peer connections and their data channels.

pub mod bulk_channel;
pub mod certificate;
pub mod data_channel;
pub mod peer_connection;
