//! Sharing a screen or a window.

use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError, BrowserErrorKind,
    js::queue::{EventSink, event_queue},
    media::{
        capture::{Captured, DisplayRequest, get_display_media},
        track::LocalTrack,
    },
    page::environment,
};
use sightline_core::{media::content_hint, notice::NoticeCode};
use sightline_protocol::control::PublishedSource;

use super::LocalMedia;
use crate::{
    in_chunk,
    session::{model::SourceChoice, signals},
};

/// A shared screen or window.
pub(super) struct Screen {
    pub(super) pictures: LocalTrack,
    pub(super) sound: Option<LocalTrack>,
    /// The source before, to return to.
    before: SourceChoice,
}

in_chunk! {
    fn ask, load_ask in room(media: LocalMedia) -> () {
        media.ask_for_screen_here();
    }
}

impl LocalMedia {
    /// Asks for a screen. The present source stays until there is a screen, and if the person cancels.
    pub(super) fn ask_for_screen(&self) {
        let media = self.clone();
        spawn_local(async move {
            if ask(media.clone()).await.is_err() {
                media.raise(NoticeCode::PartUnavailable);
            }
        });
    }

    fn ask_for_screen_here(&self) {
        {
            let mut inner = self.inner.borrow_mut();
            if inner.is_closed || inner.is_asking_for_screen {
                return;
            }
            inner.is_asking_for_screen = true;
        }
        self.clear(NoticeCode::ScreenUnavailable);
        let media = self.clone();
        spawn_local(async move {
            let outcome = if environment::has_display_capture() {
                let rate = media.preferences.camera_request().frames_per_second;
                get_display_media(&DisplayRequest { frames_per_second: rate, audio: true }).await
            } else {
                Err(BrowserError::not_supported("getDisplayMedia"))
            };
            media.inner.borrow_mut().is_asking_for_screen = false;
            match outcome {
                Ok(captured) => media.take_screen(captured),
                Err(error) => media.go_without_screen(error.kind()),
            }
            media.announce();
        });
    }

    fn take_screen(&self, captured: Captured) {
        let Some(mut pictures) = captured.video else { return };
        pictures.set_content_hint(content_hint(PublishedSource::Screen));
        pictures.report_ended(self.screen_ended());
        let mut inner = self.inner.borrow_mut();
        // The devices may have been closed meanwhile.
        if inner.is_closed {
            return;
        }
        let before = inner.screen.as_ref().map_or(inner.source, |screen| screen.before);
        let before = if before == SourceChoice::File { SourceChoice::None } else { before };
        inner.screen = Some(Screen { pictures, sound: captured.audio, before });
        inner.source = SourceChoice::Screen;
        inner.camera = None;
        drop(inner);
        self.drop_file();
    }

    fn go_without_screen(&self, error: BrowserErrorKind) {
        match error {
            BrowserErrorKind::InvalidState => signals::set(self.signals.needs_gesture, true),
            // The person canceled: nothing changes.
            BrowserErrorKind::NotAllowed | BrowserErrorKind::Abort => {}
            _ => self.raise(NoticeCode::ScreenUnavailable),
        }
    }

    /// Listens for the end of sharing, in the browser's own bar or because the window was closed: the source before returns.
    fn screen_ended(&self) -> EventSink<()> {
        let (sink, mut stream) = event_queue(1);
        let media = self.clone();
        spawn_local(async move {
            if stream.next().await.is_none() {
                return;
            }
            let ended = media.inner.borrow_mut().screen.take_if(|screen| screen.pictures.is_ended());
            if let Some(screen) = ended {
                media.want_source(screen.before);
            }
        });
        sink
    }
}
