use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use stun_types::AddressFamily;
use tokio::net::UdpSocket;
use turn_types::{
    attribute::{RequestedAddressFamily, RequestedTransport},
    message::ALLOCATE,
};

use super::{client::TurnClient, count, credentials_until, server_with, settings};
use crate::harness::{TestServer, within};

const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A server on every address of this machine, whose clients may talk to loopback.
fn server_of_both_families() -> TestServer {
    TestServer::start_with(|config| {
        config.bind = None;
        config.turn = settings(|settings| {
            settings.allowed_peers = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        });
    })
}

#[tokio::test]
async fn a_client_over_ipv6_talks_to_a_peer_over_ipv6() {
    let server = TestServer::start_with(|config| {
        config.bind = Some(LOOPBACK_V6);
        config.turn = settings(|settings| settings.allowed_peers = vec!["::1/128".parse().unwrap()]);
    });
    let mut client = TurnClient::over(LOOPBACK_V6, &server, credentials_until(600, "ada")).await;
    assert_eq!(
        client.allocate().await.code,
        440,
        "the default family is IPv4, which this server does not have"
    );
    talks_over_ipv6(&mut client).await;
}

#[tokio::test]
async fn a_client_over_ipv4_may_get_a_relayed_ipv6_address() {
    let server = server_of_both_families();
    let mut client = TurnClient::new(&server).await;
    talks_over_ipv6(&mut client).await;
    assert_eq!(client.permit(&["127.0.0.1:1".parse().unwrap()]).await, 443, "of the other family");
}

async fn talks_over_ipv6(client: &mut TurnClient) {
    let (udp, family) = (RequestedTransport::new(17), RequestedAddressFamily::new(AddressFamily::IPV6));
    let answer = client.ask(ALLOCATE, &[&udp, &family]).await;
    assert_eq!(answer.code, 0);
    let relayed = answer.relayed();
    let peer = UdpSocket::bind((LOOPBACK_V6, 0)).await.unwrap();
    let address = peer.local_addr().unwrap();
    assert_eq!(client.bind(0x4000, address).await, 0);
    client.send_on(0x4000, b"there").await;
    let mut bytes = [0; 16];
    let (length, from) = within(peer.recv_from(&mut bytes)).await.unwrap();
    assert_eq!((&bytes[..length], from.port()), (&b"there"[..], relayed.port()));
    peer.send_to(b"and back", from).await.unwrap();
    assert_eq!(client.received_on_channel().await, (0x4000, b"and back".to_vec()));
}

#[tokio::test]
async fn relayed_addresses_behind_a_nat_are_external_and_connect_members() {
    let outside: IpAddr = "198.51.100.7".parse().unwrap();
    let server = server_with(|settings| settings.external = vec![outside]);
    let (mut ada, at_ada) = TurnClient::allocated(&server).await;
    let (mut bo, at_bo) = TurnClient::allocated(&server).await;
    assert_eq!((at_ada.ip(), at_bo.ip()), (outside, outside));
    assert_eq!((ada.permit(&[at_bo]).await, bo.permit(&[at_ada]).await), (0, 0));
    ada.send(at_bo, b"looped inside").await;
    assert_eq!(bo.received().await, (at_ada, b"looped inside".to_vec()));

    // A packet that the NAT forwards arrives as at any relayed address.
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    peer.send_to(b"from nobody that was permitted", SocketAddr::new([127, 0, 0, 1].into(), at_ada.port()))
        .await
        .unwrap();
    let refused = "sightline_turn_dropped_packets_total{reason=\"no-permission\"}";
    while count(&server, refused).await < 1.0 {
        tokio::task::yield_now().await;
    }
    // The external address belongs to this machine, so its other ports stay unreachable.
    let service = SocketAddr::new(outside, server.addr.port());
    assert_eq!(ada.bind(0x4000, service).await, 403);
}
