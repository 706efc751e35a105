use std::time::Duration;

use sightline_protocol::{
    ErrorCode,
    limits::DEFAULT_ROOM_MEMBERS,
    signaling::{ClientMessage, ServerMessage},
};

use crate::{
    client::{Bystanders, Client, handshake, join, offer, signal},
    harness::{PATIENCE, TestServer, no_rate, within},
};
use tokio::net::TcpStream;

#[tokio::test]
async fn the_ninth_member_gets_a_full_message_and_the_room_continues() {
    let server = TestServer::start();
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let mut members = Vec::new();
    for n in 2..DEFAULT_ROOM_MEMBERS {
        members.push(Client::join(&server, "team-7", &format!("member-{n}")).await.0);
    }
    let mut ninth = Client::connect(&server).await;
    ninth.say(&join("team-7", "ninth", None)).await;
    assert_eq!(ninth.next().await, ServerMessage::Full { room_limit: DEFAULT_ROOM_MEMBERS });
    assert_eq!(ninth.closed().await, (1008, "full".to_owned()));
    bystanders.are_well().await;

    members.pop().unwrap().say(&ClientMessage::Leave).await;
    bystanders.are_well().await;
    let (_tenth, seat) = Client::join(&server, "team-7", "tenth").await;
    assert_eq!(seat.members.len(), DEFAULT_ROOM_MEMBERS - 1);
}

#[tokio::test]
async fn an_away_member_keeps_its_place_in_a_full_room() {
    let server = TestServer::start_with(|config| config.rooms.room_limit = 2);
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    ada.until_pong().await;
    drop(bo);
    assert!(matches!(ada.next().await, ServerMessage::PeerAway { .. }));
    let mut cy = Client::connect(&server).await;
    cy.say(&join("team-7", "cy", None)).await;
    assert_eq!(cy.next().await, ServerMessage::Full { room_limit: 2 });
    let (_bo, again) = Client::resume(&server, &bo_seat, "bo").await;
    assert_eq!(again.me, bo_seat.me);
}

#[tokio::test]
async fn a_room_or_socket_beyond_the_limit_is_refused_and_the_others_stay() {
    let server = TestServer::start_with(|config| {
        config.rooms.max_rooms = 1;
        config.sockets.max_sockets = 3;
    });
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let mut elsewhere = Client::connect(&server).await;
    let mut too_many = Client::connect(&server).await;
    too_many.is_told(ErrorCode::ServerFull).await;
    assert_eq!(too_many.closed().await, (1013, "server-full".to_owned()));
    elsewhere.say(&join("team-8", "elsewhere", None)).await;
    elsewhere.is_told(ErrorCode::ServerFull).await;
    bystanders.are_well().await;
}

#[tokio::test]
async fn only_the_member_that_sends_too_many_frames_is_closed() {
    let server = TestServer::start_with(|config| {
        config.sockets.rate.burst_frames = 20;
        config.sockets.rate.frames_per_s = 1;
    });
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (mut flooder, _) = Client::join(&server, "team-7", "flooder").await;
    for nonce in 0..200 {
        flooder.say(&ClientMessage::Ping { nonce }).await;
    }
    for nonce in 0..19 {
        assert_eq!(flooder.next().await, ServerMessage::Pong { nonce });
    }
    flooder.is_told(ErrorCode::RateLimited).await;
    assert_eq!(flooder.closed().await, (1008, "rate-limited".to_owned()));
    bystanders.are_well().await;
}

#[tokio::test]
async fn only_the_member_that_sends_too_many_bytes_is_closed() {
    let server = TestServer::start_with(|config| {
        config.sockets.rate.burst_bytes = 100_000;
        config.sockets.rate.bytes_per_s = 1;
    });
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (mut flooder, _) = Client::join(&server, "team-7", "flooder").await;
    let (mut bo, bo_seat) = Client::join(&server, "team-7", "bo").await;
    let sdp = "x".repeat(60_000);
    flooder.until_pong().await;
    flooder.say(&signal(&bo_seat.me, &sdp)).await;
    flooder.say(&signal(&bo_seat.me, &sdp)).await;
    flooder.is_told(ErrorCode::RateLimited).await;
    let heard = bo.until_pong().await;
    assert_eq!(heard.iter().filter(|it| matches!(it, ServerMessage::Signal { .. })).count(), 1);
    bystanders.are_well().await;
}

#[tokio::test]
async fn a_newcomers_offers_and_candidates_for_a_full_room_all_arrive() {
    let server = TestServer::start();
    let mut members = Vec::new();
    for n in 1..DEFAULT_ROOM_MEMBERS {
        members.push(Client::join(&server, "team-7", &format!("member-{n}")).await);
    }
    let (mut newcomer, _) = Client::join(&server, "team-7", "newcomer").await;
    let sdp = "x".repeat(12_000);
    for (_, seat) in &members {
        newcomer.say(&signal(&seat.me, &sdp)).await;
        for candidate in 0..40 {
            newcomer.say(&signal(&seat.me, &candidate.to_string())).await;
        }
    }
    assert_eq!(newcomer.until_pong().await, []);
    for (member, _) in &mut members {
        let signals: Vec<_> = member
            .until_pong()
            .await
            .into_iter()
            .filter_map(|heard| match heard {
                ServerMessage::Signal { signal, .. } => Some(signal),
                _ => None,
            })
            .collect();
        assert_eq!(signals.len(), 41);
        assert_eq!(signals[0], offer(&sdp));
    }
}

#[tokio::test]
async fn only_the_member_that_does_not_read_gets_an_error_and_is_closed() {
    let server = TestServer::start_with(|config| {
        config.sockets.queue_bytes = 256 * 1024;
        config.sockets.rate = no_rate();
        // Long enough for all that is in the system's buffers to be read.
        config.sockets.close_grace = PATIENCE;
        // A client that does not read answers no pings either. This test is about something else.
        config.sockets.silence_timeout = 2 * PATIENCE;
    });
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (mut fast, _) = Client::join(&server, "team-7", "fast").await;
    let mut slow = Client::connect_with_small_buffer(&server).await;
    slow.say(&join("team-7", "slow", None)).await;
    let slow_seat = slow.joined().await;
    assert!(matches!(fast.next().await, ServerMessage::PeerJoined { .. }));
    let sdp = "x".repeat(60_000);
    let away = ServerMessage::PeerAway { id: slow_seat.me.clone() };
    within(async {
        loop {
            fast.say(&signal(&slow_seat.me, &sdp)).await;
            if fast.until_pong().await.contains(&away) {
                break;
            }
        }
    })
    .await;
    let last = loop {
        match slow.next().await {
            ServerMessage::Signal { .. } => {}
            other => break other,
        }
    };
    assert!(matches!(last, ServerMessage::Error { code: ErrorCode::TooSlow, .. }), "{last:?}");
    assert_eq!(slow.closed().await, (1008, "too-slow".to_owned()));
    bystanders.are_well().await;
}

#[tokio::test]
async fn the_sockets_of_each_address_are_limited_also_behind_a_proxy() {
    let server = TestServer::start_with(|config| {
        config.sockets.address.max_sockets = 2;
        config.sockets.address.includes_loopback = true;
    });
    let connect = async |address: &'static str| {
        let mut handshake = handshake(&server);
        handshake.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
        Client::connect_over(TcpStream::connect(server.addr).await.unwrap(), handshake).await
    };
    let (mut first, _second) = (connect("192.0.2.1").await, connect("192.0.2.1").await);
    let mut third = connect("192.0.2.1").await;
    third.is_told(ErrorCode::RateLimited).await;
    assert_eq!(third.closed().await, (1008, "rate-limited".to_owned()));
    connect("192.0.2.2").await.say(&join("team-7", "elsewhere", None)).await;
    first.say(&join("team-7", "first", None)).await;
    first.joined().await;
}

#[tokio::test]
async fn an_ipv6_network_of_64_bits_has_as_many_sockets_and_joins_as_one_address() {
    let server = TestServer::start_with(|config| {
        config.sockets.address.max_sockets = 2;
        config.sockets.address.joins_per_min = 2;
        config.sockets.address.includes_loopback = true;
    });
    let connect = async |address: &str| {
        let mut handshake = handshake(&server);
        handshake.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
        Client::connect_over(TcpStream::connect(server.addr).await.unwrap(), handshake).await
    };
    let mut neighbours = [connect("2001:db8:1:2::3").await, connect("[2001:db8:1:2:ffff::4]:443").await];
    connect("2001:db8:1:2:1:2:3:4").await.is_told(ErrorCode::RateLimited).await;
    let mut elsewhere = connect("2001:db8:1:3::5").await;
    for neighbour in &mut neighbours {
        neighbour.say(&ClientMessage::IceServers).await;
        assert!(matches!(neighbour.next().await, ServerMessage::IceServers { .. }));
    }
    let [first, _] = &mut neighbours;
    first.say(&join("team-7", "first", None)).await;
    first.is_told(ErrorCode::RateLimited).await;
    elsewhere.say(&join("team-7", "elsewhere", None)).await;
    elsewhere.joined().await;
}

#[tokio::test]
async fn the_joins_of_an_address_are_limited_over_all_its_sockets() {
    let server = TestServer::start_with(|config| {
        config.sockets.address.joins_per_min = 2;
        config.sockets.address.includes_loopback = true;
    });
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let mut third = Client::connect(&server).await;
    third.say(&join("team-7", "third", None)).await;
    third.is_told(ErrorCode::RateLimited).await;
    bystanders.are_well().await;
}

#[tokio::test]
async fn a_page_in_the_lobby_has_time_to_join_and_is_in_no_room_until_then() {
    let server = TestServer::start_with(|config| config.sockets.join_timeout = Duration::from_millis(100));
    let (mut member, _) = Client::join(&server, "team-7", "member").await;
    let mut visitor = Client::connect(&server).await;
    visitor.say(&ClientMessage::IceServers).await;
    assert!(matches!(visitor.next().await, ServerMessage::IceServers { .. }));
    // Opened later than the visitor's socket: when this one is closed, a `join` of the visitor would be late.
    Client::connect(&server).await.is_told(ErrorCode::JoinTimeout).await;
    assert_eq!(member.until_pong().await, [], "nobody is told of a visitor in the lobby");
    visitor.say(&join("team-7", "visitor", None)).await;
    assert!(matches!(visitor.next().await, ServerMessage::Joined { .. }));
}

#[tokio::test]
async fn asking_for_ice_servers_counts_as_a_join_and_does_not_replace_one() {
    let server = TestServer::start_with(|config| config.sockets.lobby_timeout = Duration::from_secs(1));
    let mut visitor = Client::connect(&server).await;
    visitor.say(&ClientMessage::IceServers).await;
    assert!(matches!(visitor.next().await, ServerMessage::IceServers { .. }));
    visitor.is_told(ErrorCode::JoinTimeout).await;

    let server = TestServer::start_with(|config| {
        config.sockets.address.joins_per_min = 2;
        config.sockets.address.includes_loopback = true;
    });
    let mut visitor = Client::connect(&server).await;
    for _ in 0..3 {
        visitor.say(&ClientMessage::IceServers).await;
    }
    for _ in 0..2 {
        assert!(matches!(visitor.next().await, ServerMessage::IceServers { .. }));
    }
    visitor.is_told(ErrorCode::RateLimited).await;
}
