//! The test vectors in `docs/security.md`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sightline_core::{
    picture::StillPicture,
    random::SeededRandom,
    trust::{CodeBasis, CodeExchange, EndFingerprints, NonceSource, RoomKeys, RoomSecret, SignalSeals},
};
use sightline_protocol::{
    Arrival, ConnectionId, DisplayName, Generation, InstanceId, JpegText, Member, MemberId, Presence,
    RoomName, SealedName, SealedPicture, SealedSignal, VerificationStep,
    signaling::{DescriptionKind, Signal, SignalDescription, SignalPayload},
};

const SECURITY: &str = include_str!("../../../../docs/security.md");

/// The value of a row `| name | value |`.
fn vector(name: &str) -> &'static str {
    let row = SECURITY.lines().find_map(|line| line.strip_prefix(&format!("| {name} | `")));
    row.and_then(|row| row.strip_suffix("` |")).unwrap_or_else(|| panic!("no vector {name}"))
}

fn keys() -> RoomKeys {
    let room = RoomName::new(vector("room")).unwrap();
    RoomKeys::derive(RoomSecret::parse(vector("secret")).unwrap(), &room)
}

fn member(id: &str, instance: &str) -> Member {
    Member {
        id: MemberId::new(id).unwrap(),
        name: DisplayName::default(),
        sealed_name: None,
        instance: InstanceId::new(instance).unwrap(),
        arrival: Arrival(1),
        presence: Presence::Present,
    }
}

fn offer() -> Signal {
    let description = SignalDescription {
        kind: DescriptionKind::Offer,
        exchange: 1,
        sdp: "v=0\r\n".to_owned(),
        published: None,
    };
    Signal {
        connection: ConnectionId::new("c1").unwrap(),
        generation: Generation(0),
        payload: SignalPayload::Description(description),
    }
}

#[test]
fn the_admission_tag_is_that_of_the_vectors() {
    assert_eq!(keys().admission().unwrap().as_str(), vector("admission tag"));
}

#[test]
fn the_name_of_the_secret_is_that_of_the_vectors() {
    assert_eq!(keys().id().unwrap().as_str(), vector("name of the secret"));
}

#[test]
fn the_sealed_name_of_the_test_vectors_is_opened_and_reproduced() {
    let sealed = SealedName::new(vector("sealed name").to_owned()).unwrap();
    let instance = InstanceId::new("page-a").unwrap();
    assert_eq!(keys().open_name(&sealed, &instance), Some(DisplayName::cut("Ada")));
    let again = keys().seal_name(&DisplayName::cut("Ada"), &instance, &mut SeededRandom::new(1));
    assert_eq!(again.as_ref().map(SealedName::as_str), Some(vector("sealed name")));
}

#[test]
fn the_sealed_picture_of_the_test_vectors_is_opened_and_reproduced() {
    let sealed = SealedPicture::new(vector("sealed picture").to_owned()).unwrap();
    let instance = InstanceId::new("page-a").unwrap();
    let picture = StillPicture::from_text(&JpegText::new(vector("picture").to_owned()).unwrap()).unwrap();
    assert_eq!(keys().open_picture(&sealed, &instance), Some(picture.clone()));
    assert_eq!(keys().seal_picture(&picture, &instance, &mut SeededRandom::new(1)), Some(sealed));
}

#[test]
fn the_sealed_signal_of_the_test_vectors_is_opened_and_reproduced() {
    let (ada, bo) = (member("ada", "page-a"), member("bo", "page-b"));
    let sealed = SealedSignal::new(vector("sealed signal").to_owned()).unwrap();
    let signal = Signal { payload: SignalPayload::Sealed(sealed), ..offer() };
    let mut seals = SignalSeals::new(keys(), bo.instance.clone(), SeededRandom::new(2));
    assert_eq!(seals.open(&ada, &bo.id, &signal), Ok(offer()));
    let mut seals = SignalSeals::new(keys(), ada.instance, SeededRandom::new(1));
    assert_eq!(seals.seal(&ada.id, &bo, &offer()), Some(signal));
}

/// The same keys from the RFCs' definitions, with the primitives called directly.
#[test]
fn the_vectors_follow_from_hkdf_and_xchacha20_poly1305() {
    use chacha20poly1305::{
        XChaCha20Poly1305,
        aead::{Aead, KeyInit, Payload},
    };
    let secret = URL_SAFE_NO_PAD.decode(vector("secret")).unwrap();
    let schedule = hkdf::Hkdf::<sha2::Sha256>::new(Some(b"sightline/1 team-7"), &secret);
    let mut key = [0; 32];
    schedule.expand(b"admission", &mut key).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(key), vector("admission tag"));
    schedule.expand(b"names", &mut key).unwrap();
    for (name, aad, content) in [
        ("sealed name", "sightline/1 name\nteam-7\npage-a", format!("{:256}", "Ada").into_bytes()),
        (
            "sealed picture",
            "sightline/1 picture\nteam-7\npage-a",
            URL_SAFE_NO_PAD.decode(vector("picture")).unwrap(),
        ),
    ] {
        let sealed = URL_SAFE_NO_PAD.decode(vector(name)).unwrap();
        let nonce: [u8; 24] = sealed[..24].try_into().unwrap();
        let payload = Payload { msg: &sealed[24..], aad: aad.as_bytes() };
        assert_eq!(XChaCha20Poly1305::new(&key.into()).decrypt(&nonce.into(), payload), Ok(content));
    }
    schedule.expand(b"signals", &mut key).unwrap();
    let sealed = URL_SAFE_NO_PAD.decode(vector("sealed signal")).unwrap();
    let nonce: [u8; 24] = sealed[4..28].try_into().unwrap();
    let aad = b"sightline/1 signal\nteam-7\nada\npage-a\nbo\npage-b\nc1\n0";
    let payload = Payload { msg: &sealed[28..], aad };
    let content = XChaCha20Poly1305::new(&key.into()).decrypt(&nonce.into(), payload).unwrap();
    assert_eq!(content, serde_json::to_vec(&offer().payload).unwrap());
}

#[test]
fn the_code_of_the_vectors_is_that_of_both_sides() {
    let (secret_of_ada, secret_of_bo) = (1, 2);
    let side = |secret, leads, local: &str, remote: &str| {
        let mut fingerprints = EndFingerprints::default();
        fingerprints.local.add(&format!("a=fingerprint:{}\r\n", vector(local)));
        fingerprints.remote.add(&format!("a=fingerprint:{}\r\n", vector(remote)));
        let mut side = CodeExchange::new(NonceSource::new(secret, 1));
        side.set_basis(Some(CodeBasis { leads, fingerprints }));
        side
    };
    let mut ada =
        side(secret_of_ada, true, "fingerprint of the leading side", "fingerprint of the following side");
    let mut bo =
        side(secret_of_bo, false, "fingerprint of the following side", "fingerprint of the leading side");
    let commit = ada.handle_opened(|| true).unwrap();
    let answer = bo.handle_step(commit.clone(), || true).unwrap();
    let reveal = ada.handle_step(answer.clone(), || true).unwrap();
    bo.handle_step(reveal.clone(), || true);
    let VerificationStep::Commit { commitment } = commit else { panic!("{commit:?}") };
    let VerificationStep::Answer { nonce: following, .. } = answer else { panic!("{answer:?}") };
    let VerificationStep::Reveal { nonce: leading } = reveal else { panic!("{reveal:?}") };
    let symbols = |side: &CodeExchange| {
        let symbols = side.view().code.unwrap().symbols();
        symbols.map(|symbol| symbol.to_string()).join(", ")
    };
    for (name, value) in [
        ("nonce of the leading side", leading.as_str()),
        ("nonce of the following side", following.as_str()),
        ("commitment", commitment.as_str()),
        ("code", &symbols(&ada)),
        ("code", &symbols(&bo)),
    ] {
        assert_eq!(value, vector(name), "{name}");
    }
}

/// The same code from its definition.
#[test]
fn the_code_of_the_vectors_follows_from_sha_256() {
    use sha2::{Digest, Sha256};
    let leading = vector("nonce of the leading side");
    let commitment = Sha256::digest(format!("sightline/1 commitment\n{leading}"));
    assert_eq!(URL_SAFE_NO_PAD.encode(commitment), vector("commitment"));
    let parts = ["fingerprint of the leading side", "fingerprint of the following side"].map(vector);
    let input = format!(
        "sightline/1 code\n{}\n{}\n{leading}\n{}",
        parts[0],
        parts[1],
        vector("nonce of the following side")
    );
    let hash = Sha256::digest(input);
    let bits = u32::from_be_bytes([0, hash[0], hash[1], hash[2]]);
    let symbols = [18, 12, 6, 0].map(|shift| (bits >> shift & 63).to_string()).join(", ");
    assert_eq!(symbols, vector("code"));
}
