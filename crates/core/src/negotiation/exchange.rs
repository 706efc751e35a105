//! Numbers of offer/answer exchanges, and the judgment of an offer by its number.

use std::time::Duration;

use sightline_protocol::signaling::SignalDescription;

use super::{Role, ufrag::Ufrags};
use crate::Timestamp;

/// Time after which an unanswered offer is sent again; doubled each time.
const FIRST_REPETITION: Duration = Duration::from_secs(3);
/// Upper limit of that time.
const LONGEST_REPETITION: Duration = Duration::from_secs(24);

/// Shortest time between repetitions that the other side asks for: a hostile side would pay one message for many of ours.
const REPETITION_SPACING: Duration = Duration::from_secs(1);

/// What to do with an offer of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Set it; a pending local offer is rolled back for it.
    Apply,
    /// It collides with a local offer, which stays.
    Ignore,
    /// Its exchange is over.
    Past,
    /// It was made after the other side answered the pending local offer. That answer must be applied first.
    AfterOurAnswer,
}

/// Judges the offer with number `offered` by the last completed exchange and the pending local offer, if any.
pub(super) fn judge_offer(offered: u32, last_exchange: u32, pending: Option<u32>, role: Role) -> Verdict {
    if offered <= last_exchange {
        return Verdict::Past;
    }
    match (pending, role) {
        (None, _) => Verdict::Apply,
        (Some(pending), _) if offered > pending => Verdict::AfterOurAnswer,
        (Some(_), Role::Offerer) => Verdict::Apply,
        (Some(_), Role::Answerer) => Verdict::Ignore,
    }
}

/// A local description that was sent.
#[derive(Debug)]
pub(super) struct SentDescription {
    pub(super) description: SignalDescription,
    pub(super) ufrags: Ufrags,
    sent_at: Timestamp,
}

impl SentDescription {
    pub(super) fn new(description: SignalDescription, now: Timestamp) -> Self {
        Self { ufrags: Ufrags::of_sdp(&description.sdp), description, sent_at: now }
    }

    pub(super) fn may_be_repeated_on_request(&self, now: Timestamp) -> bool {
        now.since(self.sent_at) >= REPETITION_SPACING
    }

    pub(super) fn handle_repeated(&mut self, now: Timestamp) {
        self.sent_at = now;
    }
}

/// A local offer that waits for its answer.
#[derive(Debug)]
pub(super) struct PendingOffer {
    pub(super) sent: SentDescription,
    pub(super) ice_restart: bool,
    next_repetition: Duration,
}

impl PendingOffer {
    pub(super) fn new(description: SignalDescription, ice_restart: bool, now: Timestamp) -> Self {
        Self { sent: SentDescription::new(description, now), ice_restart, next_repetition: FIRST_REPETITION }
    }

    pub(super) fn exchange(&self) -> u32 {
        self.sent.description.exchange
    }

    pub(super) fn repeat_at(&self) -> Timestamp {
        self.sent.sent_at + self.next_repetition
    }

    /// Notes that the offer was sent again because no answer came.
    pub(super) fn handle_repeated_for_silence(&mut self, now: Timestamp) {
        self.sent.handle_repeated(now);
        self.next_repetition = (self.next_repetition * 2).min(LONGEST_REPETITION);
    }

    /// Notes that the offer was sent again because the path or the other side changed.
    pub(super) fn handle_repeated_for_news(&mut self, now: Timestamp) {
        self.sent.handle_repeated(now);
        self.next_repetition = FIRST_REPETITION;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Answerer, Offerer};

    #[test]
    fn an_offer_of_a_completed_exchange_is_past_in_every_state() {
        for role in [Offerer, Answerer] {
            assert_eq!(judge_offer(3, 3, None, role), Verdict::Past);
            assert_eq!(judge_offer(3, 4, Some(5), role), Verdict::Past);
        }
    }

    #[test]
    fn an_offer_with_the_number_of_the_pending_local_offer_collides() {
        assert_eq!(judge_offer(4, 3, Some(4), Offerer), Verdict::Apply);
        assert_eq!(judge_offer(4, 3, Some(4), Answerer), Verdict::Ignore);
    }

    #[test]
    fn an_offer_with_a_higher_number_proves_that_the_pending_local_offer_was_answered() {
        for role in [Offerer, Answerer] {
            assert_eq!(judge_offer(5, 3, Some(4), role), Verdict::AfterOurAnswer);
        }
    }
}
