//! One row of the examination: what is looked at, how it stands, and why.

use serde::{Deserialize, Serialize};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Whether the browser has WebRTC.
    Browser,
    /// Whether the page came by https or from this computer.
    SecureContext,
    /// Whether the person lets the page use camera and microphone.
    Permissions,
    /// The camera's picture.
    Camera,
    /// The microphone's sound.
    Microphone,
    /// Whether there is something to hear with.
    Speakers,
    /// The server, by plain HTTP.
    Server,
    /// The signalling WebSocket.
    Signalling,
    /// The host candidates: this computer's own addresses.
    Addresses,
    /// A STUN server.
    StunUdp,
    /// A TURN server, spoken to by UDP.
    TurnUdp,
    /// A TURN server, spoken to by TCP.
    TurnTcp,
    /// A TURN server, spoken to by TLS.
    TurnTls,
    /// What kind of address translation is on the way.
    Nat,
    /// A call of the page with itself through the relay.
    RelayCall,
}

impl CheckKind {
    /// The word that tests and reports know it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::SecureContext => "secure-context",
            Self::Permissions => "permissions",
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speakers => "speakers",
            Self::Server => "server",
            Self::Signalling => "signalling",
            Self::Addresses => "addresses",
            Self::StunUdp => "stun-udp",
            Self::TurnUdp => "turn-udp",
            Self::TurnTcp => "turn-tcp",
            Self::TurnTls => "turn-tls",
            Self::Nat => "nat",
            Self::RelayCall => "relay-call",
        }
    }
}

/// Which row: of a kind there may be several, one for each ICE server of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CheckId {
    /// What is looked at.
    pub kind: CheckKind,
    /// From 1, within the kind.
    pub number: u8,
}

impl CheckId {
    /// The only one of its kind.
    #[must_use]
    pub const fn only(kind: CheckKind) -> Self {
        Self { kind, number: 1 }
    }

    /// `turn-udp` for the first of its kind, `turn-udp-2` for the second.
    #[must_use]
    pub fn name(self) -> String {
        match self.number {
            0 | 1 => self.kind.as_str().to_owned(),
            number => format!("{}-{number}", self.kind.as_str()),
        }
    }
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// All well.
    Ok,
    /// Something to know; a call is possible all the same.
    Warning,
    /// It does not work.
    Failed,
}

impl CheckState {
    /// The word that tests and reports know it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }

    /// Whether there is a result.
    #[must_use]
    pub fn is_done(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// The result of a check, stable for tests and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckCode {
    /// All well.
    Ok,
    /// Nothing came within the time of the check.
    Timeout,
    /// What it needs did not work before.
    NotTested,
    /// The browser has no WebRTC.
    UnsupportedBrowser,
    /// Neither https nor localhost.
    InsecureContext,
    /// The person, the browser or a policy forbids camera or microphone.
    PermissionDenied,
    /// The browser's question has not been answered.
    PermissionPending,
    /// No such device.
    NoDevice,
    /// Something else holds the device, or it does not start.
    DeviceInUse,
    /// The camera gives nothing but black.
    PictureBlack,
    /// The camera gives the same picture again and again.
    PictureFrozen,
    /// The microphone gives silence.
    Silent,
    /// The browser does not let the page listen yet, or has no sound device.
    SoundSuspended,
    /// The browser does not say which loudspeakers there are.
    NotListed,
    /// No answer from the server.
    ServerUnreachable,
    /// The server answers by HTTP, its WebSocket does not open: usually a proxy.
    WebsocketBlocked,
    /// The server refused: too many sockets, or another version.
    SignallingRefused,
    /// The server does not let pages of this origin in.
    OriginRefused,
    /// The server may not be asked by the name in the page's address.
    HostRefused,
    /// The browser offers no address at all: a policy or an extension.
    NoCandidates,
    /// The relay refused the credentials (STUN error 401 or 403).
    Unauthorized,
    /// The relay has no place left (STUN error 486 or 508).
    QuotaReached,
    /// The server was not reached (701), or answered with another error.
    NotReached,
    /// A relay by TLS was not reached (701); an untrusted certificate looks the same to a page.
    CertificateOrUnreachable,
    /// The browser does not take this address.
    UrlInvalid,
    /// There is no relay to test.
    NoRelay,
    /// The address that others see depends on whom one talks to.
    NatSymmetric,
    /// Not enough servers answered to tell.
    NatUnknown,
    /// The two ends did not find each other through the relay.
    RelayFailed,
    /// Many packets got lost.
    RelayLossy,
    /// Too slow for video.
    RelaySlow,
}

impl CheckCode {
    /// The word that tests and reports know it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Timeout => "timeout",
            Self::NotTested => "not-tested",
            Self::UnsupportedBrowser => "unsupported-browser",
            Self::InsecureContext => "insecure-context",
            Self::PermissionDenied => "permission-denied",
            Self::PermissionPending => "permission-pending",
            Self::NoDevice => "no-device",
            Self::DeviceInUse => "device-in-use",
            Self::PictureBlack => "picture-black",
            Self::PictureFrozen => "picture-frozen",
            Self::Silent => "silent",
            Self::SoundSuspended => "sound-suspended",
            Self::NotListed => "not-listed",
            Self::ServerUnreachable => "server-unreachable",
            Self::WebsocketBlocked => "websocket-blocked",
            Self::SignallingRefused => "signalling-refused",
            Self::OriginRefused => "origin-refused",
            Self::HostRefused => "host-refused",
            Self::NoCandidates => "no-candidates",
            Self::Unauthorized => "unauthorized",
            Self::QuotaReached => "quota-reached",
            Self::NotReached => "not-reached",
            Self::CertificateOrUnreachable => "certificate-or-unreachable",
            Self::UrlInvalid => "url-invalid",
            Self::NoRelay => "no-relay",
            Self::NatSymmetric => "nat-symmetric",
            Self::NatUnknown => "nat-unknown",
            Self::RelayFailed => "relay-failed",
            Self::RelayLossy => "relay-lossy",
            Self::RelaySlow => "relay-slow",
        }
    }
}

/// What a detail line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailLabel {
    /// The name of a device.
    Device,
    /// Width, height and rate.
    Picture,
    /// Resolutions that the camera can do.
    Resolutions,
    /// The loudest moment, of full scale.
    Level,
    /// How many.
    Count,
    /// From question to answer.
    RoundTrip,
    /// From the start to the opening.
    Opening,
    /// How many ICE servers the server named.
    IceServers,
    /// An address that others could send to.
    Candidate,
    /// The browser hides this computer's addresses behind `.local` names (mDNS).
    Hidden,
    /// Whether there are addresses of IPv4.
    Ipv4,
    /// Whether there are addresses of IPv6.
    Ipv6,
    /// Code and words of the server or the browser.
    Error,
    /// The kind of address translation.
    Mapping,
    /// From the start to the open channel.
    Connected,
    /// What went through, up and down at the same time.
    Throughput,
    /// How unevenly packets came (RFC 3550, section 6.4.1).
    Jitter,
    /// What did not come.
    Loss,
}

/// One line behind a row. The value is the same in every language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What it is about.
    pub label: DetailLabel,
    /// The value, with its unit.
    pub value: String,
    /// The value for a report that is handed on: without the name of a device, and with half an address. `None` where
    /// the value itself may be handed on.
    #[serde(skip)]
    pub redacted: Option<String>,
}

impl Detail {
    /// A line that may be handed on.
    #[must_use]
    pub fn new(label: DetailLabel, value: impl Into<String>) -> Self {
        Self { label, value: value.into(), redacted: None }
    }

    /// A line that is handed on as `redacted`.
    #[must_use]
    pub fn private(label: DetailLabel, value: impl Into<String>, redacted: impl Into<String>) -> Self {
        Self { label, value: value.into(), redacted: Some(redacted.into()) }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// The address of the ICE server, of a check of one.
    pub subject: Option<String>,
    /// How it stands.
    pub state: CheckState,
    /// The result, once there is one.
    pub code: Option<CheckCode>,
    /// What is behind it.
    pub details: Vec<Detail>,
}

impl Check {
    /// One that has not begun.
    #[must_use]
    pub fn waiting(id: CheckId, subject: Option<String>) -> Self {
        Self { id, subject, state: CheckState::Waiting, code: None, details: Vec::new() }
    }
}

/// A result with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// [`CheckState::Ok`], [`CheckState::Warning`] or [`CheckState::Failed`].
    pub state: CheckState,
    /// Why.
    pub code: CheckCode,
    /// What is behind it.
    pub details: Vec<Detail>,
}

impl Outcome {
    /// All well.
    #[must_use]
    pub fn ok(details: Vec<Detail>) -> Self {
        Self { state: CheckState::Ok, code: CheckCode::Ok, details }
    }

    /// Something to know.
    #[must_use]
    pub fn warning(code: CheckCode, details: Vec<Detail>) -> Self {
        Self { state: CheckState::Warning, code, details }
    }

    /// It does not work.
    #[must_use]
    pub fn failed(code: CheckCode, details: Vec<Detail>) -> Self {
        Self { state: CheckState::Failed, code, details }
    }
}
