//! Text frames read, and what exactly is wrong with one that cannot be.

use serde_json::Value;
use sightline_protocol::{DisplayName, ErrorCode, PROTOCOL_VERSION, RoomName, signalling::ClientMessage};

/// Why a frame is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// Reads a text frame of bounded length.
pub(super) fn read(text: &str) -> Result<ClientMessage, Refusal> {
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

    fn code(value: &Value) -> Result<ClientMessage, ErrorCode> {
        read(&value.to_string()).map_err(|refusal| refusal.code)
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
                read(text).map_err(|refusal| refusal.code),
                Err(ErrorCode::ProtocolError),
                "{text:.20}"
            );
        }
    }
}
