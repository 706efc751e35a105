//! Asking for a camera, a microphone or a screen.

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

/// Which device is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The browser's choice.
    #[default]
    Any,
    /// This one where it is there, else the browser's choice.
    Preferred(String),
    /// This one; where it is not there, an `OverconstrainedError`.
    Exactly(String),
}

/// What is wanted of a camera. What it cannot do it does as nearly as it can.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CameraRequest {
    /// Which.
    pub device: DeviceChoice,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Frames a second.
    pub frames_per_second: Option<f64>,
}

/// What is wanted of a microphone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MicrophoneRequest {
    /// Which.
    pub device: DeviceChoice,
    /// What the browser does to its sound.
    pub processing: AudioProcessing,
}

/// What the browser does to a microphone's sound. By default everything, as a call wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioProcessing {
    /// Takes out what the loudspeaker plays.
    pub echo_cancellation: bool,
    /// Takes out what is no voice.
    pub noise_suppression: bool,
    /// Evens out loud and quiet.
    pub auto_gain_control: bool,
}

impl Default for AudioProcessing {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, auto_gain_control: true }
    }
}

/// What is wanted of a screen or window. The person chooses which in the browser's own dialogue.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DisplayRequest {
    /// Frames a second.
    pub frames_per_second: Option<f64>,
    /// Whether its sound is wanted too, where the browser can.
    pub audio: bool,
}

/// What was given.
#[derive(Debug, Default)]
pub struct Captured {
    /// Sound.
    pub audio: Option<LocalTrack>,
    /// Pictures.
    pub video: Option<LocalTrack>,
}

/// Asks for a camera, a microphone, or both at once, which is one question to the person.
///
/// Dropping the future does not take the question back, but tracks that come after that are stopped.
///
/// # Errors
/// [`BrowserError`]: not allowed, not found, not readable, overconstrained; not supported in an insecure context; a
/// type error where nothing is asked for.
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

/// Asks for a screen or a window. Needs a gesture of the person just before, in some browsers.
///
/// Dropping the future does not take the question back, but tracks that come after that are stopped.
///
/// # Errors
/// [`BrowserError`]: not allowed, which includes that the person cancelled; an invalid state without a gesture; not
/// supported on most telephones.
pub async fn get_display_media(request: &DisplayRequest) -> Result<Captured, BrowserError> {
    let video = Object::new();
    set_ideal(&video, "frameRate", request.frames_per_second);
    // Its sound as it is: what is done to a voice spoils everything else.
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

/// Makes a camera's or a screen's pictures others, without asking for it anew: whoever is sent them sees no gap.
///
/// # Errors
/// [`BrowserError`]: overconstrained; not readable where the device does not start again.
pub async fn reshape(track: &MediaTrack, request: &CameraRequest) -> Result<(), BrowserError> {
    let constraints = camera_constraints(request);
    let applying = track.as_ref().apply_constraints_with_constraints(constraints.unchecked_ref())?;
    settled(applying).await.map(drop)
}

/// Owns the tracks from the moment they exist, whether or not anybody still waits for them.
async fn captured(promise: Promise) -> Result<Captured, BrowserError> {
    let (give, take) = oneshot::channel();
    spawn_local(async move {
        let captured = settled(promise)
            .await
            .map(|stream| own_tracks(&stream.unchecked_into::<web_sys::MediaStream>().into()));
        // Where nobody waits any more, dropping them here stops them.
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
