//! The order of offers and answers, one operation at a time.

use sightline_core::negotiation::{Operation, OperationId, Role::*};

use crate::driver::{Driver, answer, candidate, description, offer, sent};
use sightline_protocol::signaling::SignalPayload;

#[test]
fn an_offerer_offers_when_negotiation_is_needed() {
    let mut driver = Driver::new(Offerer);
    assert_eq!(driver.outputs(), []);
    driver.need();
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(1, "own1"))]);
}

#[test]
fn an_answerer_makes_no_offer_before_it_has_answered_one() {
    let mut driver = Driver::new(Answerer);
    driver.need();
    assert_eq!(driver.outputs(), []);
    driver.hear(offer(1, "other1"));
    driver.apply_and_answer(offer(1, "other1"), "own1");
    assert_eq!(driver.outputs(), [sent(answer(1, "own1"))]);
    driver.need();
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(2, "own1"))]);
}

#[test]
fn an_answerer_that_needs_negotiation_while_it_answers_offers_afterwards() {
    let mut driver = Driver::new(Answerer);
    driver.hear(offer(1, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(offer(1, "other1"))));
    driver.done(applying);
    let answering = driver.started(&Operation::SetLocalAnswer);
    driver.need();
    driver.described(answering, "own1");
    let outputs = driver.outputs();
    assert_eq!(outputs.len(), 2);
    assert_eq!(outputs[0], sent(answer(1, "own1")));
    driver.described(OperationId(2), "own1");
    assert_eq!(driver.outputs(), [sent(offer(2, "own1"))]);
}

#[test]
fn an_offer_during_a_pending_answer_is_answered_after_it() {
    for role in [Offerer, Answerer] {
        let mut driver = Driver::with_second_offer_pending(role);
        driver.hear(answer(2, "other1"));
        let applying = driver.started(&Operation::SetRemoteDescription(description(answer(2, "other1"))));
        driver.hear(offer(3, "other1"));
        assert_eq!(driver.outputs(), []);
        driver.done(applying);
        driver.apply_and_answer(offer(3, "other1"), "own1");
        assert_eq!(driver.outputs(), [sent(answer(3, "own1"))]);
    }
}

#[test]
fn negotiation_needed_during_a_pending_answer_leads_to_an_offer_after_it() {
    let mut driver = Driver::with_pending_offer();
    driver.hear(answer(1, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(answer(1, "other1"))));
    driver.need();
    driver.done(applying);
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(2, "own1"))]);
}

#[test]
fn negotiation_needed_while_a_candidate_is_added_leads_to_an_offer_after_it() {
    let mut driver = Driver::after_own_offer();
    driver.hear(SignalPayload::Candidate(candidate("other1", 1)));
    let adding = driver.started(&Operation::AddIceCandidate(candidate("other1", 1)));
    driver.need();
    assert_eq!(driver.outputs(), []);
    driver.done(adding);
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(2, "own1"))]);
}

#[test]
fn a_waiting_offer_is_answered_before_a_local_one_is_made() {
    let mut driver = Driver::after_own_offer();
    driver.hear(SignalPayload::Candidate(candidate("other1", 1)));
    let adding = driver.started(&Operation::AddIceCandidate(candidate("other1", 1)));
    driver.need();
    driver.hear(offer(2, "other1"));
    driver.done(adding);
    driver.apply_and_answer(offer(2, "other1"), "own1");
    assert_eq!(driver.negotiator.poll_output(), Some(sent(answer(2, "own1"))));
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(3, "own1"))]);
}

#[test]
fn an_answer_that_arrives_while_a_candidate_is_being_added_is_applied_after_it() {
    let mut driver = Driver::after_own_offer();
    driver.need();
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(2, "own1"))]);
    driver.hear(SignalPayload::Candidate(candidate("other1", 1)));
    let adding = driver.started(&Operation::AddIceCandidate(candidate("other1", 1)));
    driver.hear(answer(2, "other1"));
    assert_eq!(driver.outputs(), []);
    driver.done(adding);
    driver.started(&Operation::SetRemoteDescription(description(answer(2, "other1"))));
}

#[test]
fn a_completion_with_a_stale_id_is_ignored() {
    let mut driver = Driver::new(Offerer);
    driver.need();
    let offering = driver.started(&Operation::SetLocalOffer { ice_restart: false });
    driver.failed(OperationId(offering.0 + 1), "InvalidStateError");
    assert_eq!(driver.outputs(), []);
    driver.described(offering, "own1");
    assert_eq!(driver.outputs(), [sent(offer(1, "own1"))]);
    driver.failed(offering, "InvalidStateError");
    assert_eq!(driver.outputs(), []);
}
