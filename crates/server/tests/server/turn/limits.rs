use stun_types::message::{BINDING, Message, MessageWrite, MessageWriteVec};
use tokio::net::UdpSocket;

use super::{client::TurnClient, count, credentials_until, server_with};

#[tokio::test]
async fn allocations_are_limited_per_user_per_address_and_in_total() {
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
async fn an_exhausted_port_range_is_an_error() {
    let server = server_with(|settings| settings.relay_ports = 61_999..=61_999);
    let (_holder, relayed) = TurnClient::allocated(&server).await;
    assert_eq!(relayed.port(), 61_999);
    let mut second = TurnClient::new(&server).await;
    assert_eq!(second.allocate().await.code, 508);
}

#[tokio::test]
async fn only_requests_without_credentials_are_limited_per_address() {
    let server = server_with(|settings| settings.limits.unauthenticated_per_s = 1);
    let (mut client, _) = TurnClient::allocated(&server).await;
    for _ in 0..50 {
        let question = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
        client.socket.send(&question).await.unwrap();
    }
    assert_eq!(client.permit(&["8.8.8.8:1".parse().unwrap()]).await, 0);
    let answered = count(&server, "sightline_turn_unauthenticated_answers_total").await;
    // The limit admits four at once, and one a second while the loop ran.
    assert!(answered < 40.0, "{answered}");
    assert!(count(&server, "sightline_turn_dropped_packets_total{reason=\"answer-limit\"}").await > 10.0);
}

#[tokio::test]
async fn beyond_its_bandwidth_an_allocation_relays_nothing_in_either_direction() {
    // The smallest burst is 64 KiB. Afterwards almost nothing passes.
    let server = server_with(|settings| {
        settings.allowed_peers = vec!["127.0.0.0/8".parse().unwrap()];
        settings.limits.bitrate_bps = 8;
    });
    let (mut client, relayed) = TurnClient::allocated(&server).await;
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(client.bind(0x4000, peer.local_addr().unwrap()).await, 0);
    let dropped = "sightline_turn_dropped_packets_total{reason=\"bandwidth\"}";
    let payload = [7; 1_000];
    for (sent, direction) in [(0.0, "to_peers"), (100.0, "to_clients")] {
        let relayed_packets = format!("sightline_turn_{direction}_packets_total");
        for number in 1..=100 {
            match direction {
                "to_peers" => client.send_on(0x4000, &payload).await,
                _ => drop(peer.send_to(&payload, relayed).await.unwrap()),
            }
            // Sent one by one, so that no packet is lost in a full socket buffer, which this test does not measure.
            while count(&server, dropped).await
                + count(&server, "sightline_turn_to_peers_packets_total").await
                + count(&server, "sightline_turn_to_clients_packets_total").await
                < sent + f64::from(number)
            {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(count(&server, &relayed_packets).await, 65.0, "{direction}");
    }
    assert_eq!(count(&server, dropped).await, 70.0);
}
