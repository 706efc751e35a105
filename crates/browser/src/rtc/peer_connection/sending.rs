//! Parameters of senders, and levels and playback delay of receivers.

use js_sys::{Array, Object, Promise, Reflect};
use sightline_core::media::SendLimits;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::RtcRtpTransceiver;

use super::shim::{ReceiverShim, SenderShim};
use crate::{
    js::dictionary::set,
    page::window::{member, window},
};

/// Sets the limits of a transceiver's sender (`setParameters`); `None` removes a limit.
pub(super) fn set_limits(transceiver: &RtcRtpTransceiver, limits: &SendLimits) -> Promise {
    let sender: SenderShim = transceiver.sender().unchecked_into();
    let parameters = sender.get_parameters();
    for encoding in parameters.encodings().unwrap_or_default().iter() {
        let encoding: Object = encoding.unchecked_into();
        set_or_delete(&encoding, "maxBitrate", limits.max_bitrate_bps.map(f64::from));
        set_or_delete(&encoding, "maxFramerate", limits.max_frames_per_second);
        set_or_delete(&encoding, "scaleResolutionDownBy", Some(limits.scale_down_by));
    }
    set(parameters.unchecked_ref(), "degradationPreference", &JsValue::from_str(limits.degradation.as_str()));
    sender.set_parameters(&parameters)
}

/// The level of the sound that a receiver plays, from 0 to 1 (W3C WebRTC, `RTCRtpSynchronizationSource.audioLevel`).
pub(super) fn audio_level(transceiver: &RtcRtpTransceiver) -> Option<f64> {
    let receiver: ReceiverShim = transceiver.receiver().unchecked_into();
    let sources: Array = receiver.get_synchronization_sources();
    member(&sources.get(0), "audioLevel")?.as_f64()
}

/// Whether the browser can set the playback delay of a receiver.
#[must_use]
pub fn has_jitter_buffer_target() -> bool {
    member(&window(), "RTCRtpReceiver")
        .and_then(|receiver| member(&receiver, "prototype"))
        .is_some_and(|prototype| Reflect::has(&prototype, &TARGET.into()).unwrap_or(false))
}

/// Sets the least playback delay of a receiver, in milliseconds; `None` for the browser's choice.
pub(super) fn set_jitter_buffer_target(transceiver: &RtcRtpTransceiver, target_ms: Option<u32>) {
    if has_jitter_buffer_target() {
        let target = target_ms.map_or(JsValue::NULL, JsValue::from);
        let _ = Reflect::set(&transceiver.receiver(), &TARGET.into(), &target);
    }
}

const TARGET: &str = "jitterBufferTarget";

fn set_or_delete(object: &Object, name: &str, value: Option<f64>) {
    match value {
        Some(value) => set(object, name, &value.into()),
        None => {
            let _ = Reflect::delete_property(object, &name.into());
        }
    }
}
