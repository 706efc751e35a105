//! The preferred video codec.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::RtcRtpTransceiver;

use super::shim::{ReceiverShim, TransceiverShim};
use crate::page::window::{member, window};

/// Entries of the codec list that are not codecs: retransmission, redundancy, forward error correction.
const NO_CODECS: [&str; 4] = ["rtx", "red", "ulpfec", "flexfec-03"];

/// The video codecs that this browser can receive, as in `video/<codec>`, in its own order.
#[must_use]
pub fn video_codecs() -> Vec<String> {
    let mut names = Vec::new();
    for codec in &capabilities() {
        if let Some(name) =
            name(codec).filter(|name| !NO_CODECS.contains(&name.as_str()) && !names.contains(name))
        {
            names.push(name);
        }
    }
    names
}

/// Puts a codec first in the offers and answers of a transceiver (`setCodecPreferences`); `None` restores the browser's order. A
/// browser without the codec is left unchanged.
pub(super) fn prefer(transceiver: &RtcRtpTransceiver, codec: Option<&str>) {
    let mut wanted = Array::new();
    if let Some(codec) = codec {
        let (first, rest): (Vec<_>, Vec<_>) = capabilities()
            .into_iter()
            .partition(|one| name(one).is_some_and(|name| name.eq_ignore_ascii_case(codec)));
        if first.is_empty() {
            return;
        }
        wanted.extend(first.into_iter().chain(rest));
    }
    let _ = transceiver.unchecked_ref::<TransceiverShim>().set_codec_preferences(&wanted);
}

fn capabilities() -> Vec<JsValue> {
    if member(&window(), "RTCRtpReceiver").is_none() {
        return Vec::new();
    }
    ReceiverShim::get_capabilities("video")
        .ok()
        .and_then(|capabilities| member(&capabilities, "codecs"))
        .map(|codecs| codecs.unchecked_into::<Array>().to_vec())
        .unwrap_or_default()
}

fn name(codec: &JsValue) -> Option<String> {
    let mime_type = member(codec, "mimeType")?.as_string()?;
    mime_type.split_once('/').map(|(_, name)| name.to_owned())
}
