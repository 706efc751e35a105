use std::net::SocketAddr;

use tokio::net::UdpSocket;
use turn_types::{attribute::Lifetime, message::REFRESH};

use super::{client::TurnClient, count, server};
use crate::harness::within;

async fn peer() -> (UdpSocket, SocketAddr) {
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = peer.local_addr().unwrap();
    (peer, address)
}

async fn received_by(peer: &UdpSocket) -> (SocketAddr, Vec<u8>) {
    let mut bytes = vec![0; 65_536];
    let (length, from) = within(peer.recv_from(&mut bytes)).await.unwrap();
    (from, bytes[..length].to_vec())
}

#[tokio::test]
async fn data_goes_both_ways_in_indications_and_on_channels() {
    let server = server();
    let (mut client, relayed) = TurnClient::allocated(&server).await;
    let (peer, address) = peer().await;
    assert_eq!(client.permit(&[address]).await, 0);
    client.send(address, b"by indication").await;
    assert_eq!(received_by(&peer).await, (relayed, b"by indication".to_vec()));
    peer.send_to(b"answered", relayed).await.unwrap();
    assert_eq!(client.received().await, (address, b"answered".to_vec()));

    assert_eq!(client.bind(0x4001, address).await, 0);
    for size in [0, 1, 2, 3, 4, 1_200, 9_000] {
        let payload = vec![7; size];
        client.send_on(0x4001, &payload).await;
        assert_eq!(received_by(&peer).await, (relayed, payload.clone()));
        peer.send_to(&payload, relayed).await.unwrap();
        assert_eq!(client.received_on_channel().await, (0x4001, payload));
    }
}

#[tokio::test]
async fn packets_from_and_to_a_peer_without_permission_are_dropped() {
    let server = server();
    let (mut client, relayed) = TurnClient::allocated(&server).await;
    let (friend, address) = peer().await;
    client.send(address, b"too early").await;
    client.send_on(0x4000, b"on no channel").await;
    friend.send_to(b"too early", relayed).await.unwrap();
    let refused = "sightline_turn_dropped_packets_total{reason=\"no-permission\"}";
    while count(&server, refused).await < 2.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.permit(&[address]).await, 0);
    friend.send_to(b"now", relayed).await.unwrap();
    assert_eq!(client.received().await, (address, b"now".to_vec()));
    client.send(address, b"now").await;
    assert_eq!(received_by(&friend).await, (relayed, b"now".to_vec()));
}

#[tokio::test]
async fn after_its_end_an_allocation_relays_nothing_and_its_client_may_have_another() {
    let server = server();
    let (mut client, relayed) = TurnClient::allocated(&server).await;
    let (peer, address) = peer().await;
    assert_eq!(client.permit(&[address]).await, 0);
    assert_eq!(client.ask(REFRESH, &[&Lifetime::new(0)]).await.code, 0);
    client.send(address, b"too late").await;
    peer.send_to(b"too late", relayed).await.unwrap();
    assert_eq!(client.permit(&[address]).await, 437);
    assert_eq!(count(&server, "sightline_turn_allocations").await, 0.0);
    let again = client.allocate().await;
    assert_eq!(again.code, 0);
    assert_eq!(client.permit(&[address]).await, 0);
    client.send(address, b"again").await;
    assert_eq!(received_by(&peer).await, (again.relayed(), b"again".to_vec()));
}

#[tokio::test]
async fn a_client_that_replaces_its_allocation_at_once_keeps_the_new_one() {
    let server = server();
    let (mut client, _) = TurnClient::allocated(&server).await;
    let (peer, address) = peer().await;
    for _ in 0..50 {
        let end = client.signed(client.request(REFRESH), &[&Lifetime::new(0)]);
        client.socket.send(&end).await.unwrap();
        let again = client.allocate().await;
        assert_eq!(again.code, 0);
        assert_eq!(client.permit(&[address]).await, 0);
        client.send(address, b"again").await;
        assert_eq!(received_by(&peer).await, (again.relayed(), b"again".to_vec()));
    }
    assert_eq!(count(&server, "sightline_turn_allocations").await, 1.0);
}
