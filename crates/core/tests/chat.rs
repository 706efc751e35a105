//! The conversation between members whose channels close and open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use sightline_core::chat::{
    Addressee, Conversation, DeliveryState, KeptMessage, MAX_LOG, MAX_LOG_BYTES, MessageNumber, Outgoing,
    TextRefused,
};
use sightline_protocol::{MemberId, MessageId, control::ControlMessage, limits::MAX_CHAT_TEXT_BYTES};

fn member(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

fn message(number: u32) -> MessageId {
    MessageId::new(format!("x{number}")).unwrap()
}

fn state(conversation: &Conversation, id: &MessageId) -> DeliveryState {
    conversation.find(None, id).expect("in the log").state
}

#[test]
fn a_message_is_delivered_once_every_present_member_acknowledged_it() {
    let mut chat = Conversation::default();
    let id = message(1);
    chat.send(id.clone(), "hello", 5, [member("a"), member("b")], |_| true).unwrap();
    assert_eq!(state(&chat, &id), DeliveryState::Sending);
    chat.handle_ack(&member("a"), &id);
    chat.handle_ack(&member("a"), &id);
    chat.handle_ack(&member("stranger"), &id);
    assert_eq!(state(&chat, &id), DeliveryState::Sending);
    chat.handle_ack(&member("b"), &id);
    assert_eq!(state(&chat, &id), DeliveryState::Delivered);
}

#[test]
fn a_message_is_undeliverable_once_a_member_left_without_it_and_delivered_if_it_returns_for_it() {
    let mut chat = Conversation::default();
    let id = message(1);
    chat.send(id.clone(), "hello", 5, [member("a"), member("b")], |_| true).unwrap();
    chat.handle_member_gone(&member("a"));
    chat.handle_ack(&member("b"), &id);
    assert_eq!(state(&chat, &id), DeliveryState::Undeliverable);
    while chat.poll_outgoing().is_some() {}
    chat.handle_channel_open(&member("a"));
    assert!(chat.poll_outgoing().is_some(), "it is handed over on the return");
    chat.handle_ack(&member("a"), &id);
    assert_eq!(state(&chat, &id), DeliveryState::Delivered);
}

#[test]
fn a_message_does_not_wait_for_a_member_that_was_cut_off() {
    let mut chat = Conversation::default();
    let (heard, waiting) = (message(1), message(2));
    for id in [&heard, &waiting] {
        chat.send(id.clone(), "hello", 5, [member("a"), member("flooder")], |_| true).unwrap();
    }
    chat.handle_ack(&member("a"), &heard);
    // A reload between the two must change nothing.
    let kept: Vec<_> = (0..2).filter_map(|number| chat.kept(MessageNumber(number))).collect();
    let mut chat = Conversation::default();
    chat.restore(kept.iter().map(|kept| KeptMessage::from_text(&kept.to_text().unwrap()).unwrap()));
    chat.handle_member_shut_out(&member("flooder"));
    assert_eq!(state(&chat, &heard), DeliveryState::Delivered);
    assert_eq!(state(&chat, &waiting), DeliveryState::Sending);
    chat.handle_ack(&member("a"), &waiting);
    assert_eq!(state(&chat, &waiting), DeliveryState::Delivered);
}

#[test]
fn a_message_for_only_a_member_that_was_cut_off_is_undeliverable_until_it_returns() {
    let mut chat = Conversation::default();
    chat.send(message(1), "hello", 5, [member("flooder")], |_| true).unwrap();
    while chat.poll_outgoing().is_some() {}
    chat.handle_member_shut_out(&member("flooder"));
    assert_eq!(state(&chat, &message(1)), DeliveryState::Undeliverable);
    chat.handle_channel_open(&member("flooder"));
    assert!(chat.poll_outgoing().is_some(), "it is handed over on the return");
}

#[test]
fn a_message_to_an_empty_room_is_marked_as_unheard() {
    let mut chat = Conversation::default();
    chat.send(message(1), "hello?", 5, [], |_| true).unwrap();
    assert_eq!(state(&chat, &message(1)), DeliveryState::Unheard);
    assert_eq!(chat.poll_outgoing(), None);
}

#[test]
fn a_message_waits_for_a_channel_that_is_not_open_yet() {
    let mut chat = Conversation::default();
    chat.send(message(1), "first", 5, [member("a")], |_| false).unwrap();
    chat.send(message(2), "second", 6, [member("a")], |_| false).unwrap();
    assert_eq!(chat.poll_outgoing(), None);
    chat.handle_channel_open(&member("a"));
    let sent: Vec<_> = std::iter::from_fn(|| chat.poll_outgoing()).map(|out| out.message).collect();
    assert!(
        matches!(&sent[..], [ControlMessage::Chat { text: first, .. }, ControlMessage::Chat { text: second, .. }]
            if first == "first" && second == "second"),
        "{sent:?}"
    );
}

#[test]
fn a_repeated_message_is_shown_once_and_acknowledged_each_time() {
    let mut chat = Conversation::default();
    for _ in 0..3 {
        chat.handle_chat(&member("a"), "Ada", message(1), "hi", 5);
        assert!(matches!(chat.poll_outgoing().map(|out| out.message), Some(ControlMessage::ChatAck { .. })));
    }
    assert_eq!(chat.poll_changed(), Some(MessageNumber(0)));
    assert_eq!(chat.poll_changed(), None);
}

#[test]
fn the_latest_messages_of_a_member_are_acknowledged_again_on_another_link() {
    let mut chat = Conversation::default();
    for number in 0..40 {
        chat.handle_chat(&member("a"), "Ada", message(number), "hi", 5);
        chat.handle_chat(&member("b"), "Ben", message(100 + number), "hi", 5);
    }
    while chat.poll_outgoing().is_some() {}
    chat.handle_channel_open(&member("a"));
    let said: Vec<_> = std::iter::from_fn(|| chat.poll_outgoing()).collect();
    let expected = (24..40).rev().map(|number| ControlMessage::ChatAck { id: message(number) });
    assert!(said.iter().all(|out| out.to == member("a")), "{said:?}");
    assert_eq!(said.into_iter().map(|out| out.message).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn a_member_cannot_claim_the_message_of_another() {
    let mut chat = Conversation::default();
    chat.send(message(1), "mine", 5, [member("a")], |_| true).unwrap();
    chat.handle_chat(&member("a"), "Ada", message(1), "forged", 5);
    assert_eq!(chat.find(None, &message(1)).unwrap().text, "mine");
    assert_eq!(chat.find(Some(&member("a")), &message(1)).unwrap().text, "forged", "it is another message");
}

#[test]
fn a_message_with_the_id_of_another_members_message_is_still_shown() {
    let mut chat = Conversation::default();
    chat.handle_chat(&member("b"), "Eve", message(1), "first with this id", 5);
    chat.handle_chat(&member("a"), "Ada", message(1), "hi", 5);
    let shown: Vec<_> = std::iter::from_fn(|| chat.poll_changed()).collect();
    assert_eq!(shown, [0, 1].map(MessageNumber));
    let texts: Vec<_> = shown.iter().map(|number| &chat.message(*number).unwrap().text).collect();
    assert_eq!(texts, ["first with this id", "hi"]);
    chat.send(message(1), "mine", 5, [member("a")], |_| true).unwrap();
    chat.handle_ack(&member("a"), &message(1));
    assert_eq!(state(&chat, &message(1)), DeliveryState::Delivered);
    assert_eq!(chat.find(Some(&member("b")), &message(1)).unwrap().state, DeliveryState::Received);
}

#[test]
fn a_flood_of_messages_displaces_only_those_of_its_author() {
    let mut chat = Conversation::default();
    for number in 0..20 {
        chat.handle_chat(&member("a"), "Ada", message(number), "hello", 5);
    }
    chat.send(message(0), "mine", 5, [member("a")], |_| false).unwrap();
    for number in 0..3 * MAX_LOG as u32 {
        chat.handle_chat(&member("b"), "Eve", message(number), "noise", 5);
    }
    assert_eq!(chat.len(), MAX_LOG);
    assert!(chat.is_cut());
    assert!((0..20).all(|number| chat.find(Some(&member("a")), &message(number)).is_some()));
    assert_eq!(state(&chat, &message(0)), DeliveryState::Sending, "it still goes out");
    let forgotten = std::iter::from_fn(|| chat.poll_forgotten()).count();
    assert_eq!(forgotten, 2 * MAX_LOG + 21);
}

#[test]
fn long_texts_count_by_their_bytes() {
    let mut chat = Conversation::default();
    let long = "x".repeat(MAX_CHAT_TEXT_BYTES);
    chat.handle_chat(&member("a"), "Ada", message(0), "hello", 5);
    for number in 0..1_000 {
        chat.handle_chat(&member("b"), "Eve", message(number), &long, 5);
    }
    assert!(chat.len() * MAX_CHAT_TEXT_BYTES <= MAX_LOG_BYTES + MAX_CHAT_TEXT_BYTES, "{}", chat.len());
    assert!(chat.find(Some(&member("a")), &message(0)).is_some());
}

#[test]
fn empty_and_oversized_texts_are_refused() {
    let mut chat = Conversation::default();
    assert_eq!(chat.send(message(1), " \n", 5, [], |_| true), Err(TextRefused::Empty));
    let long = "x".repeat(MAX_CHAT_TEXT_BYTES + 1);
    assert_eq!(chat.send(message(2), &long, 5, [], |_| true), Err(TextRefused::TooLong));
    chat.handle_chat(&member("a"), "Ada", message(3), &long, 5);
    assert!(chat.find(Some(&member("a")), &message(3)).is_none());
}

#[test]
fn a_restored_conversation_continues_where_it_was() {
    let mut before = Conversation::default();
    before.handle_chat(&member("a"), "Ada", message(1), "hello", 5);
    before.send(message(2), "waits for a", 6, [member("a"), member("b")], |_| false).unwrap();
    before.handle_ack(&member("b"), &message(2));
    before.send(message(3), "waits for an absent member", 7, [member("c")], |_| false).unwrap();
    let kept = [0, 1, 2].map(|number| before.kept(MessageNumber(number)).unwrap().to_text().unwrap());

    let mut after = Conversation::default();
    after.restore(kept.iter().filter_map(|text| KeptMessage::from_text(text)));
    let shown: Vec<_> = std::iter::from_fn(|| after.poll_changed()).collect();
    assert_eq!(shown, [0, 1, 2].map(MessageNumber));
    assert_eq!(after.find(Some(&member("a")), &message(1)).unwrap().author_name, "Ada");
    after.handle_present(|id| *id != member("c"));
    assert_eq!(state(&after, &message(3)), DeliveryState::Undeliverable);

    after.handle_channel_open(&member("a"));
    assert!(matches!(
        after.poll_outgoing().map(|out| out.message),
        Some(ControlMessage::Chat { text, .. }) if text == "waits for a"
    ));
    after.handle_ack(&member("a"), &message(2));
    assert_eq!(state(&after, &message(2)), DeliveryState::Delivered);

    after.handle_chat(&member("a"), "Ada", message(1), "hello", 5);
    while let Some(changed) = after.poll_changed() {
        assert_ne!(changed, MessageNumber(0), "what was kept is not shown again");
    }
    after.send(message(4), "new", 8, [member("a")], |_| true).unwrap();
    assert!(after.find(None, &message(4)).unwrap().number > after.find(None, &message(3)).unwrap().number);
}

#[test]
fn invalid_kept_messages_are_left_out() {
    let mut chat = Conversation::default();
    chat.handle_chat(&member("a"), "Ada", message(1), "hello", 5);
    let kept = chat.kept(MessageNumber(0)).unwrap();
    let mut other = Conversation::default();
    other.restore([kept.clone(), kept]);
    assert_eq!(std::iter::from_fn(|| other.poll_changed()).count(), 1);
    for text in ["", "{}", r#"{"message":{}}"#] {
        assert_eq!(KeptMessage::from_text(text), None);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Say,
    /// Delivers the oldest message in transit; two times if `twice`.
    Deliver {
        twice: bool,
    },
    /// The channel breaks, and messages in transit are lost. Then it opens again.
    Cut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Say),
        6 => any::<bool>().prop_map(|twice| Step::Deliver { twice }),
        1 => Just(Step::Cut),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #[test]
    fn every_message_arrives_exactly_once_and_in_order_across_cuts(steps in steps()) {
        let (a, b) = (member("a"), member("b"));
        let (mut left, mut right) = (Conversation::default(), Conversation::default());
        let mut to_right = std::collections::VecDeque::new();
        let mut to_left = std::collections::VecDeque::new();
        let mut said = Vec::new();
        let mut shown = Vec::new();

        let mut deliver = |left: &mut Conversation, right: &mut Conversation,
                           to_right: &mut std::collections::VecDeque<ControlMessage>,
                           to_left: &mut std::collections::VecDeque<ControlMessage>, twice: bool| {
            to_right.extend(std::iter::from_fn(|| left.poll_outgoing()).map(|out| out.message));
            if let Some(message) = to_right.pop_front() {
                for _ in 0..=usize::from(twice) {
                    if let ControlMessage::Chat { id, text, sent_at_ms } = message.clone() {
                        right.handle_chat(&a, "Ada", id, &text, sent_at_ms.get());
                    }
                }
            }
            while let Some(number) = right.poll_changed() {
                shown.push(right.message(number).expect("in the log").id.clone());
            }
            to_left.extend(std::iter::from_fn(|| right.poll_outgoing()).map(|out| out.message));
            if let Some(ControlMessage::ChatAck { id }) = to_left.pop_front() {
                left.handle_ack(&b, &id);
            }
        };

        for step in steps {
            match step {
                Step::Say => {
                    let id = message(said.len() as u32);
                    left.send(id.clone(), "text", 0, [b.clone()], |_| true).unwrap();
                    said.push(id);
                }
                Step::Deliver { twice } => deliver(&mut left, &mut right, &mut to_right, &mut to_left, twice),
                Step::Cut => {
                    while left.poll_outgoing().is_some() {}
                    while right.poll_outgoing().is_some() {}
                    to_right.clear();
                    to_left.clear();
                    left.handle_channel_open(&b);
                    right.handle_channel_open(&a);
                }
            }
        }
        while left.poll_outgoing().is_some() {}
        to_right.clear();
        left.handle_channel_open(&b);
        for _ in 0..said.len() * 4 + 4 {
            deliver(&mut left, &mut right, &mut to_right, &mut to_left, false);
        }
        prop_assert_eq!(&shown, &said);
        for id in &said {
            prop_assert_eq!(state(&left, id), DeliveryState::Delivered);
        }
    }
}

fn addressee(name: &str, is_in_room: bool) -> Addressee {
    Addressee { member: member(name), name: name.to_owned(), is_in_room, is_open: is_in_room }
}

fn sent(chat: &mut Conversation) -> Vec<Outgoing> {
    std::iter::from_fn(|| chat.poll_outgoing()).collect()
}

#[test]
fn a_private_message_is_sent_to_one_member_until_that_member_acknowledged_it() {
    let mut chat = Conversation::default();
    chat.send_private(message(1), addressee("a", true), "only you", 5).unwrap();
    let out = sent(&mut chat);
    assert!(
        matches!(&out[..], [Outgoing { to, message: ControlMessage::PrivateChat { text, .. } }]
            if *to == member("a") && text == "only you"),
        "{out:?}"
    );
    // Whoever connects later gets nothing, and nobody else can acknowledge the message.
    chat.handle_channel_open(&member("b"));
    chat.handle_ack(&member("b"), &message(1));
    assert_eq!(sent(&mut chat), []);
    assert_eq!(state(&chat, &message(1)), DeliveryState::Sending);
    chat.handle_channel_open(&member("a"));
    let again = sent(&mut chat);
    assert!(
        matches!(&again[..], [Outgoing { message: ControlMessage::PrivateChat { .. }, .. }]),
        "{again:?}"
    );
    chat.handle_ack(&member("a"), &message(1));
    assert_eq!(state(&chat, &message(1)), DeliveryState::Delivered);
    chat.handle_channel_open(&member("a"));
    assert_eq!(sent(&mut chat), []);
}

#[test]
fn a_private_message_stays_private_across_a_reload_of_either_page() {
    let reload = |chat: &Conversation| {
        let kept = chat.kept(MessageNumber(0)).unwrap().to_text().unwrap();
        let mut reloaded = Conversation::default();
        reloaded.restore(KeptMessage::from_text(&kept));
        reloaded
    };
    let mut author = Conversation::default();
    author.send_private(message(1), addressee("a", true), "only you", 5).unwrap();
    let mut author = reload(&author);
    let shown = author.message(MessageNumber(0)).unwrap();
    assert!(shown.is_private && shown.addressee_name == "a", "{shown:?}");
    author.handle_channel_open(&member("b"));
    assert_eq!(sent(&mut author), []);
    author.handle_channel_open(&member("a"));
    let out = sent(&mut author);
    assert!(matches!(&out[..], [Outgoing { message: ControlMessage::PrivateChat { .. }, .. }]), "{out:?}");

    let mut reader = Conversation::default();
    reader.handle_private_chat(&member("ada"), "Ada", message(1), "only you", 5);
    let mut reader = reload(&reader);
    assert!(reader.message(MessageNumber(0)).unwrap().is_private);
    // The author's repetition is acknowledged, and shown once.
    reader.handle_private_chat(&member("ada"), "Ada", message(1), "only you", 5);
    assert_eq!(reader.len(), 1);
    assert!(matches!(&sent(&mut reader)[..], [Outgoing { message: ControlMessage::ChatAck { .. }, .. }]));
}

#[test]
fn a_private_message_for_a_member_that_left_waits_for_it_and_goes_to_nobody_else() {
    let mut chat = Conversation::default();
    chat.send_private(message(1), addressee("a", false), "are you back?", 5).unwrap();
    assert_eq!(state(&chat, &message(1)), DeliveryState::Undeliverable);
    chat.handle_channel_open(&member("b"));
    assert_eq!(sent(&mut chat), []);
    chat.handle_channel_open(&member("a"));
    assert_eq!(sent(&mut chat).len(), 1);
    chat.handle_ack(&member("a"), &message(1));
    assert_eq!(state(&chat, &message(1)), DeliveryState::Delivered);
}

#[test]
fn a_message_that_an_earlier_version_kept_is_a_message_to_everyone() {
    let mut chat = Conversation::default();
    chat.send(message(1), "hello", 5, [member("a")], |_| true).unwrap();
    let kept = chat.kept(MessageNumber(0)).unwrap().to_text().unwrap();
    let earlier = kept.replace(r#""is_private":false,"addressee_name":"","#, "");
    assert_ne!(earlier, kept);
    assert!(!KeptMessage::from_text(&earlier).unwrap().message.is_private);
}
