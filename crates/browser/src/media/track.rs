//! Audio and video tracks.

use js_sys::{Function, Reflect};
use sightline_core::media::ContentHint;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{Event, MediaStreamTrack, MediaStreamTrackState};

use crate::{js::queue::EventSink, page::window::member};

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// An audio track.
    Audio,
    /// A video track.
    Video,
}

impl MediaKind {
    /// The word of the specification, `audio` or `video`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// A reference to a `MediaStreamTrack`; a clone refers to the same track.
///
/// (`clone` of `web_sys::MediaStreamTrack` is the JavaScript method, which makes a second track that has to be stopped
/// separately.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaTrack(MediaStreamTrack);

impl MediaTrack {
    /// Whether the track is audio or video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        if self.0.kind() == "audio" { MediaKind::Audio } else { MediaKind::Video }
    }

    /// `MediaStreamTrack.id`, a random string.
    #[must_use]
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Whether the source delivers nothing at the moment: a device that was muted in the system, or a remote track without
    /// packets.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.0.muted()
    }

    /// Whether the track ended for good.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.0.ready_state() == MediaStreamTrackState::Ended
    }

    /// Whether this is a camera that faces away from the person (`facingMode`), where the browser tells.
    #[must_use]
    pub fn faces_away(&self) -> bool {
        let mode =
            member(self.0.get_settings().unchecked_ref(), "facingMode").and_then(|mode| mode.as_string());
        mode.as_deref() == Some("environment")
    }

    /// Sets the content hint for the encoder (W3C mst-content-hint), where the browser supports hints.
    pub fn set_content_hint(&self, hint: ContentHint) {
        let name = JsValue::from_str("contentHint");
        let _ = Reflect::set(self.0.unchecked_ref(), &name, &JsValue::from_str(hint.as_str()));
    }
}

impl AsRef<MediaStreamTrack> for MediaTrack {
    fn as_ref(&self) -> &MediaStreamTrack {
        &self.0
    }
}

impl From<MediaStreamTrack> for MediaTrack {
    fn from(track: MediaStreamTrack) -> Self {
        Self(track)
    }
}

/// A track that this page captures. Dropping it stops the capture, and the camera's light goes out.
#[derive(Debug)]
pub struct LocalTrack {
    ended: Option<TrackHandler>,
    muted: Option<TrackHandler>,
    track: MediaTrack,
}

/// The present settings of a source, as far as the browser reports them (`MediaTrackSettings`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackSettings {
    /// The id of the device.
    pub device_id: Option<String>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Frames per second.
    pub frames_per_second: Option<f64>,
}

impl LocalTrack {
    /// Takes ownership of a track, which is stopped when this is dropped.
    #[must_use]
    pub fn new(track: MediaTrack) -> Self {
        Self { ended: None, muted: None, track }
    }

    /// The track, for playing or sending. The capture ends with `self`, not with the returned reference.
    #[must_use]
    pub fn track(&self) -> &MediaTrack {
        &self.track
    }

    /// Whether the track is audio or video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.track.kind()
    }

    /// Enables or disables the track. A disabled track delivers silence or black; the device stays in use.
    pub fn set_enabled(&self, enabled: bool) {
        self.track.0.set_enabled(enabled);
    }

    /// Whether the track is enabled.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.track.0.enabled()
    }

    /// Whether the device delivers nothing at the moment, as during a phone call.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.track.is_muted()
    }

    /// Whether the track ended: the device was lost or the permission withdrawn.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.track.is_ended()
    }

    /// Reports to `sink` when the source ends by itself: the device was unplugged, the permission withdrawn, or screen sharing
    /// ended in the browser's own bar.
    pub fn report_ended(&mut self, sink: EventSink<()>) {
        // The old handler is dropped first, since dropping it removes whatever handler is set.
        self.ended = None;
        self.ended = Some(TrackHandler::new(self.track.clone(), MediaStreamTrack::set_onended, sink));
    }

    /// Reports to `sink` when the source stops or starts to deliver while it stays open, as during a phone call.
    /// [`Self::is_muted`] says which.
    pub fn report_muted(&mut self, sink: EventSink<()>) {
        let set = |track: &MediaStreamTrack, handler: Option<&Function>| {
            track.set_onmute(handler);
            track.set_onunmute(handler);
        };
        self.muted = None;
        self.muted = Some(TrackHandler::new(self.track.clone(), set, sink));
    }

    /// Sets the content hint of a video track for the encoder.
    pub fn set_content_hint(&self, hint: ContentHint) {
        self.track.set_content_hint(hint);
    }

    /// The label of the device.
    #[must_use]
    pub fn label(&self) -> String {
        self.track.0.label()
    }

    /// The greatest width and height that the source can deliver, in pixels, where the browser reports them (`getCapabilities`).
    #[must_use]
    pub fn largest_picture(&self) -> Option<(u32, u32)> {
        let capabilities = self.track.0.unchecked_ref::<TrackShim>().get_capabilities().ok()?;
        let most = |name: &str| member(&member(&capabilities, name)?, "max")?.as_f64();
        Some((most("width")? as u32, most("height")? as u32))
    }

    /// The present settings of the source.
    #[must_use]
    pub fn settings(&self) -> TrackSettings {
        let settings = self.track.0.get_settings();
        let number = |name: &str| member(settings.unchecked_ref(), name).and_then(|value| value.as_f64());
        TrackSettings {
            device_id: member(settings.unchecked_ref(), "deviceId").and_then(|id| id.as_string()),
            width: number("width").map(|pixels| pixels as u32),
            height: number("height").map(|pixels| pixels as u32),
            frames_per_second: number("frameRate"),
        }
    }
}

impl Drop for LocalTrack {
    fn drop(&mut self) {
        (self.ended, self.muted) = (None, None);
        self.track.0.stop();
    }
}

/// A handler for some events of a track, removed when this is dropped. Firefox 153 calls handlers of a track, and never its
/// listeners.
#[derive(Debug)]
struct TrackHandler {
    track: MediaTrack,
    set: fn(&MediaStreamTrack, Option<&Function>),
    _callback: Closure<dyn FnMut(Event)>,
}

impl TrackHandler {
    /// Pushes to `sink` at each of the events for which `set` sets the handler.
    fn new(track: MediaTrack, set: fn(&MediaStreamTrack, Option<&Function>), sink: EventSink<()>) -> Self {
        let callback = Closure::<dyn FnMut(Event)>::new(move |_: Event| sink.push(()));
        set(&track.0, Some(callback.as_ref().unchecked_ref()));
        Self { track, set, _callback: callback }
    }
}

impl Drop for TrackHandler {
    fn drop(&mut self) {
        (self.set)(&self.track.0, None);
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = MediaStreamTrack, js_name = MediaStreamTrack)]
    type TrackShim;

    /// Throws if the method does not exist.
    #[wasm_bindgen(method, catch, js_name = getCapabilities)]
    fn get_capabilities(this: &TrackShim) -> Result<JsValue, JsValue>;
}
