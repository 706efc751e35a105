use std::time::Duration;

use sightline_protocol::signaling::ClientMessage;
use sightline_server::turn::credentials::Credential;
use tokio::{net::UdpSocket, time::sleep};
use turn_types::{attribute::Lifetime, message::REFRESH};

use super::{client::TurnClient, credentials_of, credentials_until, now_s, server};
use crate::client::Client;

#[tokio::test]
async fn credentials_that_are_expired_wrong_unknown_or_of_the_far_future_are_refused() {
    let server = server();
    let day_s = 24 * 60 * 60;
    let (sound, password) = credentials_until(600, "ada");
    let refused = [
        ("expired", credentials_until(-1, "ada")),
        ("expired long ago", credentials_of("1:ada")),
        ("of tomorrow and a bit", credentials_until(day_s + 120, "ada")),
        ("of the far future", credentials_of("99999999999:ada")),
        ("of no time", credentials_of("ada")),
        ("of nobody", credentials_of(&format!("{}:", now_s() + 600))),
        ("with a wrong password", (sound.clone(), "wrong".to_owned())),
        ("with another's password", (sound.clone(), credentials_until(600, "bo").1)),
        ("with the time of a later one", (format!("{}:ada", now_s() + 1_000), password.clone())),
        ("with the secret for a password", (sound.clone(), super::SECRET.to_owned())),
        ("without a password", (sound.clone(), String::new())),
    ];
    for (what, credentials) in refused {
        let mut client = TurnClient::with(&server, credentials).await;
        // Asking again does not help.
        for _ in 0..2 {
            assert_eq!(client.allocate().await.code, 401, "{what}");
        }
    }
    assert_eq!(super::count(&server, "sightline_turn_created_allocations_total").await, 0.0);
    let mut client = TurnClient::with(&server, (sound, password)).await;
    assert_eq!(client.allocate().await.code, 0);
}

#[tokio::test]
async fn an_allocation_lives_on_when_its_credentials_expire_and_a_new_one_needs_fresh_ones() {
    let server = server();
    let credentials = credentials_until(2, "ada");
    let mut early = TurnClient::with(&server, credentials.clone()).await;
    assert_eq!(early.allocate().await.code, 0);
    loop {
        let mut late = TurnClient::with(&server, credentials.clone()).await;
        match late.allocate().await.code {
            0 => sleep(Duration::from_millis(100)).await,
            code => break assert_eq!(code, 401),
        }
    }
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = peer.local_addr().unwrap();
    assert_eq!(early.permit(&[address]).await, 0);
    assert_eq!(early.ask(REFRESH, &[&Lifetime::new(600)]).await.code, 0);
    early.send(address, b"still here").await;
    let mut bytes = [0; 16];
    let length = crate::harness::within(peer.recv(&mut bytes)).await.unwrap();
    assert_eq!(&bytes[..length], b"still here");
}

#[tokio::test]
async fn an_allocation_answers_only_to_the_user_that_made_it() {
    let server = server();
    let (mut client, _) = TurnClient::allocated(&server).await;
    let own = client.credential.clone();
    let (username, password) = credentials_until(600, "somebody");
    client.credential = Credential { username, password };
    assert_eq!(client.ask(REFRESH, &[&Lifetime::new(0)]).await.code, 441);
    client.credential = Credential { password: "wrong".to_owned(), ..own.clone() };
    assert_eq!(client.ask(REFRESH, &[&Lifetime::new(0)]).await.code, 401);
    client.credential = own;
    assert_eq!(client.ask(REFRESH, &[&Lifetime::new(0)]).await.code, 0);
}

#[tokio::test]
async fn a_removed_member_gets_no_relay_and_its_allocation_is_not_refreshed() {
    let server = server();
    let attended = |name: &str| {
        let mut message = crate::client::join("team-7", name, None);
        if let ClientMessage::Join { attended, .. } = &mut message {
            *attended = Some(true);
        }
        message
    };
    let [mut ada, mut bo] = [Client::connect(&server).await, Client::connect(&server).await];
    ada.say(&attended("ada")).await;
    ada.joined().await;
    bo.say(&attended("bo")).await;
    let seat = bo.joined().await;
    let relay =
        seat.ice_servers.iter().find_map(|server| server.username.clone().zip(server.credential.clone()));
    let credentials = relay.unwrap();
    let mut before = TurnClient::with(&server, credentials.clone()).await;
    assert_eq!(before.allocate().await.code, 0);
    ada.say(&ClientMessage::Remove { id: seat.me }).await;
    ada.until_pong().await;
    let mut after = TurnClient::with(&server, credentials).await;
    assert_eq!(after.allocate().await.code, 401);
    assert_eq!(before.ask(REFRESH, &[&Lifetime::new(600)]).await.code, 401);
}
