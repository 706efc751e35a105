//! Which link is used: the first one, its repair, its replacement, and failed negotiations.

use std::time::Duration;

use sightline_core::{
    budget::Standing,
    link::LinkEvent,
    negotiation::{Operation, OperationId, Role},
    peer::{LinkState, PeerOutput},
    recovery::PeerConnectionState,
};
use sightline_protocol::{
    VerificationStep,
    control::{ControlMessage, PublishedSource, PublishedState},
    signaling::{DescriptionKind, Signal, SignalPayload},
};

use crate::page::{Page, closed, description, failure, member, opened, operation_on};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_later_page_opens_the_first_link_and_the_earlier_one_waits_for_the_offer() {
    let mut page = Page::leading();
    page.peer.handle_present(member(), page.now);
    assert!(matches!(page.opened()[..], [(_, Role::Offerer)]));

    let mut page = Page::following();
    page.peer.handle_present(member(), page.now);
    assert_eq!(page.opened(), []);
    assert_eq!(page.peer.poll_timeout(0), None);
    assert!(matches!(opened(&page.offer(0))[..], [(_, Role::Answerer)]));
}

#[test]
fn the_first_description_tells_what_its_sender_publishes_until_the_channel_does() {
    let shown = |page: &Page| page.peer.view().published;
    let camera = PublishedState { source: PublishedSource::Camera, ..PublishedState::default() };
    let mut page = Page::following();
    page.peer.announce(camera);
    page.peer.handle_present(member(), page.now);
    let SignalPayload::Description(mut offer) = description(DescriptionKind::Offer, 1) else { panic!() };
    offer.published = Some(camera);
    let outputs = page.signal(0, SignalPayload::Description(offer));
    assert!(outputs.contains(&PeerOutput::Changed) && shown(&page) == Some(camera));
    let link = opened(&outputs)[0].0;
    let (id, operation) = operation_on(link, &outputs).expect("the offer is applied");
    page.complete(link, id, &operation);
    let answered = page.perform(link).into_iter().find_map(|output| match output {
        PeerOutput::SendSignal(Signal { payload: SignalPayload::Description(answer), .. }) => {
            answer.published
        }
        _ => None,
    });
    assert_eq!(answered, Some(camera));
    // What the channel says is later.
    let nothing = PublishedState::default();
    page.hear(link, ControlMessage::State(nothing));
    let SignalPayload::Description(mut late) = description(DescriptionKind::Offer, 1) else { panic!() };
    late.published = Some(camera);
    page.signal(0, SignalPayload::Description(late));
    assert_eq!(shown(&page), Some(nothing));
}

#[test]
fn nothing_is_opened_before_signals_can_reach_the_member() {
    let mut page = Page::leading();
    page.peer.handle_signaling(false);
    page.peer.handle_present(member(), page.now);
    assert_eq!(opened(&page.pass(60 * SECOND)), []);
    page.peer.handle_signaling(true);
    assert_eq!(opened(&page.pass(SECOND)).len(), 1);
}

#[test]
fn a_first_link_that_never_comes_up_is_replaced_and_the_second_failure_is_reported() {
    let mut page = Page::leading();
    page.peer.handle_present(member(), page.now);
    let first = page.opened()[0].0;
    let outputs = page.pass(23 * SECOND);
    assert_eq!((closed(&outputs), opened(&outputs).len()), (vec![first], 1));
    assert!(!outputs.contains(&PeerOutput::ConnectionFailed));
    assert!(page.pass(21 * SECOND).contains(&PeerOutput::ConnectionFailed));
    assert_eq!(page.state(), LinkState::Failed);
}

#[test]
fn trouble_is_repaired_by_an_ice_restart_and_then_by_a_second_link() {
    let (mut page, link) = Page::leading().connected();
    assert!(page.cut(link).contains(&PeerOutput::TroubleBegan));
    assert_eq!(page.state(), LinkState::Recovering);
    assert_eq!(operation_on(link, &page.pass(SECOND)), None, "a short cut heals by itself");
    let (_, restart) = operation_on(link, &page.pass(SECOND)).expect("ICE is restarted");
    assert_eq!(restart, Operation::SetLocalOffer { ice_restart: true });
    let outputs = page.pass(2 * SECOND);
    assert!(matches!(opened(&outputs)[..], [(next, Role::Offerer)] if next != link));
    assert_eq!(closed(&outputs), [], "the old link may still heal");
}

#[test]
fn a_later_offer_about_a_link_that_was_given_up_is_not_answered_until_the_next_link_begins() {
    // The link came up for the other side only, which restarts ICE on it.
    let mut page = Page::following();
    page.peer.handle_present(member(), page.now);
    let link = opened(&page.offer(0))[0].0;
    assert_eq!(closed(&page.pass(60 * SECOND)), [link]);
    assert_eq!(opened(&page.offer_exchange(0, 2)), [], "a new peer connection cannot answer for the old one");
    assert!(matches!(opened(&page.offer_exchange(1, 1))[..], [(_, Role::Answerer)]));
}

#[test]
fn the_following_side_repairs_nothing_by_itself() {
    let (mut page, link) = Page::following().connected();
    page.cut(link);
    let outputs = page.pass(120 * SECOND);
    assert_eq!((opened(&outputs), closed(&outputs)), (vec![], vec![]));
    assert_eq!(page.state(), LinkState::Recovering);
}

#[test]
fn the_leading_side_uses_the_next_link_once_something_is_heard_on_it() {
    let (mut page, link) = Page::leading().connected();
    page.cut(link);
    let next = opened(&page.pass(5 * SECOND))[0].0;
    page.bring_up(next);
    assert!(page.peer.is_in_use(link), "nothing was heard on the next one");
    let outputs = page.hear(next, ControlMessage::State(PublishedState::default()));
    let expected = [
        PeerOutput::SendControl(next, ControlMessage::Use),
        PeerOutput::UseLink(next),
        PeerOutput::CloseLink(link),
        PeerOutput::ChannelOpened,
    ];
    assert_eq!(outputs[..4], expected);
    assert!(page.peer.is_in_use(next) && !page.peer.has_link(link));
    assert_eq!(page.state(), LinkState::Connected);
}

#[test]
fn the_following_side_switches_to_the_next_link_on_a_use_message() {
    let (mut page, link) = Page::following().connected();
    let next = opened(&page.offer(1))[0].0;
    page.bring_up(next);
    assert!(page.peer.is_in_use(link));
    let outputs = page.hear(next, ControlMessage::Use);
    assert_eq!(outputs[..2], [PeerOutput::UseLink(next), PeerOutput::CloseLink(link)]);
    assert_eq!(opened(&page.offer(0)), [], "an offer of the generation before is stale");
}

/// A page that took the other one for a new page begins anew, while the other page may still use a link of before.
#[test]
fn the_leading_side_says_that_it_uses_its_first_link_before_anything_else_about_it() {
    let mut page = Page::leading();
    page.peer.handle_present(member(), page.now);
    let link = page.opened()[0].0;
    let outputs = page.bring_up(link);
    let at = |wanted: &PeerOutput| outputs.iter().position(|output| output == wanted);
    let [state, used] = [ControlMessage::State(PublishedState::default()), ControlMessage::Use]
        .map(|message| at(&PeerOutput::SendControl(link, message)));
    assert!(state.is_some() && state < used && used < at(&PeerOutput::ChannelOpened), "{outputs:?}");

    let (mut page, before) = Page::following().connected();
    let next = opened(&page.offer(1))[0].0;
    page.bring_up(next);
    assert!(page.peer.is_in_use(before));
    page.hear(next, ControlMessage::Use);
    assert!(page.peer.is_in_use(next));
    let step = ControlMessage::Verify(VerificationStep::Unknown);
    assert!(page.hear(next, step.clone()).contains(&PeerOutput::Received(step)));
}

#[test]
fn a_link_that_recovers_before_its_successor_is_used_stays() {
    let (mut page, link) = Page::leading().connected();
    page.cut(link);
    let next = opened(&page.pass(5 * SECOND))[0].0;
    page.peer.handle_link(link, LinkEvent::State(PeerConnectionState::Connected), page.now);
    page.bring_up(link);
    let outputs = page.pass(3 * SECOND);
    assert!(outputs.contains(&PeerOutput::SendControl(link, ControlMessage::Use)));
    assert_eq!(closed(&outputs), [next]);
    assert_eq!(page.state(), LinkState::Connected);
}

#[test]
fn a_completion_that_comes_too_late_changes_nothing() {
    let (mut page, link) = Page::leading().connected();
    let offer = page.begin_offer(link);
    page.complete(link, OperationId(offer.0 + 7), &Operation::SetLocalAnswer);
    assert_eq!(page.outputs(), [], "another operation is under way");
    page.peer.handle_link(link, LinkEvent::State(PeerConnectionState::Failed), page.now);
    let next = page.opened()[0].0;
    page.bring_up(next);
    page.hear(next, ControlMessage::State(PublishedState::default()));
    page.complete(link, offer, &Operation::SetLocalOffer { ice_restart: false });
    assert_eq!(page.fail(link, offer), [], "the link is closed");
    page.peer.handle_link(link, LinkEvent::ChannelOpened, page.now);
    page.peer.handle_link(link, LinkEvent::ChannelClosed, page.now);
    page.peer.handle_link(link, LinkEvent::State(PeerConnectionState::Failed), page.now);
    assert_eq!(page.outputs(), []);
    assert_eq!(page.state(), LinkState::Connected);
}

#[test]
fn the_leading_side_reports_a_broken_negotiation_and_opens_a_link_beside_the_working_one() {
    let (mut page, link) = Page::leading().connected();
    let offer = page.begin_offer(link);
    let outputs = page.fail(link, offer);
    assert!(outputs.contains(&PeerOutput::NegotiationBroken(link, failure())));
    assert_eq!((opened(&outputs).len(), closed(&outputs)), (1, vec![]));
    assert_eq!(page.state(), LinkState::Connected);
}

#[test]
fn the_following_side_closes_a_link_whose_negotiation_breaks_so_that_the_leader_notices() {
    let (mut page, link) = Page::following().connected();
    let (applied, _) = operation_on(link, &page.offer_exchange(0, 2)).expect("the offer is applied");
    let outputs = page.fail(link, applied);
    assert!(outputs.contains(&PeerOutput::NegotiationBroken(link, failure())));
    assert_eq!((closed(&outputs), opened(&outputs)), (vec![link], vec![]));
    assert_eq!(opened(&page.offer(1)).len(), 1, "the other side offers the next one");
}

#[test]
fn a_broken_negotiation_of_the_next_link_closes_only_that_link() {
    let (mut page, link) = Page::following().connected();
    let outputs = page.offer(1);
    let next = opened(&outputs)[0].0;
    let (applied, _) = operation_on(next, &outputs).expect("the offer is applied");
    let outputs = page.fail(next, applied);
    assert!(outputs.contains(&PeerOutput::NegotiationBroken(next, failure())));
    assert_eq!(closed(&outputs), [next]);
    assert!(page.peer.is_in_use(link));
}

#[test]
fn a_first_link_whose_negotiation_breaks_is_built_again() {
    let mut page = Page::leading();
    page.peer.handle_present(member(), page.now);
    let link = page.opened()[0].0;
    let offer = page.begin_offer(link);
    let outputs = page.fail(link, offer);
    assert_eq!(outputs[..2], [PeerOutput::NegotiationBroken(link, failure()), PeerOutput::CloseLink(link)]);
    assert_eq!(opened(&page.pass(3 * SECOND)).len(), 1);
}

#[test]
fn a_member_that_is_cut_off_loses_every_link_and_gets_no_other() {
    let (mut page, link) = Page::leading().connected();
    page.peer.set_standing(Standing::CutOff, page.now);
    let outputs = page.outputs();
    assert_eq!(closed(&outputs), [link]);
    assert!(outputs.contains(&PeerOutput::CutOff));
    page.peer.handle_present(member(), page.now);
    assert_eq!((opened(&page.offer(5)), opened(&page.pass(600 * SECOND))), (vec![], vec![]));
    assert_eq!(page.state(), LinkState::Failed);
}

#[test]
fn the_published_state_of_a_muted_member_applies_once_it_is_heard_again() {
    let (mut page, _) = Page::leading().connected();
    let speaking = PublishedState { microphone: true, ..PublishedState::default() };
    page.peer.set_standing(Standing::Muted, page.now);
    page.peer.hold_state(speaking);
    assert_eq!(page.peer.view().published, None);
    page.peer.set_standing(Standing::Heard, page.now);
    assert_eq!(page.peer.view().published, Some(speaking));
}

#[test]
fn the_leading_side_replaces_a_link_whose_picture_is_missing_and_keeps_it_until_the_next_carries_data() {
    let (mut page, link) = Page::leading().connected();
    page.peer.renew_link(page.now);
    let next = opened(&page.outputs())[0].0;
    let outputs = page.pass(2 * SECOND);
    assert_eq!((closed(&outputs), page.peer.is_in_use(link)), (vec![], true));
    page.bring_up(next);
    let outputs = page.hear(next, ControlMessage::State(PublishedState::default()));
    assert_eq!(closed(&outputs), [link]);
    assert!(page.peer.is_in_use(next));
    assert_eq!(page.state(), LinkState::Connected);
}

#[test]
fn the_following_side_asks_for_another_link() {
    let (mut page, link) = Page::following().connected();
    page.peer.renew_link(page.now);
    let outputs = page.outputs();
    assert!(outputs.contains(&PeerOutput::SendControl(link, ControlMessage::Renew)), "{outputs:?}");
    assert_eq!(opened(&outputs), []);
    // It leads nothing, so a wish of the other side has no effect.
    assert_eq!(opened(&page.hear(link, ControlMessage::Renew)), []);
}

#[test]
fn a_member_that_keeps_asking_for_another_link_gets_few_and_seldom() {
    let (mut page, mut link) = Page::leading().connected();
    let mut seconds = Vec::new();
    for second in 1..=600 {
        page.pass(SECOND);
        let next = opened(&page.hear(link, ControlMessage::Renew));
        if let [(next, _)] = next[..] {
            seconds.push(second);
            page.bring_up(next);
            page.hear(next, ControlMessage::State(PublishedState::default()));
            link = next;
        }
    }
    assert_eq!(seconds, [1, 21, 41]);
}

#[test]
fn a_replacement_that_does_not_come_up_leaves_the_link_in_use() {
    let (mut page, link) = Page::leading().connected();
    page.peer.renew_link(page.now);
    let next = opened(&page.outputs())[0].0;
    let mut closed_links = Vec::new();
    for _ in 0..60 {
        closed_links.extend(closed(&page.pass(SECOND)));
        page.hear(link, ControlMessage::State(PublishedState::default()));
    }
    assert_eq!(closed_links, [next]);
    assert!(page.peer.is_in_use(link));
}

#[test]
fn a_link_on_which_media_arrives_is_trusted_longer_than_a_silent_one() {
    let after_six_seconds_without_answers = |has_media: bool| {
        let (mut page, link) = Page::leading().connected();
        page.lose_answers();
        for second in 1..=6 {
            if has_media {
                page.peer.handle_inbound_packets(link, second * 50);
            }
            page.pass(SECOND);
        }
        page.state()
    };
    assert_eq!(after_six_seconds_without_answers(false), LinkState::Recovering);
    assert_eq!(after_six_seconds_without_answers(true), LinkState::Connected);
}

#[test]
fn the_following_side_keeps_a_failed_link_until_the_leading_side_replaces_it() {
    let (mut page, link) = Page::following().connected();
    page.lose_answers();
    page.peer.handle_link(link, LinkEvent::State(PeerConnectionState::Failed), page.now);
    let mut outputs = page.outputs();
    outputs.extend(page.pass(SECOND));
    assert_eq!((closed(&outputs), page.state()), (vec![], LinkState::Recovering));
}
