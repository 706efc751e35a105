//! A video file that is shown: its tracks, and its declared state.

use sightline_browser::{
    MediaTrack,
    js::queue::EventSink,
    media::{
        file_player::FilePlayer, frame_painter::FramePainter, media_file::MediaFile,
        source_watch::SourceWatch,
    },
    page::clock,
};
use sightline_core::{
    Timestamp,
    measure::report::FileEntry,
    media::{PlaybackFailure, PlaybackWatch, StandingPicture, content_hint},
};
use sightline_protocol::control::{Playback, PublishedSource};

/// Owns the player and the captured or painted tracks. It sends no events: changes are in [`Look`].
///
/// There is a painter while the captured track would show a late joiner nothing (the file stands still, or its track ended),
/// while the track would differ from the player (a turned film), and while frames are stamped.
pub(super) struct FileSource {
    /// Dropped before the player whose frames it notes; `None` without frame callbacks in the browser.
    frames: Option<SourceWatch>,
    player: FilePlayer,
    file: MediaFile,
    painter: Option<FramePainter>,
    /// Whether the browser cannot paint frames.
    cannot_paint: bool,
    is_turned: bool,
    watch: PlaybackWatch,
    standing: StandingPicture,
    known: SessionState,
    sha256: Option<String>,
    number: u32,
    /// Wakes up the task that follows the player.
    wake: EventSink<()>,
}

/// What the session knows of the player.
#[derive(Default, PartialEq)]
struct SessionState {
    tracks: (Option<MediaTrack>, Option<MediaTrack>),
    playback: Option<Playback>,
    failure: Option<PlaybackFailure>,
}

/// The result of checking the player.
pub(super) struct Look {
    /// Whether tracks or declaration changed.
    pub(super) has_changed: bool,
    /// The failure before and now.
    pub(super) failures: [Option<PlaybackFailure>; 2],
    /// Whether to check that the file is still readable.
    pub(super) wants_check: bool,
    /// A painter whose track may still be sent; to be dropped after the session heard of the change.
    pub(super) unneeded: Option<FramePainter>,
}

impl FileSource {
    pub(super) fn new(
        (player, file): (FilePlayer, MediaFile),
        is_turned: bool,
        number: u32,
        wake: EventSink<()>,
    ) -> Self {
        Self {
            frames: SourceWatch::new(&player),
            player,
            file,
            painter: None,
            cannot_paint: false,
            is_turned,
            watch: PlaybackWatch::default(),
            standing: StandingPicture::default(),
            known: SessionState::default(),
            sha256: None,
            number,
            wake,
        }
    }

    pub(super) fn player(&self) -> &FilePlayer {
        &self.player
    }

    pub(super) fn file(&self) -> &MediaFile {
        &self.file
    }

    pub(super) fn frames(&self) -> Option<&SourceWatch> {
        self.frames.as_ref()
    }

    pub(super) fn painter(&self) -> Option<&FramePainter> {
        self.painter.as_ref()
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// The video track to send: painted if frames can be painted, else captured.
    pub(super) fn pictures(&self, is_hidden: bool) -> Option<MediaTrack> {
        let painted = self.painter.as_ref().map(|painter| painter.track().clone());
        if self.is_painted(is_hidden) { painted } else { self.player.pictures().or(painted) }
    }

    pub(super) fn sound(&self) -> Option<MediaTrack> {
        self.player.sound()
    }

    /// Whether the sent frames are stamped.
    pub(super) fn is_stamped(&self, is_hidden: bool) -> bool {
        let is_sent = self.is_painted(is_hidden) || self.player.pictures().is_none();
        is_sent && self.painter.as_ref().is_some_and(FramePainter::is_stamping)
    }

    pub(super) fn playback(&self) -> Playback {
        self.watch.playback()
    }

    pub(super) fn failure(&self) -> Option<PlaybackFailure> {
        self.watch.failure()
    }

    /// The shorter side of the pictures, in pixels.
    pub(super) fn lines(&self) -> u32 {
        let (width, height) = self.player.size();
        width.min(height)
    }

    /// Notes that a viewer joined, or that the connection to one was rebuilt.
    pub(super) fn handle_viewer(&mut self) {
        self.standing.handle_viewer(clock::now());
        self.wake();
    }

    /// Takes the SHA-256 of the file.
    pub(super) fn handle_digest(&mut self, sha256: Option<String>) {
        self.sha256 = sha256;
    }

    /// The file as a report names it.
    pub(super) fn entry(&self, is_hidden: bool) -> FileEntry {
        let interval = self.frames.as_ref().and_then(SourceWatch::interval);
        FileEntry {
            name: self.file.name().to_owned(),
            size_bytes: self.file.size_bytes(),
            sha256: self.sha256.clone(),
            frames_per_second: interval.map(|interval| 1.0 / interval.as_secs_f64()),
            duration_s: self.player.sample().duration.map(|duration| duration.as_secs_f64()),
            stamped: self.is_stamped(is_hidden),
        }
    }

    /// Notes whether the file could be read.
    pub(super) fn handle_readable(&mut self, is_readable: bool) {
        self.watch.handle_readable(is_readable);
        self.wake();
    }

    /// Wakes up the task that follows the player.
    pub(super) fn wake(&self) {
        self.wake.push(());
    }

    /// When to check again without an event.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        [self.watch.poll_timeout(), self.standing.poll_timeout()].into_iter().flatten().min()
    }

    /// Checks the player, and paints if necessary.
    pub(super) fn look(&mut self, is_stamping: bool, is_hidden: bool) -> Look {
        let now = clock::now();
        let sample = self.player.sample();
        let has_jumped = self.watch.handle_sample(sample, now);
        self.standing.handle_standing(self.is_standing(), now);
        if has_jumped {
            self.standing.handle_other_picture(now);
        }
        let unneeded = self.fit_painter(is_stamping);
        if let Some(painter) = &self.painter {
            // A hidden page gets no frame callbacks.
            let is_uncalled = is_hidden && self.is_turned && !self.is_standing();
            if self.standing.poll_repaint(now) || is_uncalled {
                painter.repaint();
            }
        } else {
            self.standing.poll_repaint(now);
        }
        let current = SessionState {
            tracks: (self.pictures(is_hidden), self.sound()),
            playback: Some(self.playback()),
            failure: self.failure(),
        };
        if let (Some(pictures), true) = (&current.tracks.0, current.tracks.0 != self.known.tracks.0) {
            pictures.set_content_hint(content_hint(PublishedSource::File));
        }
        let has_changed = current != self.known;
        let before = std::mem::replace(&mut self.known, current).failure;
        Look {
            has_changed,
            failures: [before, self.failure()],
            wants_check: self.watch.poll_check(),
            unneeded,
        }
    }

    /// Starts or stops painting. Returns a painter that is no longer needed.
    fn fit_painter(&mut self, is_stamping: bool) -> Option<FramePainter> {
        let is_wanted =
            is_stamping || self.is_turned || self.is_standing() || self.player.pictures().is_none();
        let fits = |painter: &FramePainter| is_wanted && painter.is_stamping() == is_stamping;
        if self.painter.as_ref().map_or(!is_wanted || self.cannot_paint, fits) {
            return None;
        }
        let unneeded = self.painter.take();
        if is_wanted {
            self.painter = FramePainter::start(&self.player, is_stamping).ok();
            self.cannot_paint = self.painter.is_none();
        }
        unneeded
    }

    fn is_painted(&self, is_hidden: bool) -> bool {
        // A timer also paints on a hidden page.
        self.painter.is_some() && (!is_hidden || self.is_turned || self.is_standing())
    }

    fn is_standing(&self) -> bool {
        !matches!(self.playback(), Playback::Playing | Playback::Seeking)
    }
}
