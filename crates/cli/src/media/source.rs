//! The file that plays: a thread that reads it, and a task that releases its frames when they are due.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use sightline_protocol::control::{Playback as PlaybackState, PublishedSource, PublishedState};
use tokio::sync::{mpsc, watch};

use super::{
    Frame, VideoCodec,
    file::{Summary, VideoFile},
    file_info::FileInfo,
    file_problem::FileProblem,
    outlet::{Outlet, Step},
    playback::{Playback, whole_seconds},
};
use crate::clock::{Clock, until};

/// Frames between the thread and the task.
const MAX_READ: usize = 8;

/// A file as the source of a member, shared by all of its links. The file stops when the last one is dropped.
#[derive(Clone)]
pub struct Source(Arc<Shared>);

struct Shared {
    path: PathBuf,
    info: FileInfo,
    summary: Summary,
    clock: Clock,
    playback: Mutex<Playback>,
    problem: Mutex<Option<FileProblem>>,
    is_loop: AtomicBool,
    /// Wakes the task.
    commands: watch::Sender<()>,
    /// Where the task takes the latest jump.
    jump: Mutex<Option<Jump>>,
    /// Changes when frames were released.
    released: watch::Sender<()>,
    state: watch::Sender<PlaybackState>,
}

/// A jump to another position.
struct Jump {
    target: Duration,
    plays: bool,
    frames: mpsc::Receiver<FromFile>,
}

enum FromFile {
    /// The first frame is at this time of the file.
    Begin(Duration),
    Frame(Frame),
    End,
    Failed(FileProblem),
}

impl Source {
    /// Opens a file and reads it once, to know that it can be provided. Blocks for as long as the disk needs.
    ///
    /// # Errors
    /// [`FileProblem`]
    pub fn open(path: &Path) -> Result<Self, FileProblem> {
        let (file, info) = VideoFile::open_path(path)?;
        let summary = file.summarize()?;
        Ok(Self(Arc::new(Shared {
            path: path.to_owned(),
            info,
            summary,
            clock: Clock::start(),
            playback: Mutex::default(),
            problem: Mutex::default(),
            is_loop: AtomicBool::default(),
            commands: watch::Sender::new(()),
            jump: Mutex::default(),
            released: watch::Sender::new(()),
            state: watch::Sender::new(PlaybackState::Paused),
        })))
    }

    /// Begins to read ahead. The file stands at its beginning until [`Self::play`]. Call it once.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(&self, is_loop: bool) -> std::io::Result<()> {
        self.0.is_loop.store(is_loop, Ordering::Relaxed);
        let from_file = self.read_from(Duration::ZERO)?;
        tokio::spawn(run(Arc::downgrade(&self.0), self.0.commands.subscribe(), from_file, self.0.clock));
        Ok(())
    }

    /// Goes on with the keyframe nearest before `target` of the file, and plays there if it does so now or if `plays`.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub(crate) fn seek(&self, target: Duration, plays: bool) -> std::io::Result<()> {
        let frames = self.read_from(target)?;
        *self.0.jump() = Some(Jump { target, plays, frames });
        self.0.commands.send_replace(());
        Ok(())
    }

    /// Reads the file in a thread, which ends when nobody takes the frames.
    fn read_from(&self, target: Duration) -> std::io::Result<mpsc::Receiver<FromFile>> {
        let (to, frames) = mpsc::channel(MAX_READ);
        let (path, duration) = (self.0.path.clone(), self.0.summary.duration);
        let is_loop = self.0.is_loop.load(Ordering::Relaxed);
        thread::Builder::new().name("video-file".to_owned()).spawn(move || {
            let last = match read(&path, duration, is_loop, target, &to) {
                Ok(()) => FromFile::End,
                Err(problem) => FromFile::Failed(problem),
            };
            let _ = to.blocking_send(last);
        })?;
        Ok(frames)
    }

    pub(crate) fn info(&self) -> &FileInfo {
        &self.0.info
    }

    pub(crate) fn summary(&self) -> &Summary {
        &self.0.summary
    }

    pub(crate) fn codec(&self) -> VideoCodec {
        self.0.info.codec
    }

    /// Plays, or goes on.
    pub fn play(&self) {
        let now = self.0.clock.now();
        self.0.playback().play(now);
        self.0.commands.send_replace(());
    }

    /// Lets the file stand.
    pub fn pause(&self) {
        let now = self.0.clock.now();
        self.0.playback().pause(now);
        self.0.commands.send_replace(());
    }

    /// Tells when the playback state changes.
    pub(crate) fn states(&self) -> watch::Receiver<PlaybackState> {
        self.0.state.subscribe()
    }

    /// What to declare to the other members.
    #[must_use]
    pub fn published(&self) -> PublishedState {
        let playback = self.0.playback();
        PublishedState {
            source: PublishedSource::File,
            playback: Some(playback.state()),
            failed_at_s: playback.failed_at().map(whole_seconds),
            ..PublishedState::default()
        }
    }

    /// The position in the file.
    pub(crate) fn position(&self) -> Duration {
        let position = self.0.playback().file_position(self.0.clock.now());
        let duration = self.0.summary.duration.as_nanos().max(1);
        let within = if position > self.0.summary.duration {
            position.as_nanos() % duration
        } else {
            position.as_nanos()
        };
        Duration::from_nanos(u64::try_from(within).unwrap_or(u64::MAX))
    }

    /// Why the file failed, once.
    pub(crate) fn take_problem(&self) -> Option<FileProblem> {
        self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    // For the viewers.

    /// The packets of one more viewer.
    pub(crate) fn outlet(&self, random: u64) -> Outlet {
        Outlet::new(self.0.info.codec, self.0.info.has_audio, self.0.summary.bytes_per_second(), random)
    }

    /// Tells when there may be more for the outlets.
    pub(crate) fn released(&self) -> watch::Receiver<()> {
        self.0.released.subscribe()
    }

    pub(crate) fn poll(&self, outlet: &mut Outlet) -> Step {
        let playback = self.0.playback();
        outlet.poll(&playback, self.0.clock.now())
    }

    pub(crate) fn request_keyframe(&self, outlet: &mut Outlet) {
        let playback = self.0.playback();
        outlet.handle_keyframe_request(&playback, self.0.clock.now());
    }

    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Source").field(&self.0.path).finish()
    }
}

impl Shared {
    fn playback(&self) -> MutexGuard<'_, Playback> {
        self.playback.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jump(&self) -> MutexGuard<'_, Option<Jump>> {
        self.jump.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a jump, if there is one.
    fn take_jump(&self) -> Option<mpsc::Receiver<FromFile>> {
        let Jump { target, plays, frames } = self.jump().take()?;
        let (mut playback, now) = (self.playback(), self.clock.now());
        playback.seek(target, now);
        if plays {
            playback.play(now);
        }
        Some(frames)
    }

    /// Releases what is due, and tells. Returns when the next frame is due, and whether more can be read.
    fn advance(&self) -> (Option<sightline_core::Timestamp>, bool) {
        let (has_changed, state, due, wants_frames) = {
            let mut playback = self.playback();
            let has_changed = playback.release(self.clock.now());
            (has_changed, playback.state(), playback.poll_timeout(), playback.wants_frames())
        };
        if has_changed {
            self.released.send_replace(());
        }
        self.state.send_if_modified(|told| std::mem::replace(told, state) != state);
        (due, wants_frames)
    }
}

async fn run(
    shared: Weak<Shared>,
    mut commands: watch::Receiver<()>,
    mut from_file: mpsc::Receiver<FromFile>,
    clock: Clock,
) {
    let mut is_read = false;
    loop {
        let Some(open) = shared.upgrade() else { return };
        if let Some(frames) = open.take_jump() {
            (from_file, is_read) = (frames, false);
        }
        let (due, wants_frames) = open.advance();
        drop(open);
        tokio::select! {
            () = until(due.map(|due| clock.instant(due))) => {}
            message = from_file.recv(), if wants_frames && !is_read => {
                let Some(shared) = shared.upgrade() else { return };
                is_read = !matches!(message, Some(FromFile::Frame(_) | FromFile::Begin(_)));
                match message {
                    Some(FromFile::Begin(time)) => shared.playback().handle_target(time),
                    Some(FromFile::Frame(frame)) => shared.playback().handle_frame(frame),
                    Some(FromFile::End) => shared.playback().handle_end(),
                    Some(FromFile::Failed(problem)) => {
                        *shared.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
                        shared.playback().handle_failure(clock.now());
                    }
                    None => {}
                }
            }
            command = commands.changed() => if command.is_err() { return },
        }
    }
}

/// Reads the file from the keyframe nearest before `target` on, again and again if it loops. The time begins at 0 and continues over
/// all rounds.
fn read(
    path: &Path,
    duration: Duration,
    is_loop: bool,
    target: Duration,
    to: &mpsc::Sender<FromFile>,
) -> Result<(), FileProblem> {
    let Some(mut from) = keyframe_before(path, target, to)? else { return Ok(()) };
    if to.blocking_send(FromFile::Begin(from)).is_err() {
        return Ok(());
    }
    let mut begin = Duration::ZERO;
    loop {
        let (mut file, _) = VideoFile::open_path(path)?;
        let mut has_begun = false;
        while let Some(mut frame) = file.next_frame()? {
            has_begun |= frame.is_key && frame.time >= from;
            if !has_begun {
                continue;
            }
            frame.time = begin + frame.time.saturating_sub(from);
            if to.blocking_send(FromFile::Frame(frame)).is_err() {
                return Ok(());
            }
        }
        if !is_loop {
            return Ok(());
        }
        begin += duration.saturating_sub(from);
        from = Duration::ZERO;
    }
}

/// The time of the latest keyframe that is not after `target`. `None` if nobody takes the frames any more: another jump came.
fn keyframe_before(
    path: &Path,
    target: Duration,
    to: &mpsc::Sender<FromFile>,
) -> Result<Option<Duration>, FileProblem> {
    let mut latest = Duration::ZERO;
    if target.is_zero() {
        return Ok(Some(latest));
    }
    let (mut file, _) = VideoFile::open_path(path)?;
    while let Some(frame) = file.next_frame()?.filter(|frame| frame.time <= target) {
        if to.is_closed() {
            return Ok(None);
        }
        if frame.is_key {
            latest = frame.time;
        }
    }
    Ok(Some(latest))
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{DELTA, KEY, ivf},
        *,
    };

    #[test]
    fn a_jump_that_another_one_replaces_is_not_looked_for_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.ivf");
        std::fs::write(&path, ivf(b"VP80", &[(0, &KEY), (1, &DELTA), (2, &KEY), (3, &DELTA)])).unwrap();
        let (to, frames) = mpsc::channel(1);
        let target = Duration::from_millis(100);
        assert_eq!(keyframe_before(&path, target, &to).unwrap(), Some(Duration::from_millis(80)));
        drop(frames);
        assert_eq!(keyframe_before(&path, target, &to).unwrap(), None);
    }
}
