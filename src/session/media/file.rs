//! A video file as the main source: opened, played, captured, declared to the others.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    BrowserErrorKind, MediaTrack,
    file_player::{FilePlayer, PlayFailure},
    frame_painter::FramePainter,
    media_file::MediaFile,
    queue::event_queue,
};
use sightline_core::{media::content_hint, notice::NoticeCode};
use sightline_protocol::control::{Playback, PublishedSource};

use super::LocalMedia;
use crate::{
    in_chunk,
    parameters::Parameters,
    session::{
        address,
        model::{FileCommand, FileModel, SourceChoice},
        signals,
    },
};

/// As many changes as the page may fall behind: what matters is how the player is when they are looked at.
const MAX_CHANGES: usize = 4;

/// What a person calls the clip that is shipped.
const SAMPLE_NAME: &str = "sample.webm";

/// A file that is shown.
pub(super) struct FileSource {
    player: FilePlayer,
    /// Where frames are stamped, or the browser cannot capture a player.
    painter: Option<FramePainter>,
    playback: Playback,
    /// The tracks as the session was told last.
    announced: (Option<MediaTrack>, Option<MediaTrack>),
    number: u32,
}

/// What the address says of how a file is sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FileLimits {
    width: Option<u32>,
    height: Option<u32>,
    frames_per_second: Option<u32>,
}

impl FileLimits {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let &Parameters { width, height, frames_per_second, .. } = parameters;
        Self { width, height, frames_per_second }
    }
}

impl FileSource {
    /// What is sent: the painted pictures, while frames can be painted, else the captured ones.
    pub(super) fn pictures(&self, is_hidden: bool) -> Option<MediaTrack> {
        let captured = || self.player.pictures();
        match &self.painter {
            Some(painter) if !is_hidden => Some(painter.track().clone()),
            Some(painter) => captured().or_else(|| Some(painter.track().clone())),
            None => captured(),
        }
    }

    pub(super) fn sound(&self) -> Option<MediaTrack> {
        self.player.sound()
    }

    /// Whether what is sent is stamped.
    pub(super) fn is_stamped(&self, is_hidden: bool) -> bool {
        let is_captured = is_hidden && self.player.pictures().is_some();
        !is_captured && self.painter.as_ref().is_some_and(FramePainter::is_stamping)
    }

    pub(super) fn playback(&self) -> Playback {
        self.playback
    }

    /// The shorter side of its pictures, in pixels.
    pub(super) fn lines(&self) -> u32 {
        let state = self.player.state();
        state.width.min(state.height)
    }
}

/// Signals for a file, of which there is none yet.
pub(super) fn new_model(parameters: &Parameters) -> FileModel {
    FileModel {
        is_open: RwSignal::new(false),
        is_loading: RwSignal::new(false),
        name: RwSignal::new(None),
        playback: RwSignal::new(Playback::Paused),
        position_s: RwSignal::new(0.0),
        duration_s: RwSignal::new(None),
        size: RwSignal::new((0, 0)),
        is_looping: RwSignal::new(parameters.looping),
        volume: RwSignal::new(1.0),
        is_stamping: RwSignal::new(parameters.stamp),
        paint_cost_us: RwSignal::new(None),
        needs_gesture: RwSignal::new(false),
    }
}

in_chunk! {
    fn handle, load_handle in panels(media: LocalMedia, command: FileCommand) -> () {
        media.handle_file_here(command);
    }
}

impl LocalMedia {
    /// Does what the person wants done with a file.
    pub fn handle_file(&self, command: FileCommand) {
        let media = self.clone();
        spawn_local(async move {
            if handle(media.clone(), command).await.is_err() {
                media.raise(NoticeCode::PartUnavailable);
            }
        });
    }

    fn handle_file_here(&self, command: FileCommand) {
        let model = self.signals.file;
        match command {
            FileCommand::Open(file) => self.open(async move { Some(file) }),
            FileCommand::OpenSample => {
                self.open(async { MediaFile::fetch(&address::asset("sample.webm"), SAMPLE_NAME).await.ok() });
            }
            FileCommand::Play => self.play(),
            FileCommand::Pause => self.with_player(FilePlayer::pause),
            FileCommand::Seek(position_s) => self.with_player(|player| player.seek(position_s)),
            FileCommand::Restart => {
                self.with_player(|player| player.seek(0.0));
                self.play();
            }
            FileCommand::Loop(is_looping) => {
                signals::set(model.is_looping, is_looping);
                self.with_player(|player| player.set_looping(is_looping));
            }
            FileCommand::Volume(volume) => {
                signals::set(model.volume, volume);
                self.with_player(|player| player.set_volume(volume));
            }
            FileCommand::Stamp(is_stamping) => {
                signals::set(model.is_stamping, is_stamping);
                self.paint();
                self.announce();
            }
        }
    }

    /// A file is wanted: one that is there stays, otherwise the person chooses. Until then everything stays as it is.
    pub(super) fn want_file(&self) {
        signals::set(self.signals.file.is_open, true);
    }

    /// The page can be seen, or not: browsers call for no frames of a hidden one, so none can be painted.
    pub fn handle_visibility(&self, is_visible: bool) {
        self.inner.borrow_mut().is_hidden = !is_visible;
        let is_painting = self.inner.borrow().file.as_ref().is_some_and(|file| file.painter.is_some());
        if is_painting {
            self.announce();
        }
    }

    /// Paints the frame that stands there again, for who came while nothing moves.
    pub fn repaint(&self) {
        if let Some(painter) = self.inner.borrow().file.as_ref().and_then(|file| file.painter.as_ref()) {
            painter.repaint();
        }
    }

    /// By how much the pictures have to be smaller than the file's, and the most of them a second, as the address says.
    pub fn file_limits(&self) -> (f64, Option<u32>) {
        let inner = self.inner.borrow();
        let Some(file) = &inner.file else { return (1.0, None) };
        let state = file.player.state();
        let limits = self.file_limits;
        let sides = [(state.width, limits.width), (state.height, limits.height)];
        let scales = sides.map(|(side, most)| most.map_or(1.0, |most| f64::from(side) / f64::from(most)));
        (scales.into_iter().fold(1.0, f64::max), limits.frames_per_second)
    }

    fn open(&self, file: impl Future<Output = Option<MediaFile>> + 'static) {
        let number = {
            let mut inner = self.inner.borrow_mut();
            if inner.is_closed {
                return;
            }
            inner.next_file += 1;
            inner.next_file
        };
        for code in [
            NoticeCode::FileNotVideo,
            NoticeCode::FileCodec,
            NoticeCode::FileNoPictures,
            NoticeCode::FileDamaged,
            NoticeCode::FileUnreadable,
            NoticeCode::FileSoundMissing,
        ] {
            self.clear(code);
        }
        signals::set(self.signals.file.is_open, true);
        signals::set(self.signals.file.is_loading, true);
        let media = self.clone();
        spawn_local(async move {
            let (sink, mut changes) = event_queue(MAX_CHANGES);
            let opened = match file.await {
                Some(file) => {
                    FilePlayer::open(&file, &sink).await.map(|player| (player, file)).map_err(notice_of)
                }
                None => Err(NoticeCode::FileUnreadable),
            };
            // Another one was chosen meanwhile, or the page was left.
            if media.inner.borrow().is_closed || media.inner.borrow().next_file != number {
                return;
            }
            signals::set(media.signals.file.is_loading, false);
            let taken = opened.and_then(|(player, file)| media.take_file(player, &file, number));
            if let Err(code) = taken {
                media.raise(code);
                return;
            }
            media.play();
            while changes.next().await.is_some() {
                if !media.follow_player(number) {
                    return;
                }
            }
        });
    }

    fn take_file(&self, player: FilePlayer, file: &MediaFile, number: u32) -> Result<(), NoticeCode> {
        let model = self.signals.file;
        player.set_looping(model.is_looping.try_get_untracked().unwrap_or_default());
        player.set_volume(model.volume.try_get_untracked().unwrap_or(1.0));
        let can_capture = player.pictures().is_some();
        {
            let mut inner = self.inner.borrow_mut();
            inner.source = SourceChoice::File;
            (inner.camera, inner.screen) = (None, None);
            let playback = player.state().playback;
            inner.file =
                Some(FileSource { player, painter: None, playback, announced: (None, None), number });
        }
        self.paint();
        let is_painting = self.inner.borrow().file.as_ref().is_some_and(|file| file.painter.is_some());
        if !can_capture && !is_painting {
            self.drop_file();
            self.announce();
            return Err(NoticeCode::CaptureUnsupported);
        }
        if !can_capture {
            self.raise(NoticeCode::FileSoundMissing);
        }
        signals::set(model.name, Some(file.name().to_owned()));
        self.follow_player(number);
        self.announce();
        Ok(())
    }

    /// The file goes, with what was shown of it.
    pub(super) fn drop_file(&self) {
        // Outside of the borrow, since it tells of its own end.
        let file = self.inner.borrow_mut().file.take();
        drop(file);
        let model = self.signals.file;
        signals::set(model.name, None);
        signals::set(model.paint_cost_us, None);
        signals::set(model.needs_gesture, false);
        signals::set(model.is_open, false);
    }

    /// Begins or ends to paint, as stamping and the browser want it.
    fn paint(&self) {
        let is_stamping = self.signals.file.is_stamping.try_get_untracked().unwrap_or_default();
        let mut inner = self.inner.borrow_mut();
        let Some(file) = &mut inner.file else { return };
        file.painter = None;
        if is_stamping || file.player.pictures().is_none() {
            file.painter = FramePainter::start(&file.player, is_stamping).ok();
        }
        // It was wanted and cannot be.
        if is_stamping && file.painter.is_none() {
            signals::set(self.signals.file.is_stamping, false);
        }
    }

    fn play(&self) {
        let Some(playing) = self.inner.borrow().file.as_ref().map(|file| {
            file.player.set_muted(false);
            file.player.play()
        }) else {
            return;
        };
        let media = self.clone();
        spawn_local(async move {
            let needs_gesture = media.signals.file.needs_gesture;
            let is_refused =
                |error: &sightline_browser::BrowserError| error.kind() == BrowserErrorKind::NotAllowed;
            if !playing.await.is_err_and(|error| is_refused(&error)) {
                signals::set(needs_gesture, false);
                return;
            }
            signals::set(needs_gesture, true);
            // Without its sound here it may play; the others hear it all the same.
            let silently = media.inner.borrow().file.as_ref().map(|file| {
                file.player.set_muted(true);
                file.player.play()
            });
            if let Some(playing) = silently {
                let _ = playing.await;
            }
        });
    }

    /// Shows and declares how the player is now; false where it is another's turn.
    fn follow_player(&self, number: u32) -> bool {
        let model = self.signals.file;
        let (state, failure, cost, has_changed) = {
            let mut inner = self.inner.borrow_mut();
            let is_hidden = inner.is_hidden;
            let Some(file) = inner.file.as_mut().filter(|file| file.number == number) else { return false };
            let state = file.player.state();
            let tracks = (file.pictures(is_hidden), file.sound());
            let has_changed = file.playback != state.playback || file.announced != tracks;
            if let (Some(pictures), true) = (&tracks.0, file.announced.0 != tracks.0) {
                pictures.set_content_hint(content_hint(PublishedSource::File));
            }
            file.playback = state.playback;
            file.announced = tracks;
            (state, file.player.failure(), file.painter.as_ref().map(FramePainter::cost), has_changed)
        };
        signals::set(model.playback, state.playback);
        signals::set(model.position_s, state.position_s);
        signals::set(model.duration_s, state.duration_s);
        signals::set(model.size, (state.width, state.height));
        signals::set(model.paint_cost_us, cost.map(micros));
        if let Some(failure) = failure {
            self.raise(notice_of(failure));
        }
        if has_changed {
            self.announce();
        }
        true
    }

    fn with_player(&self, act: impl FnOnce(&FilePlayer)) {
        if let Some(file) = &self.inner.borrow().file {
            act(&file.player);
        }
    }
}

fn notice_of(failure: PlayFailure) -> NoticeCode {
    match failure {
        PlayFailure::Media { code, message } => NoticeCode::from_media_error(code, &message),
        PlayFailure::NoPictures => NoticeCode::FileNoPictures,
        PlayFailure::Browser(_) => NoticeCode::CaptureUnsupported,
    }
}

fn micros(cost: Duration) -> u32 {
    u32::try_from(cost.as_micros()).unwrap_or(u32::MAX)
}
