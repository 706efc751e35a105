//! Reading and writing what goes over the `telemetry` channel.

use sightline_protocol::telemetry::{MAX_TELEMETRY_BYTES, TelemetryMessage};

/// Reads a message of the other side; `None` for what is too long or not understood.
#[must_use]
pub fn read(text: &str) -> Option<TelemetryMessage> {
    if text.len() > MAX_TELEMETRY_BYTES {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// A message as text; `None` where it would be too long.
#[must_use]
pub fn write(message: &TelemetryMessage) -> Option<String> {
    serde_json::to_string(message).ok().filter(|text| text.len() <= MAX_TELEMETRY_BYTES)
}
