//! Figures of a connection, from what `RTCPeerConnection.getStats()` reports and what the other side tells.

mod axis;
mod details;
mod entry;
mod history;
mod meter;
mod metric;
mod quality;
mod reception;
mod snapshot;

pub use axis::{TimeAxis, ValueAxis};
pub use details::{Candidate, CandidatePair, ConnectionDetails, MediaDetail};
pub use entry::{StatsEntry, inbound_packets};
pub use history::{Event, Freeze, HISTORY_SPAN, History, PLOTTED, Subject, Summary};
pub use meter::{ConnectionMeter, ConnectionStates, ExpectedPicture, Figures, LinkPath};
pub use metric::{Figure, FigureValue, Metric, Origin, Unit};
pub use quality::{Cause, Quality};
pub(crate) use snapshot::selected_pair_id;
