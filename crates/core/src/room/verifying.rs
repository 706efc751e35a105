//! The short codes that this page and the other members compare by voice.
//!
//! Owns an exchange for each member, and limits how many nonces the page draws. It never decides which connection is used, and sends
//! nothing: the session does.
//!
//! Invariant: whoever stands in between gets no more guesses than the limits give, however many members and connections it makes up.

use sightline_protocol::{MemberId, VerificationStep};

use crate::{
    Timestamp,
    budget::{Bucket, CODES_OF_MEMBER, CODES_OF_PAGE, MAX_ACCOUNTS},
    trust::{CodeBasis, CodeExchange, NonceSource, ShortCode, Verification, Verified},
};

#[derive(Debug, Default)]
pub(super) struct Verifying {
    /// `None` if this page does not take part.
    secret: Option<u128>,
    /// Number of members so far, for their nonces.
    count: u64,
    drawn: Bucket,
    /// The latest known member is the last one. Members that left stay, so that they get no new limit when they return.
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

    /// Takes the connection in use of a member. `is_opened` says that its `control` channel has just opened.
    pub(super) fn review(
        &mut self,
        id: &MemberId,
        basis: Option<CodeBasis>,
        is_opened: bool,
        now: Timestamp,
    ) -> Consequence {
        self.with(id, now, |exchange, may_draw| {
            exchange.set_basis(basis);
            is_opened.then(|| exchange.handle_opened(may_draw)).flatten()
        })
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

    pub(super) fn is_verified(&self, id: &MemberId) -> bool {
        self.get(id).is_some_and(|member| member.exchange.verified() == Verified::Matched)
    }

    pub(super) fn set_matching(&mut self, id: &MemberId, code: ShortCode, is_matching: bool) -> bool {
        let member = self.members.iter_mut().find(|(known, _)| known == id);
        member.is_some_and(|(_, member)| member.exchange.set_matching(code, is_matching))
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
            self.members.remove(0);
        }
        self.members.push((id, member));
        Consequence { send, is_changed }
    }
}
