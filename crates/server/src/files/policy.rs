//! What a page may do (Content Security Policy Level 3, Permissions Policy).

use std::{sync::Mutex, sync::PoisonError, time::SystemTime};

use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest;

/// For answers that are no page: nothing.
pub(crate) const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// The devices for this page alone; what it never uses for nobody. `web-share` is not named: it is the page's own by default,
/// and a browser without it complains of the word on the console.
pub(crate) const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self), \
     picture-in-picture=(self), screen-wake-lock=(self), clipboard-write=(self), \
     geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), xr-spatial-tracking=()",
);

/// The policy of a page as it was when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct PagePolicy {
    seen: Mutex<Option<(PageVersion, HeaderValue)>>,
}

/// Changes with the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageVersion {
    pub(super) modified: Option<SystemTime>,
    pub(super) bytes: u64,
}

impl PagePolicy {
    /// The policy of this version, if it is the one that was looked at last.
    pub(super) fn known(&self, version: PageVersion) -> Option<HeaderValue> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.as_ref().filter(|(known, _)| *known == version).map(|(_, policy)| policy.clone())
    }

    /// The policy of this page.
    pub(super) fn of(&self, version: PageVersion, html: &str) -> HeaderValue {
        let policy = HeaderValue::try_from(text(html)).unwrap_or(NOTHING);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, policy.clone()));
        policy
    }
}

/// Everything from this server; scripts in the page itself only as they stand there. The client's styles are files or
/// set by script through the CSSOM, which the policy does not concern. A socket of the page's own server is `'self'`.
fn text(html: &str) -> String {
    let hashes: String = inline_scripts(html).map(|script| format!(" 'sha256-{}'", sha256(script))).collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; \
         img-src 'self' data: blob:; media-src 'self' blob: mediastream:; font-src 'self'; connect-src 'self'; \
         worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
    )
}

/// The text of each `<script>` that has no `src`. Too many do no harm: whoever wrote the page is trusted.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

fn sha256(script: &str) -> String {
    // Browsers hash what they parsed, and parsing HTML makes every line end a line feed.
    let parsed = script.replace("\r\n", "\n").replace('\r', "\n");
    BASE64_STANDARD.encode(digest::digest(&digest::SHA256, parsed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_in_the_page_is_allowed_by_its_hash_and_nothing_else_inline() {
        let html = "<script src=\"/a.js\"></script><script type=\"module\">alert(1)</script><p>";
        let policy = text(html);
        // `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`
        let expected =
            "script-src 'self' 'wasm-unsafe-eval' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';";
        assert!(policy.contains(expected), "{policy}");
        assert_eq!(policy.matches("sha256-").count(), 1);
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    }

    #[test]
    fn a_page_is_looked_at_again_when_it_has_changed() {
        let policy = PagePolicy::default();
        let version = |bytes| PageVersion { modified: None, bytes };
        let first = policy.of(version(1), "<script>1</script>");
        assert_eq!(policy.known(version(1)), Some(first));
        assert_eq!(policy.known(version(2)), None);
    }
}
