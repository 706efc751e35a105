//! Asks the browser for a camera, a microphone or a screen.

use futures_channel::oneshot;
use js_sys::{Object, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::{
    stream::MediaStream,
    track::{LocalTrack, MediaKind, MediaTrack},
};
use crate::{
    js::{
        dictionary::{dictionary, set},
        error::BrowserError,
        promise::settled,
    },
    page::window::media_devices,
};

/// The choice of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The device that the browser chooses.
    #[default]
    Any,
    /// This device if it exists, else the browser's choice.
    Preferred(String),
    /// This device; without it an `OverconstrainedError`.
    Exactly(String),
}

/// The wishes for a camera. The browser comes as close to them as the camera can.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CameraRequest {
    /// The camera to use.
    pub device: DeviceChoice,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Frames per second.
    pub frames_per_second: Option<f64>,
}

/// The wishes for a microphone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MicrophoneRequest {
    /// The microphone to use.
    pub device: DeviceChoice,
    /// The browser's processing of its sound.
    pub processing: AudioProcessing,
}

/// The browser's processing of a microphone's sound. By default everything, as a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioProcessing {
    /// Removes the sound of the loudspeaker.
    pub echo_cancellation: bool,
    /// Removes sounds that are not a voice.
    pub noise_suppression: bool,
    /// Makes loud and quiet voices equal.
    pub auto_gain_control: bool,
}

impl Default for AudioProcessing {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, auto_gain_control: true }
    }
}

/// The wishes for a screen or window. The person chooses it in the browser's own dialog.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DisplayRequest {
    /// Frames per second.
    pub frames_per_second: Option<f64>,
    /// Whether to capture its sound, where the browser can.
    pub audio: bool,
}

/// The captured tracks.
#[derive(Debug, Default)]
pub struct Captured {
    /// The audio track.
    pub audio: Option<LocalTrack>,
    /// The video track.
    pub video: Option<LocalTrack>,
}

/// Asks for a camera, a microphone, or both at once with one question to the person.
///
/// Dropping the future does not withdraw the question, but tracks that arrive afterwards are stopped.
///
/// # Errors
/// [`BrowserError`]: not allowed, not found, not readable, overconstrained; not supported in an insecure context; a type error if
/// neither is asked for.
pub async fn get_user_media(
    camera: Option<&CameraRequest>,
    microphone: Option<&MicrophoneRequest>,
) -> Result<Captured, BrowserError> {
    let constraints = Object::new();
    if let Some(camera) = camera {
        set(&constraints, "video", &camera_constraints(camera));
    }
    if let Some(microphone) = microphone {
        set(&constraints, "audio", &microphone_constraints(microphone));
    }
    let promise = media_devices()?.get_user_media_with_constraints(constraints.unchecked_ref())?;
    captured(promise).await
}

/// Asks for a screen or a window. Some browsers require a gesture of the person just before.
///
/// Dropping the future does not withdraw the question, but tracks that arrive afterwards are stopped.
///
/// # Errors
/// [`BrowserError`]: not allowed, also if the person canceled; an invalid state without a gesture; not supported on most phones.
pub async fn get_display_media(request: &DisplayRequest) -> Result<Captured, BrowserError> {
    let video = Object::new();
    set_ideal(&video, "frameRate", request.frames_per_second);
    // Without voice processing, which spoils other sounds.
    let audio = if request.audio {
        dictionary(&[
            ("echoCancellation", JsValue::FALSE),
            ("noiseSuppression", JsValue::FALSE),
            ("autoGainControl", JsValue::FALSE),
        ])
        .into()
    } else {
        JsValue::FALSE
    };
    let constraints = dictionary(&[("video", video.into()), ("audio", audio)]);
    let promise = media_devices()?.get_display_media_with_constraints(constraints.unchecked_ref())?;
    captured(promise).await
}

/// Changes the resolution or frame rate of a running camera or screen: receivers see no gap.
///
/// # Errors
/// [`BrowserError`]: overconstrained; not readable where the device does not start again.
pub async fn reshape(track: &MediaTrack, request: &CameraRequest) -> Result<(), BrowserError> {
    let constraints = camera_constraints(request);
    let applying = track.as_ref().apply_constraints_with_constraints(constraints.unchecked_ref())?;
    settled(applying).await.map(drop)
}

/// Owns the tracks from the moment they exist, even if nobody waits for them any more.
async fn captured(promise: Promise) -> Result<Captured, BrowserError> {
    let (give, take) = oneshot::channel();
    spawn_local(async move {
        let captured = settled(promise)
            .await
            .map(|stream| own_tracks(&stream.unchecked_into::<web_sys::MediaStream>().into()));
        // If nobody waits any more, the tracks are dropped here, which stops them.
        drop(give.send(captured));
    });
    take.await.unwrap_or_else(|_| Err(BrowserError::of("AbortError", "the page is going away")))
}

fn own_tracks(stream: &MediaStream) -> Captured {
    let mut captured = Captured::default();
    for track in stream.tracks().into_iter().map(LocalTrack::new) {
        match track.kind() {
            MediaKind::Audio => captured.audio = Some(track),
            MediaKind::Video => captured.video = Some(track),
        }
    }
    captured
}

fn camera_constraints(request: &CameraRequest) -> JsValue {
    let constraints = Object::new();
    set_device(&constraints, &request.device);
    set_ideal(&constraints, "width", request.width);
    set_ideal(&constraints, "height", request.height);
    set_ideal(&constraints, "frameRate", request.frames_per_second);
    constraints.into()
}

fn microphone_constraints(request: &MicrophoneRequest) -> JsValue {
    let AudioProcessing { echo_cancellation, noise_suppression, auto_gain_control } = request.processing;
    let constraints = dictionary(&[
        ("echoCancellation", echo_cancellation.into()),
        ("noiseSuppression", noise_suppression.into()),
        ("autoGainControl", auto_gain_control.into()),
    ]);
    set_device(&constraints, &request.device);
    constraints.into()
}

fn set_device(constraints: &Object, device: &DeviceChoice) {
    let (strength, id) = match device {
        DeviceChoice::Any => return,
        DeviceChoice::Preferred(id) => ("ideal", id),
        DeviceChoice::Exactly(id) => ("exact", id),
    };
    set(constraints, "deviceId", &dictionary(&[(strength, JsValue::from_str(id))]));
}

fn set_ideal(constraints: &Object, name: &str, ideal: Option<impl Into<JsValue>>) {
    if let Some(ideal) = ideal {
        set(constraints, name, &dictionary(&[("ideal", ideal.into())]));
    }
}
