//! Measurements of the other members: how their picture and sound arrive, how the picture is shown, and the report of a run.
//!
//! The basic types are an entry of a browser's report ([`StatsEntry`]), a shown frame ([`ShownFrame`]), a metric ([`Metric`])
//! and the estimate of another page's clock ([`clock`]). Based on them, [`sound`] measures how the sound arrives, [`playout`]
//! judges how the picture is shown, [`stamp`] reads known frames, and [`connection`] computes figures from reports; [`report`]
//! is the document of a run, and [`run`] makes it. [`Measurements`] owns all of these: it takes observations, and returns
//! messages to send and figures to show.
//!
//! Invariant: a folder in this module uses only folders named before it in that order.

pub mod clock;
pub mod connection;
mod entry;
mod frame;
mod measurements;
mod member;
mod metric;
mod observation;
pub mod playout;
mod playout_watch;
pub mod report;
pub mod run;
pub mod sound;
pub mod stamp;

pub use entry::{StatsEntry, inbound_packets, selected_pair_id};
pub use frame::ShownFrame;
pub use measurements::Measurements;
pub use metric::{Figure, FigureValue, Metric, Origin, Unit};
pub use observation::{ConnectionReport, MeasureOutput, MemberFigures, Observation, Receiver, RunProgress};
pub use playout_watch::{NotedFrame, Playout, PlayoutWatch};
