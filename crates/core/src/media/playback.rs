//! Detects a video file that should play and does not: browsers report only some of the possible failures.
//!
//! Behavior with damaged files (Chromium 156, Firefox 153): an `error` event, after which the element says for ever that it
//! plays; an end that comes early, the position jumping to the duration (a WebM file that was cut); and in Chromium no event at
//! all for a file that changed on the disk: the pictures stop, the position continues to the duration and stays there.

use std::time::Duration;

use sightline_protocol::control::Playback;

use crate::{Timestamp, notice::NoticeCode};

/// Tolerance for an early end: some headers are rounded, and the sound of some files is longer than the pictures.
const EARLY_END: Duration = Duration::from_millis(1500);
/// Time without a new picture after which a byte of the file is read, to see whether the file is still readable.
const SUSPICIOUS_AFTER: Duration = Duration::from_secs(2);
/// Time without a new picture and without a new position after which the file counts as stopped.
const STUCK_AFTER: Duration = Duration::from_secs(4);
/// The same time after a jump, which may need much decoding.
const SEEK_STUCK_AFTER: Duration = Duration::from_secs(12);
/// Interval of checks while a file plays: a stuck browser sends no events.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// A check that comes this late says nothing about the time before: the computer slept.
const ASLEEP: Duration = Duration::from_secs(5);

/// The state of the media element at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlayerSample {
    /// The playback state that the element reports; never [`Playback::Failed`].
    pub playback: Playback,
    /// Counted from the beginning of the file.
    pub position: Duration,
    /// `None` where the file does not contain it.
    pub duration: Option<Duration>,
    /// Number of frames decoded so far (`totalVideoFrames`), where the browser reports it.
    pub frames: Option<u32>,
    /// The notice for its `MediaError`, if it has one.
    pub error: Option<NoticeCode>,
}

/// Where and why a file stopped although it should play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaybackFailure {
    /// Position of the last picture, from the beginning of the file.
    pub position: Duration,
    /// The notice for the person.
    pub code: NoticeCode,
}

/// Judges one opened file.
///
/// Call [`Self::handle_sample`] at every event of the element and at [`Self::poll_timeout`]. If [`Self::poll_check`] is true
/// afterwards, try to read the file and pass the outcome to [`Self::handle_readable`].
#[derive(Debug, Clone, Default)]
pub struct PlaybackWatch {
    last: Option<(PlayerSample, Timestamp)>,
    /// Since when the position, and the number of frames, have been unchanged while the file should play.
    moved_at: Timestamp,
    pictured_at: Timestamp,
    /// The position at the last new picture.
    pictured_position: Duration,
    /// The last position reached by playing, and its time: a browser may jump to the duration before it reports the end.
    played_to: (Duration, Timestamp),
    is_check_wanted: bool,
    is_checked: bool,
    failure: Option<PlaybackFailure>,
}

impl PlaybackWatch {
    /// Takes the present state of the element. Returns whether it stands at another place than before.
    pub fn handle_sample(&mut self, sample: PlayerSample, now: Timestamp) -> bool {
        let last = self.last.replace((sample, now));
        let Some((before, before_at)) = last else {
            self.start_over(&sample, now);
            self.judge_error(&sample);
            return false;
        };
        if sample.playback == Playback::Ended {
            if before.playback == Playback::Playing {
                self.judge_end(&sample, now);
            }
        } else if before.playback != sample.playback {
            self.recover();
        }
        let has_slept = now - before_at >= ASLEEP;
        if before.playback != sample.playback || !is_running(sample.playback) || has_slept {
            self.start_over(&sample, now);
        } else {
            self.follow(&before, &sample, now);
            self.judge_silence(&sample, now);
        }
        self.judge_error(&sample);
        !is_running(sample.playback) && before.position != sample.position
    }

    /// Notes whether the file could be read when [`Self::poll_check`] asked for that.
    pub fn handle_readable(&mut self, is_readable: bool) {
        // A file that still plays is in memory already.
        if !is_readable && (self.is_checked || self.failure.is_some()) {
            let position = self.failure.map_or(self.pictured_position, |failure| failure.position);
            self.failure = Some(PlaybackFailure { position, code: NoticeCode::FileUnreadable });
        }
    }

    /// Whether to try to read the file now; true once for each pause in the pictures.
    pub fn poll_check(&mut self) -> bool {
        std::mem::take(&mut self.is_check_wanted)
    }

    /// When to call [`Self::handle_sample`] again without an event; `None` while the file stands still on purpose.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let (sample, at) = self.last.as_ref()?;
        let is_over = sample.error.is_some() || !is_running(sample.playback);
        (!is_over).then(|| *at + LOOK_INTERVAL)
    }

    /// The playback state to declare to the other members.
    #[must_use]
    pub fn playback(&self) -> Playback {
        match (&self.failure, &self.last) {
            (Some(_), _) => Playback::Failed,
            (None, Some((sample, _))) => sample.playback,
            (None, None) => Playback::Paused,
        }
    }

    /// Where and why the file stopped, while it is stopped.
    #[must_use]
    pub fn failure(&self) -> Option<PlaybackFailure> {
        self.failure
    }

    fn start_over(&mut self, sample: &PlayerSample, now: Timestamp) {
        (self.moved_at, self.pictured_at) = (now, now);
        self.pictured_position = sample.position;
        self.played_to = (sample.position, now);
        self.is_checked = false;
    }

    fn follow(&mut self, before: &PlayerSample, sample: &PlayerSample, now: Timestamp) {
        let has_moved = before.position != sample.position;
        if has_moved {
            self.moved_at = now;
        }
        if before.frames != sample.frames || (sample.frames.is_none() && has_moved) {
            self.pictured_at = now;
            self.pictured_position = sample.position;
            self.is_checked = false;
            self.recover();
        }
        if sample.position <= self.expected_position(now) + EARLY_END {
            self.played_to = (sample.position, now);
        }
    }

    /// The position at `now` if the file continued to play.
    fn expected_position(&self, now: Timestamp) -> Duration {
        let (position, at) = self.played_to;
        position + (now - at)
    }

    fn judge_error(&mut self, sample: &PlayerSample) {
        let Some(code) = sample.error else { return };
        if self.failure.is_none() {
            self.failure = Some(PlaybackFailure { position: sample.position, code });
            self.want_check();
        }
    }

    fn judge_end(&mut self, sample: &PlayerSample, now: Timestamp) {
        let position = self.expected_position(now);
        if sample.duration.is_some_and(|duration| position + EARLY_END < duration) {
            self.failure = Some(PlaybackFailure { position, code: NoticeCode::FileDamaged });
        }
    }

    fn judge_silence(&mut self, sample: &PlayerSample, now: Timestamp) {
        if self.failure.is_some() {
            return;
        }
        let silent = now - self.pictured_at;
        if silent >= SUSPICIOUS_AFTER && !self.is_checked {
            self.want_check();
        }
        let limit = if sample.playback == Playback::Seeking { SEEK_STUCK_AFTER } else { STUCK_AFTER };
        if silent >= limit && now - self.moved_at >= limit {
            let position = self.pictured_position;
            self.failure = Some(PlaybackFailure { position, code: NoticeCode::FileDamaged });
        }
    }

    /// A file that moves again is well, unless the element reported an error.
    fn recover(&mut self) {
        if self.last.as_ref().is_none_or(|(sample, _)| sample.error.is_none()) {
            self.failure = None;
        }
    }

    fn want_check(&mut self) {
        self.is_check_wanted = true;
        self.is_checked = true;
    }
}

fn is_running(playback: Playback) -> bool {
    matches!(playback, Playback::Playing | Playback::Seeking)
}
