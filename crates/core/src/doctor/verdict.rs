//! The overall verdict on this network, and advice on who can do what.

use serde::{Deserialize, Serialize};

use super::check::{Check, CheckCode, CheckKind, CheckState};

/// What kind of calls work from this network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Not known yet.
    Running,
    /// The browser cannot make calls.
    UnsupportedBrowser,
    /// The signaling server cannot be reached.
    ServerUnreachable,
    /// Calls go directly from browser to browser.
    Direct,
    /// Calls go through the relay, over UDP.
    RelayUdp,
    /// Calls go through the relay, over TCP only.
    RelayTcp,
    /// Calls go through the relay, over TLS only.
    RelayTls,
    /// Calls go directly, but only to people whose network is more open than this one.
    Limited,
    /// Calls work only within this network.
    Nothing,
    /// There is no STUN or TURN server, so only calls within this network are known to work.
    Unknown,
}

impl Verdict {
    /// The word in tests and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::UnsupportedBrowser => "unsupported-browser",
            Self::ServerUnreachable => "server-unreachable",
            Self::Direct => "direct",
            Self::RelayUdp => "relay-udp",
            Self::RelayTcp => "relay-tcp",
            Self::RelayTls => "relay-tls",
            Self::Limited => "limited",
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
        }
    }

    /// The verdict that follows from all checks, once they are done.
    #[must_use]
    pub fn of(checks: &[Check]) -> Self {
        if checks.iter().any(|check| !check.state.is_done()) {
            return Self::Running;
        }
        let failed = |kind| all_failed(checks, kind);
        if failed(CheckKind::Browser) {
            return Self::UnsupportedBrowser;
        }
        if failed(CheckKind::Signaling) {
            return Self::ServerUnreachable;
        }
        let relays = [
            (CheckKind::TurnUdp, Self::RelayUdp),
            (CheckKind::TurnTcp, Self::RelayTcp),
            (CheckKind::TurnTls, Self::RelayTls),
        ];
        let relay = relays.into_iter().find(|(kind, _)| works(checks, *kind)).map(|(_, verdict)| verdict);
        let was_asked_by_udp = of_kind(checks, CheckKind::StunUdp)
            .chain(of_kind(checks, CheckKind::TurnUdp))
            .any(|check| check.code != Some(CheckCode::UrlInvalid));
        let is_symmetric =
            of_kind(checks, CheckKind::Nat).any(|nat| nat.code == Some(CheckCode::NatSymmetric));
        match (is_udp_open(checks), relay) {
            (true, Some(relay)) if is_symmetric => relay,
            (true, None) if is_symmetric => Self::Limited,
            (true, _) => Self::Direct,
            (false, Some(relay)) => relay,
            (false, None) if was_asked_by_udp || has_relay(checks) => Self::Nothing,
            (false, None) => Self::Unknown,
        }
    }
}

/// Who can solve a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The person at this computer.
    You,
    /// The administrator of this network; at home, the person.
    Network,
    /// The operator of the Sightline server.
    Operator,
}

impl Who {
    /// The word in reports of programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Network => "network",
            Self::Operator => "operator",
        }
    }
}

/// Who named the checked STUN and TURN servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IceServersOf {
    /// The Sightline server.
    #[default]
    Operator,
    /// The person, in the settings.
    Person,
}

/// A step that solves a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Use a browser that can make calls.
    OtherBrowser,
    /// Open the page over https.
    UseHttps,
    /// Allow camera and microphone.
    AllowDevices,
    /// Answer the question of the browser.
    AnswerPrompt,
    /// Plug in a camera.
    PlugCamera,
    /// Plug in a microphone.
    PlugMicrophone,
    /// Close the program that uses the device.
    CloseOtherPrograms,
    /// Check the shutter or the cable of the camera.
    CheckCamera,
    /// Check the switch of the microphone.
    CheckMicrophone,
    /// Check the network, or whether the server runs.
    StartServer,
    /// Let WebSockets through the proxy.
    AllowWebsocket,
    /// Let the server accept pages of this origin.
    AllowOrigin,
    /// Let the server accept this host name.
    AllowHost,
    /// Let the browser gather addresses; an extension or a policy forbids that.
    AllowWebRtc,
    /// Renew the server's certificate.
    RenewCertificate,
    /// Open UDP towards the STUN and TURN servers.
    OpenUdp,
    /// Open TCP towards the TURN servers.
    OpenTcp,
    /// Correct the credentials for the relay.
    FixCredentials,
    /// Raise the quota of the relay.
    RaiseQuota,
    /// Use a certificate that browsers trust, or open the port, for the relay over TLS.
    FixCertificate,
    /// Switch on a relay: some networks connect no other way.
    AddRelay,
    /// Repair the relay: it allocates addresses and does not forward packets.
    FixRelay,
    /// Correct the person's own servers in the settings.
    FixOwnServers,
}

impl Advice {
    /// The word in reports of programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherBrowser => "other-browser",
            Self::UseHttps => "use-https",
            Self::AllowDevices => "allow-devices",
            Self::AnswerPrompt => "answer-prompt",
            Self::PlugCamera => "plug-camera",
            Self::PlugMicrophone => "plug-microphone",
            Self::CloseOtherPrograms => "close-other-programs",
            Self::CheckCamera => "check-camera",
            Self::CheckMicrophone => "check-microphone",
            Self::StartServer => "start-server",
            Self::AllowWebsocket => "allow-websocket",
            Self::AllowOrigin => "allow-origin",
            Self::AllowHost => "allow-host",
            Self::AllowWebRtc => "allow-web-rtc",
            Self::RenewCertificate => "renew-certificate",
            Self::OpenUdp => "open-udp",
            Self::OpenTcp => "open-tcp",
            Self::FixCredentials => "fix-credentials",
            Self::RaiseQuota => "raise-quota",
            Self::FixCertificate => "fix-certificate",
            Self::AddRelay => "add-relay",
            Self::FixRelay => "fix-relay",
            Self::FixOwnServers => "fix-own-servers",
        }
    }

    /// Who can take this step.
    #[must_use]
    pub fn who(self) -> Who {
        match self {
            Self::OtherBrowser
            | Self::AllowDevices
            | Self::AnswerPrompt
            | Self::PlugCamera
            | Self::PlugMicrophone
            | Self::CloseOtherPrograms
            | Self::CheckCamera
            | Self::CheckMicrophone
            | Self::AllowWebRtc
            | Self::FixOwnServers => Who::You,
            Self::AllowWebsocket | Self::OpenUdp | Self::OpenTcp => Who::Network,
            Self::UseHttps
            | Self::StartServer
            | Self::AllowOrigin
            | Self::AllowHost
            | Self::RenewCertificate
            | Self::FixCredentials
            | Self::RaiseQuota
            | Self::FixCertificate
            | Self::AddRelay
            | Self::FixRelay => Who::Operator,
        }
    }

    /// All steps that the checks call for, without repetition, the most serious first. Only the person can correct the person's
    /// own servers.
    #[must_use]
    pub fn of(checks: &[Check], servers: IceServersOf) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut give = |advice: Self| {
            let is_about_servers = matches!(
                advice,
                Self::FixCredentials
                    | Self::RaiseQuota
                    | Self::FixCertificate
                    | Self::AddRelay
                    | Self::FixRelay
            );
            let advice = match servers {
                IceServersOf::Person if is_about_servers => Self::FixOwnServers,
                _ => advice,
            };
            if !all.contains(&advice) {
                all.push(advice);
            }
        };
        for check in checks.iter().filter(|check| check.state == CheckState::Failed) {
            if let Some(advice) = for_check(check, checks) {
                give(advice);
            }
        }
        for check in checks.iter().filter(|check| check.state == CheckState::Warning) {
            if let Some(advice) = for_check(check, checks) {
                give(advice);
            }
        }
        all
    }
}

fn for_check(check: &Check, checks: &[Check]) -> Option<Advice> {
    let kind = check.id.kind;
    Some(match check.code? {
        CheckCode::UnsupportedBrowser => Advice::OtherBrowser,
        CheckCode::InsecureContext => Advice::UseHttps,
        CheckCode::PermissionDenied => Advice::AllowDevices,
        CheckCode::PermissionPending => Advice::AnswerPrompt,
        CheckCode::NoDevice if kind == CheckKind::Camera => Advice::PlugCamera,
        CheckCode::NoDevice if kind == CheckKind::Microphone => Advice::PlugMicrophone,
        CheckCode::DeviceInUse => Advice::CloseOtherPrograms,
        CheckCode::PictureBlack | CheckCode::PictureFrozen => Advice::CheckCamera,
        CheckCode::Silent => Advice::CheckMicrophone,
        CheckCode::ServerUnreachable => Advice::StartServer,
        CheckCode::Timeout if kind == CheckKind::Server => Advice::StartServer,
        // Otherwise the server is down, which another row already says.
        CheckCode::WebsocketBlocked => Advice::AllowWebsocket,
        CheckCode::OriginRefused => Advice::AllowOrigin,
        CheckCode::HostRefused => Advice::AllowHost,
        CheckCode::CertificateRefused | CheckCode::CertificateExpiring => Advice::RenewCertificate,
        CheckCode::NoCandidates => Advice::AllowWebRtc,
        CheckCode::Unauthorized => Advice::FixCredentials,
        CheckCode::QuotaReached => Advice::RaiseQuota,
        CheckCode::CertificateOrUnreachable => Advice::FixCertificate,
        CheckCode::Timeout | CheckCode::NotReached => match kind {
            // One of several servers may be down; the network is at fault only where none answers.
            CheckKind::StunUdp | CheckKind::TurnUdp if !is_udp_open(checks) => Advice::OpenUdp,
            CheckKind::StunUdp | CheckKind::TurnUdp => Advice::FixRelay,
            CheckKind::TurnTcp => Advice::OpenTcp,
            CheckKind::TurnTls => Advice::FixCertificate,
            _ => return None,
        },
        CheckCode::NoRelay => Advice::AddRelay,
        CheckCode::RelayFailed => Advice::FixRelay,
        _ => return None,
    })
}

/// Whether any answer came over UDP, including a refusal.
fn is_udp_open(checks: &[Check]) -> bool {
    works(checks, CheckKind::StunUdp)
        || of_kind(checks, CheckKind::TurnUdp).any(|turn| {
            matches!(turn.code, Some(CheckCode::Ok | CheckCode::Unauthorized | CheckCode::QuotaReached))
        })
}

fn has_relay(checks: &[Check]) -> bool {
    [CheckKind::TurnUdp, CheckKind::TurnTcp, CheckKind::TurnTls]
        .into_iter()
        .any(|kind| of_kind(checks, kind).next().is_some())
}

fn of_kind(checks: &[Check], kind: CheckKind) -> impl Iterator<Item = &Check> {
    checks.iter().filter(move |check| check.id.kind == kind)
}

fn works(checks: &[Check], kind: CheckKind) -> bool {
    of_kind(checks, kind).any(|check| check.state == CheckState::Ok)
}

fn all_failed(checks: &[Check], kind: CheckKind) -> bool {
    let mut of_kind = of_kind(checks, kind).peekable();
    of_kind.peek().is_some() && of_kind.all(|check| check.state == CheckState::Failed)
}
