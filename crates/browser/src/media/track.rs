//! Sound and pictures, as tracks.

use js_sys::Reflect;
use sightline_core::media::ContentHint;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{Event, MediaStreamTrack, MediaStreamTrackState};

use crate::{js::queue::EventSink, page::window::member};

/// A kind of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

impl MediaKind {
    /// The word of the specification.
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
/// (`clone` of `web_sys::MediaStreamTrack` itself is the JavaScript method: a second track, to be stopped apart.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaTrack(MediaStreamTrack);

impl MediaTrack {
    /// Sound or pictures.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        if self.0.kind() == "audio" { MediaKind::Audio } else { MediaKind::Video }
    }

    /// `MediaStreamTrack.id`
    #[must_use]
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Whether its source gives nothing at the moment: a device that was silenced in the system, or, of a remote
    /// track, that nothing arrives.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.0.muted()
    }

    /// Whether it is over for good.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.0.ready_state() == MediaStreamTrackState::Ended
    }

    /// Tells the encoder what a video track shows (W3C mst-content-hint). A browser without hints goes on without.
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

/// A track that this page captures. Dropping it stops the capture: the camera's light goes out.
#[derive(Debug)]
pub struct LocalTrack {
    ended: Option<EndedHandler>,
    track: MediaTrack,
}

/// What a source really gives, as far as the browser says (`MediaTrackSettings`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackSettings {
    /// Which device it is.
    pub device_id: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Frames a second.
    pub frames_per_second: Option<f64>,
}

impl LocalTrack {
    /// Takes a track over, to stop it in the end.
    #[must_use]
    pub fn new(track: MediaTrack) -> Self {
        Self { ended: None, track }
    }

    /// The track, to play it or to send it. Its capture ends with `self`, not with what this returns.
    #[must_use]
    pub fn track(&self) -> &MediaTrack {
        &self.track
    }

    /// Sound or pictures.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.track.kind()
    }

    /// Whether it gives media; while not, it gives silence or black. The device stays in use.
    pub fn set_enabled(&self, enabled: bool) {
        self.track.0.set_enabled(enabled);
    }

    /// Whether it gives media.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.track.0.enabled()
    }

    /// Whether it is over: the device was lost or the permission withdrawn.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.track.is_ended()
    }

    /// Reports to `sink` when the source ends by itself: the device was unplugged, the permission withdrawn, the
    /// sharing of a screen ended in the browser's own bar.
    pub fn report_ended(&mut self, sink: EventSink<()>) {
        // The old one first: as it goes it takes back whatever handler there is.
        self.ended = None;
        self.ended = Some(EndedHandler::new(self.track.clone(), sink));
    }

    /// Tells the encoder what a video track shows.
    pub fn set_content_hint(&self, hint: ContentHint) {
        self.track.set_content_hint(hint);
    }

    /// The device's name, in its own words.
    #[must_use]
    pub fn label(&self) -> String {
        self.track.0.label()
    }

    /// The widest and the highest picture that the source can give, in pixels, where the browser says so
    /// (`getCapabilities`).
    #[must_use]
    pub fn largest_picture(&self) -> Option<(u32, u32)> {
        let capabilities = self.track.0.unchecked_ref::<TrackShim>().get_capabilities().ok()?;
        let most = |name: &str| member(&member(&capabilities, name)?, "max")?.as_f64();
        Some((most("width")? as u32, most("height")? as u32))
    }

    /// What the source gives.
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
        self.ended = None;
        self.track.0.stop();
    }
}

/// The `onended` of a track, taken back when it is dropped. Firefox 153 calls the handlers of a track, and never its
/// listeners.
#[derive(Debug)]
struct EndedHandler {
    track: MediaTrack,
    _callback: Closure<dyn FnMut(Event)>,
}

impl EndedHandler {
    fn new(track: MediaTrack, sink: EventSink<()>) -> Self {
        let callback = Closure::<dyn FnMut(Event)>::new(move |_: Event| sink.push(()));
        track.0.set_onended(Some(callback.as_ref().unchecked_ref()));
        Self { track, _callback: callback }
    }
}

impl Drop for EndedHandler {
    fn drop(&mut self) {
        self.track.0.set_onended(None);
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = MediaStreamTrack, js_name = MediaStreamTrack)]
    type TrackShim;

    /// Throws where the method is not there.
    #[wasm_bindgen(method, catch, js_name = getCapabilities)]
    fn get_capabilities(this: &TrackShim) -> Result<JsValue, JsValue>;
}
