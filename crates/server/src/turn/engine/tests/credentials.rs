//! Authentication by nonce, user name and password.

use std::time::Duration;

use super::fixture::{MINUTE, SECOND, World, address};

#[test]
fn a_nonce_is_stale_after_an_hour_and_the_request_may_be_repeated_with_a_fresh_one() {
    let mut world = World::new();
    let (mut client, _) = world.allocated("1.1.1.1:1000");
    assert_eq!(client.refresh(&mut world, 60 * MINUTE).code, 0);
    world.pass(60 * MINUTE - SECOND);
    assert_eq!(client.refresh(&mut world, 60 * MINUTE).code, 0);
    world.pass(SECOND);
    let stale = client.refresh(&mut world, 60 * MINUTE);
    assert_eq!(stale.code, 438);
    client.take_nonce(&stale);
    assert_eq!(client.refresh(&mut world, 60 * MINUTE).code, 0);
}

#[test]
fn a_nonce_of_another_client_and_a_forged_one_are_stale() {
    let mut world = World::new();
    let (ada, _) = world.allocated("1.1.1.1:1000");
    let (mut bo, _) = world.allocated("1.1.1.1:1001");
    for nonce in [ada.nonce, "0".repeat(32), "x".to_owned()] {
        bo.nonce = nonce;
        assert_eq!(bo.refresh(&mut world, MINUTE).code, 438);
    }
}

#[test]
fn wrong_credentials_are_refused_each_time_and_make_no_allocation() {
    let mut world = World::new();
    let sound = world.client("1.1.1.1:1000", "ada");
    let expired = format!("{}:ada", world.now.as_s());
    let far = format!("{}:ada", (world.now + 25 * 60 * MINUTE).as_s());
    let other_password = world.client("1.1.1.1:1000", "bo").password;
    for (what, username, password) in [
        ("a wrong password", sound.username.clone(), "wrong".to_owned()),
        ("no password", sound.username.clone(), String::new()),
        ("another user's password", sound.username.clone(), other_password),
        ("an expired name", expired, sound.password.clone()),
        ("a name of the far future", far, sound.password.clone()),
        ("a name without an expiry", "ada".to_owned(), sound.password.clone()),
        ("a name that is too long", "9".repeat(400), sound.password.clone()),
    ] {
        let mut client = world.client("1.1.1.1:1000", "ada");
        (client.username, client.password) = (username, password);
        for _ in 0..2 {
            assert_eq!(client.allocate(&mut world).code, 401, "{what}");
        }
    }
    assert_eq!((world.allocations(), world.open_ports()), (0, 0));
}

#[test]
fn an_allocation_outlives_its_credentials_and_a_new_one_needs_fresh_ones() {
    let mut world = World::new();
    let (mut early, _) = world.allocated("1.1.1.1:1000");
    assert_eq!(early.refresh(&mut world, 60 * MINUTE).code, 0);
    world.pass(10 * MINUTE);
    assert_eq!(early.refresh(&mut world, 60 * MINUTE).code, 0);
    assert_eq!(early.permit(&mut world, address("8.8.8.8:1")), 0);
    let mut late = early.moved_to("1.1.1.1:1001");
    assert_eq!(late.allocate(&mut world).code, 401);
}

#[test]
fn only_the_user_of_an_allocation_can_refresh_it() {
    let mut world = World::new();
    let (mut client, _) = world.allocated("1.1.1.1:1000");
    let somebody = world.client("1.1.1.1:1000", "somebody");
    let own = (client.username.clone(), client.password.clone());
    (client.username, client.password) = (somebody.username, somebody.password);
    assert_eq!(client.refresh(&mut world, Duration::ZERO).code, 441);
    (client.username, client.password) = (own.0, "wrong".to_owned());
    assert_eq!(client.refresh(&mut world, Duration::ZERO).code, 401);
    assert_eq!(world.allocations(), 1);
    client.password = own.1;
    assert_eq!(client.refresh(&mut world, Duration::ZERO).code, 0);
}
