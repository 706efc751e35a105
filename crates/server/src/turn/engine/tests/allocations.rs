//! The lifetime of an allocation, and its end.

use std::time::Duration;

use stun_types::message::{Message, MessageWriteVec};
use turn_types::{attribute::RequestedTransport, message::ALLOCATE};

use super::fixture::{FakeNetwork, MINUTE, SECOND, TestClient, World, address, to_peer};

const HOUR: Duration = Duration::from_secs(3_600);
const PEER: &str = "8.8.8.8:4000";

#[test]
fn an_allocation_without_a_refresh_lives_ten_minutes() {
    let mut world = World::new();
    let (_client, _) = world.allocated("1.1.1.1:1000");
    world.pass(10 * MINUTE - SECOND);
    assert_eq!((world.allocations(), world.open_ports()), (1, 1));
    world.pass(SECOND);
    assert_eq!((world.allocations(), world.open_ports()), (0, 0));
}

#[test]
fn a_refresh_extends_the_life_within_bounds() {
    let mut world = World::new();
    let (mut client, _) = world.allocated("1.1.1.1:1000");
    assert_eq!(client.refresh(&mut world, SECOND).lifetime(), 10 * MINUTE, "at least");
    assert_eq!(client.refresh(&mut world, 20 * MINUTE).lifetime(), 20 * MINUTE);
    assert_eq!(client.refresh(&mut world, 24 * HOUR).lifetime(), HOUR, "at most");
    world.pass(HOUR - SECOND);
    assert_eq!(world.allocations(), 1);
    world.pass(SECOND);
    assert_eq!(world.allocations(), 0);
}

#[test]
fn an_allocation_ends_after_a_day_however_often_it_is_refreshed() {
    let mut world = World::new();
    let (mut client, _) = world.allocated("1.1.1.1:1000");
    for hours in 0..24 {
        assert_eq!(refresh_with_fresh_nonce(&mut client, &mut world), HOUR, "after {hours} hours");
        world.pass(HOUR - SECOND);
    }
    assert_eq!(refresh_with_fresh_nonce(&mut client, &mut world), 24 * SECOND, "what is left of the day");
    world.pass(23 * SECOND);
    assert_eq!(world.allocations(), 1);
    world.pass(SECOND);
    assert_eq!((world.allocations(), world.open_ports()), (0, 0));
}

fn refresh_with_fresh_nonce(client: &mut TestClient, world: &mut World) -> Duration {
    let answer = client.refresh(world, HOUR);
    if answer.code != 438 {
        return answer.lifetime();
    }
    client.take_nonce(&answer);
    client.refresh(world, HOUR).lifetime()
}

#[test]
fn a_refresh_with_lifetime_zero_ends_the_allocation_and_allows_another() {
    let mut world = World::new();
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    assert_eq!(client.permit(&mut world, address(PEER)), 0);
    assert_eq!(client.refresh(&mut world, Duration::ZERO).code, 0);
    assert_eq!((world.allocations(), world.open_ports()), (0, 0));
    assert_eq!(client.send(&mut world, address(PEER), b"too late"), []);
    assert_eq!(world.peer_sends(address(PEER), relayed, b"too late"), []);
    assert_eq!(client.permit(&mut world, address(PEER)), 437);
    let again = client.allocate(&mut world).relayed();
    assert_eq!(client.permit(&mut world, address(PEER)), 0);
    let sent = client.send(&mut world, address(PEER), b"again");
    assert_eq!(sent, to_peer(again, address(PEER), b"again"));
}

#[test]
fn an_expired_allocation_relays_nothing_even_before_the_engine_handles_its_expiry() {
    let mut world = World::new();
    let (mut client, relayed) = world.allocated("1.1.1.1:1000");
    let peer = address(PEER);
    assert_eq!(client.bind(&mut world, 0x4000, peer), 0);
    world.pass_untold(9 * MINUTE);
    assert_eq!(client.bind(&mut world, 0x4000, peer), 0);
    assert_eq!(client.send_on(&mut world, 0x4000, b"in time"), to_peer(relayed, peer, b"in time"));
    world.pass_untold(MINUTE);
    assert_eq!(client.send_on(&mut world, 0x4000, b"late"), []);
    assert_eq!(client.send(&mut world, peer, b"late"), []);
    assert_eq!(world.peer_sends(peer, relayed, b"late"), []);
    // The credentials have expired too. With fresh ones the client can make a new allocation.
    let mut next = world.client("1.1.1.1:1000", "bo");
    assert_eq!(next.refresh(&mut world, HOUR).code, 437);
    assert_eq!(next.allocate(&mut world).code, 0);
    assert_eq!((world.allocations(), world.open_ports()), (1, 1));
}

#[test]
fn a_request_that_is_repeated_because_its_answer_was_lost_makes_one_allocation() {
    let mut world = World::new();
    let mut client = world.client("1.1.1.1:1000", "ada");
    assert_eq!(client.permit(&mut world, address(PEER)), 437, "there is none yet");
    let request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
    let request = client.signed(request, &[&RequestedTransport::new(17)]);
    let first = client.answer_to(&mut world, &request).unwrap();
    world.pass(MINUTE);
    let again = client.answer_to(&mut world, &request).unwrap();
    assert_eq!((first.code, first.relayed()), (0, again.relayed()));
    assert_eq!((first.lifetime(), again.lifetime()), (10 * MINUTE, 9 * MINUTE));
    assert_eq!(client.allocate(&mut world).code, 437, "another request");
    assert_eq!((world.allocations(), world.open_ports()), (1, 1));
}

#[test]
fn the_same_ports_over_udp_and_tcp_are_two_clients() {
    let mut world = World::new();
    let mut over_udp = world.client("1.1.1.1:1000", "ada");
    let mut over_tcp = world.client("1.1.1.1:1000", "ada").over_tcp();
    assert_eq!((over_udp.allocate(&mut world).code, over_tcp.allocate(&mut world).code), (0, 0));
    assert_eq!(world.allocations(), 2);
}

#[test]
fn an_ended_client_leaves_no_allocation_and_no_open_port() {
    let mut world = World::new();
    let (client, _) = world.allocated("1.1.1.1:1000");
    world.engine.end_client(&client.client.five_tuple, &mut world.network);
    world.engine.end_client(&client.client.five_tuple, &mut world.network);
    assert_eq!((world.allocations(), world.open_ports()), (0, 0));
}

#[test]
fn a_request_without_a_free_port_is_refused_and_takes_no_place() {
    let mut world = World::with(|settings| {
        settings.relay_ports = 50_000..=50_003;
        settings.allocations.total = 1;
    });
    world.occupy([50_000, 50_001, 50_002, 50_003]);
    let mut client = world.client("1.1.1.1:1000", "ada");
    assert_eq!(client.allocate(&mut world).code, 508);
    world.network = FakeNetwork::default();
    world.pass(SECOND);
    assert_eq!(client.allocate(&mut world).code, 0);
}
