//! The short codes that this page and the other members compare by voice.
//!
//! Owns an exchange for each member, and limits how many nonces the page draws. It never decides which connection is used, and sends
//! nothing: the session does.
//!
//! Invariant: a middleman gets no more guesses than the limits allow, however many members and connections it invents.

use sightline_protocol::{MemberId, VerificationStep};

use crate::{
    Timestamp,
    budget::{Bucket, CODES_OF_MEMBER, CODES_OF_PAGE, MAX_ACCOUNTS},
    peer::PeerSession,
    trust::{CodeBasis, CodeExchange, EndFingerprints, NonceSource, ShortCode, Verification, Verified},
};

#[derive(Debug, Default)]
pub(super) struct Verifying {
    /// `None` if this page does not take part.
    secret: Option<u128>,
    /// Number of members so far, for their nonces.
    count: u64,
    drawn: Bucket,
    /// The member of the latest event is the last one. Members that left stay, so that they get no new limit when they return.
    members: Vec<(MemberId, Entry)>,
}

#[derive(Debug)]
struct Entry {
    exchange: CodeExchange,
    drawn: Bucket,
}

/// The result of an event: a step to send, and whether the view changed.
#[derive(Debug, Default)]
pub(super) struct Consequence {
    pub(super) send: Option<VerificationStep>,
    pub(super) is_changed: bool,
}

impl Verifying {
    /// `secret` is random and serves nothing else.
    pub(super) fn enable(&mut self, secret: u128) {
        self.secret = Some(secret);
    }

    /// Takes the present connections of a member: `peer`, unless the member is gone. `is_opened` says that the `control` channel of the
    /// one in use has just opened.
    pub(super) fn review(
        &mut self,
        id: &MemberId,
        peer: Option<&PeerSession>,
        is_opened: bool,
        now: Timestamp,
    ) -> Consequence {
        let all = peer.into_iter().flat_map(PeerSession::fingerprints);
        self.review_keys(id, peer.and_then(PeerSession::code_basis), all, is_opened, now)
    }

    /// Takes a step of a member on its connection in use.
    pub(super) fn handle_step(
        &mut self,
        id: &MemberId,
        step: VerificationStep,
        now: Timestamp,
    ) -> Consequence {
        self.with(id, now, |exchange, may_draw| exchange.handle_step(step, may_draw))
    }

    pub(super) fn view(&self, id: &MemberId) -> Verification {
        self.get(id).map(|member| member.exchange.view()).unwrap_or_default()
    }

    /// Takes the person's word about the code of a member. Returns whether the member has this code.
    pub(super) fn set_matching(
        &mut self,
        id: &MemberId,
        code: ShortCode,
        is_matching: bool,
        peer: Option<&PeerSession>,
    ) -> bool {
        let member = self.members.iter_mut().find(|(known, _)| known == id);
        let Some((_, Entry { exchange, .. })) = member else { return false };
        let is_present = exchange.set_matching(code, is_matching);
        let all = peer.into_iter().flat_map(PeerSession::fingerprints);
        all.for_each(|fingerprints| exchange.handle_fingerprints(fingerprints));
        is_present
    }

    /// Takes what the code is about, and the fingerprints of all connections.
    fn review_keys<'a>(
        &mut self,
        id: &MemberId,
        basis: Option<CodeBasis>,
        all: impl Iterator<Item = &'a EndFingerprints>,
        is_opened: bool,
        now: Timestamp,
    ) -> Consequence {
        self.with(id, now, |exchange, may_draw| {
            exchange.set_basis(basis);
            all.for_each(|fingerprints| exchange.handle_fingerprints(fingerprints));
            is_opened.then(|| exchange.handle_opened(may_draw)).flatten()
        })
    }

    fn get(&self, id: &MemberId) -> Option<&Entry> {
        self.members.iter().find(|(known, _)| known == id).map(|(_, member)| member)
    }

    fn with(
        &mut self,
        id: &MemberId,
        now: Timestamp,
        act: impl FnOnce(&mut CodeExchange, &mut dyn FnMut() -> bool) -> Option<VerificationStep>,
    ) -> Consequence {
        let Some(secret) = self.secret else { return Consequence::default() };
        let known = self.members.iter().position(|(known, _)| known == id);
        let (id, mut member) = known.map_or_else(
            || {
                self.count += 1;
                let exchange = CodeExchange::new(NonceSource::new(secret, self.count));
                (id.clone(), Entry { exchange, drawn: Bucket::default() })
            },
            |at| self.members.remove(at),
        );
        let before = member.exchange.view();
        let (of_page, of_member) = (&mut self.drawn, &mut member.drawn);
        let mut may_draw = || of_member.take(CODES_OF_MEMBER, 1, now) && of_page.take(CODES_OF_PAGE, 1, now);
        let send = act(&mut member.exchange, &mut may_draw);
        let is_changed = member.exchange.view() != before;
        if self.members.len() >= MAX_ACCOUNTS {
            // Otherwise a server that invents members could make the page forget that a verified member has other keys.
            let is_unverified = |(_, entry): &(MemberId, Entry)| entry.exchange.verified() == Verified::Never;
            self.members.remove(self.members.iter().position(is_unverified).unwrap_or(0));
        }
        self.members.push((id, member));
        Consequence { send, is_changed }
    }
}

#[cfg(test)]
mod tests {
    use std::{iter, time::Duration};

    use sightline_protocol::VerificationNonce;

    use super::*;

    fn basis(remote: &str) -> Option<CodeBasis> {
        let mut fingerprints = EndFingerprints::default();
        fingerprints.local.add("a=fingerprint:sha-256 PAGE");
        fingerprints.remote.add(&format!("a=fingerprint:sha-256 {remote}"));
        Some(CodeBasis { leads: true, fingerprints })
    }

    /// Number of exchanges that begin with these members, each with a connection of its own.
    fn begun(
        verifying: &mut Verifying,
        members: impl Iterator<Item = (String, usize)>,
        now: Timestamp,
    ) -> usize {
        let begins = |(id, key): (String, usize)| {
            let id = MemberId::new(id).unwrap();
            verifying.review_keys(&id, basis(&format!("KEY-{key}")), iter::empty(), true, now).send.is_some()
        };
        members.map(begins).filter(|begins| *begins).count()
    }

    #[test]
    fn a_page_draws_few_nonces_for_a_member_and_for_all_that_a_server_makes_up() {
        let mut verifying = Verifying::default();
        let at = |seconds| Timestamp::from_origin(Duration::from_secs(seconds));
        assert_eq!(begun(&mut verifying, (0..3).map(|key| ("ada".to_owned(), key)), at(0)), 0, "not enabled");
        verifying.enable(1);
        let other_keys = |count| (0..count).map(|key| ("ada".to_owned(), key));
        assert_eq!(begun(&mut verifying, other_keys(20), at(0)), 8);
        let made_up = |from| (from..from + 1_000).map(|number| (format!("member-{number}"), number));
        assert_eq!(begun(&mut verifying, made_up(0), at(0)), 64 - 8);
        assert_eq!(begun(&mut verifying, made_up(1_000), at(3_600)), 60);
    }

    #[test]
    fn a_verified_member_is_remembered_however_many_members_a_server_invents() {
        let (mut verifying, now) = (Verifying::default(), Timestamp::default());
        verifying.enable(1);
        let ada = MemberId::new("ada".to_owned()).unwrap();
        let step = verifying.review_keys(&ada, basis("ADA"), iter::empty(), true, now).send;
        let Some(VerificationStep::Commit { commitment }) = step else { panic!("{step:?}") };
        let nonce = VerificationNonce::new("a".repeat(22)).unwrap();
        verifying.handle_step(&ada, VerificationStep::Answer { commitment, nonce }, now);
        let code = verifying.view(&ada).code.unwrap();
        assert!(verifying.set_matching(&ada, code, true, None));
        begun(&mut verifying, (0..1_000).map(|number| (format!("member-{number}"), number)), now);
        assert_eq!(verifying.view(&ada).verified, Verified::Matched);
        assert_eq!(verifying.members.len(), MAX_ACCOUNTS);
        verifying.review_keys(&ada, basis("OTHER"), iter::empty(), false, now);
        assert_eq!(verifying.view(&ada).verified, Verified::Changed);
    }
}
