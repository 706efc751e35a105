//! One row of the examination: what is checked, its state, and the reason.

use serde::{Deserialize, Serialize};

/// Calls the macro `$callback` with every kind of check: meaning, variant, key of its text in `locales/` (`check.kind`), and its
/// word in tests, reports and `docs/check.md`.
#[macro_export]
macro_rules! with_check_kinds {
    ($callback:ident) => {
        $callback! {
            "Whether the browser has WebRTC." Browser browser "browser";
            "Whether the page came by https or from this computer." SecureContext secure_context "secure-context";
            "Whether the person lets the page use camera and microphone." Permissions permissions "permissions";
            "The camera's picture." Camera camera "camera";
            "The microphone's sound." Microphone microphone "microphone";
            "Whether there is something to hear with." Speakers speakers "speakers";
            "The server, by plain HTTP." Server server "server";
            "The certificate of a server by https. Only a program sees it, not a page." Certificate certificate "certificate";
            "The signaling WebSocket." Signaling signalling "signalling";
            "The host candidates: this computer's own addresses." Addresses addresses "addresses";
            "A STUN server." StunUdp stun_udp "stun-udp";
            "A TURN server, spoken to by UDP." TurnUdp turn_udp "turn-udp";
            "A TURN server, spoken to by TCP." TurnTcp turn_tcp "turn-tcp";
            "A TURN server, spoken to by TLS." TurnTls turn_tls "turn-tls";
            "What kind of address translation is on the way." Nat nat "nat";
            "A call of the page with itself through the relay." RelayCall relay_call "relay-call";
        }
    };
}

macro_rules! define_check_kinds {
    ($($meaning:literal $variant:ident $key:ident $word:literal;)+) => {
        /// What a check examines.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum CheckKind {
            $(#[doc = $meaning] $variant,)+
        }

        impl CheckKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in tests and reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

with_check_kinds!(define_check_kinds);

/// Identifies a row. A kind may have several rows, one for each ICE server of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CheckId {
    /// What the row examines.
    pub kind: CheckKind,
    /// Counts the rows of the kind, from 1.
    pub number: u8,
}

impl CheckId {
    /// The id of the only row of its kind.
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

/// The state of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// The check has not begun.
    Waiting,
    /// The check is running.
    Running,
    /// The result is good.
    Ok,
    /// There is something to know, but a call is possible.
    Warning,
    /// The checked thing does not work.
    Failed,
}

impl CheckState {
    /// The word in tests and reports.
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

    /// Whether the check has a result.
    #[must_use]
    pub fn is_done(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// Calls the macro `$callback` with every result of a check: meaning, variant, key of its text in `locales/` (`check.code`), and
/// its word in tests, reports and `docs/check.md`.
#[macro_export]
macro_rules! with_check_codes {
    ($callback:ident) => {
        $callback! {
            "All well." Ok ok "ok";
            "Nothing came within the time of the check." Timeout timeout "timeout";
            "What it needs did not work before." NotTested not_tested "not-tested";
            "The browser has no WebRTC." UnsupportedBrowser unsupported_browser "unsupported-browser";
            "Neither https nor localhost." InsecureContext insecure_context "insecure-context";
            "The person, the browser or a policy forbids camera or microphone." PermissionDenied permission_denied "permission-denied";
            "The browser's question has not been answered." PermissionPending permission_pending "permission-pending";
            "No such device." NoDevice no_device "no-device";
            "Something else holds the device, or it does not start." DeviceInUse device_in_use "device-in-use";
            "The camera gives nothing but black." PictureBlack picture_black "picture-black";
            "The camera gives the same picture again and again." PictureFrozen picture_frozen "picture-frozen";
            "The microphone gives silence." Silent silent "silent";
            "The browser does not let the page listen yet, or has no sound device." SoundSuspended sound_suspended "sound-suspended";
            "The browser does not say which loudspeakers there are." NotListed not_listed "not-listed";
            "No answer from the server." ServerUnreachable server_unreachable "server-unreachable";
            "The server answers by HTTP, its WebSocket does not open: usually a proxy." WebsocketBlocked websocket_blocked "websocket-blocked";
            "The server refused: too many sockets, or another version." SignalingRefused signalling_refused "signalling-refused";
            "The server does not let pages of this origin in." OriginRefused origin_refused "origin-refused";
            "The server may not be asked by the name in the page's address." HostRefused host_refused "host-refused";
            "The server's certificate is not trusted, or its time is over." CertificateRefused certificate_refused "certificate-refused";
            "The server's certificate ends soon." CertificateExpiring certificate_expiring "certificate-expiring";
            "The browser offers no address at all: a policy or an extension." NoCandidates no_candidates "no-candidates";
            "The relay refused the credentials (STUN error 401 or 403)." Unauthorized unauthorized "unauthorized";
            "The relay has no place left (STUN error 486 or 508)." QuotaReached quota_reached "quota-reached";
            "The server was not reached (701), or answered with another error." NotReached not_reached "not-reached";
            "A relay by TLS was not reached (701); an untrusted certificate looks the same to a page." CertificateOrUnreachable certificate_or_unreachable "certificate-or-unreachable";
            "The browser does not take this address." UrlInvalid url_invalid "url-invalid";
            "There is no relay to test." NoRelay no_relay "no-relay";
            "The address that others see depends on whom one talks to." NatSymmetric nat_symmetric "nat-symmetric";
            "Not enough servers answered to tell." NatUnknown nat_unknown "nat-unknown";
            "The two ends did not find each other through the relay." RelayFailed relay_failed "relay-failed";
            "Many packets got lost." RelayLossy relay_lossy "relay-lossy";
            "Too slow for video." RelaySlow relay_slow "relay-slow";
        }
    };
}

macro_rules! define_check_codes {
    ($($meaning:literal $variant:ident $key:ident $word:literal;)+) => {
        /// The result of a check; stable, for tests and reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum CheckCode {
            $(#[doc = $meaning] $variant,)+
        }

        impl CheckCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in tests and reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

with_check_codes!(define_check_codes);

/// The subject of a detail line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailLabel {
    /// The label of a device.
    Device,
    /// Width, height and frame rate of a picture.
    Picture,
    /// Resolutions that the camera offers.
    Resolutions,
    /// The loudest level, as a part of full scale.
    Level,
    /// Number of devices.
    Count,
    /// Time from a question to its answer.
    RoundTrip,
    /// Time until the socket was open.
    Opening,
    /// Number of ICE servers that the server named.
    IceServers,
    /// A candidate that was found.
    Candidate,
    /// The browser hides this computer's addresses behind `.local` names (mDNS).
    Hidden,
    /// Whether there are addresses of IPv4.
    Ipv4,
    /// Whether there are addresses of IPv6.
    Ipv6,
    /// Code and text of an error of the server or the browser.
    Error,
    /// The kind of address translation.
    Mapping,
    /// Time until the channel was open.
    Connected,
    /// Bits per second up and down at the same time.
    Throughput,
    /// Interarrival jitter (RFC 3550, section 6.4.1).
    Jitter,
    /// Share of packets that did not arrive.
    Loss,
    /// The last day of a certificate.
    ValidUntil,
}

/// One detail line of a row. The value is the same in every language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The subject of the line.
    pub label: DetailLabel,
    /// The value, with its unit.
    pub value: String,
    /// The value for a report that is passed on: without device labels, and with half of each address. `None` where the value
    /// itself may be passed on.
    #[serde(skip)]
    pub redacted: Option<String>,
}

impl Detail {
    /// A line whose value may be passed on.
    #[must_use]
    pub fn new(label: DetailLabel, value: impl Into<String>) -> Self {
        Self { label, value: value.into(), redacted: None }
    }

    /// A line that is passed on as `redacted`.
    #[must_use]
    pub fn private(label: DetailLabel, value: impl Into<String>, redacted: impl Into<String>) -> Self {
        Self { label, value: value.into(), redacted: Some(redacted.into()) }
    }
}

/// One row of the examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Identifies the row.
    pub id: CheckId,
    /// The address of the checked ICE server, if the row checks one.
    pub subject: Option<String>,
    /// The present state.
    pub state: CheckState,
    /// The result, once there is one.
    pub code: Option<CheckCode>,
    /// The details behind the result.
    pub details: Vec<Detail>,
}

impl Check {
    /// A row that has not begun.
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
    /// The reason for the state.
    pub code: CheckCode,
    /// The details behind the result.
    pub details: Vec<Detail>,
}

impl Outcome {
    /// A result without problems.
    #[must_use]
    pub fn ok(details: Vec<Detail>) -> Self {
        Self { state: CheckState::Ok, code: CheckCode::Ok, details }
    }

    /// A result with something to know.
    #[must_use]
    pub fn warning(code: CheckCode, details: Vec<Detail>) -> Self {
        Self { state: CheckState::Warning, code, details }
    }

    /// A result that says that something does not work.
    #[must_use]
    pub fn failed(code: CheckCode, details: Vec<Detail>) -> Self {
        Self { state: CheckState::Failed, code, details }
    }
}
