//! Two offers at once. The polite side is the one that made the first offer of the connection.

use sightline_core::negotiation::{Operation, Role::*};
use sightline_protocol::signaling::SignalPayload;

use crate::driver::{Driver, answer, candidate, description, offer, sent};

#[test]
fn a_polite_side_applies_a_colliding_offer_and_makes_its_own_offer_afterwards() {
    let mut driver = Driver::with_second_offer_pending(Offerer);
    driver.hear(offer(2, "other1"));
    driver.apply_and_answer(offer(2, "other1"), "own1");
    assert_eq!(driver.outputs(), [sent(answer(2, "own1"))]);
    assert_eq!(driver.negotiator.poll_timeout(), None, "the rolled-back offer is not repeated");
    // The browser checks again in `stable`.
    driver.need();
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(3, "own1"))]);
}

#[test]
fn an_impolite_side_ignores_a_colliding_offer() {
    let mut driver = Driver::with_second_offer_pending(Answerer);
    driver.hear(offer(2, "other1"));
    assert_eq!(driver.outputs(), []);
    driver.hear(answer(2, "other2"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(answer(2, "other2"))));
    driver.done(applying);
    assert_eq!(driver.outputs(), []);
}

#[test]
fn an_offer_that_arrives_while_a_local_one_is_being_made_collides_with_it() {
    let mut impolite = Driver::after_remote_offer();
    impolite.need();
    let offering = impolite.started(&Operation::SetLocalOffer { ice_restart: false });
    impolite.hear(offer(2, "other1"));
    impolite.described(offering, "own1");
    assert_eq!(impolite.outputs(), [sent(offer(2, "own1"))]);

    let mut polite = Driver::after_own_offer();
    polite.need();
    let offering = polite.started(&Operation::SetLocalOffer { ice_restart: false });
    polite.hear(offer(2, "other1"));
    polite.described(offering, "own1");
    assert_eq!(polite.negotiator.poll_output(), Some(sent(offer(2, "own1"))));
    polite.apply_and_answer(offer(2, "other1"), "own1");
    assert_eq!(polite.outputs(), [sent(answer(2, "own1"))]);
}

#[test]
fn candidates_of_an_ignored_offer_are_not_added() {
    let mut driver = Driver::with_second_offer_pending(Answerer);
    driver.hear(offer(2, "ignored"));
    driver.hear(SignalPayload::Candidate(candidate("ignored", 1)));
    driver.hear(SignalPayload::Candidate(candidate("other1", 2)));
    let adding = driver.started(&Operation::AddIceCandidate(candidate("other1", 2)));
    driver.done(adding);
    assert_eq!(driver.outputs(), []);
}

#[test]
fn a_late_answer_to_a_rolled_back_offer_is_dropped() {
    let mut driver = Driver::with_second_offer_pending(Offerer);
    driver.hear(offer(2, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(offer(2, "other1"))));
    driver.hear(answer(2, "other1"));
    driver.done(applying);
    let answering = driver.started(&Operation::SetLocalAnswer);
    driver.hear(answer(2, "other1"));
    driver.described(answering, "own2");
    driver.hear(answer(2, "other1"));
    assert_eq!(driver.outputs(), [sent(answer(2, "own2"))]);
}

#[test]
fn a_late_copy_of_an_ignored_offer_is_dropped() {
    let mut driver = Driver::with_second_offer_pending(Answerer);
    driver.hear(offer(2, "other1"));
    driver.hear(answer(2, "other2"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(answer(2, "other2"))));
    driver.done(applying);
    driver.hear(offer(2, "other1"));
    assert_eq!(driver.outputs(), []);
}

/// This only looks like a collision: the other side has applied the local offer, so a rollback would leave the two sides with
/// different agreed descriptions.
#[test]
fn a_pending_offer_is_not_rolled_back_for_an_offer_that_proves_its_answer() {
    for role in [Offerer, Answerer] {
        let mut driver = Driver::with_second_offer_pending(role);
        driver.hear(offer(3, "other1"));
        assert_eq!(driver.outputs(), []);
        driver.hear(answer(2, "other1"));
        let applying = driver.started(&Operation::SetRemoteDescription(description(answer(2, "other1"))));
        driver.done(applying);
        driver.apply_and_answer(offer(3, "other1"), "own1");
        assert_eq!(driver.outputs(), [sent(answer(3, "own1"))]);
    }
}
