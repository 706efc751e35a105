use std::time::Duration;

use sightline_protocol::{
    ErrorCode, Presence,
    signaling::{ClientMessage, ServerMessage},
};

use crate::{client::Client, harness::TestServer};

const SHORT_HOLD: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_member_that_says_leave_is_gone_at_once() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    ada.until_pong().await;
    bo.say(&ClientMessage::Leave).await;
    assert_eq!(ada.next().await, ServerMessage::PeerLeft { id: bo_seat.me });
    assert_eq!(bo.closed().await, (1000, String::new()));
}

#[tokio::test]
async fn a_member_whose_socket_closes_is_away_and_gone_after_the_hold() {
    let server = TestServer::start_with(|config| config.rooms.away_hold = SHORT_HOLD);
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    ada.until_pong().await;
    drop(bo);
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: bo_seat.me.clone() });
    assert_eq!(ada.next().await, ServerMessage::PeerLeft { id: bo_seat.me });
}

#[tokio::test]
async fn a_socket_closed_in_good_order_but_without_leave_is_away_too() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    ada.until_pong().await;
    bo.socket.close(None).await.unwrap();
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: bo_seat.me });
}

#[tokio::test]
async fn a_newcomer_sees_which_members_are_away() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    ada.until_pong().await;
    drop(bo);
    assert!(matches!(ada.next().await, ServerMessage::PeerAway { .. }));
    let (_cy, cy_seat) = Client::join(&server, "team-7", "cy").await;
    let away: Vec<_> = cy_seat
        .members
        .iter()
        .filter(|member| member.presence == Presence::Away)
        .map(|member| &member.id)
        .collect();
    assert_eq!(away, [&bo_seat.me]);
}

#[tokio::test]
async fn a_member_that_comes_back_within_the_hold_has_not_left() {
    let server = TestServer::start_with(|config| config.rooms.away_hold = Duration::from_secs(4));
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    let (cy, cy_seat) = Client::join(&server, "team-7", "cy").await;
    ada.until_pong().await;
    drop(bo);
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: bo_seat.me.clone() });
    let (_bo, _) = Client::resume(&server, &bo_seat, "bo").await;
    assert!(matches!(ada.next().await, ServerMessage::PeerJoined { .. }));
    // This member left after the other: when its hold is over, the other's hold would be over too.
    drop(cy);
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: cy_seat.me.clone() });
    assert_eq!(ada.next().await, ServerMessage::PeerLeft { id: cy_seat.me });
}

#[tokio::test]
async fn a_socket_that_falls_silent_is_dropped_and_one_that_answers_pings_is_not() {
    let server = TestServer::start_with(|config| {
        config.sockets.ping_interval = Duration::from_millis(100);
        config.sockets.silence_timeout = Duration::from_secs(3);
    });
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    // Nobody reads from this socket, so nothing answers the pings on it.
    let (_silent, silent_seat) = Client::join(&server, "team-7", "silent").await;
    assert!(matches!(ada.next().await, ServerMessage::PeerJoined { .. }));
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: silent_seat.me });
    assert_eq!(ada.until_pong().await, []);
}

#[tokio::test]
async fn a_member_that_is_closed_for_an_error_is_away() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    ada.until_pong().await;
    bo.send("nonsense").await;
    bo.is_told(ErrorCode::ProtocolError).await;
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: bo_seat.me });
}
