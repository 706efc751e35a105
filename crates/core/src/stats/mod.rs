//! Figures of a connection, from what `RTCPeerConnection.getStats()` reports.

mod entry;
mod metric;
mod quality;

pub use entry::StatsEntry;
pub use metric::{Figure, FigureValue, Metric, Unit};
pub use quality::{Cause, Quality};
