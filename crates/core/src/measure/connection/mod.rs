//! Figures of a connection, from `RTCPeerConnection.getStats()` and the other side's reports.

mod axis;
mod details;
mod history;
mod meter;
mod missing_picture;
mod quality;
mod reception;
mod snapshot;

pub use axis::{TimeAxis, ValueAxis};
pub use details::{Candidate, CandidatePair, ConnectionDetails, MediaDetail};
pub use history::{Event, Freeze, HISTORY_SPAN, History, PLOTTED, Subject, Summary};
pub use meter::{ConnectionMeter, ConnectionStates, ExpectedPicture, Figures, LinkPath};
pub use quality::{Cause, Quality};
