//! What is measured of the other members: how their picture and sound arrive, how the picture is shown, and the report of a run.
//!
//! On the ground lie what a browser reports ([`StatsEntry`]), what is seen of a frame ([`ShownFrame`]), what is told of both
//! ([`Metric`]), and the clock of another page ([`clock`]). Above them [`sound`] tells how the sound arrives, [`playout`] judges how
//! the picture was shown and [`stamp`] reads known frames; [`connection`] makes figures of reports, [`report`] is the document of a run, and [`run`] makes it.
//! [`Measurements`] owns all of that: observations go in, and what is to be sent and shown comes out.
//!
//! Invariant: nothing in a folder here refers to one that is named after it in that order.

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
