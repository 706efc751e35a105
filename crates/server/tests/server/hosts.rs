//! Locked rooms, knocks, removals and the end of a room over real sockets.

use std::time::Duration;

use sightline_protocol::{
    ErrorCode, RefusalReason,
    signaling::{ClientMessage, ServerMessage},
};

use crate::{
    client::{Client, Seat, join},
    harness::TestServer,
};

/// A join of a page with a person.
fn attended(name: &str, resume: Option<String>) -> ClientMessage {
    let mut message = join("team-7", name, resume);
    if let ClientMessage::Join { attended, .. } = &mut message {
        *attended = Some(true);
    }
    message
}

async fn enter(server: &TestServer, name: &str, resume: Option<String>) -> (Client, Seat) {
    let mut client = knock(server, name, resume).await;
    let seat = client.joined().await;
    (client, seat)
}

/// Joins, without waiting for the answer.
async fn knock(server: &TestServer, name: &str, resume: Option<String>) -> Client {
    let mut client = Client::connect(server).await;
    client.say(&attended(name, resume)).await;
    client
}

/// The token of the latest state among these messages.
fn latest_token(heard: &[ServerMessage]) -> Option<String> {
    heard.iter().rev().find_map(|message| match message {
        ServerMessage::RoomState { resume, .. } => Some(resume.clone()),
        _ => None,
    })
}

#[tokio::test]
async fn a_visitor_of_a_locked_room_waits_longer_than_for_a_join_and_is_let_in() {
    let server = TestServer::start_with(|config| config.sockets.join_timeout = Duration::from_millis(300));
    let (mut ada, _) = enter(&server, "ada", None).await;
    ada.say(&ClientMessage::Lock { locked: true }).await;
    assert!(matches!(ada.next().await, ServerMessage::RoomState { locked: true, .. }));
    let mut bo = knock(&server, "bo", None).await;
    assert_eq!(bo.next().await, ServerMessage::Waiting { pictures: true });
    let ServerMessage::Knock { visitor } = ada.next().await else { panic!("no knock") };
    assert_eq!((visitor.name.as_str(), visitor.instance.as_str()), ("bo", "bo"));
    // Beyond the time that a socket has for its join.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(bo.until_pong().await, []);
    ada.say(&ClientMessage::AnswerKnock { id: visitor.id.clone(), admit: true }).await;
    let seat = bo.joined().await;
    assert_eq!((seat.me, seat.members.len()), (visitor.id.clone(), 1));
    let heard = ada.until_pong().await;
    assert!(
        matches!(&heard[..], [ServerMessage::KnockEnded { id }, ServerMessage::PeerJoined { .. }] if *id == visitor.id),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_refused_visitor_and_a_program_and_an_earlier_client_are_told_and_closed() {
    let server = TestServer::start();
    let (mut ada, _) = enter(&server, "ada", None).await;
    ada.say(&ClientMessage::Lock { locked: true }).await;
    ada.until_pong().await;
    let mut bo = knock(&server, "bo", None).await;
    assert_eq!(bo.next().await, ServerMessage::Waiting { pictures: true });
    let ServerMessage::Knock { visitor } = ada.next().await else { panic!("no knock") };
    ada.say(&ClientMessage::AnswerKnock { id: visitor.id, admit: false }).await;
    assert_eq!(bo.next().await, ServerMessage::Refused { reason: RefusalReason::Refused });
    assert_eq!(bo.closed().await, (1008, "refused".to_owned()));

    let mut program = Client::connect(&server).await;
    let mut message = join("team-7", "program", None);
    if let ClientMessage::Join { attended, .. } = &mut message {
        *attended = Some(false);
    }
    program.say(&message).await;
    assert_eq!(program.next().await, ServerMessage::Refused { reason: RefusalReason::Locked });
    assert_eq!(program.closed().await, (1008, "refused".to_owned()));

    let mut earlier = Client::connect(&server).await;
    earlier.say(&join("team-7", "earlier", None)).await;
    assert!(matches!(earlier.next().await, ServerMessage::Full { .. }));
    assert_eq!(earlier.closed().await, (1008, "full".to_owned()));
}

#[tokio::test]
async fn a_removed_member_is_closed_and_comes_back_by_no_token() {
    let server = TestServer::start();
    let (mut ada, _) = enter(&server, "ada", None).await;
    let (mut bo, bo_seat) = enter(&server, "bo", None).await;
    let (mut cy, _) = enter(&server, "cy", None).await;
    ada.until_pong().await;
    cy.until_pong().await;
    ada.say(&ClientMessage::Remove { id: bo_seat.me.clone() }).await;
    assert_eq!(bo.until_removed().await, ServerMessage::Removed);
    assert_eq!(bo.closed().await, (1008, "removed".to_owned()));
    let heard = cy.until_pong().await;
    assert!(
        matches!(&heard[..], [ServerMessage::PeerRemoved { id }, ServerMessage::RoomState { locked: true, .. }] if *id == bo_seat.me),
        "{heard:?}"
    );
    for (name, resume) in
        [("bo", Some(bo_seat.resume.clone())), ("bo-copy", Some(bo_seat.resume)), ("bo-new", None)]
    {
        let mut again = knock(&server, name, resume).await;
        assert_eq!(again.next().await, ServerMessage::Waiting { pictures: true }, "{name}");
    }
}

#[tokio::test]
async fn who_is_no_host_ends_nothing_and_a_host_ends_the_room() {
    let server = TestServer::start();
    let (mut ada, _) = enter(&server, "ada", None).await;
    let (mut bo, _) = enter(&server, "bo", None).await;
    ada.until_pong().await;
    bo.say(&ClientMessage::End).await;
    bo.is_told(ErrorCode::NotHost).await;
    assert_eq!(bo.until_pong().await, []);
    ada.say(&ClientMessage::End).await;
    for client in [&mut ada, &mut bo] {
        assert_eq!(client.next().await, ServerMessage::Ended);
        assert_eq!(client.closed().await, (1008, "ended".to_owned()));
    }
}

#[tokio::test]
async fn the_lock_and_the_host_survive_a_restart_of_the_server() {
    let server = TestServer::start();
    let (mut ada, _) = enter(&server, "ada", None).await;
    let (mut bo, _) = enter(&server, "bo", None).await;
    ada.say(&ClientMessage::Lock { locked: true }).await;
    let host = latest_token(&ada.until_pong().await).unwrap();
    let member = latest_token(&bo.until_pong().await).unwrap();
    let server = server.restart().await;
    let mut stranger = knock(&server, "stranger", None).await;
    stranger.joined().await;
    let (mut bo, _) = enter(&server, "bo", Some(member)).await;
    assert!(matches!(
        stranger.until_removed().await,
        ServerMessage::Refused { reason: RefusalReason::Locked }
    ));
    let (mut ada, seat) = enter(&server, "ada", Some(host)).await;
    let heard = bo.until_pong().await;
    let state = ServerMessage::RoomState {
        hosts: vec![seat.me],
        locked: true,
        resume: latest_token(&heard).unwrap(),
        admission_sha256: None,
    };
    assert!(heard.contains(&state), "{heard:?}");
    let mut again = knock(&server, "stranger", None).await;
    assert_eq!(again.next().await, ServerMessage::Waiting { pictures: true });
    assert!(matches!(ada.until_pong().await[..], [ServerMessage::Knock { .. }]));
}
