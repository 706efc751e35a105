//! The pages that hosts removed from a protected room, and whether they may know its present secret.
//!
//! Owns the instance ids of these pages, and since when one of them may know the secret. It never makes a secret, and closes no
//! connection.
//!
//! Invariants: at most [`MAX_REMOVED_PAGES`] pages, each once, and never the local one.

use std::collections::VecDeque;

use sightline_protocol::{InstanceId, limits::MAX_REMOVED_PAGES};

use crate::Timestamp;

#[derive(Debug)]
struct RemovedPage {
    instance: InstanceId,
    /// Whether the present secret was made after the removal, so that the page never got it.
    is_excluded: bool,
}

#[derive(Debug)]
pub(super) struct RemovedPages {
    local: InstanceId,
    pages: VecDeque<RemovedPage>,
    exposed_since: Option<Timestamp>,
}

impl RemovedPages {
    pub(super) fn new(local: InstanceId) -> Self {
        Self { local, pages: VecDeque::new(), exposed_since: None }
    }

    pub(super) fn contains(&self, page: &InstanceId) -> bool {
        self.pages.iter().any(|removed| removed.instance == *page)
    }

    /// Takes a page that was removed, and that may know the present secret. Returns whether it is new here.
    pub(super) fn note(&mut self, page: InstanceId) -> bool {
        if page == self.local || self.contains(&page) {
            return false;
        }
        if self.pages.len() >= MAX_REMOVED_PAGES {
            self.pages.pop_front();
        }
        self.pages.push_back(RemovedPage { instance: page, is_excluded: false });
        true
    }

    /// This page made another secret, which no removed page has.
    pub(super) fn handle_own_secret(&mut self) {
        self.pages.iter_mut().for_each(|page| page.is_excluded = true);
    }

    /// Another page made the secret that is used from now on: only the pages that it names did not get it.
    pub(super) fn handle_secret_of_another(&mut self, excluded: &[InstanceId]) {
        self.pages.iter_mut().for_each(|page| page.is_excluded = false);
        self.exclude(excluded);
    }

    /// The host that made the present secret did not give it to these pages.
    pub(super) fn exclude(&mut self, excluded: &[InstanceId]) {
        for page in self.pages.iter_mut().filter(|page| excluded.contains(&page.instance)) {
            page.is_excluded = true;
        }
    }

    /// The pages that never got the present secret.
    pub(super) fn excluded(&self) -> impl Iterator<Item = &InstanceId> {
        self.pages.iter().filter(|page| page.is_excluded).map(|page| &page.instance)
    }

    /// Whether a removed page may know the present secret.
    pub(super) fn is_exposed(&self) -> bool {
        self.pages.iter().any(|page| !page.is_excluded)
    }

    /// Notes the time from which on the secret has been exposed, if it is.
    pub(super) fn review(&mut self, now: Timestamp) {
        if self.is_exposed() {
            self.exposed_since.get_or_insert(now);
        } else {
            self.exposed_since = None;
        }
    }

    /// Since when a removed page may know the present secret, as of the latest [`Self::review`].
    pub(super) fn exposed_since(&self) -> Option<Timestamp> {
        self.exposed_since
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn page(number: usize) -> InstanceId {
        InstanceId::new(format!("page-{number}")).unwrap()
    }

    #[test]
    fn a_removed_page_knows_the_secret_until_another_is_made_after_its_removal() {
        let mut removed = RemovedPages::new(page(0));
        let [now, later] = [0, 9].map(|s| Timestamp::ZERO + Duration::from_secs(s));
        assert!(removed.note(page(1)) && !removed.note(page(1)));
        removed.review(now);
        removed.review(later);
        assert_eq!((removed.is_exposed(), removed.exposed_since()), (true, Some(now)));
        removed.handle_own_secret();
        removed.review(later);
        assert_eq!((removed.is_exposed(), removed.exposed_since()), (false, None));
        assert_eq!(removed.excluded().collect::<Vec<_>>(), [&page(1)]);
    }

    #[test]
    fn the_secret_of_another_host_excludes_only_the_pages_that_it_names() {
        let mut removed = RemovedPages::new(page(0));
        assert!(removed.note(page(1)) && removed.note(page(2)));
        removed.handle_own_secret();
        removed.handle_secret_of_another(&[page(2), page(7)]);
        assert_eq!(removed.excluded().collect::<Vec<_>>(), [&page(2)]);
        assert!(removed.is_exposed() && !removed.contains(&page(7)));
    }

    #[test]
    fn the_local_page_is_never_among_them_and_the_latest_64_are() {
        let mut removed = RemovedPages::new(page(0));
        assert!(!removed.note(page(0)));
        for number in 1..=MAX_REMOVED_PAGES + 3 {
            assert!(removed.note(page(number)));
        }
        assert_eq!(removed.pages.len(), MAX_REMOVED_PAGES);
        assert!(!removed.contains(&page(3)) && removed.contains(&page(4)));
    }
}
