//! The report of an examination, for a person who helps: without names, credentials or whole addresses.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sightline_protocol::{control::UnixMilliseconds, text::without_invisible};

use super::{
    candidate::redact,
    check::{Check, CheckCode, CheckId, CheckState, Detail, DetailLabel},
    verdict::{IceServersOf, Verdict},
};
use crate::ice::IceUrl;

/// Longest link that contains a report, in bytes: every browser and most chat programs accept that.
pub const MAX_REPORT_LINK_BYTES: usize = 8_000;

const VERSION: u32 = 1;
const MAX_CHECKS: usize = 64;
const MAX_DETAILS: usize = 64;
const MAX_TEXT_CHARS: usize = 400;
const MAX_CALLS: usize = 64;

/// A report that may be passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    version: u32,
    /// Creation time, in milliseconds since 1970.
    pub made_at_ms: u64,
    /// The user agent string of the browser.
    pub browser: String,
    /// The overall verdict.
    pub verdict: Verdict,
    /// The origin of the checked STUN and TURN servers.
    #[serde(default)]
    pub ice_servers_of: IceServersOf,
    checks: Vec<ReportedCheck>,
    /// The connections of a call that was running: one line for each other member, without addresses.
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
#[error("this is not a report, or it is from another version")]
pub struct ReportUnreadable;

impl Report {
    /// The part of these rows that may be passed on.
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

    /// The rows of the report, for display.
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

    /// The report as JSON, to read, copy and keep.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The report for the fragment of a link, at most [`MAX_REPORT_LINK_BYTES`] long; candidates are left out where the link
    /// would be longer with them. `None` where it is too long even without them.
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

/// Keeps the name of a server, and removes an address, which may be that of a private machine.
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
