//! A video file as the main source: opened, played, captured, announced to the other members.

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    BrowserErrorKind,
    js::queue::{EventStream, event_queue},
    media::{file_player::FilePlayer, frame_painter::FramePainter, media_file::MediaFile},
    page::clock,
};
use sightline_core::{measure::report::FileEntry, notice::NoticeCode};
use sightline_protocol::{control::Playback, telemetry::SourceFrames};

use super::{LocalMedia, shown_file::FileSource};
use crate::{
    in_chunk,
    parameters::Parameters,
    session::{
        address,
        model::{FileCommand, FileModel, SourceChoice},
        signals,
    },
};

/// A few are enough: when they are handled, only the present state of the player counts.
const MAX_CHANGES: usize = 4;

/// The name of the shipped clip for the person.
const SAMPLE_NAME: &str = "sample.webm";

/// The parameters of the address for sending a file.
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

/// Signals for a file, before one is chosen.
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
    fn handle, load_handle in room(media: LocalMedia, command: FileCommand) -> () {
        media.handle_file_here(command);
    }
}

impl LocalMedia {
    /// Performs a command about the file.
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
                self.follow_file();
            }
        }
    }

    /// Makes the file the source if one is open; otherwise opens the file chooser, and the present source stays until then.
    pub(super) fn want_file(&self) {
        signals::set(self.signals.file.is_open, true);
    }

    /// Notes whether the page is visible: browsers give no frame callbacks to a hidden page, so no frame can be painted.
    pub fn handle_visibility(&self, is_visible: bool) {
        let mut inner = self.inner.borrow_mut();
        inner.is_hidden = !is_visible;
        if let Some(file) = &inner.file {
            if let Some(frames) = file.frames() {
                frames.handle_visibility(is_visible);
            }
            file.wake();
        }
    }

    /// The file as a report names it.
    pub fn file_entry(&self) -> Option<FileEntry> {
        let inner = self.inner.borrow();
        Some(inner.file.as_ref()?.entry(inner.is_hidden))
    }

    /// Which frames of the file were shown here lately, for the viewers.
    pub fn source_frames(&self) -> Option<SourceFrames> {
        self.inner.borrow().file.as_ref()?.frames()?.report()
    }

    /// Notes that a viewer joined, or that the connection to one was rebuilt: a standing picture is sent again.
    pub fn handle_viewer(&self) {
        if let Some(file) = &mut self.inner.borrow_mut().file {
            file.handle_viewer();
        }
    }

    /// The scaling of the pictures, and the most frames per second, from the address.
    pub fn file_limits(&self) -> (f64, Option<u32>) {
        let inner = self.inner.borrow();
        let Some(file) = &inner.file else { return (1.0, None) };
        let (width, height) = file.player().size();
        let limits = self.file_limits;
        let sides = [(width, limits.width), (height, limits.height)];
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
            let (sink, changes) = event_queue(MAX_CHANGES);
            let opened = match file.await {
                Some(file) => {
                    let is_turned = file.is_turned().await;
                    let player = FilePlayer::open(&file, &sink).await;
                    player.map(|player| (player, file, is_turned)).map_err(|failure| failure.notice())
                }
                None => Err(NoticeCode::FileUnreadable),
            };
            // Another file was chosen meanwhile, or the page was left.
            if media.inner.borrow().is_closed || media.inner.borrow().next_file != number {
                return;
            }
            signals::set(media.signals.file.is_loading, false);
            let taken = opened.and_then(|(player, file, is_turned)| {
                media.take_file(FileSource::new((player, file), is_turned, number, sink))
            });
            if let Err(code) = taken {
                media.raise(code);
                return;
            }
            media.play();
            media.hash_file(number);
            media.follow_player(number, changes).await;
        });
    }

    fn take_file(&self, file: FileSource) -> Result<(), NoticeCode> {
        let model = self.signals.file;
        file.player().set_looping(model.is_looping.try_get_untracked().unwrap_or_default());
        file.player().set_volume(model.volume.try_get_untracked().unwrap_or(1.0));
        let can_capture = file.player().pictures().is_some();
        let name = file.file().name().to_owned();
        let before = {
            let mut inner = self.inner.borrow_mut();
            inner.source = SourceChoice::File;
            (inner.file.replace(file), inner.camera.take(), inner.screen.take())
        };
        signals::set(model.name, Some(name));
        self.follow_file();
        // Dropped outside of the borrow, since dropping it sends events; and after the session has the new tracks.
        drop(before);
        if self.main_track().is_none() {
            self.drop_file();
            self.announce();
            return Err(NoticeCode::CaptureUnsupported);
        }
        if !can_capture {
            self.raise(NoticeCode::FileSoundMissing);
        }
        Ok(())
    }

    /// Removes the file and its signals.
    pub(super) fn drop_file(&self) {
        // Dropped outside of the borrow, since dropping it sends events.
        let file = self.inner.borrow_mut().file.take();
        if let Some(failure) = file.as_ref().and_then(FileSource::failure) {
            self.clear(failure.code);
        }
        drop(file);
        let model = self.signals.file;
        signals::set(model.name, None);
        signals::set(model.paint_cost_us, None);
        signals::set(model.needs_gesture, false);
        signals::set(model.is_open, false);
    }

    fn play(&self) {
        let failed = self.inner.borrow().file.as_ref().and_then(|file| {
            file.failure()?;
            Some(file.file().clone())
        });
        // An element that failed never plays again, so the file is opened again.
        if let Some(file) = failed {
            self.open(async move { Some(file) });
            return;
        }
        let Some(playing) = self.inner.borrow().file.as_ref().map(|file| {
            file.player().set_muted(false);
            file.player().play()
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
            // It may play here without sound; the others hear the sound all the same.
            let silently = media.inner.borrow().file.as_ref().map(|file| {
                file.player().set_muted(true);
                file.player().play()
            });
            if let Some(playing) = silently {
                let _ = playing.await;
            }
        });
    }

    /// Follows the player until another file is shown.
    async fn follow_player(&self, number: u32, mut changes: EventStream<()>) {
        loop {
            let due = match &self.inner.borrow().file {
                Some(file) if file.number() == number => file.next_look(),
                _ => return,
            };
            let next = changes.next();
            let is_there = match due {
                None => next.await.is_some(),
                Some(due) => {
                    let timer = clock::sleep_until(due);
                    pin_mut!(next, timer);
                    match select(next, timer).await {
                        Either::Left((change, _)) => change.is_some(),
                        Either::Right(_) => true,
                    }
                }
            };
            let is_ours = self.inner.borrow().file.as_ref().is_some_and(|file| file.number() == number);
            if !is_there || !is_ours {
                return;
            }
            self.follow_file();
        }
    }

    /// Shows and announces the present state of the file.
    fn follow_file(&self) {
        let model = self.signals.file;
        let is_stamping = model.is_stamping.try_get_untracked().unwrap_or_default();
        let (look, cost, position) = {
            let mut inner = self.inner.borrow_mut();
            let is_hidden = inner.is_hidden;
            let Some(file) = inner.file.as_mut() else { return };
            let look = file.look(is_stamping, is_hidden);
            let painter = file.painter();
            // Stamping was wanted and is impossible.
            if is_stamping && painter.is_none() {
                signals::set(model.is_stamping, false);
            }
            signals::set(model.size, file.player().size());
            signals::set(model.playback, file.playback());
            let sample = file.player().sample();
            let cost = painter.filter(|painter| painter.is_stamping()).map(FramePainter::cost);
            (look, cost, (sample.position, sample.duration))
        };
        signals::set(model.position_s, position.0.as_secs_f64());
        signals::set(model.duration_s, position.1.map(|duration| duration.as_secs_f64()));
        signals::set(model.paint_cost_us, cost.map(micros));
        let [before, now] = look.failures.map(|failure| failure.map(|failure| failure.code));
        if before != now {
            before.inspect(|code| self.clear(*code));
            now.inspect(|code| self.raise(*code));
        }
        if look.has_changed {
            self.announce();
        }
        if look.wants_check {
            self.check_file();
        }
        // Dropped last, since its track was sent until now.
        drop(look.unneeded);
    }

    /// Computes the SHA-256 of the file, for the report of a run.
    fn hash_file(&self, number: u32) {
        let Some(file) = self.inner.borrow().file.as_ref().map(|file| file.file().clone()) else { return };
        let media = self.clone();
        spawn_local(async move {
            let digest = file.sha256().await;
            if let Some(file) = media.inner.borrow_mut().file.as_mut().filter(|file| file.number() == number)
            {
                file.handle_digest(digest);
            }
        });
    }

    /// Tries to read the file, which may have been moved or changed.
    fn check_file(&self) {
        let Some((file, number)) =
            self.inner.borrow().file.as_ref().map(|file| (file.file().clone(), file.number()))
        else {
            return;
        };
        let media = self.clone();
        spawn_local(async move {
            let is_readable = file.is_readable().await;
            if let Some(file) = media.inner.borrow_mut().file.as_mut().filter(|file| file.number() == number)
            {
                file.handle_readable(is_readable);
            }
        });
    }

    fn with_player(&self, act: impl FnOnce(&FilePlayer)) {
        if let Some(file) = &self.inner.borrow().file {
            act(file.player());
        }
    }
}

fn micros(cost: Duration) -> u32 {
    u32::try_from(cost.as_micros()).unwrap_or(u32::MAX)
}
