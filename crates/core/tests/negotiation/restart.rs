//! Restarting ICE.

use sightline_core::negotiation::{Operation, Role::*};

use crate::driver::{Driver, answer, description, offer, sent};

const RESTART: Operation = Operation::SetLocalOffer { ice_restart: true };

#[test]
fn a_restart_is_offered_at_once_in_stable() {
    let mut driver = Driver::after_own_offer();
    driver.restart_ice();
    let offering = driver.started(&RESTART);
    driver.described(offering, "own2");
    assert_eq!(driver.outputs(), [sent(offer(2, "own2"))]);
}

#[test]
fn a_restart_wanted_during_an_exchange_is_done_after_it() {
    let mut driver = Driver::after_remote_offer();
    driver.hear(offer(2, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(offer(2, "other1"))));
    driver.restart_ice();
    driver.done(applying);
    let answering = driver.started(&Operation::SetLocalAnswer);
    driver.described(answering, "own1");
    assert_eq!(driver.negotiator.poll_output(), Some(sent(answer(2, "own1"))));
    driver.started(&RESTART);
}

#[test]
fn a_restart_wanted_before_the_first_exchange_is_done_after_it() {
    let mut driver = Driver::new(Offerer);
    driver.restart_ice();
    assert_eq!(driver.outputs(), []);
    driver.need();
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(1, "own1"))]);
    driver.hear(answer(1, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(answer(1, "other1"))));
    driver.done(applying);
    driver.started(&RESTART);
}

#[test]
fn only_one_restart_is_outstanding_at_a_time() {
    let mut driver = Driver::after_own_offer();
    driver.restart_ice();
    driver.restart_ice();
    let offering = driver.started(&RESTART);
    driver.restart_ice();
    driver.described(offering, "own2");
    driver.restart_ice();
    driver.hear(answer(2, "other2"));
    assert_eq!(driver.negotiator.poll_output(), Some(sent(offer(2, "own2"))));
    let applying = driver.started(&Operation::SetRemoteDescription(description(answer(2, "other2"))));
    driver.restart_ice();
    driver.done(applying);
    assert_eq!(driver.outputs(), []);
    driver.restart_ice();
    driver.started(&RESTART);
}

#[test]
fn a_rolled_back_restart_is_offered_again() {
    let mut driver = Driver::after_own_offer();
    driver.restart_ice();
    let offering = driver.started(&RESTART);
    driver.described(offering, "own2");
    assert_eq!(driver.outputs(), [sent(offer(2, "own2"))]);
    driver.hear(offer(2, "other1"));
    driver.apply_and_answer(offer(2, "other1"), "own1");
    assert_eq!(driver.negotiator.poll_output(), Some(sent(answer(2, "own1"))));
    driver.started(&RESTART);
}

#[test]
fn a_restart_that_was_rolled_back_for_the_other_sides_restart_is_done() {
    let mut driver = Driver::after_own_offer();
    driver.restart_ice();
    let offering = driver.started(&RESTART);
    driver.described(offering, "own2");
    assert_eq!(driver.outputs(), [sent(offer(2, "own2"))]);
    driver.hear(offer(2, "other2"));
    driver.apply_and_answer(offer(2, "other2"), "own3");
    assert_eq!(driver.outputs(), [sent(answer(2, "own3"))]);
}
