//! Signals that never arrive, arrive twice, or arrive too late.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    negotiation::{Operation, Role::*},
};
use sightline_protocol::signaling::SignalPayload;

use crate::driver::{Driver, answer, candidate, description, offer, sent, sent_candidate};

#[test]
fn an_unanswered_offer_is_repeated_with_its_candidates_at_growing_intervals() {
    for role in [Offerer, Answerer] {
        let mut driver = Driver::with_second_offer_pending(role);
        driver.gather(candidate("own1", 1));
        assert_eq!(driver.outputs(), [sent_candidate(candidate("own1", 1))]);
        for wait in [3, 6, 12, 24, 24].map(Duration::from_secs) {
            assert_eq!(driver.negotiator.poll_timeout(), Some(driver.now + wait));
            driver.pass(wait - Duration::from_millis(1));
            assert_eq!(driver.outputs(), []);
            driver.pass(Duration::from_millis(1));
            assert_eq!(driver.outputs(), [sent(offer(2, "own1")), sent_candidate(candidate("own1", 1))]);
        }
    }
}

#[test]
fn an_answered_offer_is_not_repeated() {
    let mut driver = Driver::with_pending_offer();
    driver.hear(answer(1, "other1"));
    driver.started(&Operation::SetRemoteDescription(description(answer(1, "other1"))));
    assert_eq!(driver.negotiator.poll_timeout(), None, "the answer is here, only not applied yet");
    driver.pass(Duration::from_secs(60));
    driver.negotiator.handle_path_restored(driver.now);
    assert_eq!(driver.outputs(), []);
}

#[test]
fn a_restored_path_repeats_the_pending_offer_at_once_and_resets_the_interval() {
    let mut driver = Driver::with_pending_offer();
    driver.gather(candidate("own1", 1));
    driver.pass(Duration::from_secs(3));
    driver.outputs();
    driver.pass(Duration::from_secs(1));
    driver.negotiator.handle_path_restored(driver.now);
    assert_eq!(driver.outputs(), [sent(offer(1, "own1")), sent_candidate(candidate("own1", 1))]);
    assert_eq!(driver.negotiator.poll_timeout(), Some(Timestamp::from_origin(Duration::from_secs(7))));
}

#[test]
fn a_restored_path_repeats_the_candidates_of_the_agreed_description() {
    let mut driver = Driver::after_own_offer();
    driver.gather(candidate("own1", 1));
    driver.outputs();
    driver.negotiator.handle_path_restored(driver.now);
    assert_eq!(driver.outputs(), [sent_candidate(candidate("own1", 1))]);
}

#[test]
fn a_repeated_offer_is_answered_with_the_stored_answer_and_its_candidates() {
    let mut driver = Driver::after_remote_offer();
    driver.gather(candidate("own1", 1));
    driver.outputs();
    driver.pass(Duration::from_secs(3));
    driver.hear(offer(1, "other1"));
    assert_eq!(driver.outputs(), [sent(answer(1, "own1")), sent_candidate(candidate("own1", 1))]);
}

#[test]
fn a_repeated_offer_is_answered_again_while_a_local_one_is_pending() {
    let mut driver = Driver::with_second_offer_pending(Answerer);
    driver.pass(Duration::from_secs(2));
    driver.hear(offer(1, "other1"));
    assert_eq!(driver.outputs(), [sent(answer(1, "own1"))]);
}

#[test]
fn copies_of_an_offer_do_not_multiply_the_answer() {
    let mut driver = Driver::after_remote_offer();
    driver.pass(Duration::from_secs(3));
    for _ in 0..100 {
        driver.hear(offer(1, "other1"));
    }
    assert_eq!(driver.outputs(), [sent(answer(1, "own1"))]);
}

#[test]
fn a_copy_of_the_offer_that_is_being_answered_changes_nothing() {
    let mut driver = Driver::new(Answerer);
    driver.hear(offer(1, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(offer(1, "other1"))));
    driver.hear(offer(1, "other1"));
    driver.done(applying);
    let answering = driver.started(&Operation::SetLocalAnswer);
    driver.hear(offer(1, "other1"));
    driver.described(answering, "own1");
    assert_eq!(driver.outputs(), [sent(answer(1, "own1"))]);
}

#[test]
fn an_offer_older_than_the_last_answered_one_is_dropped() {
    let mut driver = Driver::after_remote_offer();
    driver.hear(offer(2, "other1"));
    driver.apply_and_answer(offer(2, "other1"), "own1");
    driver.outputs();
    driver.pass(Duration::from_secs(3));
    driver.hear(offer(1, "other1"));
    assert_eq!(driver.outputs(), []);
}

#[test]
fn an_answer_with_another_number_than_the_pending_offer_is_dropped() {
    let mut driver = Driver::after_own_offer();
    driver.hear(answer(1, "other1"));
    driver.need();
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(2, "own1"))]);
    driver.hear(answer(1, "other1"));
    driver.hear(answer(3, "other1"));
    assert_eq!(driver.outputs(), []);
    driver.hear(answer(2, "other1"));
    driver.started(&Operation::SetRemoteDescription(description(answer(2, "other1"))));
}

#[test]
fn a_second_copy_of_an_answer_is_dropped() {
    let mut driver = Driver::with_pending_offer();
    driver.hear(answer(1, "other1"));
    let applying = driver.started(&Operation::SetRemoteDescription(description(answer(1, "other1"))));
    driver.hear(answer(1, "other1"));
    driver.done(applying);
    driver.hear(answer(1, "other1"));
    assert_eq!(driver.outputs(), []);
}

#[test]
fn an_offer_that_proves_a_lost_answer_makes_the_local_offer_go_out_again() {
    for role in [Offerer, Answerer] {
        let mut driver = Driver::with_second_offer_pending(role);
        driver.pass(Duration::from_secs(2));
        driver.hear(offer(3, "other1"));
        assert_eq!(driver.outputs(), [sent(offer(2, "own1"))]);
        driver.hear(offer(3, "other1"));
        assert_eq!(driver.outputs(), [], "not once for every copy");
    }
}

#[test]
fn an_ignored_offer_and_a_lost_one_do_not_block_each_other() {
    let [mut polite, mut impolite] = [Offerer, Answerer].map(Driver::with_second_offer_pending);
    // The impolite side's offer is lost; the polite side's is ignored.
    impolite.hear(offer(2, "own1"));
    assert_eq!(impolite.outputs(), []);
    impolite.pass(Duration::from_secs(3));
    assert_eq!(impolite.outputs(), [sent(offer(2, "own1"))]);
    polite.hear(offer(2, "own1"));
    polite.apply_and_answer(offer(2, "own1"), "own1");
    assert_eq!(polite.outputs(), [sent(answer(2, "own1"))]);
    impolite.hear(answer(2, "own1"));
    let applying = impolite.started(&Operation::SetRemoteDescription(description(answer(2, "own1"))));
    impolite.done(applying);
    assert_eq!(impolite.negotiator.poll_timeout(), None);
    assert_eq!(polite.negotiator.poll_timeout(), None);
}

#[test]
fn the_number_of_waiting_outputs_is_bounded() {
    let mut driver = Driver::after_own_offer();
    for number in 0..10_000 {
        driver.gather(candidate("own1", number));
        driver.hear(SignalPayload::Candidate(candidate("other1", number)));
    }
    assert_eq!(driver.outputs().len(), 512);
}
