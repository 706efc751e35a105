use std::net::{IpAddr, SocketAddr};

use tokio::net::UdpSocket;

use super::{client::TurnClient, count, server_with};
use crate::harness::within;

const FORBIDDEN: &str = include_str!("../../forbidden_peers.txt");

#[tokio::test]
async fn not_one_byte_goes_to_a_forbidden_peer_by_permission_channel_or_send() {
    let server = server_with(|_| {});
    let (mut client, _) = TurnClient::allocated(&server).await;
    // What listens on this machine is what a stranger would want to reach.
    let victim = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = victim.local_addr().unwrap().port();
    let peers = FORBIDDEN.lines().filter(|line| !line.starts_with('#'));
    for (number, line) in (0x4000..).zip(peers) {
        let address: IpAddr = line.parse().unwrap();
        let peer = SocketAddr::new(address, port);
        if peer.ip().to_canonical() != victim.local_addr().unwrap().ip() || line.contains(':') {
            assert_eq!(client.permit(&[peer]).await, 403, "{line}");
            assert_eq!(
                client.permit(&["8.8.8.8:1".parse().unwrap(), peer]).await,
                403,
                "{line} among others"
            );
        }
        assert_eq!(client.bind(number, peer).await, 403, "{line}");
        client.send(peer, b"by send").await;
        client.send_on(number, b"by channel").await;
    }
    // Answered after all of them were handled.
    assert_eq!(client.permit(&["8.8.8.8:1".parse().unwrap()]).await, 0);
    assert_eq!(count(&server, "sightline_turn_to_peers_packets_total").await, 0.0);
    assert_eq!(count(&server, "sightline_turn_to_peers_bytes_total").await, 0.0);
    assert!(victim.try_recv(&mut [0; 16]).is_err());
}

#[tokio::test]
async fn this_machine_is_reached_only_at_the_ports_of_live_allocations() {
    let server = server_with(|_| {});
    let (mut ada, at_ada) = TurnClient::allocated(&server).await;
    let (mut bo, at_bo) = TurnClient::allocated(&server).await;
    let victim = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let service = victim.local_addr().unwrap();
    assert_eq!(ada.permit(&[at_bo]).await, 0, "the server's own address, where it relays");
    assert_eq!(bo.permit(&[at_ada]).await, 0);
    assert_eq!(ada.bind(0x4000, service).await, 403);
    ada.send(service, b"to a service").await;
    ada.send(at_bo, b"to a friend").await;
    assert_eq!(bo.received().await, (at_ada, b"to a friend".to_vec()));
    assert!(victim.try_recv(&mut [0; 16]).is_err());

    let friend = server.turn_ports.unwrap().0;
    ada.send(SocketAddr::new(at_bo.ip(), friend), b"to the server itself").await;
    bo.send(at_ada, b"back").await;
    assert_eq!(within(ada.received()).await, (at_bo, b"back".to_vec()));
    assert_eq!(count(&server, "sightline_turn_to_peers_packets_total").await, 2.0);
}

#[tokio::test]
async fn an_allowed_network_is_reached_only_in_the_spelling_that_was_allowed() {
    let server = server_with(|settings| settings.allowed_peers = vec!["127.0.0.0/8".parse().unwrap()]);
    let (mut client, relayed) = TurnClient::allocated(&server).await;
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = peer.local_addr().unwrap();
    let mapped = format!("[::ffff:127.0.0.1]:{}", address.port()).parse().unwrap();
    assert_eq!(client.permit(&[mapped]).await, 403);
    assert_eq!(client.permit(&["10.0.0.1:1".parse().unwrap()]).await, 403);
    assert_eq!(client.permit(&[address]).await, 0);
    client.send(address, b"hello").await;
    let mut bytes = [0; 16];
    let (length, from) = within(peer.recv_from(&mut bytes)).await.unwrap();
    assert_eq!((&bytes[..length], from), (&b"hello"[..], relayed));
}
