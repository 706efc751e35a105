//! The rules of channel bindings (RFC 8656 section 12).

use super::fixture::{MINUTE, SECOND, World, address, indicated, on_channel, to_peer};

#[test]
fn a_channel_carries_data_both_ways_and_permits_its_peer() {
    let mut world = World::new();
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    let peer = address("8.8.8.8:1");
    assert_eq!(client.bind(&mut world, 0x4000, peer), 0);
    assert_eq!(client.send_on(&mut world, 0x4000, b"hello"), to_peer(relayed, peer, b"hello"));
    assert_eq!(world.peer_sends(peer, relayed, b"and back"), on_channel(&client, 0x4000, b"and back"));
    let other_port = address("8.8.8.8:2");
    assert_eq!(indicated(&world.peer_sends(other_port, relayed, b"too")), (other_port, b"too".to_vec()));
    assert_eq!(client.send_on(&mut world, 0x4001, b"on no channel"), []);
}

#[test]
fn a_channel_is_bound_to_one_peer_and_a_peer_to_one_channel() {
    let mut world = World::new();
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    let (first, second) = (address("8.8.8.8:1"), address("8.8.8.8:2"));
    assert_eq!(client.bind(&mut world, 0x4000, first), 0);
    assert_eq!(client.bind(&mut world, 0x4000, second), 400);
    assert_eq!(client.bind(&mut world, 0x4001, first), 400);
    assert_eq!(client.bind(&mut world, 0x4001, second), 0);
    assert_eq!(client.send_on(&mut world, 0x4000, b"1"), to_peer(relayed, first, b"1"));
    assert_eq!(client.send_on(&mut world, 0x4001, b"2"), to_peer(relayed, second, b"2"));
}

#[test]
fn a_number_outside_the_range_of_channels_is_refused() {
    let mut world = World::new();
    let (mut client, _) = world.allocated("1.1.1.1:1000");
    let peer = address("8.8.8.8:1");
    for number in [0, 0x3fff, 0x8000, 0xffff] {
        assert_eq!(client.bind(&mut world, number, peer), 400, "{number:x}");
    }
    assert_eq!(client.bind(&mut world, 0x4000, address("8.8.8.8:0")), 403, "nobody has port 0");
    assert_eq!(client.bind(&mut world, 0x7fff, peer), 0);
}

#[test]
fn a_channel_lasts_ten_minutes_and_its_permission_five() {
    let mut world = World::new();
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    let (first, second) = (address("8.8.8.8:1"), address("8.8.4.4:1"));
    assert_eq!(client.refresh(&mut world, 60 * MINUTE).code, 0);
    assert_eq!(client.bind(&mut world, 0x4000, first), 0);
    world.pass(6 * MINUTE);
    assert_eq!(world.peer_sends(first, relayed, b"not permitted now"), []);
    assert_eq!(client.bind(&mut world, 0x4000, first), 0, "binding it again permits it again");
    assert_eq!(world.peer_sends(first, relayed, b"hello"), on_channel(&client, 0x4000, b"hello"));
    world.pass(10 * MINUTE - SECOND);
    assert_eq!(client.bind(&mut world, 0x4000, second), 400, "still the first peer's");
    world.pass(SECOND);
    assert_eq!(client.send_on(&mut world, 0x4000, b"too late"), []);
    assert_eq!(client.bind(&mut world, 0x4000, second), 0);
    assert_eq!(client.send_on(&mut world, 0x4000, b"hello"), to_peer(relayed, second, b"hello"));
}
