//! Figures of a connection, from what `RTCPeerConnection.getStats()` reports.

mod entry;

pub use entry::StatsEntry;
