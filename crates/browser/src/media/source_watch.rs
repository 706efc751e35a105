//! Notes which frames of a playing file were shown here, for the viewers' ledgers.

use std::{cell::RefCell, rc::Rc, time::Duration};

use sightline_core::{Timestamp, duration_of_seconds, media::SourceLog};
use sightline_protocol::{control::Playback, telemetry::SourceFrames};
use web_sys::{Event, HtmlVideoElement};

use super::{file_player::FilePlayer, frame_callback::FrameCallback};
use crate::{
    js::event::Listener,
    page::{clock, lifecycle, window::member},
};

/// The events that change whether the element plays.
const EVENTS: [&str; 6] = ["play", "playing", "pause", "seeking", "seeked", "ended"];

/// The log of one player's frames. Dropping it detaches its listeners.
#[derive(Debug)]
pub struct SourceWatch {
    _listeners: [Listener; EVENTS.len()],
    _frames: FrameCallback,
    log: Rc<RefCell<SourceLog>>,
}

impl SourceWatch {
    /// Watches a player from now on; `None` without frame callbacks in the browser.
    #[must_use]
    pub fn new(player: &FilePlayer) -> Option<Self> {
        let log = Rc::new(RefCell::new(SourceLog::new(lifecycle::is_visible(), clock::now())));
        log.borrow_mut().handle_playback(state(&player.video), clock::now());
        let (noted, video) = (Rc::clone(&log), player.video.clone());
        let frames = FrameCallback::new(&player.video, move |now_ms, metadata| {
            let mut log = noted.borrow_mut();
            // The events of the same moment may come later than the frame.
            log.handle_playback(state(&video), clock::now());
            let number = |name: &str| member(metadata, name).and_then(|value| value.as_f64());
            let shown_ms = number("presentationTime").unwrap_or(now_ms);
            let media = number("mediaTime").and_then(duration_of_seconds).unwrap_or_default();
            let presented = number("presentedFrames").unwrap_or_default() as u32;
            log.handle_frame(timestamp(shown_ms), media, presented);
        })?;
        let listeners = EVENTS.map(|name| {
            let (noted, video) = (Rc::clone(&log), player.video.clone());
            Listener::new(&player.video, name, move |event: Event| {
                let playback = if event.type_() == "seeking" { Playback::Seeking } else { state(&video) };
                noted.borrow_mut().handle_playback(playback, timestamp(event.time_stamp()));
            })
        });
        Some(Self { _listeners: listeners, _frames: frames, log })
    }

    /// Notes whether the page is visible.
    pub fn handle_visibility(&self, is_visible: bool) {
        self.log.borrow_mut().handle_visibility(is_visible, clock::now());
    }

    /// What to tell the viewers now.
    #[must_use]
    pub fn report(&self) -> Option<SourceFrames> {
        self.log.borrow().report(clock::now())
    }

    /// The usual time between two frames of the file.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        self.log.borrow().interval()
    }
}

fn state(video: &HtmlVideoElement) -> Playback {
    match (video.ended(), video.seeking(), video.paused()) {
        (true, false, _) => Playback::Ended,
        (_, _, true) => Playback::Paused,
        (_, true, false) => Playback::Seeking,
        (false, false, false) => Playback::Playing,
    }
}

/// A time of this page's clock, in milliseconds.
fn timestamp(ms: f64) -> Timestamp {
    duration_of_seconds(ms / 1000.0).map_or(Timestamp::ZERO, Timestamp::from_origin)
}
