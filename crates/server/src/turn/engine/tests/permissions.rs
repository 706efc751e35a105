//! The lifetime of permissions.

use super::fixture::{MINUTE, SECOND, World, address, indicated, to_peer};

#[test]
fn a_permission_lasts_five_minutes_and_covers_every_port_of_an_address() {
    let mut world = World::new();
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    let (peer, same_address, other) = (address("8.8.8.8:1"), address("8.8.8.8:2"), address("8.8.4.4:1"));
    assert_eq!(client.send(&mut world, peer, b"too early"), []);
    assert_eq!(world.peer_sends(peer, relayed, b"too early"), []);
    assert_eq!(client.permit(&mut world, peer), 0);
    world.pass(5 * MINUTE - SECOND);
    assert_eq!(client.send(&mut world, same_address, b"hello"), to_peer(relayed, same_address, b"hello"));
    let received = world.peer_sends(same_address, relayed, b"and back");
    assert_eq!(indicated(&received), (same_address, b"and back".to_vec()));
    assert_eq!(client.send(&mut world, other, b"hello"), []);
    assert_eq!(world.peer_sends(other, relayed, b"hello"), []);
    world.pass(SECOND);
    assert_eq!(client.send(&mut world, peer, b"too late"), []);
    assert_eq!(world.peer_sends(peer, relayed, b"too late"), []);
}

#[test]
fn a_repeated_permission_request_extends_the_permission() {
    let mut world = World::new();
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    let peer = address("8.8.8.8:1");
    assert_eq!(client.permit(&mut world, peer), 0);
    world.pass(4 * MINUTE);
    assert_eq!(client.permit(&mut world, peer), 0);
    world.pass(4 * MINUTE);
    assert_eq!(client.send(&mut world, peer, b"hello"), to_peer(relayed, peer, b"hello"));
}

#[test]
fn two_clients_of_this_relay_need_a_permission_of_each_other_and_no_packet_leaves() {
    let mut world = World::new();
    let (mut ada, at_ada) = world.allocated("1.1.1.1:1000");
    let (mut bo, at_bo) = world.allocated("2.2.2.2:1000");
    assert_eq!(ada.permit(&mut world, at_bo), 0);
    assert_eq!(ada.send(&mut world, at_bo, b"unheard"), []);
    assert_eq!(bo.permit(&mut world, at_ada), 0);
    let sent = ada.send(&mut world, at_bo, b"heard");
    assert_eq!(indicated(&sent), (at_ada, b"heard".to_vec()));
}
