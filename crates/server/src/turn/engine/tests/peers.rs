//! The peers that no client may reach through the relay.

use std::net::SocketAddr;

use super::fixture::{SERVER, World, address, indicated, to_peer};

/// The list that the tests over real sockets use too.
const FORBIDDEN: &str = include_str!("../../../../tests/forbidden_peers.txt");

#[test]
fn not_one_packet_goes_to_a_forbidden_peer_by_permission_channel_or_send() {
    let mut world = World::with(|settings| settings.requests_per_s = 10_000);
    let peers = FORBIDDEN.lines().filter(|line| !line.starts_with('#'));
    for (number, line) in (1_000..).zip(peers) {
        let (mut client, _) = world.allocated(&format!("1.1.1.1:{number}"));
        let peer = SocketAddr::new(line.parse().unwrap(), 4_000);
        assert_eq!(client.permit(&mut world, peer), 403, "{line}");
        assert_eq!(client.bind(&mut world, 0x4000, peer), 403, "{line}");
        assert_eq!(client.send(&mut world, peer, b"by send"), [], "{line}");
        assert_eq!(client.send_on(&mut world, 0x4000, b"by channel"), [], "{line}");
        world.engine.end_client(&client.client.five_tuple, &mut world.network);
    }
}

#[test]
fn a_peer_of_the_other_family_is_refused() {
    let mut world = World::new();
    let (mut client, _) = world.allocated("1.1.1.1:1000");
    assert_eq!(client.permit(&mut world, address("[2a00::1]:1")), 443);
    assert_eq!(client.bind(&mut world, 0x4000, address("[2a00::1]:1")), 443);
}

#[test]
fn this_machine_is_reached_at_the_ports_of_live_allocations_alone() {
    let mut world = World::new();
    let (mut ada, at_ada) = world.allocated("1.1.1.1:1000");
    let (mut bo, at_bo) = world.allocated("2.2.2.2:1000");
    let service = address(SERVER);
    assert_eq!(at_ada.ip(), service.ip());
    assert_eq!(ada.bind(&mut world, 0x4000, service), 403);
    assert_eq!((ada.permit(&mut world, at_bo), bo.permit(&mut world, at_ada)), (0, 0));
    assert_eq!(ada.send(&mut world, service, b"to a service"), []);
    assert_eq!(indicated(&ada.send(&mut world, at_bo, b"to a friend")), (at_ada, b"to a friend".to_vec()));
    world.engine.end_client(&bo.client.five_tuple, &mut world.network);
    assert_eq!(ada.send(&mut world, at_bo, b"to nobody"), []);
    assert_eq!(ada.bind(&mut world, 0x4000, at_bo), 403);
}

#[test]
fn a_denied_network_is_not_reached_even_if_it_is_allowed() {
    let mut world = World::with(|settings| {
        settings.allowed_peers = vec!["10.0.0.0/8".parse().unwrap()];
        settings.denied_peers = vec!["10.1.0.0/16".parse().unwrap()];
    });
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    let (allowed, denied) = (address("10.0.0.1:1"), address("10.1.0.1:1"));
    assert_eq!((client.permit(&mut world, allowed), client.permit(&mut world, denied)), (0, 403));
    assert_eq!(client.send(&mut world, allowed, b"hello"), to_peer(relayed, allowed, b"hello"));
    assert_eq!(client.send(&mut world, denied, b"hello"), []);
}
