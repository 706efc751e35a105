//! Resume tokens: signed claims about a place, which the server trusts when a member returns with the token.
//!
//! `base64url(payload) "." base64url(HMAC-SHA256(key, payload))`. The payload is the claims as words separated by one space;
//! no claim can contain a space.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use sightline_protocol::{Arrival, InstanceId, MemberId, limits::MAX_RESUME_TOKEN_CHARS};

use super::{
    room_key::RoomKey,
    version::{RoomRules, RoomVersion},
};
use crate::time::UnixTime;

/// Signs and checks resume tokens.
#[derive(Debug, Clone)]
pub struct ResumeKey(hmac::Key);

/// The claims in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeClaims {
    /// The room that contains the place.
    pub room: RoomKey,
    /// The member id of the place.
    pub id: MemberId,
    /// The page instance that had the place.
    pub instance: InstanceId,
    /// The arrival of that page instance.
    pub arrival: Arrival,
    /// When the token expires, in whole seconds since 1970.
    pub expires_s: u64,
    /// The rules of the room when the token was signed.
    pub rules: RoomRules,
    /// Whether the member was a host then.
    pub is_host: bool,
}

impl ResumeKey {
    /// Bytes of a key: as many as HMAC-SHA256 gives (RFC 2104 section 3).
    pub const BYTES: usize = 32;

    /// The key with these secret bytes.
    #[must_use]
    pub fn new(secret: &[u8; Self::BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The token of these claims.
    #[must_use]
    pub fn sign(&self, claims: &ResumeClaims) -> String {
        let ResumeClaims { room, id, instance, arrival: Arrival(arrival), expires_s, rules, is_host } =
            claims;
        let RoomRules { version: RoomVersion { life: Arrival(life), epoch }, locked } = rules;
        let (locked, host) = (u8::from(*locked), u8::from(*is_host));
        let payload = format!("{room} {id} {instance} {arrival} {expires_s} {life} {epoch} {locked}{host}");
        let tag = hmac::sign(&self.0, payload.as_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(tag))
    }

    /// The claims of a token that this key signed and that has not expired.
    #[must_use]
    pub fn verify(&self, token: &str, now: UnixTime) -> Option<ResumeClaims> {
        if token.len() > MAX_RESUME_TOKEN_CHARS {
            return None;
        }
        let (payload, tag) = token.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        hmac::verify(&self.0, &payload, &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        let claims = read(std::str::from_utf8(&payload).ok()?)?;
        (now.as_s() < claims.expires_s).then_some(claims)
    }
}

fn read(payload: &str) -> Option<ResumeClaims> {
    let mut words = payload.split(' ');
    let mut claims = ResumeClaims {
        room: RoomKey::read(words.next()?)?,
        id: MemberId::new(words.next()?).ok()?,
        instance: InstanceId::new(words.next()?).ok()?,
        arrival: Arrival(words.next()?.parse().ok()?),
        expires_s: words.next()?.parse().ok()?,
        rules: RoomRules::default(),
        is_host: false,
    };
    // A server of an earlier version signed no more than that.
    if let Some(life) = words.next() {
        let life = Arrival(life.parse().ok()?);
        claims.rules.version = RoomVersion { life, epoch: words.next()?.parse().ok()? };
        (claims.rules.locked, claims.is_host) = match words.next()? {
            "00" => (false, false),
            "01" => (false, true),
            "10" => (true, false),
            "11" => (true, true),
            _ => return None,
        };
    }
    words.next().is_none().then_some(claims)
}

#[cfg(test)]
mod tests {
    use sightline_protocol::{AdmissionTag, RoomName};

    use super::*;

    const NOW: UnixTime = UnixTime::from_ms(1_000_000);

    fn claims() -> ResumeClaims {
        ResumeClaims {
            room: RoomKey::new(RoomName::new("team-7").unwrap(), None),
            id: MemberId::new("m1").unwrap(),
            instance: InstanceId::new("i1").unwrap(),
            arrival: Arrival(5),
            expires_s: 1_001,
            rules: RoomRules { version: RoomVersion { life: Arrival(900_000), epoch: 3 }, locked: true },
            is_host: true,
        }
    }

    fn key(byte: u8) -> ResumeKey {
        ResumeKey::new(&[byte; ResumeKey::BYTES])
    }

    #[test]
    fn a_token_gives_back_the_claims_that_were_signed() {
        let token = key(1).sign(&claims());
        assert_eq!(key(1).verify(&token, NOW), Some(claims()));
    }

    #[test]
    fn the_token_of_an_earlier_version_of_the_server_gives_no_rights() {
        let payload = "team-7 m1 i1 5 1001";
        let tag = hmac::sign(&key(1).0, payload.as_bytes());
        let token = format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(tag));
        let earlier = ResumeClaims { rules: RoomRules::default(), is_host: false, ..claims() };
        assert_eq!(key(1).verify(&token, NOW), Some(earlier));
    }

    #[test]
    fn a_token_is_invalid_from_its_expiry_on() {
        let token = key(1).sign(&claims());
        assert_eq!(key(1).verify(&token, UnixTime::from_ms(1_001_000)), None);
    }

    #[test]
    fn a_token_of_another_key_or_with_any_character_changed_is_refused() {
        let token = key(1).sign(&claims());
        assert_eq!(key(2).verify(&token, NOW), None);
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key(1).verify(&String::from_utf8(forged).unwrap(), NOW), None, "changed at {at}");
        }
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        for raw in ["", ".", "a", "a.b", "é.é", &"a".repeat(100_000)] {
            assert_eq!(key(1).verify(raw, NOW), None);
        }
    }

    #[test]
    fn the_longest_token_is_within_the_protocols_limit() {
        let longest = ResumeClaims {
            room: RoomKey::new(
                RoomName::new(&"r".repeat(64)).unwrap(),
                AdmissionTag::new("t".repeat(43)).ok().as_ref(),
            ),
            id: MemberId::new("m".repeat(64)).unwrap(),
            instance: InstanceId::new("i".repeat(64)).unwrap(),
            arrival: Arrival(u64::MAX),
            expires_s: u64::MAX,
            rules: RoomRules {
                version: RoomVersion { life: Arrival(u64::MAX), epoch: u32::MAX },
                locked: true,
            },
            is_host: true,
        };
        let token = key(1).sign(&longest);
        assert!(token.len() <= MAX_RESUME_TOKEN_CHARS, "{}", token.len());
        assert_eq!(key(1).verify(&token, NOW), Some(longest));
    }
}
