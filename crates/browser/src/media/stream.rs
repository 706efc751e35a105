//! A group of tracks that are played in step.

use wasm_bindgen::JsCast;
use web_sys::MediaStreamTrack;

use super::track::MediaTrack;
use crate::js::error::BrowserError;

/// A reference to a `MediaStream`; a clone refers to the same stream.
///
/// (`clone` of `web_sys::MediaStream` is the JavaScript method, which makes another stream with other tracks.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaStream(web_sys::MediaStream);

impl MediaStream {
    /// A stream of these tracks, which may be empty.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser has no `MediaStream`.
    pub fn new(tracks: &[MediaTrack]) -> Result<Self, BrowserError> {
        let stream = Self(web_sys::MediaStream::new()?);
        stream.set_tracks(tracks);
        Ok(stream)
    }

    /// Adds a track, unless the stream contains it. An element that plays the stream plays the track at once.
    pub fn add_track(&self, track: &MediaTrack) {
        self.0.add_track(track.as_ref());
    }

    /// Removes a track, if the stream contains it.
    pub fn remove_track(&self, track: &MediaTrack) {
        self.0.remove_track(track.as_ref());
    }

    /// Replaces the tracks. Tracks that remain have no gap.
    pub fn set_tracks(&self, tracks: &[MediaTrack]) {
        for old in self.tracks() {
            if !tracks.contains(&old) {
                self.0.remove_track(old.as_ref());
            }
        }
        for track in tracks {
            self.add_track(track);
        }
    }

    /// The tracks in the stream.
    #[must_use]
    pub fn tracks(&self) -> Vec<MediaTrack> {
        self.0
            .get_tracks()
            .iter()
            .map(|track| MediaTrack::from(track.unchecked_into::<MediaStreamTrack>()))
            .collect()
    }

    /// Whether the picture comes from a camera that faces away from the person (`facingMode`), where the browser tells.
    #[must_use]
    pub fn faces_away(&self) -> bool {
        self.tracks().iter().any(MediaTrack::faces_away)
    }
}

impl From<web_sys::MediaStream> for MediaStream {
    fn from(stream: web_sys::MediaStream) -> Self {
        Self(stream)
    }
}

impl AsRef<web_sys::MediaStream> for MediaStream {
    fn as_ref(&self) -> &web_sys::MediaStream {
        &self.0
    }
}
