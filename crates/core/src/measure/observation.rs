//! The inputs and outputs of [`Measurements`](super::Measurements).
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

/// An observation of another member.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// The member is in the room with this name and published state. Repeated when either changes.
    Present { name: String, published: Option<PublishedState> },
    /// The `control` channel to the member opened: messages can be sent now.
    ChannelOpened,
    /// Whether the server says that the member's page is away.
    Away(bool),
    /// Whether media can flow to and from the member.
    Connected(bool),
    /// The state of a subject of the connection in use, as the browser names it.
    State(Subject, String),
    /// A message on the `telemetry` channel of any of the member's connections.
    Telemetry(LinkId, TelemetryMessage),
    /// A stats report of the member's connection in use.
    Report(Box<ConnectionReport>),
    /// A message on the `control` channel about a run.
    Run(ControlMessage),
    /// A connection of the member was closed for good.
    ConnectionClosed(LinkId),
    /// The member left for good.
    Gone,
}

/// A stats report, and the frames since the report before.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionReport {
    pub link: LinkId,
    pub entries: Vec<StatsEntry>,
    pub states: ConnectionStates,
    /// Whether frame callbacks are active: if so, an empty list means that no frame was shown.
    pub are_frames_noted: bool,
    /// The frames that were shown since the report before, oldest first.
    pub frames: Vec<NotedFrame>,
    /// The SDP of the descriptions, if they are wanted ([`Measurements::is_watched`](super::Measurements::is_watched)).
    pub local_sdp: Option<String>,
    pub remote_sdp: Option<String>,
    /// The time of day, in milliseconds since 1970.
    pub unix_ms: u64,
}

/// An action to perform, or a value to show.
#[derive(Debug, Clone, PartialEq)]
pub enum MeasureOutput {
    /// Send a message on the `telemetry` channel of a connection. A lost message is not repeated.
    SendTelemetry(LinkId, TelemetryMessage),
    /// Send a message on the `control` channel to a member.
    SendControl(MemberId, ControlMessage),
    /// Read the stats of every connection.
    ReadStats,
    /// Build another connection to a member ([`RoomSession::renew_link`](crate::room::RoomSession::renew_link)): its picture does not
    /// arrive, and everything else does.
    PictureMissing(MemberId),
    /// The new figures of a member.
    Figures(MemberId, Box<MemberFigures>),
    /// The history of a member; only while somebody looks at it.
    History(MemberId, Box<History>),
    /// The member that receives this page's picture worst; `None` if no member reports its reception.
    Receiver(Option<Box<Receiver>>),
    /// The progress of the runs.
    Run(RunProgress),
}

/// The figures of a member, computed from a report.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberFigures {
    pub figures: Figures,
    /// The totals from stamps; `None` while the member's frames carry no stamps.
    pub truth: Option<FrameTruth>,
    /// The candidate pair in use, as text.
    pub selected_pair: Option<String>,
    /// How the member receives this page's picture; `None` if the member does not report its reception.
    pub receiver: Option<Receiver>,
    /// The details behind the figures; only while somebody looks at them.
    pub watched: Option<(Playout, ConnectionDetails)>,
}

/// How a member receives this page's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The member's name; may be empty.
    pub name: String,
    pub quality: Quality,
    pub reception: Reception,
}

/// The progress of this page's own run, and the members in whose runs this page takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunProgress {
    pub state: RunState,
    /// How long the run has lasted, in whole seconds.
    pub lasted: Duration,
    pub measured_by: Vec<MemberId>,
}
