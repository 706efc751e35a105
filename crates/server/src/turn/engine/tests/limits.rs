//! The limits of a user, an address and a client.

use stun_types::message::{BINDING, Message, MessageWrite, MessageWriteVec};
use turn_types::{
    attribute::{EvenPort, RequestedTransport, ReservationToken},
    message::ALLOCATE,
};

use crate::turn::AllocationLimits;

use super::fixture::{Answer, MINUTE, SECOND, TestClient, World, address, nth_address};

#[test]
fn the_allocations_of_an_address_are_limited_for_all_users_until_one_ends() {
    let mut world = World::with(|settings| settings.allocations.per_address = 3);
    let mut clients = Vec::new();
    for (port, code) in [(1, 0), (2, 0), (3, 0), (4, 486)] {
        let mut client = world.client(&format!("1.1.1.1:{port}"), &format!("user-{port}"));
        assert_eq!(client.allocate(&mut world).code, code);
        clients.push(client);
    }
    assert_eq!(world.client("1.1.1.2:1", "neighbor").allocate(&mut world).code, 0);
    assert_eq!(clients[0].refresh(&mut world, std::time::Duration::ZERO).code, 0);
    assert_eq!(clients[3].allocate(&mut world).code, 0);
    world.pass(10 * MINUTE);
    assert_eq!(clients[0].allocate(&mut world).code, 401, "its credentials have expired");
    assert_eq!(world.client("1.1.1.1:9", "late").allocate(&mut world).code, 0);
    assert_eq!(world.allocations(), 1);
}

#[test]
fn an_ipv6_network_of_64_bits_is_one_address() {
    let mut world = World::with(|settings| settings.allocations.per_address = 1);
    assert_eq!(world.client("[2a00:1:2:3::1]:1", "ada").allocate(&mut world).code, 0);
    assert_eq!(world.client("[2a00:1:2:3::2]:1", "bo").allocate(&mut world).code, 486);
    assert_eq!(world.client("[2a00:1:2:4::1]:1", "cy").allocate(&mut world).code, 0);
}

#[test]
fn the_allocations_of_a_user_are_limited_over_all_addresses() {
    let mut world = World::with(|settings| settings.allocations.per_user = 2);
    let codes = [1, 2, 3].map(|n| world.client(&format!("1.1.1.{n}:1"), "ada").allocate(&mut world).code);
    assert_eq!(codes, [0, 0, 486]);
}

#[test]
fn the_total_number_of_allocations_is_limited() {
    let mut world = World::with(|settings| settings.allocations.total = 2);
    let codes = [1, 2, 3].map(|n| {
        let address = format!("{}:1", nth_address(n));
        world.client(&address, &address).allocate(&mut world).code
    });
    assert_eq!(codes, [0, 0, 508]);
}

#[test]
fn a_page_without_a_room_has_an_allocation_for_two_minutes() {
    let mut world = World::new();
    let mut visitor = world.client("1.1.1.1:1", "visitor-0123456789abcdef");
    assert_eq!(visitor.allocate(&mut world).lifetime(), 2 * MINUTE);
    world.pass(MINUTE);
    assert_eq!(visitor.refresh(&mut world, 60 * MINUTE).lifetime(), MINUTE);
    world.pass(MINUTE);
    assert_eq!(world.allocations(), 0);
}

fn allocate_pair(client: &mut TestClient, world: &mut World) -> Answer {
    client.ask(world, ALLOCATE, &[&RequestedTransport::new(17), &EvenPort::new(true)])
}

fn allocate_reserved(client: &mut TestClient, world: &mut World, token: u64) -> Answer {
    client.ask(world, ALLOCATE, &[&RequestedTransport::new(17), &ReservationToken::new(token)])
}

#[test]
fn even_port_gives_an_even_port_and_reserves_the_next_for_the_same_user() {
    let mut world = World::new();
    let mut first = world.client("1.1.1.1:1", "ada");
    let answer = allocate_pair(&mut first, &mut world);
    let even = answer.relayed().port();
    assert_eq!((even % 2, world.open_ports()), (0, 2));
    let mut stranger = world.client("1.1.1.1:2", "bo");
    assert_eq!(allocate_reserved(&mut stranger, &mut world, answer.token()).code, 508);
    let mut second = first.moved_to("1.1.1.1:3");
    let reserved = allocate_reserved(&mut second, &mut world, answer.token());
    assert_eq!(reserved.relayed().port(), even + 1);
    let mut third = first.moved_to("1.1.1.1:4");
    assert_eq!(allocate_reserved(&mut third, &mut world, answer.token()).code, 508, "it is taken");
}

#[test]
fn a_reserved_port_is_given_back_after_half_a_minute() {
    let mut world = World::new();
    let mut first = world.client("1.1.1.1:1", "ada");
    let token = allocate_pair(&mut first, &mut world).token();
    world.pass(29 * SECOND);
    assert_eq!(world.open_ports(), 2);
    world.pass(SECOND);
    assert_eq!(world.open_ports(), 1);
    let mut second = first.moved_to("1.1.1.1:2");
    assert_eq!(allocate_reserved(&mut second, &mut world, token).code, 508);
}

#[test]
fn a_reserved_port_counts_like_an_allocation_of_its_address() {
    let mut world = World::with(|settings| settings.allocations.per_address = 3);
    let ask = |port: u16, world: &mut World| {
        allocate_pair(&mut world.client(&format!("1.1.1.1:{port}"), "ada"), world).code
    };
    assert_eq!(ask(1, &mut world), 0);
    assert_eq!(ask(2, &mut world), 486, "it would be four");
    assert_eq!(world.client("1.1.1.1:3", "ada").allocate(&mut world).code, 0, "the third");
    assert_eq!(world.client("1.1.1.1:4", "ada").allocate(&mut world).code, 486);
    world.pass(30 * SECOND);
    assert_eq!(world.client("1.1.1.1:4", "ada").allocate(&mut world).code, 0);
}

#[test]
fn one_address_reserves_a_quarter_of_the_ports_that_can_be_reserved() {
    let reserved = |per_address| {
        let mut world = World::with(|settings| {
            settings.allocations = AllocationLimits { per_user: 1_000, per_address, total: 1_000 };
        });
        let pairs = (1..=1_000).take_while(|port| {
            let mut client = world.client(&format!("1.1.1.1:{port}"), "ada");
            allocate_pair(&mut client, &mut world).code == 0
        });
        pairs.count()
    };
    assert_eq!((reserved(1_000), reserved(20)), (64, 10));
}

#[test]
fn a_pair_of_which_half_is_taken_leaves_no_port_open() {
    let mut world = World::with(|settings| settings.relay_ports = 50_000..=50_003);
    world.occupy([50_001, 50_003]);
    let mut client = world.client("1.1.1.1:1", "ada");
    assert_eq!(allocate_pair(&mut client, &mut world).code, 508);
    assert_eq!(world.open_ports(), 0);
}

#[test]
fn a_client_over_udp_that_asks_too_often_gets_no_answer_until_later() {
    let mut world = World::new();
    let (mut client, _) = world.allocated("1.1.1.1:1000");
    let request = client.signed(Message::builder_request(ALLOCATE, MessageWriteVec::new()), &[]);
    let answered = (0..1_000).filter(|_| client.answer_to(&mut world, &request).is_some()).count();
    assert_eq!(answered, 199, "a burst of 200, of which one made the allocation");
    let (mut neighbor, _) = world.allocated("1.1.1.1:1001");
    assert_eq!(neighbor.permit(&mut world, address("8.8.8.8:1")), 0);
    world.pass(SECOND);
    assert_eq!(client.permit(&mut world, address("8.8.8.8:1")), 0);
}

#[test]
fn unauthenticated_requests_of_an_address_get_a_limited_number_of_answers() {
    let mut world = World::with(|settings| settings.unauthenticated_per_s = 5);
    let client = world.client("1.1.1.1:1000", "ada");
    let question = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
    let answered =
        |world: &mut World| (0..1_000).filter(|_| client.answer_to(world, &question).is_some()).count();
    assert_eq!(answered(&mut world), 20);
    world.pass(SECOND);
    assert_eq!(answered(&mut world), 5);
}

#[test]
fn only_an_allocation_that_exceeds_its_bandwidth_loses_packets() {
    let mut world = World::with(|settings| settings.bytes_per_s = 1.0);
    let peer = address("8.8.8.8:1");
    let (mut greedy, _) = world.allocated("1.1.1.1:1000");
    let (mut modest, _) = world.allocated("1.1.1.1:1001");
    assert_eq!((greedy.bind(&mut world, 0x4000, peer), modest.bind(&mut world, 0x4000, peer)), (0, 0));
    let passed = (0..100).filter(|_| !greedy.send_on(&mut world, 0x4000, &[7; 1_000]).is_empty()).count();
    assert_eq!(passed, 65, "the least burst is 64 KiB");
    assert_eq!(modest.send_on(&mut world, 0x4000, &[7; 1_000]).len(), 1);
}
