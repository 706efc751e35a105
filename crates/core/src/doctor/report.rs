//! What an examination found, for whoever is to help: without names, credentials, or whole addresses.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sightline_protocol::{control::UnixMilliseconds, text::without_invisible};

use super::{
    candidate::redact,
    check::{Check, CheckCode, CheckId, CheckState, Detail, DetailLabel},
    verdict::{IceServersOf, Verdict},
};
use crate::ice::IceUrl;

/// Longest report in a link, in bytes of the link: what every browser and most chats take.
pub const MAX_REPORT_LINK_BYTES: usize = 8_000;

const VERSION: u32 = 1;
const MAX_CHECKS: usize = 64;
const MAX_DETAILS: usize = 64;
const MAX_TEXT_CHARS: usize = 400;
const MAX_CALLS: usize = 64;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    version: u32,
    /// When it was made, in milliseconds since 1970.
    pub made_at_ms: u64,
    /// What the browser calls itself.
    pub browser: String,
    /// What will work.
    pub verdict: Verdict,
    /// Whose STUN and TURN servers these were.
    #[serde(default)]
    pub ice_servers_of: IceServersOf,
    checks: Vec<ReportedCheck>,
    /// What a call used that was under way: one line for each of the others, without addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReportedCheck {
    id: CheckId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    state: CheckState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<CheckCode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
}

/// Why a link holds no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no report, or one of another version")]
pub struct ReportUnreadable;

impl Report {
    /// What may be handed on of these rows.
    #[must_use]
    pub fn new(
        checks: &[Check],
        ice_servers_of: IceServersOf,
        calls: Vec<String>,
        browser: String,
        made_at_ms: u64,
    ) -> Self {
        Self {
            version: VERSION,
            made_at_ms,
            browser: browser.chars().take(MAX_TEXT_CHARS).collect(),
            verdict: Verdict::of(checks),
            ice_servers_of,
            checks: checks.iter().take(MAX_CHECKS).map(ReportedCheck::new).collect(),
            calls,
        }
    }

    /// The rows, to be shown again.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let row = |check: &ReportedCheck| Check {
            id: check.id,
            subject: check.subject.clone(),
            state: check.state,
            code: check.code,
            details: check.details.clone(),
        };
        self.checks.iter().map(row).collect()
    }

    /// JSON to read, copy and keep.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For the fragment of a link, at most [`MAX_REPORT_LINK_BYTES`]; candidates are left out where it is longer with them.
    /// `None` where it is too long all the same.
    #[must_use]
    pub fn to_link(&self) -> Option<String> {
        let fits = |link: &String| link.len() <= MAX_REPORT_LINK_BYTES;
        self.encode().filter(fits).or_else(|| {
            let mut short = self.clone();
            for check in &mut short.checks {
                check.details.retain(|detail| detail.label != DetailLabel::Candidate);
            }
            short.encode().filter(fits)
        })
    }

    /// Reads what [`Self::to_link`] wrote. Anybody can write a link: characters in its texts that are not seen, or that turn the
    /// text around them, are left out.
    ///
    /// # Errors
    /// [`ReportUnreadable`] for anything else.
    pub fn from_link(link: &str) -> Result<Self, ReportUnreadable> {
        if link.len() > MAX_REPORT_LINK_BYTES {
            return Err(ReportUnreadable);
        }
        let json = BASE64_URL_SAFE_NO_PAD.decode(link).map_err(|_| ReportUnreadable)?;
        let report: Self = serde_json::from_slice(&json).map_err(|_| ReportUnreadable)?;
        report.is_sound().then(|| report.with_visible_texts()).ok_or(ReportUnreadable)
    }

    fn with_visible_texts(mut self) -> Self {
        let subjects = self.checks.iter_mut().filter_map(|check| check.subject.as_mut());
        for text in subjects.chain([&mut self.browser]).chain(&mut self.calls) {
            *text = visible(text);
        }
        for detail in self.checks.iter_mut().flat_map(|check| &mut check.details) {
            detail.value = visible(&detail.value);
        }
        self
    }

    fn encode(&self) -> Option<String> {
        serde_json::to_vec(self).ok().map(|json| BASE64_URL_SAFE_NO_PAD.encode(json))
    }

    fn is_sound(&self) -> bool {
        self.version == VERSION
            && UnixMilliseconds::try_from(self.made_at_ms).is_ok()
            && self.calls.len() <= MAX_CALLS
            && self.checks.len() <= MAX_CHECKS
            && self.checks.iter().all(|check| check.details.len() <= MAX_DETAILS)
    }
}

impl ReportedCheck {
    fn new(check: &Check) -> Self {
        let detail = |detail: &Detail| Detail {
            label: detail.label,
            value: detail.redacted.as_ref().unwrap_or(&detail.value).clone(),
            redacted: None,
        };
        Self {
            id: check.id,
            subject: check.subject.as_deref().map(redact_url),
            state: check.state,
            code: check.code,
            details: check.details.iter().take(MAX_DETAILS).map(detail).collect(),
        }
    }
}

fn visible(text: &str) -> String {
    without_invisible(&text.chars().take(MAX_TEXT_CHARS).collect::<String>())
}

/// A server's name may be handed on; an address stands for somebody's own machine.
fn redact_url(raw: &str) -> String {
    match IceUrl::parse(raw) {
        Ok(url) if url.host.parse::<std::net::IpAddr>().is_ok() => {
            let host = url.host.clone();
            url.to_string().replace(&format!("[{host}]"), &redact(&host)).replace(&host, &redact(&host))
        }
        Ok(url) => url.to_string(),
        Err(_) => String::new(),
    }
}
