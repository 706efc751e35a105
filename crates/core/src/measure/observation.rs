//! What [`Measurements`](super::Measurements) takes and gives.
#![allow(missing_docs, reason = "where nothing is written, the name says all")]

use std::time::Duration;

use sightline_protocol::{
    MemberId,
    control::{ControlMessage, PublishedState},
    telemetry::{Reception, TelemetryMessage},
};

use super::{
    connection::{ConnectionDetails, ConnectionStates, Figures, History, Quality, Subject},
    entry::StatsEntry,
    playout_watch::{NotedFrame, Playout},
    run::RunState,
    stamp::FrameTruth,
};
use crate::link::LinkId;

/// Something that was seen of another member.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// It is in the room under this name and publishes this; said again whenever one of them changed.
    Present { name: String, published: Option<PublishedState> },
    /// The `control` channel to it is open: what is to be said on it can be said now.
    ChannelOpened,
    /// Media can flow to and from it, or not.
    Connected(bool),
    /// The state of something about its connection in use, in the browser's word.
    State(Subject, String),
    /// Something about one of its connections failed for this cause.
    Failure(Subject, String),
    /// A message of the `telemetry` channel of one of its connections.
    Telemetry(LinkId, TelemetryMessage),
    /// A stats report of its connection in use.
    Report(Box<ConnectionReport>),
    /// A message of the `control` channel about a run.
    Run(ControlMessage),
    /// One of its connections is closed for good.
    ConnectionClosed(LinkId),
    /// It left for good.
    Gone,
}

/// A stats report and what was seen since the one before.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionReport {
    pub link: LinkId,
    pub entries: Vec<StatsEntry>,
    pub states: ConnectionStates,
    /// Whether somebody looks at frames: then none means that none was shown.
    pub are_frames_noted: bool,
    /// The frames that were shown since the report before, oldest first.
    pub frames: Vec<NotedFrame>,
    /// The descriptions, where they are wanted ([`Measurements::is_watched`](super::Measurements::is_watched)).
    pub local_sdp: Option<String>,
    pub remote_sdp: Option<String>,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// What is to be done, or shown.
#[derive(Debug, Clone, PartialEq)]
pub enum MeasureOutput {
    /// Send this on the `telemetry` channel of a connection. What does not get through is not missed.
    SendTelemetry(LinkId, TelemetryMessage),
    /// Send this on the `control` channel to a member.
    SendControl(MemberId, ControlMessage),
    /// Read the stats of every connection.
    ReadStats,
    /// A member's figures are these now.
    Figures(MemberId, Box<MemberFigures>),
    /// What was measured and what happened; only while somebody looks at it.
    History(MemberId, Box<History>),
    /// Who receives this page's picture worst; `None` where nobody tells.
    Receiver(Option<Box<Receiver>>),
    /// Where the run is.
    Run(RunProgress),
}

/// What follows from a report.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberFigures {
    pub figures: Figures,
    /// `None` while its frames carry no stamps.
    pub truth: Option<FrameTruth>,
    /// The candidate pair in use, in words.
    pub selected_pair: Option<String>,
    /// How the member receives this page's picture; `None` where it does not tell.
    pub receiver: Option<Receiver>,
    /// What stands behind the figures; only while somebody looks at it.
    pub watched: Option<(Playout, ConnectionDetails)>,
}

/// How a member receives this page's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Possibly empty.
    pub name: String,
    pub quality: Quality,
    pub reception: Reception,
}

/// Where the run of this page is, and whose runs are on in which it takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunProgress {
    pub state: RunState,
    /// How long it is on, or was, in whole seconds.
    pub lasted: Duration,
    pub measured_by: Vec<MemberId>,
}
