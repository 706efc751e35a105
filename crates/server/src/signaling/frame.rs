//! Reads the text frames of clients, and says what is wrong with one that cannot be read.
//!
//! This is the only place that parses a client's text. The text is never passed on: a signal to another member is serialized
//! again from the checked values, so that no other parser can understand it differently.

use serde::Deserialize;
use serde_json::Value;
use sightline_protocol::{
    ConnectionId, DisplayName, ErrorCode, Generation, MemberId, PROTOCOL_VERSION, RoomName, SealedSignal,
    control::PublishedState,
    signaling::{ClientMessage, DescriptionKind, Signal, SignalCandidate, SignalDescription, SignalPayload},
};

use super::strict_json;

/// Why a frame is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code for the client.
    pub code: ErrorCode,
    /// What is wrong, in words.
    pub message: String,
}

/// Reads a text frame. The caller bounds its length.
///
/// # Errors
/// Why the frame is refused.
pub fn read(text: &str) -> Result<ClientMessage, Refusal> {
    if let Some(signal) = read_signal(text) {
        return Ok(signal);
    }
    // First, because a typed reader skips unknown fields without reading them.
    strict_json::check(text).map_err(|error| refusal_of(text, &error))?;
    serde_json::from_str(text).map_err(|error| refusal_of(text, &error))
}

/// Reads a signal that has exactly the fields of the protocol, as nearly every frame does; `None` for anything else. A single
/// pass skips no field, and copies less than a tagged enum would.
fn read_signal(text: &str) -> Option<ClientMessage> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Exact<'a> {
        r#type: &'a str,
        to: MemberId,
        connection: ConnectionId,
        generation: Generation,
        payload: ExactPayload,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case", deny_unknown_fields)]
    enum ExactPayload {
        Description {
            kind: DescriptionKind,
            exchange: u32,
            sdp: String,
            #[serde(default)]
            published: Option<PublishedState>,
        },
        Candidate {
            candidate: String,
            #[serde(default)]
            sdp_mid: Option<String>,
            #[serde(default)]
            sdp_m_line_index: Option<u16>,
            #[serde(default)]
            ufrag: Option<String>,
        },
        Sealed(SealedSignal),
    }

    let Exact { r#type, to, connection, generation, payload } = serde_json::from_str(text).ok()?;
    let payload = match payload {
        ExactPayload::Description { kind, exchange, sdp, published } => {
            SignalPayload::Description(SignalDescription { kind, exchange, sdp, published })
        }
        ExactPayload::Candidate { candidate, sdp_mid, sdp_m_line_index, ufrag } => {
            SignalPayload::Candidate(SignalCandidate { candidate, sdp_mid, sdp_m_line_index, ufrag })
        }
        ExactPayload::Sealed(sealed) => SignalPayload::Sealed(sealed),
    };
    let signal = Signal { connection, generation, payload };
    (r#type == "signal").then_some(ClientMessage::Signal { to, signal })
}

fn refusal_of(text: &str, error: &serde_json::Error) -> Refusal {
    let code = serde_json::from_str(text).map_or(ErrorCode::ProtocolError, |value| what_is_wrong(&value));
    Refusal { code, message: error.to_string() }
}

/// The code of the error. The version is checked first, because a later version may have changed everything else.
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
    fn a_signal_is_read_as_the_protocol_writes_it() {
        let description =
            json!({"description": {"kind": "offer", "exchange": 1, "sdp": "v=0\r\n\"é\u{1F600}"}});
        let full =
            json!({"candidate": {"candidate": "", "sdp_mid": "0", "sdp_m_line_index": 65535, "ufrag": "u"}});
        let bare = json!({"candidate": {"candidate": "a b", "sdp_mid": null}});
        let sealed = json!({"sealed": "aZ09-_"});
        let mut first = description.clone();
        first["description"]["published"] =
            json!({"microphone": true, "source": "camera", "private_chat": true});
        for payload in [description, first, full, bare, sealed] {
            let text = json!({"type": "signal", "to": "ada", "connection": "c1", "generation": 7, "payload": payload});
            let text = text.to_string();
            assert_eq!(read_signal(&text), serde_json::from_str(&text).ok(), "{text}");
            assert!(read_signal(&text).is_some(), "{text}");
        }
    }

    #[test]
    fn unknown_fields_are_checked_too() {
        let signal = |more: &str| {
            format!(
                "{{\"type\":\"signal\",\"to\":\"ada\",\"connection\":\"c1\",\"generation\":7,\
                 \"payload\":{{\"candidate\":{{\"candidate\":\"x\"{more}}}}}}}"
            )
        };
        let plain = read(&signal("")).unwrap();
        assert_eq!(read(&signal(",\"later\":{\"a\":[1.5,null,\"\\ud83d\\ude00\"]}")), Ok(plain));
        let deep = format!(",\"u\":{}{}", "[".repeat(200), "]".repeat(200));
        for more in [
            ",\"u\":1e999",
            ",\"u\":\"\\ud800\"",
            ",\"\\ud800\":1",
            ",\"candidate\":\"x\"",
            ",\"u\":1,\"u\":2",
            ",\"u\":{\"v\":0,\"v\":0}",
            ",\"sdp_mid\":null,\"sdp_mid\":\"0\"",
            &deep,
        ] {
            let refused = read(&signal(more)).map_err(|refusal| refusal.code);
            assert_eq!(refused, Err(ErrorCode::ProtocolError), "{more}");
        }
    }

    #[test]
    fn a_signal_outside_the_protocol_is_refused() {
        let sound = json!({"type": "signal", "to": "ada", "connection": "c1", "generation": 7,
            "payload": {"candidate": {"candidate": "x"}}});
        assert!(matches!(read(&sound.to_string()), Ok(ClientMessage::Signal { .. })));
        for (field, value) in [
            ("to", json!("")),
            ("connection", json!("a b")),
            ("generation", json!(-1)),
            ("payload", json!({"candidate": {"candidate": 1}})),
            ("payload", json!({"candidate": {}})),
            ("payload", json!({"description": {"kind": "pranswer", "exchange": 1, "sdp": ""}})),
            ("payload", json!({"other": {}})),
            ("payload", json!({"sealed": "a b"})),
            ("payload", json!({"sealed": "a".repeat(65_001)})),
            ("payload", json!({"sealed": "aa", "candidate": {"candidate": "x"}})),
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
    fn each_invalid_field_of_a_join_has_its_code() {
        assert!(code(&join_with("room", json!("ABC"))).is_ok());
        assert_eq!(code(&join_with("room", json!("a b"))), Err(ErrorCode::RoomNameInvalid));
        assert_eq!(code(&join_with("name", json!("x".repeat(65)))), Err(ErrorCode::NameInvalid));
        assert_eq!(code(&join_with("instance", json!(""))), Err(ErrorCode::ProtocolError));
        assert_eq!(code(&join_with("room", json!(7))), Err(ErrorCode::ProtocolError));
        assert_eq!(code(&join_with("resume", json!(7))), Err(ErrorCode::ProtocolError));
    }

    #[test]
    fn the_version_of_a_join_is_checked_before_its_other_fields() {
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
