use std::time::Duration;

use sightline_protocol::signaling::{ClientMessage, IceServer, ServerMessage};
use sightline_server::turn::RelaySource;

use super::{client::TurnClient, server_with};
use crate::{client::Client, harness::TestServer};

fn credentials(ice_servers: &[IceServer]) -> (String, String) {
    let with = ice_servers.iter().find_map(|server| server.username.clone().zip(server.credential.clone()));
    with.expect("a relay")
}

#[tokio::test]
async fn a_member_gets_credentials_that_the_relay_accepts_and_fresh_ones_on_request() {
    let server = server_with(|settings| {
        settings.secret = None;
        settings.credential_life = Duration::from_secs(300);
    });
    let (mut ada, seat) = Client::join(&server, "team-7", "ada").await;
    let (port, tls_port) = server.turn_ports.unwrap();
    let urls: Vec<_> = seat.ice_servers.iter().flat_map(|server| server.urls.clone()).collect();
    assert_eq!(
        urls,
        [
            format!("stun:127.0.0.1:{port}"),
            format!("turn:127.0.0.1:{port}?transport=udp"),
            format!("turn:127.0.0.1:{port}?transport=tcp"),
        ]
    );
    let first = credentials(&seat.ice_servers);
    assert!(first.0.ends_with(&format!(":{}", seat.me)), "{first:?}");
    let mut client = TurnClient::with(&server, first).await;
    assert_eq!(client.allocate().await.code, 0);

    ada.say(&ClientMessage::IceServers).await;
    let ServerMessage::IceServers { ice_servers, ice_servers_life_s, alternate_stun_urls } = ada.next().await
    else {
        panic!()
    };
    assert_eq!(ice_servers_life_s, Some(300));
    assert_eq!(alternate_stun_urls, [format!("stun:127.0.0.1:{tls_port}")]);
    let mut client = TurnClient::with(&server, credentials(&ice_servers)).await;
    assert_eq!(client.allocate().await.code, 0);
}

#[tokio::test]
async fn a_server_without_a_relay_lists_no_ice_servers() {
    let server = TestServer::start();
    let (_ada, seat) = Client::join(&server, "team-7", "ada").await;
    assert_eq!((seat.ice_servers, server.turn_ports), (vec![], None));
}

#[tokio::test]
async fn an_external_relay_is_listed_with_credentials_from_its_secret() {
    let urls = ["stun:turn.example.org", "turn:turn.example.org:443?transport=tcp"].map(str::to_owned);
    let server = TestServer::start_with(|config| {
        config.turn = RelaySource::Elsewhere {
            urls: urls.to_vec(),
            secret: super::SECRET.to_owned(),
            credential_life: Duration::from_secs(600),
        };
    });
    let (_ada, seat) = Client::join(&server, "team-7", "ada").await;
    let [stun, turn] = &seat.ice_servers[..] else { panic!("{:?}", seat.ice_servers) };
    assert_eq!((&stun.urls[..], &turn.urls[..]), (&urls[..1], &urls[1..]));
    let username = turn.username.clone().unwrap();
    assert_eq!(super::credentials_of(&username), (username, turn.credential.clone().unwrap()));
    assert_eq!(server.turn_ports, None);
}
