//! Sealed signals and names: what they are bound to.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sightline_core::{
    random::SeededRandom,
    trust::{Refusal, RoomKeys, RoomSecret, SignalSeals},
};
use sightline_protocol::{
    Arrival, ConnectionId, DisplayName, Generation, InstanceId, Member, MemberId, Presence, RoomName,
    SealedName, SealedSignal,
    limits::{MAX_DISPLAY_NAME_CHARS, MAX_FRAME_BYTES},
    signaling::{ClientMessage, DescriptionKind, Signal, SignalCandidate, SignalDescription, SignalPayload},
};

fn keys(secret: u128, room: &str) -> RoomKeys {
    RoomKeys::derive(RoomSecret::from_random(secret), &RoomName::new(room).unwrap())
}

fn member(name: &str) -> Member {
    Member {
        id: MemberId::new(name).unwrap(),
        name: DisplayName::default(),
        sealed_name: None,
        instance: InstanceId::new(format!("page-of-{name}")).unwrap(),
        arrival: Arrival(1),
        presence: Presence::Present,
    }
}

fn seals(of: &Member) -> SignalSeals {
    SignalSeals::new(keys(7, "team"), of.instance.clone(), SeededRandom::new(1))
}

fn signal(candidate: &str) -> Signal {
    let candidate = SignalCandidate {
        candidate: candidate.to_owned(),
        sdp_mid: None,
        sdp_m_line_index: None,
        ufrag: None,
    };
    Signal {
        connection: ConnectionId::new("c1").unwrap(),
        generation: Generation(3),
        payload: SignalPayload::Candidate(candidate),
    }
}

fn sealed_text(signal: &Signal) -> String {
    match &signal.payload {
        SignalPayload::Sealed(sealed) => sealed.as_str().to_owned(),
        other => panic!("not sealed: {other:?}"),
    }
}

fn with_text(signal: &Signal, text: String) -> Signal {
    Signal { payload: SignalPayload::Sealed(SealedSignal::new(text).unwrap()), ..signal.clone() }
}

#[test]
fn a_signal_arrives_unchanged_and_is_unreadable_in_transit() {
    let (ada, bo) = (member("ada"), member("bo"));
    let sealed = seals(&ada).seal(&ada.id, &bo, &signal("candidate:secret")).unwrap();
    let frame = serde_json::to_string(&ClientMessage::Signal { to: bo.id.clone(), signal: sealed.clone() });
    assert!(!frame.unwrap().contains("candidate"));
    let bytes = URL_SAFE_NO_PAD.decode(sealed_text(&sealed)).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
    assert_eq!(seals(&bo).open(&ada, &bo.id, &sealed), Ok(signal("candidate:secret")));
}

#[test]
fn a_signal_opens_in_the_place_for_which_it_was_sealed_only() {
    let (ada, bo, cy) = (member("ada"), member("bo"), member("cy"));
    let sealed = seals(&ada).seal(&ada.id, &bo, &signal("x")).unwrap();
    let forged = |from: &Member, to: &MemberId, signal: &Signal| {
        assert_eq!(seals(&bo).open(from, to, signal), Err(Refusal::Forged), "{from:?} {to} {signal:?}");
    };
    forged(&cy, &bo.id, &sealed);
    forged(&Member { id: cy.id.clone(), ..ada.clone() }, &bo.id, &sealed);
    forged(&Member { instance: cy.instance.clone(), ..ada.clone() }, &bo.id, &sealed);
    forged(&ada, &cy.id, &sealed);
    forged(&ada, &bo.id, &Signal { connection: ConnectionId::new("c2").unwrap(), ..sealed.clone() });
    forged(&ada, &bo.id, &Signal { generation: Generation(4), ..sealed.clone() });
    // The other way round, as if the addressee had sent it.
    assert_eq!(seals(&ada).open(&bo, &ada.id, &sealed), Err(Refusal::Stale));
    for other in [keys(8, "team"), keys(7, "team-2")] {
        let mut elsewhere = SignalSeals::new(other, bo.instance.clone(), SeededRandom::new(1));
        assert_eq!(elsewhere.open(&ada, &bo.id, &sealed), Err(Refusal::Forged));
    }
    assert_eq!(seals(&bo).open(&ada, &bo.id, &sealed), Ok(signal("x")), "the untouched one opens");
}

/// A server can invent a member with the instance id of the page, and later swap the member ids of both.
#[test]
fn a_page_does_not_take_its_own_signals_for_those_of_another_member() {
    let ada = member("ada");
    let mirror = Member { id: member("bo").id, ..ada.clone() };
    let sealed = seals(&ada).seal(&ada.id, &mirror, &signal("x")).unwrap();
    assert_eq!(seals(&ada).open(&ada, &mirror.id, &sealed), Err(Refusal::Forged));
}

#[test]
fn a_signal_with_any_bit_changed_or_cut_has_no_effect() {
    let (ada, bo) = (member("ada"), member("bo"));
    let sealed = seals(&ada).seal(&ada.id, &bo, &signal("x")).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(sealed_text(&sealed)).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = with_text(&sealed, URL_SAFE_NO_PAD.encode(changed));
        // The first four bytes tell the addressee's page.
        let expected = if bit < 32 { Refusal::Stale } else { Refusal::Forged };
        assert_eq!(seals(&bo).open(&ada, &bo.id, &changed), Err(expected), "bit {bit}");
    }
    for length in 0..bytes.len() {
        let cut = with_text(&sealed, URL_SAFE_NO_PAD.encode(&bytes[..length]));
        assert_eq!(seals(&bo).open(&ada, &bo.id, &cut), Err(Refusal::Forged), "{length} bytes");
    }
}

#[test]
fn a_signal_opens_once_and_signals_may_overtake_each_other() {
    let (ada, bo) = (member("ada"), member("bo"));
    let (mut sender, mut receiver) = (seals(&ada), seals(&bo));
    let sealed: Vec<_> =
        (0..100).map(|number| sender.seal(&ada.id, &bo, &signal(&number.to_string())).unwrap()).collect();
    for number in (0..100).rev() {
        let opened = receiver.open(&ada, &bo.id, &sealed[number]);
        assert_eq!(opened, Ok(signal(&number.to_string())));
    }
    for again in &sealed {
        assert_eq!(receiver.open(&ada, &bo.id, again), Err(Refusal::Replayed));
    }
}

#[test]
fn a_signal_that_very_many_others_overtook_is_not_opened() {
    let (ada, bo) = (member("ada"), member("bo"));
    let (mut sender, mut receiver) = (seals(&ada), seals(&bo));
    let first = sender.seal(&ada.id, &bo, &signal("first")).unwrap();
    for _ in 0..128 {
        let next = sender.seal(&ada.id, &bo, &signal("next")).unwrap();
        assert!(receiver.open(&ada, &bo.id, &next).is_ok());
    }
    assert_eq!(receiver.open(&ada, &bo.id, &first), Err(Refusal::Replayed));
}

#[test]
fn a_signal_for_the_page_before_a_reload_is_stale_and_not_forged() {
    let (ada, bo) = (member("ada"), member("bo"));
    let sealed = seals(&ada).seal(&ada.id, &bo, &signal("x")).unwrap();
    let reloaded = Member { instance: InstanceId::new("the-next-page").unwrap(), ..bo };
    assert_eq!(seals(&reloaded).open(&ada, &reloaded.id, &sealed), Err(Refusal::Stale));
}

#[test]
fn an_unsealed_signal_has_no_effect_in_a_protected_room() {
    let (ada, bo) = (member("ada"), member("bo"));
    assert_eq!(seals(&bo).open(&ada, &bo.id, &signal("x")), Err(Refusal::Unsealed));
}

#[test]
fn a_seal_within_a_seal_is_refused() {
    let (ada, bo) = (member("ada"), member("bo"));
    let mut sender = seals(&ada);
    let sealed = sender.seal(&ada.id, &bo, &signal("x")).unwrap();
    let twice = sender.seal(&ada.id, &bo, &sealed).unwrap();
    assert_eq!(seals(&bo).open(&ada, &bo.id, &twice), Err(Refusal::Forged));
}

#[test]
fn a_description_that_is_too_long_for_a_frame_is_not_sealed_and_one_that_fits_is() {
    let (ada, bo) = (member("ada"), member("bo"));
    let description = |bytes: usize| {
        let sdp = "x".repeat(bytes);
        let description =
            SignalDescription { kind: DescriptionKind::Offer, exchange: 1, sdp, published: None };
        Signal { payload: SignalPayload::Description(description), ..signal("") }
    };
    let long = seals(&ada).seal(&ada.id, &bo, &description(48_000)).unwrap();
    let frame = serde_json::to_string(&ClientMessage::Signal { to: bo.id.clone(), signal: long.clone() });
    assert!(frame.unwrap().len() + 64 < MAX_FRAME_BYTES);
    assert_eq!(seals(&bo).open(&ada, &bo.id, &long), Ok(description(48_000)));
    assert_eq!(seals(&ada).seal(&ada.id, &bo, &description(49_000)), None);
}

#[test]
fn a_name_is_read_in_its_room_and_of_its_page_only_and_its_length_is_not_told() {
    let instance = |name: &str| InstanceId::new(name).unwrap();
    let keys_here = keys(7, "team");
    let mut lengths = Vec::new();
    let longest = "\u{1F600}".repeat(MAX_DISPLAY_NAME_CHARS);
    for name in ["", "Ada", "Zoë 你好", "\u{202b}مريم", longest.as_str()] {
        let name = DisplayName::new(name).unwrap();
        let sealed = keys_here.seal_name(&name, &instance("a"), &mut SeededRandom::new(3)).unwrap();
        assert_eq!(keys_here.open_name(&sealed, &instance("a")), Some(name));
        assert_eq!(keys_here.open_name(&sealed, &instance("b")), None);
        assert_eq!(keys(7, "team-2").open_name(&sealed, &instance("a")), None);
        assert_eq!(keys(8, "team").open_name(&sealed, &instance("a")), None);
        lengths.push(sealed.as_str().len());
    }
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
    for forged in ["", "abc", "A", &"A".repeat(400)] {
        let forged = SealedName::new(forged.to_owned()).unwrap();
        assert_eq!(keys_here.open_name(&forged, &instance("a")), None, "{forged:?}");
    }
}

#[test]
fn the_tag_differs_by_secret_and_by_room() {
    let tag = |secret, room| keys(secret, room).admission().unwrap().clone();
    assert_eq!(tag(7, "team"), tag(7, "team"));
    assert!(tag(7, "team") != tag(8, "team") && tag(7, "team") != tag(7, "team-2"));
}
