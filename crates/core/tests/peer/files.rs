//! Bulk links of one peer.

use std::time::Duration;

use sightline_core::{
    link::LinkEvent,
    peer::{FileLoad, PeerOutput},
};
use sightline_protocol::{
    ConnectionId,
    control::{ControlMessage, PublishedState},
    signaling::DescriptionKind,
};

use crate::page::{Page, closed, description, failure, opened, opened_for_files, operation_on};

const SECOND: Duration = Duration::from_secs(1);
const LOAD: FileLoad = FileLoad { remaining_bytes: 1 << 30, is_sending: true, receivers: 1, is_call: false };

#[test]
fn links_for_files_are_opened_once_the_path_is_known_to_be_long_and_negotiated_over_the_link_in_use() {
    let (mut page, link) = Page::leading().connected();
    page.load = LOAD;
    let outputs = page.pass(SECOND);
    assert!(outputs.contains(&PeerOutput::RoundTripKnown));
    let for_files = opened_for_files(&outputs);
    assert_eq!(for_files.len(), 4, "a few at once");
    assert_eq!(page.peer.bulk_links(), 4);
    let first = for_files[0];
    page.peer.handle_link(first, LinkEvent::NegotiationNeeded, page.now);
    let (id, operation) = operation_on(first, &page.outputs()).expect("an offer");
    page.complete(first, id, &operation);
    let outputs = page.outputs();
    assert!(
        matches!(outputs[..], [PeerOutput::SendControl(on, ControlMessage::BulkSignal { .. })] if on == link),
        "{outputs:?}"
    );
}

#[test]
fn only_the_first_offer_of_the_member_opens_a_link_for_files() {
    let (mut page, link) = Page::leading().connected();
    let signal = |kind, exchange| ControlMessage::BulkSignal {
        connection: ConnectionId::from_random(4),
        payload: description(kind, exchange),
    };
    assert_eq!(page.hear(link, signal(DescriptionKind::Answer, 1)), []);
    assert_eq!(page.hear(link, signal(DescriptionKind::Offer, 2)), [], "it is about a link that is closed");
    let outputs = page.hear(link, signal(DescriptionKind::Offer, 1));
    assert_eq!(opened_for_files(&outputs).len(), 1);
    assert_eq!(opened_for_files(&page.hear(link, signal(DescriptionKind::Offer, 1))), []);
}

#[test]
fn links_for_files_end_with_the_link_that_they_were_opened_over() {
    let (mut page, link) = Page::leading().connected();
    page.load = LOAD;
    let mut ended = opened_for_files(&page.pass(SECOND));
    page.cut(link);
    let next = opened(&page.pass(5 * SECOND))[0].0;
    page.bring_up(next);
    let outputs = page.hear(next, ControlMessage::State(PublishedState::default()));
    ended.insert(0, link);
    assert_eq!(closed(&outputs), ended);
    assert_eq!(page.peer.bulk_links(), 0);
    assert!(!opened_for_files(&page.pass(2 * SECOND)).is_empty(), "they are opened again over the next one");
}

#[test]
fn a_closed_link_for_files_is_reported_and_not_reopened_at_once() {
    let (mut page, _) = Page::leading().connected();
    page.load = LOAD;
    let lost = opened_for_files(&page.pass(SECOND))[0];
    page.peer.handle_link(lost, LinkEvent::BulkClosed, page.now);
    assert_eq!(page.outputs(), [PeerOutput::BulkLinkLost, PeerOutput::CloseLink(lost)]);
    page.peer.handle_link(lost, LinkEvent::BulkClosed, page.now);
    assert_eq!(page.outputs(), [], "it is closed");
    assert_eq!(opened_for_files(&page.pass(15 * SECOND)), []);
}

#[test]
fn a_link_for_files_whose_negotiation_breaks_is_closed_and_the_cause_reported() {
    let (mut page, link) = Page::leading().connected();
    page.load = LOAD;
    let for_files = opened_for_files(&page.pass(SECOND));
    for id in &for_files[..2] {
        let offer = page.begin_offer(*id);
        let outputs = page.fail(*id, offer);
        assert_eq!(outputs, [PeerOutput::NegotiationBroken(*id, failure()), PeerOutput::CloseLink(*id)]);
    }
    assert_eq!(page.peer.bulk_links(), 2);
    assert!(page.peer.is_in_use(link));
}

#[test]
fn files_are_paced_during_a_call_and_not_without_one() {
    let (mut page, _) = Page::leading().connected();
    page.load = LOAD;
    page.pass(SECOND);
    assert_eq!(page.peer.allow_files(1 << 20, false, page.now).bytes, 1 << 20);
    let allowed = page.peer.allow_files(1 << 20, true, page.now);
    assert!(allowed.bytes < 10_000, "{allowed:?}");
    page.peer.handle_files_sent(allowed, allowed.bytes);
    assert!(page.peer.poll_timeout(LOAD.remaining_bytes).is_some_and(|due| due <= page.now + SECOND));
}
