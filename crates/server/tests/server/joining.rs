use sightline_protocol::signaling::{ClientMessage, IceServer};
use sightline_protocol::{ErrorCode, Presence, limits::DEFAULT_ROOM_MEMBERS, signaling::ServerMessage};

use crate::{client::Client, harness::TestServer};

#[tokio::test]
async fn a_newcomer_gets_the_list_of_members_and_they_get_the_newcomer() {
    let server = TestServer::start();
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    assert_eq!((ada_seat.members.len(), ada_seat.room_limit), (0, DEFAULT_ROOM_MEMBERS));
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    let (_cy, cy_seat) = Client::join(&server, "team-7", "cy").await;

    let listed: Vec<_> = cy_seat.members.iter().map(|member| (&member.id, member.name.as_str())).collect();
    assert_eq!(listed, [(&ada_seat.me, "ada"), (&bo_seat.me, "bo")]);
    for (client, expected) in [(&mut ada, vec![&bo_seat, &cy_seat]), (&mut bo, vec![&cy_seat])] {
        for newcomer in expected {
            let ServerMessage::PeerJoined { member } = client.next().await else { panic!("not a newcomer") };
            assert_eq!(
                (member.id, member.arrival, member.presence),
                (newcomer.me.clone(), newcomer.arrival, Presence::Present)
            );
        }
        assert_eq!(client.until_pong().await, []);
    }
}

#[tokio::test]
async fn ids_differ_and_arrivals_grow() {
    let server = TestServer::start();
    let mut seats = Vec::new();
    let mut clients = Vec::new();
    for name in ["ada", "bo", "cy", "di"] {
        let (client, seat) = Client::join(&server, "team-7", name).await;
        clients.push(client);
        seats.push(seat);
    }
    for (earlier, later) in seats.iter().zip(&seats[1..]) {
        assert!(earlier.arrival < later.arrival);
    }
    let mut ids: Vec<_> = seats.iter().map(|seat| &seat.me).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), seats.len());
}

#[tokio::test]
async fn capitals_of_a_room_name_are_folded_and_another_room_is_another_room() {
    let server = TestServer::start();
    let (_ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let mut bo = Client::connect(&server).await;
    bo.send(r#"{"type":"join","protocol":1,"room":" TEAM-7 ","name":"bo","instance":"bo"}"#).await;
    let bo_seat = bo.joined().await;
    assert_eq!((bo_seat.room.as_str(), bo_seat.members.len()), ("team-7", 1));
    assert_eq!(bo_seat.members[0].id, ada_seat.me);
    let (_cy, cy_seat) = Client::join(&server, "team-8", "cy").await;
    assert_eq!(cy_seat.members, []);
}

#[tokio::test]
async fn markup_in_a_name_is_passed_on_as_text() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let mut mallory = Client::connect(&server).await;
    let name = "<img src=x onerror=alert(1)>";
    mallory
        .send(format!(r#"{{"type":"join","protocol":1,"room":"team-7","name":"{name}","instance":"m"}}"#))
        .await;
    mallory.joined().await;
    let ServerMessage::PeerJoined { member } = ada.next().await else { panic!("not a newcomer") };
    assert_eq!(member.name.as_str(), name);
}

#[tokio::test]
async fn every_member_gets_the_operators_stun_servers() {
    let ice_server =
        IceServer { urls: vec!["stun:stun.example.org".to_owned()], username: None, credential: None };
    let server = TestServer::start_with(|config| config.rooms.ice_servers = vec![ice_server.clone()]);
    let (_ada, seat) = Client::join(&server, "team-7", "ada").await;
    assert_eq!(seat.ice_servers, [ice_server]);
}

#[tokio::test]
async fn an_invalid_join_is_answered_with_its_error_and_closed() {
    let server = TestServer::start();
    let long_name = "x".repeat(65);
    for (protocol, room, name, code) in [
        (2, "team-7", "ada", ErrorCode::ProtocolVersion),
        (1, "a b", "ada", ErrorCode::RoomNameInvalid),
        (1, "ab", "ada", ErrorCode::RoomNameInvalid),
        (1, "../etc/passwd", "ada", ErrorCode::RoomNameInvalid),
        (1, "team-7", &long_name, ErrorCode::NameInvalid),
    ] {
        let mut client = Client::connect(&server).await;
        let join = serde_json::json!({"type": "join", "protocol": protocol, "room": room, "name": name, "instance": "i"});
        client.send(join.to_string()).await;
        client.is_told(code).await;
        let reason = serde_json::to_value(code).unwrap();
        assert_eq!(client.closed().await, (1008, reason.as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn a_client_that_does_not_join_in_time_is_closed() {
    let server =
        TestServer::start_with(|config| config.sockets.join_timeout = std::time::Duration::from_millis(20));
    let mut idle = Client::connect(&server).await;
    idle.is_told(ErrorCode::JoinTimeout).await;
    assert_eq!(idle.closed().await, (1008, "join-timeout".to_owned()));
}

#[tokio::test]
async fn a_member_may_be_quiet_for_longer_than_a_join_may_take() {
    let join_timeout = std::time::Duration::from_millis(100);
    let server = TestServer::start_with(|config| config.sockets.join_timeout = join_timeout);
    let (mut quiet, _) = Client::join(&server, "team-7", "quiet").await;
    // Opened later than the quiet member's socket: when this socket times out, the other's time is over too.
    Client::connect(&server).await.is_told(ErrorCode::JoinTimeout).await;
    assert_eq!(quiet.until_pong().await, []);
}

#[tokio::test]
async fn a_message_before_join_and_a_second_join_are_protocol_errors() {
    let server = TestServer::start();
    for early in [ClientMessage::Leave, ClientMessage::Ping { nonce: 1 }] {
        let mut client = Client::connect(&server).await;
        client.say(&early).await;
        client.is_told(ErrorCode::ProtocolError).await;
    }
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    ada.say(&crate::client::join("team-8", "ada", None)).await;
    ada.is_told(ErrorCode::ProtocolError).await;
}

#[tokio::test]
async fn a_client_that_only_checks_the_network_gets_ice_servers_and_no_place() {
    let ice =
        vec![IceServer { urls: vec!["stun:stun.example.org".to_owned()], username: None, credential: None }];
    let servers = ice.clone();
    let server = TestServer::start_with(move |config| config.rooms.ice_servers = servers);
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let mut visitor = Client::connect(&server).await;
    for client in [&mut visitor, &mut ada] {
        client.say(&ClientMessage::IceServers).await;
        assert_eq!(
            client.next().await,
            ServerMessage::IceServers {
                ice_servers: ice.clone(),
                ice_servers_life_s: None,
                alternate_stun_urls: Vec::new(),
            }
        );
    }
    assert_eq!(ada_seat.ice_servers, ice);
    visitor.say(&ClientMessage::Leave).await;
    visitor.is_told(ErrorCode::ProtocolError).await;
    assert_eq!(ada.until_pong().await, [], "members get no message about a visitor");
}
