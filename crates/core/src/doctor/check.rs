//! One row of the examination: what is looked at, how it stands, and why.

use serde::{Deserialize, Serialize};

/// Calls the macro `$callback` with every kind of check: what it means, variant, key of its text in `locales/` (`check.kind`), and the
/// word that tests, reports and `docs/check.md` know it by.
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
            "The signalling WebSocket." Signalling signalling "signalling";
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
        /// What is looked at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum CheckKind {
            $(#[doc = $meaning] $variant,)+
        }

        impl CheckKind {
            /// Each of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that tests and reports know it by.
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

/// Calls the macro `$callback` with every result of a check: what it means, variant, key of its text in `locales/` (`check.code`), and
/// the word that tests, reports and `docs/check.md` know it by.
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
            "The server refused: too many sockets, or another version." SignallingRefused signalling_refused "signalling-refused";
            "The server does not let pages of this origin in." OriginRefused origin_refused "origin-refused";
            "The server may not be asked by the name in the page's address." HostRefused host_refused "host-refused";
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
        /// The result of a check, stable for tests and reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum CheckCode {
            $(#[doc = $meaning] $variant,)+
        }

        impl CheckCode {
            /// Each of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that tests and reports know it by.
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
