//! The departure of a member.

use std::time::Duration;

use sightline_core::{
    link::LinkEvent,
    peer::{FileLoad, LinkState, PeerOutput},
};
use sightline_protocol::{InstanceId, Member, control::ControlMessage};

use crate::page::{Page, closed, member, opened, opened_for_files};

const SECOND: Duration = Duration::from_secs(1);
const LOAD: FileLoad = FileLoad { remaining_bytes: 1 << 30, is_sending: true, receivers: 1, is_call: false };

/// Checks that no input causes an output of a member that is gone.
fn assert_is_gone(page: &mut Page) {
    let link = page.peer.open_link();
    assert_eq!(link, None);
    page.peer.handle_present(member(), page.now);
    page.peer.handle_left(page.now);
    page.peer.handle_away(page.now);
    page.peer.end();
    assert_eq!(page.offer(7), []);
    page.peer.tend_files(LOAD, page.now);
    assert_eq!(page.pass(600 * SECOND), []);
    assert_eq!(page.peer.poll_timeout(1), None);
}

#[test]
fn a_member_that_the_server_lost_stays_while_its_link_works_and_so_do_its_files() {
    let (mut page, link) = Page::leading().connected();
    page.load = LOAD;
    let for_files = opened_for_files(&page.pass(SECOND));
    page.peer.handle_left(page.now);
    assert_eq!(page.outputs(), [PeerOutput::Changed]);
    let outputs = page.pass(10 * SECOND);
    assert!(!outputs.contains(&PeerOutput::Gone));
    assert_eq!(page.state(), LinkState::Connected);

    page.peer.handle_link(link, LinkEvent::ChannelClosed, page.now);
    let outputs = page.outputs();
    assert!(closed(&outputs).contains(&link));
    assert!(for_files.iter().all(|id| !page.peer.has_link(*id)), "{outputs:?}");
    assert!(outputs.contains(&PeerOutput::LinksClosed));
    assert_eq!(outputs.last(), Some(&PeerOutput::Gone));
    assert_is_gone(&mut page);
}

#[test]
fn a_member_says_bye_and_every_link_is_closed_before_it_is_gone() {
    let (mut page, link) = Page::leading().connected();
    page.load = LOAD;
    let mut links = opened_for_files(&page.pass(SECOND));
    assert_eq!(links.len(), 4);
    links.push(link);
    let outputs = page.hear(link, ControlMessage::Bye);
    assert_eq!(closed(&outputs), links);
    assert_eq!(outputs.last(), Some(&PeerOutput::Gone));
    assert_is_gone(&mut page);
}

#[test]
fn a_silent_member_that_a_restarted_server_does_not_know_is_removed_after_30_s() {
    let (mut page, link) = Page::leading().connected();
    page.peer.handle_missing(page.now);
    assert!(!page.pass(120 * SECOND).contains(&PeerOutput::Gone), "its link works");
    page.cut(link);
    assert!(!page.pass(29 * SECOND).contains(&PeerOutput::Gone));
    assert_eq!(page.pass(2 * SECOND).last(), Some(&PeerOutput::Gone));
    assert_is_gone(&mut page);
}

#[test]
fn a_member_without_a_link_goes_at_once() {
    for is_left in [true, false] {
        let mut page = Page::leading();
        page.peer.handle_present(member(), page.now);
        let link = page.opened()[0].0;
        if is_left {
            page.peer.handle_left(page.now);
        } else {
            page.peer.handle_missing(page.now);
        }
        let outputs = page.outputs();
        assert_eq!(closed(&outputs), [link]);
        assert_eq!(outputs.last(), Some(&PeerOutput::Gone));
        assert_is_gone(&mut page);
    }
}

#[test]
fn a_new_page_of_the_member_keeps_no_link_of_the_old_one() {
    let (mut page, link) = Page::leading().connected();
    page.load = LOAD;
    let mut links = opened_for_files(&page.pass(SECOND));
    links.push(link);
    let again = Member { instance: InstanceId::new("page2").unwrap(), ..member() };
    assert!(page.peer.is_new_page(&again));
    page.peer.handle_new_page(again.clone(), page.peer.view().standing);
    page.peer.handle_present(again, page.now);
    let outputs = page.outputs();
    assert_eq!(closed(&outputs), links);
    assert_eq!(opened(&outputs).len(), 1);
    assert_eq!(page.state(), LinkState::Connecting);
}
