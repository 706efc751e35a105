//! What the server knows of the present secret of a room: the digest of the tag that admits, as the server names it.
//!
//! Owns the digest that the server named last, since when it is that of another secret, and what the server was told. It never makes,
//! takes or sends a secret.
//!
//! Invariants: the server is told one tag at most [`MAX_TOLD`] times. A server that took back that the room has another secret is not
//! believed again.

use sightline_protocol::AdmissionDigest;

use crate::Timestamp;

/// How often a host tells the server one tag, if the server names another one.
const MAX_TOLD: u32 = 8;

#[derive(Debug)]
pub(super) struct ServerTag {
    /// Of the present secret. Always there: as [`RoomKeys::admission`](super::RoomKeys::admission).
    present: Option<AdmissionDigest>,
    /// The one that the server named last; `None` if the server has no rekeys.
    named: Option<AdmissionDigest>,
    /// Whether the server named the present one.
    is_confirmed: bool,
    /// Whether the server has the name of this member under the present secret.
    is_filed: bool,
    /// Number of times that the server was told the present tag.
    told: u32,
    /// Since when the server names another secret, and not one that this host has yet to tell it.
    outdated_since: Option<Timestamp>,
    /// Whether the server took back that the room has another secret. An honest one never does.
    has_taken_back: bool,
}

impl ServerTag {
    /// The state of a page that entered with this tag.
    pub(super) fn new(present: Option<AdmissionDigest>) -> Self {
        Self {
            present,
            named: None,
            is_confirmed: false,
            is_filed: true,
            told: 0,
            outdated_since: None,
            has_taken_back: false,
        }
    }

    /// Whether the server replaces tags.
    pub(super) fn has_rekeys(&self) -> bool {
        self.named.is_some()
    }

    /// Whether the server named a secret that this page does not have, and never took one back.
    pub(super) fn is_outdated(&self) -> bool {
        self.outdated_since.is_some() && !self.has_taken_back
    }

    /// Since when the server names a secret that this page does not have.
    pub(super) fn outdated_since(&self) -> Option<Timestamp> {
        self.outdated_since
    }

    /// This page made another secret, and tells the server its tag now.
    pub(super) fn handle_own_secret(&mut self, present: Option<AdmissionDigest>) {
        self.switch(present);
        (self.told, self.is_filed) = (1, true);
    }

    /// Another page made the secret that is used from now on. Returns whether the server is to be told the tag.
    pub(super) fn handle_secret_of_another(
        &mut self,
        present: Option<AdmissionDigest>,
        is_host: bool,
        now: Timestamp,
    ) -> bool {
        self.switch(present);
        // Otherwise the server has yet to say what it knows since then.
        self.named == self.present && self.review(is_host, now)
    }

    /// Takes the digest that the server names. Returns whether the server is to be told the tag.
    pub(super) fn handle_named(
        &mut self,
        named: Option<AdmissionDigest>,
        is_host: bool,
        now: Timestamp,
    ) -> bool {
        self.named = named;
        self.review(is_host, now)
    }

    /// Waits no longer for the secret that the server names.
    pub(super) fn give_up(&mut self) {
        self.outdated_since = None;
    }

    fn switch(&mut self, present: Option<AdmissionDigest>) {
        self.present = present;
        (self.is_confirmed, self.is_filed, self.told) = (false, false, 0);
        self.outdated_since = None;
    }

    fn review(&mut self, is_host: bool, now: Timestamp) -> bool {
        if self.named.is_none() {
            self.outdated_since = None;
        } else if self.named == self.present {
            self.has_taken_back |= self.outdated_since.take().is_some() && self.is_confirmed;
            self.is_confirmed = true;
            return !std::mem::replace(&mut self.is_filed, true);
        } else if self.is_confirmed || !is_host {
            self.outdated_since.get_or_insert(now);
        } else if self.told < MAX_TOLD {
            self.told += 1;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::ZERO;

    #[allow(clippy::unnecessary_wraps, reason = "as the server names it")]
    fn digest(number: usize) -> Option<AdmissionDigest> {
        Some(AdmissionDigest::new(format!("{number:A>43}")).unwrap())
    }

    #[test]
    fn a_member_files_its_name_once_when_the_server_knows_the_secret() {
        let mut tag = ServerTag::new(digest(1));
        assert!(!tag.handle_named(digest(1), false, NOW));
        assert!(!tag.handle_secret_of_another(digest(2), false, NOW), "the server does not know it yet");
        assert!(tag.handle_named(digest(2), false, NOW));
        assert!(!tag.handle_named(digest(2), false, NOW));
        // The server was faster than the host.
        assert!(!tag.handle_named(digest(3), false, NOW) && tag.is_outdated());
        assert!(tag.handle_secret_of_another(digest(3), false, NOW) && !tag.is_outdated());
    }

    #[test]
    fn a_host_tells_a_server_that_names_another_tag_a_few_times() {
        let mut tag = ServerTag::new(digest(1));
        tag.handle_named(digest(1), true, NOW);
        tag.handle_own_secret(digest(2));
        let told = (0..100).filter(|_| tag.handle_named(digest(1), true, NOW)).count();
        assert_eq!((told, tag.is_outdated()), (7, false), "eight times with the first");
        assert!(!tag.handle_named(digest(2), true, NOW));
        assert!(!tag.handle_named(digest(1), true, NOW) && tag.is_outdated(), "another host replaced it");
    }

    #[test]
    fn a_server_that_takes_another_secret_back_is_not_believed_again() {
        let mut tag = ServerTag::new(digest(1));
        for (named, is_believed) in [(1, false), (2, true), (1, false), (2, false)] {
            tag.handle_named(digest(named), false, NOW);
            assert_eq!(tag.is_outdated(), is_believed, "{named}");
        }
        assert_eq!(tag.outdated_since(), Some(NOW), "it is waited for all the same");
        tag.give_up();
        assert_eq!(tag.outdated_since(), None);
    }

    #[test]
    fn a_server_of_an_earlier_version_is_waited_for_by_nobody() {
        let mut tag = ServerTag::new(digest(1));
        assert!(!tag.has_rekeys());
        tag.handle_named(digest(2), false, NOW);
        assert!(tag.has_rekeys() && tag.is_outdated());
        tag.handle_named(None, false, NOW);
        assert!(!tag.has_rekeys() && !tag.is_outdated());
    }
}
