use sightline_protocol::{Presence, signaling::ServerMessage};

use crate::{client::Client, harness::TestServer};

#[tokio::test]
async fn a_page_that_resumes_gets_its_place_back_and_the_others_are_notified() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (bo, before) = Client::join(&server, "team-7", "bo").await;
    ada.until_pong().await;
    drop(bo);
    assert_eq!(ada.next().await, ServerMessage::PeerAway { id: before.me.clone() });
    let (_bo, after) = Client::resume(&server, &before, "bo").await;
    assert_eq!((&after.me, after.arrival), (&before.me, before.arrival));
    let ServerMessage::PeerJoined { member } = ada.next().await else { panic!("not back") };
    assert_eq!((member.id, member.arrival, member.presence), (after.me, after.arrival, Presence::Present));
}

#[tokio::test]
async fn a_reloaded_page_keeps_its_place_and_has_a_new_arrival_number() {
    let server = TestServer::start();
    let (ada, before) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    drop(ada);
    let (_ada, after) = Client::resume(&server, &before, "ada-reloaded").await;
    assert_eq!(after.me, before.me);
    assert!(after.arrival > bo_seat.arrival);
    let ServerMessage::PeerJoined { member } = bo.until_pong().await.pop().unwrap() else {
        panic!("not back")
    };
    assert_eq!((member.instance.as_str(), member.arrival), ("ada-reloaded", after.arrival));
}

#[tokio::test]
async fn a_token_used_twice_closes_the_older_socket_as_replaced() {
    let server = TestServer::start();
    let (mut original, before) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, _) = Client::join(&server, "team-7", "bo").await;
    original.until_pong().await;
    let (mut copy, after) = Client::resume(&server, &before, "ada-copy").await;
    assert_eq!(original.next().await, ServerMessage::Replaced);
    assert_eq!(original.closed().await, (1008, "replaced".to_owned()));
    assert_eq!(after.me, before.me);
    let heard = bo.until_pong().await;
    assert!(
        matches!(&heard[..], [ServerMessage::PeerJoined { member }] if member.id == before.me),
        "{heard:?}"
    );
    assert_eq!(copy.until_pong().await, []);
}

#[tokio::test]
async fn after_a_restart_of_the_server_everyone_has_the_old_id() {
    let server = TestServer::start();
    let (_ada, ada_before) = Client::join(&server, "team-7", "ada").await;
    let (_bo, bo_before) = Client::join(&server, "team-7", "bo").await;
    let server = server.restart().await;
    let (_cy, newcomer) = Client::join(&server, "team-7", "cy").await;
    let (_bo, bo_after) = Client::resume(&server, &bo_before, "bo").await;
    let (_ada, ada_after) = Client::resume(&server, &ada_before, "ada").await;
    assert_eq!((bo_after.me, bo_after.arrival), (bo_before.me, bo_before.arrival));
    assert_eq!((ada_after.me, ada_after.arrival), (ada_before.me, ada_before.arrival));
    assert_eq!(ada_after.members.len(), 2);
    assert!(newcomer.arrival > bo_before.arrival);
}

#[tokio::test]
async fn a_forged_or_foreign_token_makes_its_holder_a_newcomer() {
    let server = TestServer::start();
    let elsewhere = TestServer::start();
    let (_foreign, foreign) = Client::join(&elsewhere, "team-7", "ada").await;
    let (ada, own) = Client::join(&server, "team-7", "ada").await;
    let (_other, other_room) = Client::join(&server, "team-8", "ada").await;
    drop(ada);
    let mut forged = own.clone();
    forged.resume = format!("{}{}", forged.resume, "A");
    let mut moved = other_room.clone();
    moved.room = own.room.clone();
    let mut endless = own.clone();
    endless.resume = "a".repeat(60_000);
    for token in [&foreign, &forged, &moved, &endless] {
        let (_client, seat) = Client::resume(&server, token, "ada").await;
        assert!(![&own.me, &foreign.me, &other_room.me].contains(&&seat.me));
    }
}

#[tokio::test]
async fn a_member_that_left_for_good_may_come_back_with_its_old_id() {
    let server = TestServer::start();
    let (mut ada, before) = Client::join(&server, "team-7", "ada").await;
    ada.say(&sightline_protocol::signaling::ClientMessage::Leave).await;
    assert_eq!(ada.closed().await.0, 1000);
    let (_ada, after) = Client::resume(&server, &before, "ada").await;
    assert_eq!(after.me, before.me);
}
