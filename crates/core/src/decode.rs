//! Decodes texts of other members and of the signaling server: a message, or the reason why there is none. No other code in this
//! crate parses such text, so a fuzzer has to test only these functions.
//!
//! Invariant: unreadable content that a member put into a signal is never charged to the server that forwarded the signal.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use sightline_protocol::{
    MemberId, Rekey,
    control::ControlMessage,
    limits::{MAX_FRAME_BYTES, MAX_REMOVED_PAGES, MAX_REPLACED_KEYS},
    signaling::{ServerMessage, SignalPayload},
    tabs::TabMessage,
    telemetry::{MAX_TELEMETRY_BYTES, TelemetryMessage},
};

use crate::budget::MAX_CANDIDATE_BYTES;

/// Why a message is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The text is longer than the protocol allows.
    #[error("the message is too long")]
    TooLong,
    /// The text is not a message of the protocol.
    #[error("the message cannot be read")]
    Malformed,
}

/// A frame of the signaling server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame {
    /// A message of the server.
    Message(ServerMessage),
    /// A signal of this member whose content cannot be read.
    UnreadableSignal(MemberId),
}

/// Reads a text message of the `control` channel.
///
/// # Errors
/// [`Unreadable`]. A message of an unknown type can be read.
pub fn control_message(text: &str) -> Result<ControlMessage, Unreadable> {
    let message = read(text, MAX_FRAME_BYTES)?;
    match &message {
        // A data channel is encrypted already.
        ControlMessage::BulkSignal { payload: SignalPayload::Sealed(_), .. } => Err(Unreadable::Malformed),
        ControlMessage::BulkSignal { payload, .. } if !is_plausible(payload) => Err(Unreadable::Malformed),
        ControlMessage::Rekey(Rekey { replaces, removed, .. })
            if replaces.len() > MAX_REPLACED_KEYS || removed.len() > MAX_REMOVED_PAGES =>
        {
            Err(Unreadable::Malformed)
        }
        _ => Ok(message),
    }
}

/// Reads a text message of the `telemetry` channel.
///
/// # Errors
/// [`Unreadable`]. A message of an unknown type can be read.
pub fn telemetry_message(text: &str) -> Result<TelemetryMessage, Unreadable> {
    read(text, MAX_TELEMETRY_BYTES)
}

/// Reads a text frame of the signaling server.
///
/// # Errors
/// [`Unreadable`], where the server is at fault.
pub fn server_frame(frame: &str) -> Result<ServerFrame, Unreadable> {
    match read(frame, MAX_FRAME_BYTES) {
        Ok(ServerMessage::Signal { from, signal }) if !is_plausible(&signal.payload) => {
            Ok(ServerFrame::UnreadableSignal(from))
        }
        Ok(message) => Ok(ServerFrame::Message(message)),
        Err(Unreadable::Malformed) => {
            let envelope = envelope(frame);
            let from = envelope.from.filter(|_| envelope.r#type.as_deref() == Some("signal"));
            from.map(ServerFrame::UnreadableSignal).ok_or(Unreadable::Malformed)
        }
        Err(error) => Err(error),
    }
}

/// Reads the content of a sealed signal.
///
/// # Errors
/// [`Unreadable`], which is a member's fault: only a holder of the room's secret can seal.
pub fn sealed_payload(content: &[u8]) -> Result<SignalPayload, Unreadable> {
    let text = std::str::from_utf8(content).map_err(|_| Unreadable::Malformed)?;
    let payload = read(text, MAX_FRAME_BYTES)?;
    let is_sealed_twice = matches!(payload, SignalPayload::Sealed(_));
    if is_plausible(&payload) && !is_sealed_twice { Ok(payload) } else { Err(Unreadable::Malformed) }
}

/// Reads a message that another tab posted. For a signal that cannot be read, see [`Envelope`].
///
/// # Errors
/// [`Unreadable`] for anything that is not a [`TabMessage`].
pub fn tab_message(post: &str) -> Result<TabMessage, Unreadable> {
    read(post, MAX_FRAME_BYTES)
}

/// The outer fields of a signal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The message type.
    pub r#type: Option<String>,
    /// The id of the sending member.
    pub from: Option<MemberId>,
    /// The id of the receiving member.
    pub to: Option<MemberId>,
}

/// Reads the outer fields of a message whose content cannot be read, as far as possible. Of a duplicate field the first counts:
/// the server writes its own fields before the member's.
#[must_use]
pub fn envelope(text: &str) -> Envelope {
    let mut envelope = Envelope::default();
    if text.len() <= MAX_FRAME_BYTES {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        // Fields that were read before an error count.
        let _ = deserializer.deserialize_map(EnvelopeVisitor(&mut envelope));
    }
    envelope
}

struct EnvelopeVisitor<'a>(&'a mut Envelope);

impl<'de> Visitor<'de> for EnvelopeVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let envelope = self.0;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" if envelope.r#type.is_none() => envelope.r#type = Some(map.next_value()?),
                "from" if envelope.from.is_none() => envelope.from = Some(map.next_value()?),
                "to" if envelope.to.is_none() => envelope.to = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn read<'de, T: Deserialize<'de>>(text: &'de str, max_bytes: usize) -> Result<T, Unreadable> {
    if text.len() > max_bytes {
        return Err(Unreadable::TooLong);
    }
    serde_json::from_str(text).map_err(|_| Unreadable::Malformed)
}

/// Whether a browser may have written the signal: candidates are stored, so the length of each is bounded.
fn is_plausible(payload: &SignalPayload) -> bool {
    let SignalPayload::Candidate(candidate) = payload else { return true };
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    candidate.candidate.len() + length(&candidate.sdp_mid) + length(&candidate.ufrag) <= MAX_CANDIDATE_BYTES
}
