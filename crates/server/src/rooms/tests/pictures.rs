//! Pictures that visitors of a locked room show to its hosts.

use sightline_protocol::{JpegText, SealedPicture, VisitorPicture};

use super::*;

impl World {
    pub(super) fn show_picture(&mut self, visitor: SocketId) {
        self.say(visitor, ClientMessage::KnockPicture { picture: picture("A") });
    }

    /// What a host sees of the visitor with this name.
    fn shown(&self, host: SocketId, name: &str) -> Option<VisitorPicture> {
        let knock = self.view(host).knocks.iter().find(|visitor| visitor.name.as_str() == name);
        knock.and_then(|visitor| visitor.picture.clone())
    }
}

fn picture(scan: &str) -> VisitorPicture {
    VisitorPicture::Jpeg(JpegText::new(format!("_9j_{scan}")).unwrap())
}

/// A locked room with its host.
fn locked() -> (World, SocketId) {
    let mut world = World::of_people();
    let host = world.visit("ada");
    world.lock(host, true);
    (world, host)
}

#[test]
fn the_hosts_and_nobody_else_see_the_picture_of_a_visitor() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    world.lock(ada, true);
    let cy = world.visit("cy");
    assert_eq!(world.shown(ada, "cy"), None, "nobody has to show one");
    world.say(cy, ClientMessage::KnockPicture { picture: picture("cy") });
    assert_eq!(world.shown(ada, "cy"), Some(picture("cy")));
    assert!(world.view(bo).knocks.is_empty());
    // Whoever becomes host later sees it, too.
    let id = world.view(bo).me.clone();
    world.say(ada, ClientMessage::MakeHost { id });
    assert_eq!(world.shown(bo, "cy"), Some(picture("cy")));
    world.answer(ada, true);
    assert!(world.is_in(cy) && world.view(ada).knocks.is_empty() && world.registry.pictured.is_empty());
}

#[test]
fn the_server_passes_on_an_encrypted_picture_as_it_is() {
    let (mut world, ada) = locked();
    let cy = world.visit("cy");
    let sealed = VisitorPicture::Sealed(SealedPicture::new("aZ09-_".to_owned()).unwrap());
    world.say(cy, ClientMessage::KnockPicture { picture: sealed.clone() });
    assert_eq!(world.shown(ada, "cy"), Some(sealed));
}

#[test]
fn a_visitor_shows_one_picture_and_a_second_one_has_no_effect() {
    let (mut world, ada) = locked();
    let cy = world.visit("cy");
    for scan in ["A", "B", "C"] {
        world.say(cy, ClientMessage::KnockPicture { picture: picture(scan) });
    }
    assert_eq!(world.shown(ada, "cy"), Some(picture("A")));
    assert!(world.waits(cy));
}

#[test]
fn a_picture_is_forgotten_with_its_knock() {
    for end in ["refused", "left", "lost", "waited too long", "ended"] {
        let (mut world, ada) = locked();
        let cy = world.visit("cy");
        world.show_picture(cy);
        assert_eq!(world.registry.pictured.len(), 1);
        match end {
            "refused" => world.answer(ada, false),
            "left" => world.say(cy, ClientMessage::Leave),
            "lost" => world.drop_socket(cy),
            "ended" => world.say(ada, ClientMessage::End),
            _ => world.pass(Duration::from_secs(120)),
        }
        assert!(world.registry.pictured.is_empty(), "{end}");
        assert!(end == "ended" || world.view(ada).knocks.is_empty(), "{end}");
    }
}

#[test]
fn only_a_visitor_that_waits_shows_a_picture() {
    let (mut world, ada) = locked();
    world.show_picture(ada);
    assert!(world.is_in(ada), "a member that was let in meanwhile has done nothing wrong");
    let cy = world.visit("cy");
    world.answer(ada, true);
    world.show_picture(cy);
    assert!(world.is_in(cy) && world.registry.pictured.is_empty());
    let stranger = world.connect();
    world.show_picture(stranger);
    assert!(!world.client(stranger).is_open());
}

#[test]
fn the_pictures_of_all_rooms_together_are_bounded_and_one_too_many_leaves_the_name() {
    let (mut world, ada) = locked();
    let cy = world.visit("cy");
    let limit = super::super::hosting::MAX_PICTURES;
    world.registry.pictured.extend((0..limit as u64).map(|n| SocketId(1_000_000 + n)));
    world.show_picture(cy);
    assert!(world.waits(cy) && world.shown(ada, "cy").is_none());
    assert_eq!(world.registry.pictured.len(), limit);
    world.registry.pictured.clear();
    world.show_picture(cy);
    assert_eq!(world.shown(ada, "cy"), Some(picture("A")));
}
