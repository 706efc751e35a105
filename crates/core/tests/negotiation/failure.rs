//! Operations that the browser refuses.

use std::time::Duration;

use sightline_core::negotiation::{NegotiatorOutput, Operation, OperationId, Role::*};
use sightline_protocol::signaling::SignalPayload;

use crate::driver::{Driver, answer, candidate, description, offer, sent};

/// A negotiator for each kind of description operation under way.
fn drivers_with_a_description_under_way() -> Vec<(&'static str, Driver, OperationId)> {
    let mut offering = Driver::new(Offerer);
    offering.need();
    let local_offer = offering.started(&Operation::SetLocalOffer { ice_restart: false });

    let mut applying_offer = Driver::new(Answerer);
    applying_offer.hear(offer(1, "other1"));
    let remote_offer =
        applying_offer.started(&Operation::SetRemoteDescription(description(offer(1, "other1"))));

    let mut answering = Driver::new(Answerer);
    answering.hear(offer(1, "other1"));
    let applied = answering.started(&Operation::SetRemoteDescription(description(offer(1, "other1"))));
    answering.done(applied);
    let local_answer = answering.started(&Operation::SetLocalAnswer);

    let mut applying_answer = Driver::with_pending_offer();
    applying_answer.hear(answer(1, "other1"));
    let remote_answer =
        applying_answer.started(&Operation::SetRemoteDescription(description(answer(1, "other1"))));

    vec![
        ("own offer", offering, local_offer),
        ("remote offer", applying_offer, remote_offer),
        ("own answer", answering, local_answer),
        ("remote answer", applying_answer, remote_answer),
    ]
}

#[test]
fn a_refused_description_breaks_the_connection_for_every_error() {
    for name in ["InvalidStateError", "OperationError", "RTCError"] {
        for (what, mut driver, id) in drivers_with_a_description_under_way() {
            let failure = driver.failed(id, name);
            assert_eq!(driver.outputs(), [NegotiatorOutput::Broken(failure)], "{what}");
        }
    }
}

#[test]
fn a_broken_connection_has_no_further_output() {
    for (what, mut driver, id) in drivers_with_a_description_under_way() {
        driver.failed(id, "OperationError");
        driver.outputs();
        driver.need();
        driver.restart_ice();
        driver.gather(candidate("own1", 1));
        for exchange in 0..4 {
            driver.hear(offer(exchange, "other1"));
            driver.hear(answer(exchange, "other1"));
        }
        driver.hear(SignalPayload::Candidate(candidate("other1", 1)));
        driver.done(id);
        driver.negotiator.handle_path_restored(driver.now);
        driver.pass(Duration::from_secs(600));
        assert_eq!(driver.negotiator.poll_timeout(), None, "{what}");
        assert_eq!(driver.outputs(), [], "{what}");
    }
}

#[test]
fn a_completed_local_description_without_sdp_breaks_the_connection() {
    for (what, mut driver, id) in drivers_with_a_description_under_way() {
        driver.done(id);
        let broken = matches!(driver.outputs()[..], [NegotiatorOutput::Broken(_)]);
        assert_eq!(broken, what.starts_with("own"), "{what}");
    }
}

#[test]
fn a_candidate_that_the_browser_refuses_is_skipped() {
    for name in ["InvalidStateError", "OperationError", "TypeError"] {
        let mut driver = Driver::after_own_offer();
        driver.hear(SignalPayload::Candidate(candidate("other1", 1)));
        driver.hear(SignalPayload::Candidate(candidate("other1", 2)));
        let refused = driver.started(&Operation::AddIceCandidate(candidate("other1", 1)));
        driver.failed(refused, name);
        let next = driver.started(&Operation::AddIceCandidate(candidate("other1", 2)));
        driver.done(next);
        driver.need();
        driver.offer("own1");
    }
}

#[test]
fn exchange_numbers_do_not_overflow() {
    let mut driver = Driver::new(Offerer);
    driver.hear(offer(u32::MAX, "other1"));
    driver.apply_and_answer(offer(u32::MAX, "other1"), "own1");
    assert_eq!(driver.outputs(), [sent(answer(u32::MAX, "own1"))]);
    driver.need();
    driver.offer("own1");
    assert_eq!(driver.outputs(), [sent(offer(u32::MAX, "own1"))]);
}
