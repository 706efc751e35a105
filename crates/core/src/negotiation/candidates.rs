//! ICE candidates in transit: those of the other side until they can be added, and local ones until they need no repetition.

use std::collections::VecDeque;

use sightline_protocol::signaling::SignalCandidate;

use super::ufrag::{MAX_UFRAG_BYTES, Ufrags};

/// Remote candidates that wait for their description. More than `MAX_LOCAL_CANDIDATES`, so that this side can hold everything
/// that the other side repeats.
pub(super) const MAX_REMOTE_CANDIDATES: usize = 128;

/// Longest candidate attribute that is accepted, in bytes; browsers write less than 300.
const MAX_CANDIDATE_BYTES: usize = 2_048;
/// Longest `mid`, in bytes; browsers write a number.
const MAX_MID_BYTES: usize = 256;
/// Remote candidates that are handed to the browser for one remote description: each costs connectivity checks with every local
/// candidate. Four times what the other side may repeat.
pub(super) const MAX_ADDED_CANDIDATES: usize = 256;

/// Local candidates kept for repetition; a browser gathers about ten.
pub(super) const MAX_LOCAL_CANDIDATES: usize = 64;

/// Fragments of past ICE generations that are remembered, so that late candidates can be dropped at once.
const MAX_STALE_UFRAGS: usize = 32;

/// The candidates of the other side.
///
/// A candidate whose fragment is not in the present remote description waits, because its description may be on its way (late, or
/// lost and soon repeated). It is dropped when its fragment turns out to be of a past generation, or when the queue is full and
/// it is the oldest.
#[derive(Debug, Default)]
pub(super) struct RemoteCandidates {
    /// Fragments of the remote description that is set; empty before the first.
    described: Option<Ufrags>,
    /// Fragments of the offer that was ignored since. The answer to come may still reuse them, so they are not stale yet.
    ignored: Ufrags,
    stale: VecDeque<String>,
    waiting: VecDeque<SignalCandidate>,
    /// Candidates that were handed to the browser since the remote description was set.
    added: Vec<SignalCandidate>,
}

impl RemoteCandidates {
    pub(super) fn push(&mut self, candidate: SignalCandidate) {
        let is_known = self.waiting.contains(&candidate) || self.added.contains(&candidate);
        if is_known || !is_of_sensible_length(&candidate) || self.is_stale(&candidate) {
            return;
        }
        push_bounded(&mut self.waiting, candidate, MAX_REMOTE_CANDIDATES);
    }

    /// Takes the oldest candidate that belongs to the remote description.
    pub(super) fn pop_addable(&mut self) -> Option<SignalCandidate> {
        let described = self.described.as_ref()?;
        if self.added.len() >= MAX_ADDED_CANDIDATES {
            return None;
        }
        let index = self.waiting.iter().position(|candidate| described.admits(candidate))?;
        let candidate = self.waiting.remove(index)?;
        self.added.push(candidate.clone());
        Some(candidate)
    }

    /// Notes that an offer with these fragments was ignored and will never be applied.
    pub(super) fn handle_offer_ignored(&mut self, ufrags: Ufrags) {
        self.ignored = ufrags;
    }

    /// Notes that a remote description with these fragments is set.
    pub(super) fn handle_described(&mut self, ufrags: Ufrags) {
        let before = self.described.take().unwrap_or_default();
        let ignored = std::mem::take(&mut self.ignored);
        self.stale.retain(|ufrag| !ufrags.contains(ufrag));
        for ufrag in before.into_iter().chain(ignored.into_iter()) {
            if !ufrags.contains(&ufrag) && !self.stale.contains(&ufrag) {
                push_bounded(&mut self.stale, ufrag, MAX_STALE_UFRAGS);
            }
        }
        self.described = Some(ufrags);
        self.added.clear();
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|candidate| !self.is_stale(candidate));
        self.waiting = waiting;
    }

    /// Whether a remote description with `ufrags` would begin a new ICE generation.
    pub(super) fn would_restart(&self, ufrags: &Ufrags) -> bool {
        self.described.as_ref().is_some_and(|described| described.are_replaced_by(ufrags))
    }

    fn is_stale(&self, candidate: &SignalCandidate) -> bool {
        candidate.ufrag.as_ref().is_some_and(|ufrag| self.stale.contains(ufrag))
    }
}

/// The local candidates.
///
/// The browser may report candidates of a local description before it reports that the description is set. They are held until
/// then, so that the description is always sent first.
#[derive(Debug, Default)]
pub(super) struct LocalCandidates {
    held: VecDeque<SignalCandidate>,
    sent: VecDeque<SignalCandidate>,
}

impl LocalCandidates {
    pub(super) fn hold(&mut self, candidate: SignalCandidate) {
        push_bounded(&mut self.held, candidate, MAX_LOCAL_CANDIDATES);
    }

    pub(super) fn pop_held(&mut self) -> Option<SignalCandidate> {
        self.held.pop_front()
    }

    pub(super) fn handle_sent(&mut self, candidate: SignalCandidate) {
        push_bounded(&mut self.sent, candidate, MAX_LOCAL_CANDIDATES);
    }

    /// Drops candidates of other local descriptions: the description with these fragments is agreed on.
    pub(super) fn retain(&mut self, ufrags: &Ufrags) {
        self.sent.retain(|candidate| ufrags.admits(candidate));
    }

    pub(super) fn sent(&self) -> impl Iterator<Item = &SignalCandidate> {
        self.sent.iter()
    }
}

/// Whether the lengths are acceptable: candidates are held, and compared with each that follows.
fn is_of_sensible_length(candidate: &SignalCandidate) -> bool {
    let SignalCandidate { candidate, sdp_mid, ufrag, .. } = candidate;
    let is_within = |text: &Option<String>, limit| text.as_ref().is_none_or(|text| text.len() <= limit);
    candidate.len() <= MAX_CANDIDATE_BYTES
        && is_within(sdp_mid, MAX_MID_BYTES)
        && is_within(ufrag, MAX_UFRAG_BYTES)
}

/// Appends an item, and drops the oldest one if the queue is full.
fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    if queue.len() >= limit {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(ufrag: &str, number: usize) -> SignalCandidate {
        SignalCandidate {
            candidate: format!("candidate:{number}"),
            sdp_mid: Some("0".to_owned()),
            sdp_m_line_index: Some(0),
            ufrag: Some(ufrag.to_owned()),
        }
    }

    fn ufrags(ufrag: &str) -> Ufrags {
        Ufrags::of_sdp(&format!("a=ice-ufrag:{ufrag}\n"))
    }

    #[test]
    fn candidates_wait_for_their_description_and_keep_their_order() {
        let mut remote = RemoteCandidates::default();
        remote.push(candidate("one", 1));
        remote.push(candidate("one", 2));
        assert_eq!(remote.pop_addable(), None);
        remote.handle_described(ufrags("one"));
        assert_eq!(remote.pop_addable(), Some(candidate("one", 1)));
        assert_eq!(remote.pop_addable(), Some(candidate("one", 2)));
        assert_eq!(remote.pop_addable(), None);
    }

    #[test]
    fn a_candidate_of_a_later_description_does_not_block_those_of_the_current_one() {
        let mut remote = RemoteCandidates::default();
        remote.handle_described(ufrags("one"));
        remote.push(candidate("two", 1));
        remote.push(candidate("one", 2));
        assert_eq!(remote.pop_addable(), Some(candidate("one", 2)));
        assert_eq!(remote.pop_addable(), None);
        remote.handle_described(ufrags("two"));
        assert_eq!(remote.pop_addable(), Some(candidate("two", 1)));
    }

    #[test]
    fn candidates_of_a_past_ice_generation_are_dropped() {
        let mut remote = RemoteCandidates::default();
        remote.handle_described(ufrags("one"));
        remote.push(candidate("one", 1));
        remote.handle_described(ufrags("two"));
        remote.push(candidate("one", 2));
        assert_eq!(remote.waiting.len(), 0);
    }

    #[test]
    fn candidates_of_an_ignored_offer_are_dropped_when_the_exchange_is_over() {
        let mut remote = RemoteCandidates::default();
        remote.handle_offer_ignored(ufrags("ignored"));
        remote.push(candidate("ignored", 1));
        remote.handle_described(ufrags("answer"));
        remote.push(candidate("ignored", 2));
        assert_eq!(remote.waiting.len(), 0);
    }

    #[test]
    fn candidates_of_an_ignored_offer_are_added_when_the_answer_reuses_its_fragment() {
        let mut remote = RemoteCandidates::default();
        remote.handle_offer_ignored(ufrags("reused"));
        remote.push(candidate("reused", 1));
        remote.handle_described(ufrags("reused"));
        assert_eq!(remote.pop_addable(), Some(candidate("reused", 1)));
    }

    #[test]
    fn a_repeated_candidate_waits_once() {
        let mut remote = RemoteCandidates::default();
        remote.push(candidate("one", 1));
        remote.push(candidate("one", 1));
        assert_eq!(remote.waiting.len(), 1);
    }

    #[test]
    fn the_oldest_waiting_candidate_makes_room() {
        let mut remote = RemoteCandidates::default();
        for number in 0..=MAX_REMOTE_CANDIDATES {
            remote.push(candidate("one", number));
        }
        assert_eq!(remote.waiting.len(), MAX_REMOTE_CANDIDATES);
        remote.handle_described(ufrags("one"));
        assert_eq!(remote.pop_addable(), Some(candidate("one", 1)));
    }

    #[test]
    fn an_oversized_candidate_is_not_queued() {
        let mut remote = RemoteCandidates::default();
        let usual = candidate("one", 1);
        let long = |bytes: usize| "x".repeat(bytes + 1);
        remote.push(SignalCandidate { candidate: long(MAX_CANDIDATE_BYTES), ..usual.clone() });
        remote.push(SignalCandidate { sdp_mid: Some(long(MAX_MID_BYTES)), ..usual.clone() });
        remote.push(SignalCandidate { ufrag: Some(long(MAX_UFRAG_BYTES)), ..usual.clone() });
        assert_eq!(remote.waiting.len(), 0);
        remote.push(usual);
        assert_eq!(remote.waiting.len(), 1);
    }

    #[test]
    fn the_browser_gets_each_candidate_once_and_a_bounded_number_of_them() {
        let mut remote = RemoteCandidates::default();
        remote.handle_described(ufrags("one"));
        let mut added = 0;
        for number in 0..10_000 {
            remote.push(candidate("one", number));
            remote.push(candidate("one", number / 2));
            while remote.pop_addable().is_some() {
                added += 1;
            }
        }
        assert_eq!((added, remote.added.len()), (MAX_ADDED_CANDIDATES, MAX_ADDED_CANDIDATES));
        assert!(remote.waiting.len() <= MAX_REMOTE_CANDIDATES);
        remote.handle_described(ufrags("two"));
        remote.push(candidate("two", 1));
        assert_eq!(remote.pop_addable(), Some(candidate("two", 1)), "a new description resets the bound");
    }

    #[test]
    fn the_memory_of_past_fragments_is_bounded() {
        let mut remote = RemoteCandidates::default();
        for number in 0..1000 {
            remote.handle_described(ufrags(&format!("u{number}")));
        }
        assert_eq!(remote.stale.len(), MAX_STALE_UFRAGS);
    }
}
