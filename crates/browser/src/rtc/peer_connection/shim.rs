//! Methods that web-sys lacks, or that it declares without their exceptions.

use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{
    MediaStream, RtcDataChannel, RtcPeerConnection, RtcRtpReceiver, RtcRtpSender, RtcRtpTransceiver,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = RtcPeerConnection, js_name = RTCPeerConnection)]
    pub(crate) type PeerConnectionShim;

    /// Throws if the connection is closed.
    #[wasm_bindgen(method, catch, js_name = addTransceiver)]
    pub(crate) fn add_transceiver(
        this: &PeerConnectionShim,
        track_or_kind: &JsValue,
        init: &Object,
    ) -> Result<RtcRtpTransceiver, JsValue>;

    /// Throws if the connection is closed or the id is taken.
    #[wasm_bindgen(method, catch, js_name = createDataChannel)]
    pub(crate) fn create_data_channel(
        this: &PeerConnectionShim,
        label: &str,
        init: &Object,
    ) -> Result<RtcDataChannel, JsValue>;

    #[wasm_bindgen(method, js_name = getConfiguration)]
    pub(crate) fn get_configuration(this: &PeerConnectionShim) -> Object;

    /// Throws if the browser refuses, or lacks the method.
    #[wasm_bindgen(method, catch, js_name = setConfiguration)]
    pub(crate) fn set_configuration(this: &PeerConnectionShim, configuration: &Object)
    -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = restartIce)]
    pub(crate) fn restart_ice(this: &PeerConnectionShim);

    /// Without an argument the browser makes an offer or an answer, depending on the signaling state.
    #[wasm_bindgen(method, js_name = setLocalDescription)]
    pub(crate) fn set_local_description(this: &PeerConnectionShim) -> Promise;

    #[wasm_bindgen(method, js_name = setRemoteDescription)]
    pub(crate) fn set_remote_description(this: &PeerConnectionShim, description: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = addIceCandidate)]
    pub(crate) fn add_ice_candidate(this: &PeerConnectionShim, candidate: &Object) -> Promise;

    #[wasm_bindgen(extends = RtcRtpSender, js_name = RTCRtpSender)]
    pub(crate) type SenderShim;

    /// Throws if the browser lacks the method or the connection is closed.
    #[wasm_bindgen(method, catch, js_name = setStreams)]
    pub(crate) fn set_streams(this: &SenderShim, stream: &MediaStream) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = getParameters)]
    pub(crate) fn get_parameters(this: &SenderShim) -> SendParameters;

    #[wasm_bindgen(method, js_name = setParameters)]
    pub(crate) fn set_parameters(this: &SenderShim, parameters: &SendParameters) -> Promise;

    pub(crate) type SendParameters;

    #[wasm_bindgen(extends = RtcRtpReceiver, js_name = RTCRtpReceiver)]
    pub(crate) type ReceiverShim;

    #[wasm_bindgen(static_method_of = ReceiverShim, catch, js_class = RTCRtpReceiver, js_name = getCapabilities)]
    pub(crate) fn get_capabilities(kind: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, js_name = getSynchronizationSources)]
    pub(crate) fn get_synchronization_sources(this: &ReceiverShim) -> Array;

    #[wasm_bindgen(extends = RtcRtpTransceiver, js_name = RTCRtpTransceiver)]
    pub(crate) type TransceiverShim;

    /// Throws for an unknown codec, or if the browser lacks the method.
    #[wasm_bindgen(method, catch, js_name = setCodecPreferences)]
    pub(crate) fn set_codec_preferences(this: &TransceiverShim, codecs: &Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn encodings(this: &SendParameters) -> Option<Array>;
}
