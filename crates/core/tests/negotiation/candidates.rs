//! ICE candidates and the descriptions that they belong to.

use std::time::Duration;

use sightline_core::negotiation::{Operation, Role::*};
use sightline_protocol::signaling::{SignalCandidate, SignalPayload};

use crate::driver::{Driver, answer, candidate, description, offer, sent, sent_candidate};

#[test]
fn a_candidate_before_its_offer_is_added_after_the_answer() {
    let mut driver = Driver::new(Answerer);
    driver.hear(SignalPayload::Candidate(candidate("other1", 1)));
    assert_eq!(driver.outputs(), []);
    driver.hear(offer(1, "other1"));
    driver.apply_and_answer(offer(1, "other1"), "own1");
    assert_eq!(driver.negotiator.poll_output(), Some(sent(answer(1, "own1"))));
    driver.started(&Operation::AddIceCandidate(candidate("other1", 1)));
}

#[test]
fn the_end_of_candidates_is_added_like_a_candidate() {
    let mut driver = Driver::after_own_offer();
    let end = SignalCandidate { candidate: String::new(), ..candidate("other1", 0) };
    driver.hear(SignalPayload::Candidate(end.clone()));
    driver.started(&Operation::AddIceCandidate(end));
}

#[test]
fn a_candidate_without_a_fragment_is_added_to_the_current_description() {
    let anonymous = SignalCandidate { ufrag: None, ..candidate("", 1) };
    let mut driver = Driver::with_pending_offer();
    driver.hear(SignalPayload::Candidate(anonymous.clone()));
    assert_eq!(driver.outputs(), [], "nothing is set");
    driver.hear(answer(1, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(answer(1, "other1"))));
    driver.done(applying);
    driver.started(&Operation::AddIceCandidate(anonymous));
}

#[test]
fn a_candidate_of_a_restart_that_is_not_known_yet_waits_for_its_offer() {
    let mut driver = Driver::after_remote_offer();
    driver.hear(SignalPayload::Candidate(candidate("other2", 1)));
    assert_eq!(driver.outputs(), []);
    driver.hear(offer(2, "other2"));
    driver.apply_and_answer(offer(2, "other2"), "own2");
    assert_eq!(driver.negotiator.poll_output(), Some(sent(answer(2, "own2"))));
    driver.started(&Operation::AddIceCandidate(candidate("other2", 1)));
}

#[test]
fn a_candidate_from_before_a_restart_is_dropped() {
    let mut driver = Driver::after_remote_offer();
    driver.hear(offer(2, "other2"));
    driver.apply_and_answer(offer(2, "other2"), "own2");
    driver.outputs();
    driver.hear(SignalPayload::Candidate(candidate("other1", 1)));
    assert_eq!(driver.outputs(), []);
}

#[test]
fn local_candidates_never_overtake_their_description() {
    let mut driver = Driver::new(Offerer);
    driver.need();
    let offering = driver.started(&Operation::SetLocalOffer { ice_restart: false });
    driver.gather(candidate("own1", 1));
    assert_eq!(driver.outputs(), []);
    driver.described(offering, "own1");
    driver.gather(candidate("own1", 2));
    assert_eq!(
        driver.outputs(),
        [sent(offer(1, "own1")), sent_candidate(candidate("own1", 1)), sent_candidate(candidate("own1", 2))]
    );
}

#[test]
fn candidates_of_an_older_ice_generation_are_not_repeated() {
    let mut driver = Driver::after_remote_offer();
    driver.gather(candidate("own1", 1));
    driver.hear(offer(2, "other2"));
    assert_eq!(driver.negotiator.poll_output(), Some(sent_candidate(candidate("own1", 1))));
    driver.apply_and_answer(offer(2, "other2"), "own2");
    driver.gather(candidate("own2", 2));
    driver.outputs();
    driver.pass(Duration::from_secs(3));
    driver.hear(offer(2, "other2"));
    assert_eq!(driver.outputs(), [sent(answer(2, "own2")), sent_candidate(candidate("own2", 2))]);
}

#[test]
fn the_number_of_local_candidates_kept_for_repetition_is_bounded() {
    let mut driver = Driver::after_own_offer();
    for number in 0..1000 {
        driver.gather(candidate("own1", number));
        driver.outputs();
    }
    driver.negotiator.handle_path_restored(driver.now);
    let repeated = driver.outputs();
    assert_eq!(repeated.len(), 64);
    assert_eq!(repeated.last(), Some(&sent_candidate(candidate("own1", 999))));
}
