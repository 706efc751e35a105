use stun_types::message::{BINDING, Message, MessageWrite, MessageWriteVec};

use super::{client::TurnClient, count, credentials_until, server_with};

#[tokio::test]
async fn a_user_an_address_and_all_have_so_many_allocations() {
    for (per_user, per_address, total, code) in [(2, 9, 9, 486), (9, 2, 9, 486), (9, 9, 2, 508)] {
        let server = server_with(|settings| {
            let limits = &mut settings.limits.allocations;
            (limits.per_user, limits.per_address, limits.total) = (per_user, per_address, total);
        });
        let credentials = credentials_until(600, "ada");
        let mut clients = Vec::new();
        for expected in [0, 0, code] {
            let mut client = TurnClient::with(&server, credentials.clone()).await;
            assert_eq!(client.allocate().await.code, expected);
            clients.push(client);
        }
    }
}

#[tokio::test]
async fn a_port_range_that_is_used_up_says_so() {
    let server = server_with(|settings| settings.relay_ports = 61_999..=61_999);
    let (_holder, relayed) = TurnClient::allocated(&server).await;
    assert_eq!(relayed.port(), 61_999);
    let mut second = TurnClient::new(&server).await;
    assert_eq!(second.allocate().await.code, 508);
}

#[tokio::test]
async fn an_address_is_answered_so_often_without_credentials_and_always_with_them() {
    let server = server_with(|settings| settings.limits.unauthenticated_per_s = 1);
    let (mut client, _) = TurnClient::allocated(&server).await;
    for _ in 0..50 {
        let question = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
        client.socket.send(&question).await.unwrap();
    }
    assert_eq!(client.permit(&["8.8.8.8:1".parse().unwrap()]).await, 0);
    let answered = count(&server, "sightline_turn_unauthenticated_answers_total").await;
    // Four at once, and one a second while this ran.
    assert!(answered < 40.0, "{answered}");
    assert!(count(&server, "sightline_turn_dropped_packets_total{reason=\"answer-limit\"}").await > 10.0);
}
