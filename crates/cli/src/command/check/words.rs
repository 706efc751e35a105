//! The words of the page `/check`, which this command prints, too. They are written once, in `locales/en.json`.

use serde_json::Value;
use sightline_core::doctor::{Advice, CheckCode, CheckKind, DetailLabel, Verdict, Who};

const LOCALE: &str = include_str!(env!("SIGHTLINE_TEXTS"));

/// The texts of the connection doctor.
pub(super) struct Words(Value);

impl Words {
    pub(super) fn read() -> Self {
        let texts: Value = serde_json::from_str(LOCALE).unwrap_or_default();
        Self(texts["check"].clone())
    }

    /// The name of a row.
    pub(super) fn kind(&self, kind: CheckKind) -> &str {
        self.text("kind", kind.as_str())
    }

    /// The sentence for the result of a row.
    pub(super) fn result(&self, kind: CheckKind, code: CheckCode) -> &str {
        match (kind, code) {
            (CheckKind::Nat, CheckCode::Ok) => self.text("code", "nat-ok"),
            _ => self.text("code", code.as_str()),
        }
    }

    pub(super) fn label(&self, label: DetailLabel) -> String {
        let key = serde_json::to_value(label).unwrap_or_default();
        let key = key.as_str().unwrap_or_default();
        self.0["label"][key].as_str().unwrap_or(key).to_owned()
    }

    /// The verdict in one line.
    pub(super) fn verdict(&self, verdict: Verdict) -> &str {
        let word = verdict.as_str();
        self.0["verdict"][key_of(word)]["title"].as_str().unwrap_or(word)
    }

    pub(super) fn who(&self, who: Who) -> &str {
        self.text("who", who.as_str())
    }

    pub(super) fn advice(&self, advice: Advice) -> &str {
        self.text("advice", advice.as_str())
    }

    fn text<'a>(&'a self, section: &str, word: &'a str) -> &'a str {
        self.0[section][key_of(word)].as_str().unwrap_or(word)
    }
}

fn key_of(word: &str) -> String {
    word.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that is missing is replaced by its key, which has no blank and no capital.
    fn is_text(text: &str) -> bool {
        text.chars().any(|c| c.is_whitespace() || c.is_uppercase())
    }

    #[test]
    fn every_row_has_a_name_and_every_result_a_sentence() {
        let words = Words::read();
        for kind in CheckKind::ALL {
            assert!(is_text(words.kind(*kind)), "{kind:?}");
        }
        for code in CheckCode::ALL {
            assert!(is_text(words.result(CheckKind::Nat, *code)), "{code:?}");
            assert!(is_text(words.result(CheckKind::Server, *code)), "{code:?}");
        }
    }

    #[test]
    fn verdicts_labels_and_advice_of_a_program_have_the_texts_of_the_page() {
        let words = Words::read();
        let verdicts = [
            Verdict::ServerUnreachable,
            Verdict::Direct,
            Verdict::RelayUdp,
            Verdict::RelayTcp,
            Verdict::RelayTls,
            Verdict::Limited,
            Verdict::Nothing,
            Verdict::Unknown,
        ];
        for verdict in verdicts {
            assert!(is_text(words.verdict(verdict)), "{verdict:?}");
        }
        let labels = [
            DetailLabel::RoundTrip,
            DetailLabel::Opening,
            DetailLabel::IceServers,
            DetailLabel::Candidate,
            DetailLabel::Ipv4,
            DetailLabel::Ipv6,
            DetailLabel::Error,
            DetailLabel::Mapping,
            DetailLabel::Connected,
            DetailLabel::Jitter,
            DetailLabel::Loss,
            DetailLabel::ValidUntil,
        ];
        for label in labels {
            assert!(is_text(&words.label(label)), "{label:?}");
        }
        let advice = [
            Advice::StartServer,
            Advice::AllowWebsocket,
            Advice::AllowHost,
            Advice::RenewCertificate,
            Advice::AllowWebRtc,
            Advice::OpenUdp,
            Advice::OpenTcp,
            Advice::FixCredentials,
            Advice::RaiseQuota,
            Advice::FixCertificate,
            Advice::AddRelay,
            Advice::FixRelay,
            Advice::FixOwnServers,
        ];
        for advice in advice {
            assert!(is_text(words.advice(advice)) && is_text(words.who(advice.who())), "{advice:?}");
        }
    }
}
