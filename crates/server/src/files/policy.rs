//! What a page may do (Content Security Policy Level 3, Permissions Policy).

use std::{sync::Mutex, sync::PoisonError, time::SystemTime};

use axum::http::HeaderValue;

/// The policy of answers that are no page: nothing is allowed.
pub(crate) const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// Allows the devices to this page only, and what the page never uses to nobody. `web-share` is left out: this page has it by
/// default, and browsers that do not know the word log an error.
pub(crate) const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self), \
     picture-in-picture=(self), screen-wake-lock=(self), clipboard-write=(self), \
     geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), xr-spatial-tracking=()",
);

/// The policy of the page's current version, kept until the page changes.
#[derive(Debug, Default)]
pub(super) struct PagePolicy {
    seen: Mutex<Option<(PageVersion, HeaderValue)>>,
}

/// Differs between two versions of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageVersion {
    pub(super) modified: Option<SystemTime>,
    pub(super) bytes: u64,
}

impl PagePolicy {
    /// The policy of this version, if it was computed last.
    pub(super) fn known(&self, version: PageVersion) -> Option<HeaderValue> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.as_ref().filter(|(known, _)| *known == version).map(|(_, policy)| policy.clone())
    }

    /// Computes the policy of this version.
    pub(super) fn of(&self, version: PageVersion, html: &str) -> HeaderValue {
        let policy = HeaderValue::try_from(sightline_page_policy::for_server(html)).unwrap_or(NOTHING);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, policy.clone()));
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_computed_again_when_the_page_has_changed() {
        let policy = PagePolicy::default();
        let version = |bytes| PageVersion { modified: None, bytes };
        let first = policy.of(version(1), "<script>1</script>");
        assert_eq!(policy.known(version(1)), Some(first));
        assert_eq!(policy.known(version(2)), None);
    }
}
