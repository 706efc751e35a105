//! Plays a video file in a hidden `<video>`, and captures its picture and sound.
//!
//! Behavior of browsers (measured with Chromium 156 and Firefox 153): the element need not be in the page; a muted element is
//! captured with its sound; at the end of the file the captured tracks end, and playing again makes new ones; loops and seeks
//! keep them. Chromium captures thirty times a second at any file rate, also while paused; Firefox captures each shown frame as
//! it is stored, without the rotation of a phone's film. After an error the element still draws its last picture.

use std::time::Duration;

use futures_channel::oneshot;
use futures_util::{
    future::{Either, select},
    pin_mut,
};
use js_sys::Function;
use sightline_core::{media::PlayerSample, notice::NoticeCode};
use sightline_protocol::control::Playback;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    CanvasRenderingContext2d, Event, HtmlAudioElement, HtmlCanvasElement, HtmlMediaElement, HtmlVideoElement,
    Url,
};

use super::{
    media_element,
    media_file::MediaFile,
    track::{MediaKind, MediaTrack},
};
use crate::{
    js::{error::BrowserError, event::Listener, queue::EventSink},
    page::{
        clock,
        window::{member, window},
    },
};

/// How long a browser may take to open a file, and then to show its first picture. Chromium opens a file with an index and no
/// pictures, and shows none.
const OPENING_LIMIT: Duration = Duration::from_secs(20);
const FIRST_PICTURE_LIMIT: Duration = Duration::from_secs(3);
const FIRST_PICTURE_INTERVAL: Duration = Duration::from_millis(40);

/// Why a file does not play.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlayFailure {
    /// A `MediaError`: its code, and the browser's message for a log.
    #[error("media error {code}: {message}")]
    Media {
        /// 1 aborted, 2 network, 3 decode, 4 source not supported (HTML, 4.8.11.1).
        code: u16,
        /// The browser's message.
        message: String,
    },
    /// The file contains no pictures, or none that this browser can decode.
    #[error("no pictures")]
    NoPictures,
    /// The file's index lists pictures, and none can be shown.
    #[error("no first picture")]
    NoFirstPicture,
    /// The browser neither opened the file nor reported an error.
    #[error("not opened in time")]
    Silent,
    /// The browser refused another operation.
    #[error(transparent)]
    Browser(#[from] BrowserError),
}

impl PlayFailure {
    /// The notice for the person.
    #[must_use]
    pub fn notice(&self) -> NoticeCode {
        match self {
            Self::Media { code, message } => NoticeCode::from_media_error(*code, message),
            Self::NoPictures => NoticeCode::FileNoPictures,
            Self::NoFirstPicture => NoticeCode::FileDamaged,
            Self::Silent => NoticeCode::FileUnreadable,
            Self::Browser(_) => NoticeCode::CaptureUnsupported,
        }
    }
}

/// A `<video>` that plays a file, and its captured stream. Dropping it stops both.
#[derive(Debug)]
pub struct FilePlayer {
    listeners: Vec<Listener>,
    pub(crate) video: HtmlVideoElement,
    capture: Option<web_sys::MediaStream>,
    /// Plays the captured sound, in browsers where capturing removes it from the element.
    monitor: Option<HtmlAudioElement>,
    url: String,
}

impl FilePlayer {
    /// Opens a file, paused at its beginning. Reports to `changed` whenever [`Self::sample`] or a track changed.
    ///
    /// # Errors
    /// [`PlayFailure`] where the browser cannot play it or shows no picture of it.
    pub async fn open(file: &MediaFile, changed: &EventSink<()>) -> Result<Self, PlayFailure> {
        let url = Url::create_object_url_with_blob(&file.blob).map_err(BrowserError::from)?;
        let video = create("video")?.unchecked_into::<HtmlVideoElement>();
        let mut player = Self { listeners: Vec::new(), video, capture: None, monitor: None, url };
        player.load().await?;
        if player.video.video_width() == 0 {
            return Err(PlayFailure::NoPictures);
        }
        player.until_first_picture().await?;
        player.start_capture()?;
        player.listen(changed);
        Ok(player)
    }

    /// The present state of the element.
    #[must_use]
    pub fn sample(&self) -> PlayerSample {
        let video = &self.video;
        let playback = match (video.paused(), video.ended(), video.seeking()) {
            (_, true, false) => Playback::Ended,
            (true, ..) => Playback::Paused,
            (false, _, true) => Playback::Seeking,
            (false, false, false) => Playback::Playing,
        };
        PlayerSample {
            playback,
            position: seconds(video.current_time()).unwrap_or_default(),
            duration: seconds(video.duration()),
            frames: self.frames_decoded(),
            error: failure_of(video).map(|failure| failure.notice()),
        }
    }

    /// Width and height of the displayed picture, in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.video.video_width(), self.video.video_height())
    }

    /// Continues to play; from the beginning if the file had ended.
    ///
    /// # Errors
    /// [`BrowserError`]: not allowed if the browser requires a gesture first (a muted element may play).
    pub fn play(&self) -> impl Future<Output = Result<(), BrowserError>> + use<> {
        if let Some(monitor) = self.monitor.clone() {
            wasm_bindgen_futures::spawn_local(async move { drop(media_element::play(&monitor).await) });
        }
        let video = self.video.clone();
        async move { media_element::play(&video).await }
    }

    /// Pauses the file.
    pub fn pause(&self) {
        let _ = self.video.pause();
    }

    /// Jumps to a position, in seconds.
    pub fn seek(&self, position_s: f64) {
        self.video.set_current_time(position_s.clamp(0.0, self.video.duration().max(0.0)));
    }

    /// Sets whether the file starts again at its end.
    pub fn set_looping(&self, is_looping: bool) {
        self.video.set_loop(is_looping);
    }

    /// Sets the volume here, from 0 to 1; the captured sound does not change.
    pub fn set_volume(&self, volume: f64) {
        media_element::set_volume(self.sounding(), volume);
    }

    /// Mutes the element here; the captured sound does not change.
    pub fn set_muted(&self, is_muted: bool) {
        self.sounding().set_muted(is_muted);
    }

    /// The captured video track, while there is one; `None` where the browser cannot capture an element.
    #[must_use]
    pub fn pictures(&self) -> Option<MediaTrack> {
        self.captured(MediaKind::Video)
    }

    /// The captured audio track, while there is one.
    #[must_use]
    pub fn sound(&self) -> Option<MediaTrack> {
        self.captured(MediaKind::Audio)
    }

    async fn load(&mut self) -> Result<(), PlayFailure> {
        let (sender, receiver) = oneshot::channel();
        let sender = std::rc::Rc::new(std::cell::Cell::new(Some(sender)));
        let ends: Vec<_> = ["loadeddata", "error"]
            .into_iter()
            .map(|name| {
                let sender = sender.clone();
                Listener::new(&self.video, name, move |_: Event| {
                    if let Some(sender) = sender.take() {
                        let _ = sender.send(());
                    }
                })
            })
            .collect();
        let _ = self.video.set_attribute("playsinline", "");
        self.video.set_preload("auto");
        self.video.set_src(&self.url);
        let limit = clock::sleep(OPENING_LIMIT);
        pin_mut!(limit);
        if let Either::Right(_) = select(receiver, limit).await {
            return Err(PlayFailure::Silent);
        }
        drop(ends);
        failure_of(&self.video).map_or(Ok(()), Err)
    }

    async fn until_first_picture(&self) -> Result<(), PlayFailure> {
        let canvas: HtmlCanvasElement = create("canvas")?.unchecked_into();
        canvas.set_width(1);
        canvas.set_height(1);
        let context: CanvasRenderingContext2d = canvas
            .get_context("2d")
            .map_err(BrowserError::from)?
            .ok_or_else(|| BrowserError::not_supported("CanvasRenderingContext2D"))?
            .unchecked_into();
        let limit = clock::now() + FIRST_PICTURE_LIMIT;
        loop {
            let _ = context.draw_image_with_html_video_element_and_dw_and_dh(&self.video, 0.0, 0.0, 1.0, 1.0);
            let pixel = context.get_image_data(0.0, 0.0, 1.0, 1.0).map(|pixel| pixel.data().0);
            // A film may be transparent, so a decoded frame counts as well.
            let is_painted = pixel.is_ok_and(|pixel| pixel.last().is_some_and(|alpha| *alpha > 0));
            if is_painted || self.frames_decoded().is_some_and(|frames| frames > 0) {
                return Ok(());
            }
            if let Some(failure) = failure_of(&self.video) {
                return Err(failure);
            }
            if clock::now() >= limit {
                return Err(PlayFailure::NoFirstPicture);
            }
            clock::sleep(FIRST_PICTURE_INTERVAL).await;
        }
    }

    /// The number of decoded frames: `totalVideoFrames` (W3C media-playback-quality).
    fn frames_decoded(&self) -> Option<u32> {
        let quality = member(&self.video, "getVideoPlaybackQuality")?.unchecked_into::<Function>();
        let quality = quality.call0(&self.video).ok()?;
        member(&quality, "totalVideoFrames")?.as_f64().map(|frames| frames as u32)
    }

    fn start_capture(&mut self) -> Result<(), BrowserError> {
        // The older method removes the sound from the element.
        for (name, keeps_sound) in [("captureStream", true), ("mozCaptureStream", false)] {
            let Some(capture) = member(&self.video, name) else { continue };
            let stream = capture.unchecked_into::<Function>().call0(&self.video)?;
            let stream: web_sys::MediaStream = stream.unchecked_into();
            if !keeps_sound {
                let monitor: HtmlAudioElement = create("audio")?.unchecked_into();
                monitor.set_src_object(Some(&stream));
                self.monitor = Some(monitor);
            }
            self.capture = Some(stream);
            break;
        }
        Ok(())
    }

    fn listen(&mut self, changed: &EventSink<()>) {
        let on = |target: &web_sys::EventTarget, name| {
            let changed = changed.clone();
            Listener::new(target, name, move |_: Event| changed.push(()))
        };
        let of_element = [
            "play",
            "playing",
            "pause",
            "seeking",
            "seeked",
            "ended",
            "timeupdate",
            "durationchange",
            "resize",
            "error",
        ];
        self.listeners.extend(of_element.map(|name| on(&self.video, name)));
        if let Some(stream) = &self.capture {
            self.listeners.extend(["addtrack", "removetrack"].map(|name| on(stream, name)));
        }
    }

    fn sounding(&self) -> &HtmlMediaElement {
        match &self.monitor {
            Some(monitor) => monitor,
            None => &self.video,
        }
    }

    fn captured(&self, kind: MediaKind) -> Option<MediaTrack> {
        let tracks = self.capture.as_ref()?.get_tracks();
        let mut tracks =
            tracks.iter().map(|track| MediaTrack::from(track.unchecked_into::<web_sys::MediaStreamTrack>()));
        tracks.find(|track| track.kind() == kind && !track.is_ended())
    }
}

impl Drop for FilePlayer {
    fn drop(&mut self) {
        self.listeners.clear();
        let _ = self.video.pause();
        if let Some(stream) = self.capture.take() {
            for track in stream.get_tracks().iter() {
                track.unchecked_into::<web_sys::MediaStreamTrack>().stop();
            }
        }
        if let Some(monitor) = self.monitor.take() {
            monitor.set_src_object(None);
        }
        // HTML recommends this to release the file (4.8.11.19).
        let _ = self.video.remove_attribute("src");
        self.video.load();
        let _ = Url::revoke_object_url(&self.url);
    }
}

fn failure_of(video: &HtmlVideoElement) -> Option<PlayFailure> {
    let error = JsValue::from(video.error()?);
    let code = member(&error, "code").and_then(|code| code.as_f64()).unwrap_or_default() as u16;
    let message = member(&error, "message").and_then(|message| message.as_string()).unwrap_or_default();
    Some(PlayFailure::Media { code, message })
}

/// A duration; `None` for an unknown or infinite one.
fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

pub(crate) fn create(name: &str) -> Result<web_sys::Element, BrowserError> {
    let document = window().document().ok_or_else(|| BrowserError::not_supported("document"))?;
    Ok(document.create_element(name)?)
}
