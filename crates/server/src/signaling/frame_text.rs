//! Writes the text frames for clients.
//!
//! Nearly every frame is a signal, and its longest part a text without a character to escape. `serde_json` looks at each byte of a text for
//! itself, which took as long as reading the whole frame. This module looks at many bytes at a time, and leaves every other text to it.

use std::fmt::Write;

use serde::{Serialize, ser::Error};
use sightline_protocol::{
    MemberId,
    signaling::{ServerMessage, Signal, SignalCandidate, SignalPayload},
};

/// Length of everything but the longest text of a signal.
const USUAL_BYTES: usize = 256;

/// The text of a message, the same that `serde_json` writes.
pub(super) fn write(message: &ServerMessage) -> serde_json::Result<String> {
    match message {
        ServerMessage::Signal { from, signal } => write_signal(from, signal),
        message => serde_json::to_string(message),
    }
}

/// Writes a signal into memory of about its length. A string that grows step by step would use up to twice that for each waiting frame.
fn write_signal(from: &MemberId, signal: &Signal) -> serde_json::Result<String> {
    let Signal { connection, generation, payload } = signal;
    let long_text = match payload {
        // Each line of an SDP has two characters to escape.
        SignalPayload::Description(description) => description.sdp.len() + description.sdp.len() / 16,
        SignalPayload::Candidate(candidate) => candidate.candidate.len(),
        SignalPayload::Sealed(sealed) => sealed.as_str().len(),
    };
    let mut text = String::with_capacity(USUAL_BYTES + long_text);
    text.push_str("{\"type\":\"signal\",\"from\":");
    push_text(&mut text, from.as_str())?;
    text.push_str(",\"connection\":");
    push_text(&mut text, connection.as_str())?;
    text.push_str(",\"generation\":");
    push_number(&mut text, generation.0)?;
    text.push_str(",\"payload\":");
    match payload {
        SignalPayload::Description(_) => push_json(&mut text, payload)?,
        SignalPayload::Candidate(candidate) => push_candidate(&mut text, candidate)?,
        SignalPayload::Sealed(sealed) => {
            text.push_str("{\"sealed\":");
            push_text(&mut text, sealed.as_str())?;
            text.push('}');
        }
    }
    text.push('}');
    Ok(text)
}

fn push_candidate(text: &mut String, candidate: &SignalCandidate) -> serde_json::Result<()> {
    let SignalCandidate { candidate, sdp_mid, sdp_m_line_index, ufrag } = candidate;
    text.push_str("{\"candidate\":{\"candidate\":");
    push_text(text, candidate)?;
    if let Some(mid) = sdp_mid {
        text.push_str(",\"sdp_mid\":");
        push_text(text, mid)?;
    }
    if let Some(index) = sdp_m_line_index {
        text.push_str(",\"sdp_m_line_index\":");
        push_number(text, *index)?;
    }
    if let Some(ufrag) = ufrag {
        text.push_str(",\"ufrag\":");
        push_text(text, ufrag)?;
    }
    text.push_str("}}");
    Ok(())
}

fn push_text(text: &mut String, value: &str) -> serde_json::Result<()> {
    if value.as_bytes().chunks(BYTES_AT_ONCE).any(has_escape) {
        return push_json(text, value);
    }
    text.push('"');
    text.push_str(value);
    text.push('"');
    Ok(())
}

const BYTES_AT_ONCE: usize = 64;

/// Whether a byte has to be escaped. Without an early end, so that the compiler uses wide registers.
fn has_escape(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, byte| found | (*byte < b' ') | (*byte == b'"') | (*byte == b'\\'))
}

fn push_number(text: &mut String, number: impl Into<u64>) -> serde_json::Result<()> {
    write!(text, "{}", number.into()).map_err(serde_json::Error::custom)
}

fn push_json(text: &mut String, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    text.push_str(&serde_json::to_string(value)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_text() -> impl Strategy<Value = String> {
        // Long enough for several pieces, with and without something to escape.
        prop_oneof!["[ -~]{0,200}", "[a-z ]{0,200}", "[\\x00-\\x7f]{0,80}", "\\PC{0,40}"]
    }

    fn any_payload() -> impl Strategy<Value = serde_json::Value> {
        let candidate =
            (any_text(), prop::option::of(any_text()), any::<Option<u16>>(), prop::option::of(any_text()))
                .prop_map(|(candidate, sdp_mid, index, ufrag)| {
                    json!({"candidate": {
                        "candidate": candidate, "sdp_mid": sdp_mid, "sdp_m_line_index": index, "ufrag": ufrag
                    }})
                });
        let description = (any_text(), any::<u32>(), any::<bool>()).prop_map(|(sdp, exchange, publishes)| {
            let published = publishes.then(|| json!({"microphone": true, "source": "camera"}));
            json!({"description": {"kind": "offer", "exchange": exchange, "sdp": sdp, "published": published}})
        });
        let sealed = "[A-Za-z0-9_-]{0,300}".prop_map(|sealed| json!({ "sealed": sealed }));
        prop_oneof![candidate, description, sealed]
    }

    proptest! {
        #[test]
        fn a_signal_has_the_text_of_every_other_json_writer(
            from in "[A-Za-z0-9_-]{1,64}",
            generation in any::<u32>(),
            payload in any_payload(),
        ) {
            let message: ServerMessage = serde_json::from_value(json!({
                "type": "signal", "from": from, "connection": "c1", "generation": generation, "payload": payload,
            })).unwrap();
            prop_assert_eq!(write(&message).unwrap(), serde_json::to_string(&message).unwrap());
        }
    }
}
