//! Text frames read, and what exactly is wrong with one that cannot be.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::{Value, value::RawValue};
use sightline_protocol::{
    ConnectionId, DisplayName, ErrorCode, Generation, MemberId, PROTOCOL_VERSION, RoomName,
    signalling::{ClientMessage, DescriptionKind},
};

/// Why a frame is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// What a frame says.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// Something for another member. Nearly every frame is one, so these are read without being taken apart.
    Signal(SignalFrame<'a>),
    /// Anything else.
    Other(ClientMessage),
}

/// A signal, checked and as it was written.
#[derive(Debug)]
pub(super) struct SignalFrame<'a> {
    pub(super) to: MemberId,
    connection: &'a RawValue,
    generation: &'a RawValue,
    payload: &'a RawValue,
}

impl SignalFrame<'_> {
    /// The frame for the addressee.
    pub(super) fn stamped(&self, from: &MemberId) -> String {
        let [connection, generation, payload] =
            [self.connection, self.generation, self.payload].map(RawValue::get);
        // An id needs no escaping.
        [
            "{\"type\":\"signal\",\"from\":\"",
            from.as_str(),
            "\",\"connection\":",
            connection,
            ",\"generation\":",
            generation,
            ",\"payload\":",
            payload,
            "}",
        ]
        .concat()
    }
}

/// Reads a text frame of bounded length.
pub(super) fn read(text: &str) -> Result<Said<'_>, Refusal> {
    match read_signal(text) {
        Some(signal) => Ok(Said::Signal(signal)),
        None => read_any(text).map(Said::Other),
    }
}

/// Anything but a signal that is as it should be is `None`.
fn read_signal(text: &str) -> Option<SignalFrame<'_>> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        r#type: &'a str,
        to: MemberId,
        #[serde(borrow)]
        connection: &'a RawValue,
        #[serde(borrow)]
        generation: &'a RawValue,
        #[serde(borrow)]
        payload: &'a RawValue,
    }

    let Envelope { r#type, to, connection, generation, payload } = serde_json::from_str(text).ok()?;
    let is_sound = r#type == "signal"
        && serde_json::from_str::<ConnectionId>(connection.get()).is_ok()
        && serde_json::from_str::<Generation>(generation.get()).is_ok()
        && serde_json::from_str::<PayloadShape>(payload.get()).is_ok();
    is_sound.then_some(SignalFrame { to, connection, generation, payload })
}

/// What reads as a `SignalPayload`, with nothing kept of it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "reading is all that is done with it")]
enum PayloadShape {
    Description {
        kind: DescriptionKind,
        exchange: u32,
        sdp: Text,
    },
    Candidate {
        candidate: Text,
        #[serde(default)]
        sdp_mid: Option<Text>,
        #[serde(default)]
        sdp_m_line_index: Option<u16>,
        #[serde(default)]
        ufrag: Option<Text>,
    },
}

/// A string that is not kept.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

fn read_any(text: &str) -> Result<ClientMessage, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        let code = serde_json::from_str(text).map_or(ErrorCode::ProtocolError, |value| what_is_wrong(&value));
        Refusal { code, message: error.to_string() }
    })
}

/// The version comes first: a later one may have changed everything else.
fn what_is_wrong(value: &Value) -> ErrorCode {
    if value.get("type").and_then(Value::as_str) != Some("join") {
        return ErrorCode::ProtocolError;
    }
    let text = |field| value.get(field).and_then(Value::as_str);
    if value.get("protocol").and_then(Value::as_u64).is_some_and(|it| it != u64::from(PROTOCOL_VERSION)) {
        ErrorCode::ProtocolVersion
    } else if text("room").is_some_and(|room| RoomName::new(room).is_err()) {
        ErrorCode::RoomNameInvalid
    } else if text("name").is_some_and(|name| DisplayName::new(name).is_err()) {
        ErrorCode::NameInvalid
    } else {
        ErrorCode::ProtocolError
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(value: &Value) -> Result<(), ErrorCode> {
        read(&value.to_string()).map(drop).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_signal_is_passed_on_as_the_protocol_writes_it() {
        let description =
            json!({"description": {"kind": "offer", "exchange": 1, "sdp": "v=0\r\n\"é\u{1F600}"}});
        let full =
            json!({"candidate": {"candidate": "", "sdp_mid": "0", "sdp_m_line_index": 65535, "ufrag": "u"}});
        let bare = json!({"candidate": {"candidate": "a b", "sdp_mid": null}});
        for payload in [description, full, bare] {
            let text = json!({"type": "signal", "to": "ada", "connection": "c1", "generation": 7, "payload": payload});
            let text = text.to_string();
            let Ok(Said::Signal(signal)) = read(&text) else { panic!("{text} is not read as a signal") };
            let stamped = signal.stamped(&MemberId::new("bo").unwrap());
            let Ok(ClientMessage::Signal { to, signal: sent }) = serde_json::from_str(&text) else {
                panic!("{text}")
            };
            assert_eq!(to, signal.to);
            let from = MemberId::new("bo").unwrap();
            let expected = sightline_protocol::signalling::ServerMessage::Signal { from, signal: sent };
            assert_eq!(
                serde_json::from_str::<sightline_protocol::signalling::ServerMessage>(&stamped).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn a_signal_that_the_protocol_does_not_know_is_not_passed_on() {
        let sound = json!({"type": "signal", "to": "ada", "connection": "c1", "generation": 7,
            "payload": {"candidate": {"candidate": "x"}}});
        assert!(matches!(read(&sound.to_string()), Ok(Said::Signal(_))));
        for (field, value) in [
            ("to", json!("")),
            ("connection", json!("a b")),
            ("generation", json!(-1)),
            ("payload", json!({"candidate": {"candidate": 1}})),
            ("payload", json!({"candidate": {}})),
            ("payload", json!({"description": {"kind": "pranswer", "exchange": 1, "sdp": ""}})),
            ("payload", json!({"other": {}})),
            ("payload", json!(null)),
        ] {
            let mut unsound = sound.clone();
            unsound[field] = value;
            assert_eq!(code(&unsound), Err(ErrorCode::ProtocolError), "{unsound}");
        }
    }

    fn join_with(field: &str, value: Value) -> Value {
        let mut join = json!({"type": "join", "protocol": 1, "room": "abc", "name": "Ada", "instance": "i"});
        join[field] = value;
        join
    }

    #[test]
    fn the_field_that_is_wrong_in_a_join_has_its_own_code() {
        assert!(code(&join_with("room", json!("ABC"))).is_ok());
        assert_eq!(code(&join_with("room", json!("a b"))), Err(ErrorCode::RoomNameInvalid));
        assert_eq!(code(&join_with("name", json!("x".repeat(65)))), Err(ErrorCode::NameInvalid));
        assert_eq!(code(&join_with("instance", json!(""))), Err(ErrorCode::ProtocolError));
        assert_eq!(code(&join_with("room", json!(7))), Err(ErrorCode::ProtocolError));
        assert_eq!(code(&join_with("resume", json!(7))), Err(ErrorCode::ProtocolError));
    }

    #[test]
    fn the_version_of_a_join_is_looked_at_before_its_other_fields() {
        let mut later = join_with("protocol", json!(2));
        later["room"] = json!({"name": "abc"});
        assert_eq!(code(&later), Err(ErrorCode::ProtocolVersion));
        assert_eq!(code(&join_with("protocol", json!(u64::MAX))), Err(ErrorCode::ProtocolVersion));
        assert_eq!(code(&join_with("protocol", json!("1"))), Err(ErrorCode::ProtocolError));
    }

    #[test]
    fn everything_else_is_a_protocol_error() {
        let deep = "[".repeat(60_000);
        for text in
            ["", "null", "{}", "[]", "\"leave\"", "{\"type\":\"dance\"}", "{\"type\":\"leave\"", &deep]
        {
            assert_eq!(
                read(text).map(drop).map_err(|refusal| refusal.code),
                Err(ErrorCode::ProtocolError),
                "{text:.20}"
            );
        }
    }
}
