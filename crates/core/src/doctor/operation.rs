//! What an examination asks the browser to do, and what it gets back.

use std::time::Duration;

use sightline_protocol::signaling::IceServer;

use super::{
    check::{CheckCode, Outcome},
    relay_probe::RelayFigures,
};

/// Identifies an operation, so that a late finding is not taken for a current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationId(pub(super) u32);

/// What the browser is to do. Each operation ends with its finding or at the deadline of its check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Ask for camera and microphone.
    AskForDevices,
    /// Look at the camera's picture.
    WatchCamera,
    /// Listen to the microphone.
    ListenToMicrophone,
    /// Count the loudspeakers.
    CountSpeakers,
    /// Ask the server by plain HTTP.
    ReachServer,
    /// Look at the server's certificate.
    InspectCertificate,
    /// Open the signaling socket and ask for the ICE servers.
    OpenSignaling,
    /// Gather candidates with these servers.
    Gather(Vec<IceServer>),
    /// Make a call from this page to itself through this relay, and measure it.
    CallThroughRelay(Vec<IceServer>),
}

/// The result of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Of [`Operation::AskForDevices`]: the problem with camera and microphone, if any.
    Devices {
        /// The problem with the camera.
        camera: Option<CheckCode>,
        /// The problem with the microphone.
        microphone: Option<CheckCode>,
    },
    /// Of an operation that already judged its result.
    Judged(Outcome),
    /// Of [`Operation::ReachServer`]: the time until the answer; `None` without an answer.
    Server(Option<Duration>),
    /// Of [`Operation::ReachServer`], from a program, which knows more than a page: why there was no answer.
    NoServer(String),
    /// Of [`Operation::InspectCertificate`].
    Certificate(CertificateFinding),
    /// Of [`Operation::OpenSignaling`]: what the socket and the server did.
    Signaling(SignalingFinding),
    /// Of [`Operation::Gather`], any number of times: a candidate attribute.
    Candidate(String),
    /// Of [`Operation::Gather`], any number of times: an `icecandidateerror`.
    CandidateError {
        /// The STUN error code, or 701.
        code: u16,
        /// The error text, in English.
        text: String,
        /// The address of the server.
        url: String,
    },
    /// Of [`Operation::Gather`]: the gathering is complete.
    GatheringComplete,
    /// Of [`Operation::Gather`]: the browser does not accept the address of a server.
    Refused,
    /// Of [`Operation::CallThroughRelay`]: the end of the measurement.
    RelayCall {
        /// The measured values.
        figures: RelayFigures,
        /// Time until the channels were open; `None` where they never were.
        connected_after: Option<Duration>,
    },
}

/// The result of looking at the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFinding {
    /// The certificate is trusted.
    Trusted {
        /// How long the certificate is valid from now.
        remaining: Duration,
        /// The last day of the certificate, as `2027-01-31`.
        until: String,
    },
    /// The certificate is not trusted, for this reason.
    Refused(String),
    /// There was no certificate to look at.
    NotReached,
}

/// The result of opening the signaling socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalingFinding {
    /// The socket works.
    Open {
        /// Time until the socket was open.
        opened_after: Duration,
        /// Time from a question to its answer.
        round_trip: Duration,
        /// The ICE servers that the server gives its members.
        ice_servers: Vec<IceServer>,
        /// The server's STUN addresses at other ports, to find out the kind of NAT.
        alternate_stun_urls: Vec<String>,
    },
    /// The socket opened, and the server refused with this code.
    Refused(String),
    /// The socket never opened, because the server does not admit this page ([`CheckCode::OriginRefused`] or
    /// [`CheckCode::HostRefused`]) or is not trusted ([`CheckCode::CertificateRefused`]).
    PageRefused(CheckCode),
    /// The socket never opened.
    Closed,
}

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoctorOutput {
    /// Begin an operation.
    Begin(OperationId, Operation),
    /// End an operation and release its resources. Later findings are ignored, except the person's answer to a question that is
    /// still open.
    End(OperationId),
}
