//! What an examination asks the browser to do, and what comes of it.

use std::time::Duration;

use sightline_protocol::signalling::IceServer;

use super::{
    check::{CheckCode, Outcome},
    relay_probe::RelayFigures,
};

/// Names something that was begun, so that what comes late is told from what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationId(pub(super) u32);

/// What the browser is to do. Each ends with its finding, or at the end of its check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Ask for camera and microphone.
    AskForDevices,
    /// Look at the camera's picture.
    WatchCamera,
    /// Listen to the microphone.
    ListenToMicrophone,
    /// Count what can be heard with.
    CountSpeakers,
    /// Ask the server by plain HTTP.
    ReachServer,
    /// Open the signalling socket and ask for the ICE servers.
    OpenSignalling,
    /// Gather candidates with these servers.
    Gather(Vec<IceServer>),
    /// Call oneself through this relay and measure.
    CallThroughRelay(Vec<IceServer>),
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Of [`Operation::AskForDevices`]: what stands in the way of camera and microphone, if anything.
    Devices {
        /// The camera.
        camera: Option<CheckCode>,
        /// The microphone.
        microphone: Option<CheckCode>,
    },
    /// Of an operation that judges for itself.
    Judged(Outcome),
    /// Of [`Operation::ReachServer`]: how long the answer took; `None` where there is none.
    Server(Option<Duration>),
    /// Of [`Operation::OpenSignalling`].
    Signalling(SignallingFinding),
    /// Of [`Operation::Gather`], any number.
    Candidate(String),
    /// Of [`Operation::Gather`], any number.
    CandidateError {
        /// The STUN error code, or 701.
        code: u16,
        /// In English.
        text: String,
        /// The server.
        url: String,
    },
    /// Of [`Operation::Gather`], at its end.
    GatheringComplete,
    /// Of [`Operation::Gather`]: the browser does not take a server's address.
    Refused,
    /// Of [`Operation::CallThroughRelay`].
    RelayCall {
        /// What was measured.
        figures: RelayFigures,
        /// Until the channels were open; `None` where they never were.
        connected_after: Option<Duration>,
    },
}

/// What came of the signalling socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignallingFinding {
    /// It works.
    Open {
        /// Until it was open.
        opened_after: Duration,
        /// From a question to its answer.
        round_trip: Duration,
        /// What the server tells its members.
        ice_servers: Vec<IceServer>,
        /// Its STUN at other ports, for finding out the kind of NAT.
        alternate_stun_urls: Vec<String>,
    },
    /// It opened, and the server refused.
    Refused(String),
    /// It never opened, and the server says that it does not let this page in: [`CheckCode::OriginRefused`] or
    /// [`CheckCode::HostRefused`].
    PageRefused(CheckCode),
    /// It never opened.
    Closed,
}

/// What the doctor wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoctorOutput {
    /// Begin this.
    Begin(OperationId, Operation),
    /// Give it up, or let go of what it holds. Nothing that it still finds counts, but for the answer to a question that the
    /// person has not answered yet.
    End(OperationId),
}
