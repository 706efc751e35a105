//! The texts of the connection doctor.

use sightline_core::{
    doctor::{Advice, Check, CheckCode, CheckKind, CheckState, DetailLabel, Verdict, Who},
    with_check_codes, with_check_kinds,
};

use crate::{language::Sentence, sentence};

macro_rules! define_kind_text {
    ($($meaning:literal $variant:ident $key:ident $word:literal;)+) => {
        /// The name of a check.
        pub(super) fn kind_text(kind: CheckKind) -> Sentence {
            match kind {
                $(CheckKind::$variant => sentence!(check.kind.$key),)+
            }
        }
    };
}

with_check_kinds!(define_kind_text);

macro_rules! define_code_text {
    ($($meaning:literal $variant:ident $key:ident $word:literal;)+) => {
        fn code_text(code: CheckCode) -> Sentence {
            match code {
                $(CheckCode::$variant => sentence!(check.code.$key),)+
            }
        }
    };
}

with_check_codes!(define_code_text);

/// The text for a state.
pub(super) fn state_text(state: CheckState) -> Sentence {
    match state {
        CheckState::Waiting => sentence!(check.state.waiting),
        CheckState::Running => sentence!(check.state.running),
        CheckState::Ok => sentence!(check.state.ok),
        CheckState::Warning => sentence!(check.state.warning),
        CheckState::Failed => sentence!(check.state.failed),
    }
}

/// The sentence for the result of a check; `None` before there is one.
pub(super) fn result_text(check: &Check) -> Option<Sentence> {
    Some(match check.code? {
        CheckCode::Ok if check.id.kind == CheckKind::Nat => sentence!(check.code.nat_ok),
        code => code_text(code),
    })
}

/// The label of a detail line.
pub(super) fn label_text(label: DetailLabel) -> Sentence {
    match label {
        DetailLabel::Device => sentence!(check.label.device),
        DetailLabel::Picture => sentence!(check.label.picture),
        DetailLabel::Resolutions => sentence!(check.label.resolutions),
        DetailLabel::Level => sentence!(check.label.level),
        DetailLabel::Count => sentence!(check.label.count),
        DetailLabel::RoundTrip => sentence!(check.label.round_trip),
        DetailLabel::Opening => sentence!(check.label.opening),
        DetailLabel::IceServers => sentence!(check.label.ice_servers),
        DetailLabel::Candidate => sentence!(check.label.candidate),
        DetailLabel::Hidden => sentence!(check.label.hidden),
        DetailLabel::Ipv4 => sentence!(check.label.ipv4),
        DetailLabel::Ipv6 => sentence!(check.label.ipv6),
        DetailLabel::Error => sentence!(check.label.error),
        DetailLabel::Mapping => sentence!(check.label.mapping),
        DetailLabel::Connected => sentence!(check.label.connected),
        DetailLabel::Throughput => sentence!(check.label.throughput),
        DetailLabel::Jitter => sentence!(check.label.jitter),
        DetailLabel::Loss => sentence!(check.label.loss),
        DetailLabel::ValidUntil => sentence!(check.label.valid_until),
    }
}

/// The meaning of an `icecandidateerror` code (RFC 8656, section 19; 701 is defined by the W3C).
pub(super) fn error_text(code: u16) -> Sentence {
    match code {
        401 => sentence!(check.error.e401),
        403 => sentence!(check.error.e403),
        486 => sentence!(check.error.e486),
        508 => sentence!(check.error.e508),
        701 => sentence!(check.error.e701),
        _ => sentence!(check.error.other),
    }
}

/// The verdict in one line, and its meaning.
pub(super) fn verdict_text(verdict: Verdict) -> (Sentence, Sentence) {
    macro_rules! both {
        ($key:ident) => {
            (sentence!(check.verdict.$key.title), sentence!(check.verdict.$key.text))
        };
    }
    match verdict {
        Verdict::Running => both!(running),
        Verdict::UnsupportedBrowser => both!(unsupported_browser),
        Verdict::ServerUnreachable => both!(server_unreachable),
        Verdict::Direct => both!(direct),
        Verdict::RelayUdp => both!(relay_udp),
        Verdict::RelayTcp => both!(relay_tcp),
        Verdict::RelayTls => both!(relay_tls),
        Verdict::Limited => both!(limited),
        Verdict::Nothing => both!(nothing),
        Verdict::Unknown => both!(unknown),
    }
}

/// The name of the person in charge.
pub(super) fn who_text(who: Who) -> Sentence {
    match who {
        Who::You => sentence!(check.who.you),
        Who::Network => sentence!(check.who.network),
        Who::Operator => sentence!(check.who.operator),
    }
}

/// The sentence for a piece of advice.
pub(super) fn advice_text(advice: Advice) -> Sentence {
    match advice {
        Advice::OtherBrowser => sentence!(check.advice.other_browser),
        Advice::UseHttps => sentence!(check.advice.use_https),
        Advice::AllowDevices => sentence!(check.advice.allow_devices),
        Advice::AnswerPrompt => sentence!(check.advice.answer_prompt),
        Advice::PlugCamera => sentence!(check.advice.plug_camera),
        Advice::PlugMicrophone => sentence!(check.advice.plug_microphone),
        Advice::CloseOtherPrograms => sentence!(check.advice.close_other_programs),
        Advice::CheckCamera => sentence!(check.advice.check_camera),
        Advice::CheckMicrophone => sentence!(check.advice.check_microphone),
        Advice::StartServer => sentence!(check.advice.start_server),
        Advice::AllowWebsocket => sentence!(check.advice.allow_websocket),
        Advice::AllowOrigin => sentence!(check.advice.allow_origin),
        Advice::AllowHost => sentence!(check.advice.allow_host),
        Advice::RenewCertificate => sentence!(check.advice.renew_certificate),
        Advice::AllowWebRtc => sentence!(check.advice.allow_web_rtc),
        Advice::OpenUdp => sentence!(check.advice.open_udp),
        Advice::OpenTcp => sentence!(check.advice.open_tcp),
        Advice::FixCredentials => sentence!(check.advice.fix_credentials),
        Advice::RaiseQuota => sentence!(check.advice.raise_quota),
        Advice::FixCertificate => sentence!(check.advice.fix_certificate),
        Advice::AddRelay => sentence!(check.advice.add_relay),
        Advice::FixRelay => sentence!(check.advice.fix_relay),
        Advice::FixOwnServers => sentence!(check.advice.fix_own_servers),
    }
}
