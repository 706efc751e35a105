//! Figures of a connection, from what `RTCPeerConnection.getStats()` reports.

mod entry;
mod meter;
mod metric;
mod quality;
mod snapshot;

pub use entry::StatsEntry;
pub use meter::{ConnectionMeter, ConnectionStates, Figures, LinkPath};
pub use metric::{Figure, FigureValue, Metric, Unit};
pub use quality::{Cause, Quality};
