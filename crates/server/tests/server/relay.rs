use sightline_protocol::{
    ErrorCode, MemberId,
    limits::MAX_FRAME_BYTES,
    signaling::{ClientMessage, ServerMessage},
};

use crate::{
    client::{Client, offer, signal},
    harness::TestServer,
};

#[tokio::test]
async fn a_signal_arrives_at_its_addressee_only_and_names_its_sender() {
    let server = TestServer::start();
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    let (mut cy, _) = Client::join(&server, "team-7", "cy").await;
    ada.say(&signal(&bo_seat.me, "v=0\r\n\"日本\"")).await;
    ada.until_pong().await;
    let heard = bo.until_pong().await;
    let expected = ServerMessage::Signal { from: ada_seat.me, signal: offer("v=0\r\n\"日本\"") };
    assert_eq!(heard.last(), Some(&expected));
    assert_eq!(cy.until_pong().await, []);
}

#[tokio::test]
async fn the_server_sets_the_sender_of_a_signal_despite_a_forged_one() {
    let server = TestServer::start();
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    let (mut mallory, mallory_seat) = Client::join(&server, "team-7", "mallory").await;
    bo.until_pong().await;
    let mut forged = serde_json::to_value(signal(&bo_seat.me, "forged")).unwrap();
    forged["from"] = serde_json::json!(ada_seat.me);
    mallory.send(forged.to_string()).await;
    assert_eq!(bo.next().await, ServerMessage::Signal { from: mallory_seat.me, signal: offer("forged") });
    ada.until_pong().await;
}

#[tokio::test]
async fn a_signal_is_serialized_again_from_its_parsed_values() {
    let server = TestServer::start();
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    bo.until_pong().await;
    let signal = serde_json::to_string(&signal(&bo_seat.me, "é")).unwrap();
    let wordy = signal.replace('é', "\\u00e9").replacen("{\"", "{ \"later\": {\"a\": [1, null]}, \"", 1);
    ada.send(wordy).await;
    let text = bo.next_text().await;
    let expected = ServerMessage::Signal { from: ada_seat.me, signal: offer("é") };
    assert_eq!(serde_json::from_str::<ServerMessage>(&text).unwrap(), expected);
    assert!(!text.contains("later") && text.contains('é'), "{text}");
}

#[tokio::test]
async fn signals_of_one_member_arrive_in_order() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    for n in 0..200 {
        ada.say(&signal(&bo_seat.me, &n.to_string())).await;
    }
    for n in 0..200 {
        let ServerMessage::Signal { signal, .. } = bo.next().await else { panic!("not a signal") };
        assert_eq!(signal, offer(&n.to_string()));
    }
}

#[tokio::test]
async fn a_signal_to_an_unreachable_member_is_answered_and_the_sender_stays() {
    let server = TestServer::start();
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let (bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    let (_cy, elsewhere) = Client::join(&server, "team-8", "cy").await;
    drop(bo);
    assert!(matches!(ada.next().await, ServerMessage::PeerJoined { .. }));
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: bo_seat.me.clone() });
    for to in [bo_seat.me, elsewhere.me, ada_seat.me, MemberId::new("nobody").unwrap()] {
        ada.say(&signal(&to, "hello")).await;
        ada.is_told(ErrorCode::PeerUnreachable).await;
    }
    assert_eq!(ada.until_pong().await, []);
}

#[tokio::test]
async fn a_ping_is_answered_with_its_nonce() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    ada.say(&ClientMessage::Ping { nonce: u32::MAX }).await;
    assert_eq!(ada.next().await, ServerMessage::Pong { nonce: u32::MAX });
}

/// `from` is longer than `to`, so a frame just within the limit would be beyond it when it arrives, and its addressee would have
/// to close. The sender gets an error instead.
#[tokio::test]
async fn no_relayed_signal_exceeds_the_frame_limit() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    let frame_of = |bytes: usize| {
        let frame_bytes = |sdp: &str| serde_json::to_string(&signal(&bo_seat.me, sdp)).unwrap().len();
        signal(&bo_seat.me, &"x".repeat(bytes - frame_bytes("")))
    };
    let growth = "from".len() - "to".len();
    ada.say(&frame_of(MAX_FRAME_BYTES - growth)).await;
    let largest = bo.next().await;
    assert_eq!(serde_json::to_string(&largest).unwrap().len(), MAX_FRAME_BYTES);
    ada.until_pong().await;
    ada.say(&frame_of(MAX_FRAME_BYTES)).await;
    ada.is_told(ErrorCode::FrameTooLarge).await;
    assert!(!bo.until_pong().await.iter().any(|heard| matches!(heard, ServerMessage::Signal { .. })));
}
