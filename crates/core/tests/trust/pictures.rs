//! The picture that a visitor shows to the hosts of a locked room: whom it reaches, what it is bound to, and what a server can do with it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sightline_core::{
    picture::StillPicture,
    random::SeededRandom,
    room::VisitorView,
    trust::{RoomKeys, RoomSecret},
};
use sightline_protocol::{
    DisplayName, InstanceId, JpegText, MemberId, RoomName, SealedName, SealedPicture, Visitor,
    VisitorPicture,
    limits::{MAX_FRAME_BYTES, MAX_PICTURE_BYTES},
    signaling::{ClientMessage, ServerMessage},
};

use crate::world::World;

const HOST: usize = 0;
const VISITOR: usize = 1;
const WAITING: &str = r#"{"type":"waiting","pictures":true}"#;

fn secret() -> RoomSecret {
    RoomSecret::from_random(7)
}

fn keys() -> RoomKeys {
    RoomKeys::derive(secret(), &RoomName::new("team").unwrap())
}

fn instance(id: &str) -> InstanceId {
    InstanceId::new(id).unwrap()
}

/// A JPEG file of one square, 16 pixels wide, with `more` bytes in its scan.
fn picture(more: usize) -> StillPicture {
    let mut file = vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0];
    file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    file.extend(vec![0x55; more]);
    file.extend([0xff, 0xd9]);
    StillPicture::new(&file).unwrap()
}

/// A host, and a visitor to whom the server says nothing by itself.
fn locked(secret: Option<RoomSecret>) -> World {
    let mut world = World::new();
    world.secret = secret;
    world.hosts = vec![MemberId::new("m0").unwrap()];
    world.open(None);
    world.interference = Some(Box::new(|_, _| Vec::new()));
    world.open(None);
    world
}

/// The picture that the visitor sends when it shows this one. The page of the visitor learns whether it was sent.
fn shown(world: &mut World, picture: &StillPicture) -> Option<VisitorPicture> {
    let now = world.now;
    let is_sent = world.pages[VISITOR].session.show_picture(picture, now);
    world.settle();
    let sent = match world.host_actions.pop() {
        Some((VISITOR, ClientMessage::KnockPicture { picture })) => Some(picture),
        _ => None,
    };
    assert_eq!(is_sent, sent.is_some());
    sent
}

/// Tells the host of the visitor `m9`.
fn knock(world: &mut World, of: &str, sealed_name: Option<SealedName>, picture: Option<VisitorPicture>) {
    let name = match sealed_name {
        Some(_) => DisplayName::default(),
        None => DisplayName::cut("Cy"),
    };
    let id = MemberId::new("m9").unwrap();
    let visitor = Visitor { id, name, sealed_name, instance: instance(of), picture };
    let frame = serde_json::to_string(&ServerMessage::Knock { visitor }).unwrap();
    world.tell_raw(HOST, &frame);
}

fn sealed_name(of: &str) -> Option<SealedName> {
    keys().seal_name(&DisplayName::cut("Cy"), &instance(of), &mut SeededRandom::new(9))
}

fn seen(world: &World) -> &VisitorView {
    &world.pages[HOST].session.hosting().visitors()[0]
}

#[test]
fn a_host_sees_the_name_and_the_picture_of_a_visitor() {
    for secret in [None, Some(secret())] {
        let mut world = locked(secret);
        world.tell_raw(VISITOR, WAITING);
        assert!(world.pages[VISITOR].session.takes_picture());
        let sent = shown(&mut world, &picture(40)).unwrap();
        assert_eq!(matches!(sent, VisitorPicture::Sealed(_)), secret.is_some());
        let name = secret.and_then(|_| sealed_name("i1"));
        knock(&mut world, "i1", name.clone(), None);
        assert_eq!(seen(&world).picture, None);
        knock(&mut world, "i1", name, Some(sent));
        let visitor = seen(&world);
        assert_eq!((visitor.name.as_str(), visitor.has_readable_name), ("Cy", true));
        assert_eq!(visitor.picture, Some(picture(40)));
        assert_eq!(world.pages[HOST].session.hosting().visitors().len(), 1);
        world.tell_raw(HOST, r#"{"type":"knock_ended","id":"m9"}"#);
        assert!(world.pages[HOST].session.hosting().visitors().is_empty());
    }
}

#[test]
fn a_visitor_shows_a_picture_only_while_it_waits_once_and_to_a_server_that_passes_it_on() {
    let mut world = locked(Some(secret()));
    assert_eq!(shown(&mut world, &picture(1)), None, "before the server says that the room is locked");
    world.tell_raw(VISITOR, r#"{"type":"waiting"}"#);
    assert!(!world.pages[VISITOR].session.takes_picture());
    assert_eq!(shown(&mut world, &picture(1)), None, "a server of an earlier version");
    let mut world = locked(Some(secret()));
    world.tell_raw(VISITOR, WAITING);
    assert!(shown(&mut world, &picture(1)).is_some());
    assert_eq!(shown(&mut world, &picture(2)), None, "once");
    world.tell_raw(VISITOR, r#"{"type":"refused","reason":"refused"}"#);
    assert_eq!(shown(&mut world, &picture(3)), None, "after the answer");
}

#[test]
fn the_largest_picture_fits_into_a_frame() {
    let largest = picture(MAX_PICTURE_BYTES - picture(0).as_bytes().len());
    for secret in [None, Some(secret())] {
        let mut world = locked(secret);
        world.tell_raw(VISITOR, WAITING);
        let picture = shown(&mut world, &largest).unwrap();
        let frame = serde_json::to_string(&ClientMessage::KnockPicture { picture: picture.clone() }).unwrap();
        assert!(frame.len() < MAX_FRAME_BYTES / 2, "{}", frame.len());
        knock(&mut world, "i1", secret.and_then(|_| sealed_name("i1")), Some(picture));
        assert_eq!(seen(&world).picture.as_ref(), Some(&largest));
    }
}

#[test]
fn an_encrypted_picture_opens_for_the_page_and_the_room_for_which_it_was_sealed_only() {
    let sealed = keys().seal_picture(&picture(9), &instance("a"), &mut SeededRandom::new(1)).unwrap();
    assert_eq!(keys().open_picture(&sealed, &instance("a")), Some(picture(9)));
    assert_eq!(keys().open_picture(&sealed, &instance("b")), None);
    let other_room = RoomKeys::derive(secret(), &RoomName::new("other").unwrap());
    let other_secret = RoomKeys::derive(RoomSecret::from_random(8), &RoomName::new("team").unwrap());
    for keys in [other_room, other_secret] {
        assert_eq!(keys.open_picture(&sealed, &instance("a")), None);
    }
    // Nor is a name a picture, or a picture a name.
    let name = sealed_name("a").unwrap();
    let name_as_picture = SealedPicture::new(name.as_str().to_owned()).unwrap();
    assert_eq!(keys().open_picture(&name_as_picture, &instance("a")), None);
    let bytes = URL_SAFE_NO_PAD.decode(sealed.as_str()).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let changed = SealedPicture::new(URL_SAFE_NO_PAD.encode(changed)).unwrap();
        assert_eq!(keys().open_picture(&changed, &instance("a")), None, "byte {at}");
    }
}

#[test]
fn a_server_cannot_show_a_host_a_picture_beside_the_name_of_somebody_else() {
    let of = |page: &str| {
        let sealed = keys().seal_picture(&picture(9), &instance(page), &mut SeededRandom::new(1));
        sealed.map(VisitorPicture::Sealed)
    };
    let plain = Some(VisitorPicture::Jpeg(picture(9).to_text().unwrap()));
    // The picture of another page with this name, an unencrypted one, and one that the server made without the secret.
    let keyless = RoomKeys::derive(RoomSecret::from_random(8), &RoomName::new("team").unwrap());
    let forged = keyless.seal_picture(&picture(9), &instance("i1"), &mut SeededRandom::new(1));
    for attack in [of("i2"), plain, forged.map(VisitorPicture::Sealed)] {
        let mut world = locked(Some(secret()));
        knock(&mut world, "i1", sealed_name("i1"), attack);
        assert_eq!((seen(&world).name.as_str(), &seen(&world).picture), ("Cy", &None));
    }
    // The same visitor again, as another page: the name that is shown stays, so the picture of the other page is not.
    let mut world = locked(Some(secret()));
    knock(&mut world, "i1", sealed_name("i1"), None);
    knock(&mut world, "i2", sealed_name("i2"), of("i2"));
    assert_eq!(seen(&world).picture, None);
    knock(&mut world, "i1", sealed_name("i1"), of("i1"));
    assert_eq!(seen(&world).picture, Some(picture(9)));
}

#[test]
fn what_is_no_small_jpeg_file_is_not_shown_and_the_knock_is() {
    let wide = {
        let mut file = picture(9).as_bytes().to_vec();
        file[9] = 0xff;
        JpegText::new(URL_SAFE_NO_PAD.encode(file)).unwrap()
    };
    for text in [wide, JpegText::new("_9j_".to_owned()).unwrap(), JpegText::new("_9j_A".to_owned()).unwrap()]
    {
        let mut world = locked(None);
        knock(&mut world, "i1", None, Some(VisitorPicture::Jpeg(text)));
        assert_eq!((seen(&world).name.as_str(), &seen(&world).picture), ("Cy", &None));
    }
    let mut world = locked(None);
    let sealed = keys().seal_picture(&picture(9), &instance("i1"), &mut SeededRandom::new(1)).unwrap();
    knock(&mut world, "i1", None, Some(VisitorPicture::Sealed(sealed)));
    assert_eq!(seen(&world).picture, None, "nobody in an unprotected room has a key");
}

#[test]
fn a_server_that_repeats_a_knock_without_end_changes_nothing_and_who_is_no_host_sees_no_picture() {
    let mut world = locked(None);
    for more in 1..200 {
        let picture = VisitorPicture::Jpeg(picture(more).to_text().unwrap());
        knock(&mut world, "i1", None, Some(picture));
    }
    assert_eq!(world.pages[HOST].session.hosting().visitors().len(), 1);
    assert_eq!(seen(&world).picture, Some(picture(1)), "the first one counts");
    world.tell_raw(HOST, r#"{"type":"room_state","hosts":["m1"],"locked":true,"resume":"m0"}"#);
    knock(&mut world, "i1", None, Some(VisitorPicture::Jpeg(picture(1).to_text().unwrap())));
    assert!(world.pages[HOST].session.hosting().visitors().is_empty());
}
