//! Properties of the server's parsers.

use std::{net::IpAddr, str};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use sightline_protocol::{
    limits::MAX_FRAME_BYTES,
    signaling::{ClientMessage, ServerMessage},
};
use sightline_server::{
    origin::{self, AllowedOrigin},
    proxy::{TrustedProxy, client_address},
    rooms::ResumeKey,
    signaling::frame,
    time::UnixTime,
    turn::decode::{Decoded, MAX_REQUEST_ATTRIBUTES, MAX_REQUEST_BYTES, Undecodable, decode},
};

/// A property that holds for any input; panics if it does not.
pub type Property = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Property); 4] = [
    ("client_frame", |bytes| with_text(bytes, client_frame)),
    ("request_headers", |bytes| with_text(bytes, request_headers)),
    ("resume_token", |bytes| with_text(bytes, resume_token)),
    ("turn_message", turn_message),
];

fn with_text(bytes: &[u8], property: fn(&str)) {
    if let Ok(text) = str::from_utf8(bytes) {
        property(text);
    }
}

/// Text frames of clients: the server can parse its own serialization of a parsed frame, and so can the receiving member.
pub fn client_frame(text: &str) {
    if text.len() > MAX_FRAME_BYTES {
        return;
    }
    match frame::read(text) {
        Ok(message) => {
            let written = serde_json::to_string(&message).expect("what was read can be written");
            assert_eq!(frame::read(&written).as_ref(), Ok(&message));
            if let ClientMessage::Signal { to, signal } = message {
                let passed_on = ServerMessage::Signal { from: to, signal };
                let written = serde_json::to_string(&passed_on).expect("a signal can be written");
                assert_eq!(serde_json::from_str::<ServerMessage>(&written).ok(), Some(passed_on));
            }
        }
        Err(refusal) => assert!(!refusal.message.is_empty()),
    }
}

/// Headers of a request, one `name: value` a line: a stranger is never taken for a proxy, a page is refused only for its origin,
/// and a page whose host name is not trusted gets no socket.
pub fn request_headers(text: &str) {
    let mut headers = HeaderMap::new();
    for line in text.lines().take(64) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (Ok(name), Ok(value)) = (name.trim().parse::<HeaderName>(), HeaderValue::from_str(value.trim()))
        else {
            continue;
        };
        headers.append(name, value);
    }
    let (stranger, proxy): (IpAddr, IpAddr) = ([203, 0, 113, 7].into(), [10, 0, 0, 2].into());
    let trusted: [TrustedProxy; 1] = ["10.0.0.0/8".parse().expect("a network")];
    assert_eq!(client_address(stranger, &headers, &trusted), stranger);
    let client = client_address(proxy, &headers, &trusted);
    assert!(client == proxy || headers.contains_key("x-forwarded-for"));
    assert_eq!(client, client.to_canonical());

    let elsewhere: AllowedOrigin = "https://elsewhere.example".parse().expect("an origin");
    let is_elsewhere =
        |value: &HeaderValue| value.to_str().is_ok_and(|it| it.parse() == Ok(elsewhere.clone()));
    let names_elsewhere = headers.get("origin").is_some_and(is_elsewhere);
    if origin::check(&headers, &[], true).is_err() {
        assert!(headers.contains_key("origin"));
        let with_elsewhere = origin::check(&headers, std::slice::from_ref(&elsewhere), true);
        assert_eq!(with_elsewhere.is_ok(), names_elsewhere);
    }
    if origin::check(&headers, &[], false).is_ok() {
        assert!(!headers.contains_key("origin"), "no page counts as the server's under an untrusted name");
    }
}

/// Resume tokens: a token that the server did not sign is refused; signing the claims of an accepted one gives the same token. A token
/// of an earlier version has fewer claims, so the new one is longer and says the same.
pub fn resume_token(token: &str) {
    let key = ResumeKey::new(&[7; ResumeKey::BYTES]);
    if let Some(claims) = key.verify(token, UnixTime::from_ms(0)) {
        let again = key.sign(&claims);
        assert!(again == token || again.len() > token.len(), "{again}");
        assert_eq!(key.verify(&again, UnixTime::from_ms(0)), Some(claims));
    }
    assert_eq!(ResumeKey::new(&[8; ResumeKey::BYTES]).verify(token, UnixTime::from_ms(0)), None);
}

/// STUN and ChannelData: bounded, within the input, and the same whatever follows in a stream.
pub fn turn_message(bytes: &[u8]) {
    let followed = [bytes, &[0xff; 4]].concat();
    match decode(bytes) {
        Ok(Decoded::Request(request)) => {
            assert!(request.as_bytes().len() <= MAX_REQUEST_BYTES);
            assert!(request.iter_attributes().count() <= MAX_REQUEST_ATTRIBUTES);
            let Ok(Decoded::Request(again)) = decode(&followed) else { panic!("not read again") };
            assert_eq!(again.as_bytes(), request.as_bytes());
        }
        Ok(Decoded::Send { peer, data }) => {
            let (whole, part) = (bytes.as_ptr_range(), data.as_ptr_range());
            assert!(whole.start <= part.start && part.end <= whole.end && data.len() < bytes.len());
            let Ok(Decoded::Send { peer: peer_again, data: data_again }) = decode(&followed) else {
                panic!("not read again")
            };
            assert_eq!((peer_again, data_again), (peer, data));
        }
        Ok(Decoded::ChannelData { number, data }) => {
            let length = u16::try_from(data.len()).expect("a length of 16 bits");
            let written = [&number.to_be_bytes(), &length.to_be_bytes(), data].concat();
            assert!(bytes.starts_with(&written) && (0x4000..0x8000).contains(&number));
        }
        Ok(Decoded::Idle) => assert!(matches!(decode(&followed), Ok(Decoded::Idle))),
        Err(Undecodable::TooLong) => {
            assert!(matches!(decode(&followed), Err(Undecodable::TooLong)));
        }
        Err(Undecodable::Malformed) => {}
    }
}
