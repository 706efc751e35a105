//! What a page may do (Content Security Policy Level 3, Permissions Policy).

use std::{sync::Mutex, sync::PoisonError, time::SystemTime};

use axum::http::HeaderValue;

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
        let policy = HeaderValue::try_from(sightline_page_policy::for_server(html)).unwrap_or(NOTHING);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, policy.clone()));
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_looked_at_again_when_it_has_changed() {
        let policy = PagePolicy::default();
        let version = |bytes| PageVersion { modified: None, bytes };
        let first = policy.of(version(1), "<script>1</script>");
        assert_eq!(policy.known(version(1)), Some(first));
        assert_eq!(policy.known(version(2)), None);
    }
}
