//! A server on which only holders of the operator's token may open a room.

use std::time::Duration;

use sightline_protocol::{ErrorCode, RefusalReason};

use super::{super::CreateKey, Closing, World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn key() -> CreateKey {
    CreateKey::new(&[3; 32])
}

impl World {
    fn with_create_key() -> Self {
        let mut world = Self { attended: Some(true), ..Self::new(8, 8) };
        world.settings.create_key = Some(key());
        world.restart();
        world
    }

    fn hold_token(&mut self) {
        self.create_token = Some(key().sign(self.now + DAY));
    }

    fn has_entered(&self, socket: super::SocketId) -> bool {
        self.clients[&socket].seat.is_some() && self.clients[&socket].closing.is_none()
    }

    fn was_told_that_it_is_not_open(&self, socket: super::SocketId) -> bool {
        self.clients[&socket].closing == Some(Closing::Refused(RefusalReason::NotOpen))
    }
}

#[test]
fn nobody_opens_a_room_without_a_token() {
    let mut world = World::with_create_key();
    let ada = world.join("team-7", "ada", None);
    assert!(world.was_told_that_it_is_not_open(ada));
    for token in ["", "a.b", &CreateKey::new(&[4; 32]).sign(world.now + DAY)] {
        world.create_token = Some(token.to_owned());
        let ada = world.join("team-7", "ada", None);
        assert!(world.was_told_that_it_is_not_open(ada), "{token}");
    }
}

#[test]
fn a_holder_of_a_token_opens_a_room_and_others_enter_it_without_one() {
    let mut world = World::with_create_key();
    world.hold_token();
    let ada = world.join("team-7", "ada", None);
    world.create_token = None;
    let bo = world.join("team-7", "bo", None);
    assert!(world.has_entered(ada) && world.has_entered(bo));
    let eve = world.join("other", "eve", None);
    assert!(world.was_told_that_it_is_not_open(eve));
}

#[test]
fn an_expired_token_opens_nothing() {
    let mut world = World::with_create_key();
    world.hold_token();
    world.now = world.now + DAY;
    let ada = world.join("team-7", "ada", None);
    assert!(world.was_told_that_it_is_not_open(ada));
}

#[test]
fn a_guest_does_not_open_the_room_again_and_its_host_does() {
    let mut world = World::with_create_key();
    world.hold_token();
    let ada = world.join("team-7", "ada", None);
    world.create_token = None;
    let bo = world.join("team-7", "bo", None);
    let resume = |world: &World, socket| world.clients[&socket].seat.as_ref().unwrap().resume.clone();
    let (of_host, of_guest) = (resume(&world, ada), resume(&world, bo));
    world.drop_socket(ada);
    world.drop_socket(bo);
    world.now = world.now + DAY / 2;
    world.registry.handle_timeout(world.now);
    world.deliver();
    let again = world.join("team-7", "bo2", Some(&of_guest));
    assert!(world.was_told_that_it_is_not_open(again));
    let again = world.join("team-7", "ada2", Some(&of_host));
    assert!(world.has_entered(again));
}

#[test]
fn everybody_who_was_in_a_room_returns_to_it_after_a_restart_of_the_server() {
    let mut world = World::with_create_key();
    world.hold_token();
    world.join("team-7", "ada", None);
    world.create_token = None;
    let bo = world.join("team-7", "bo", None);
    let token = world.clients[&bo].seat.as_ref().unwrap().resume.clone();
    world.now = world.now + Duration::from_secs(60);
    world.restart();
    let bo = world.join("team-7", "bo", Some(&token));
    assert!(world.has_entered(bo));
}

#[test]
fn a_client_of_an_earlier_version_is_told_in_words_that_it_knows() {
    let mut world = World::with_create_key();
    world.attended = None;
    let ada = world.join("team-7", "ada", None);
    let closing = world.clients[&ada].closing.clone();
    assert!(matches!(closing, Some(Closing::Failed { code: ErrorCode::ServerFull, .. })), "{closing:?}");
}
