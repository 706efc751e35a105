//! Whether a video file that is said to play does play: browsers report some of what can go wrong and keep quiet about the rest.
//!
//! What was seen with damaged files (Chromium 156, Firefox 153): an `error` event, after which the element says for ever that it
//! plays; an end that comes early, the position jumping to the duration (a WebM file that was cut); and in Chromium, of a file that
//! was changed on the disk, nothing: pictures stop, the position goes on to the duration and stays there.

use std::time::Duration;

use sightline_protocol::control::Playback;

use crate::{Timestamp, notice::NoticeCode};

/// The most by which an end may come early: files whose header rounds, or whose sound is longer than the pictures.
const EARLY_END: Duration = Duration::from_millis(1500);
/// Time without a new picture after which the file is read, to see whether it still can be.
const SUSPICIOUS_AFTER: Duration = Duration::from_secs(2);
/// Time without a new picture and without a new position after which the file has stopped.
const STUCK_AFTER: Duration = Duration::from_secs(4);
/// The same of a jump, which may have to decode a lot.
const SEEK_STUCK_AFTER: Duration = Duration::from_secs(12);
/// Time between two looks at a file that plays: a browser that is stuck sends no events.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// A look that comes so late says nothing of the time before it: the computer slept.
const ASLEEP: Duration = Duration::from_secs(5);

/// What the element says of itself at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlayerSample {
    /// Never [`Playback::Failed`].
    pub playback: Playback,
    /// From the beginning of the file.
    pub position: Duration,
    /// `None` where the file does not say.
    pub duration: Option<Duration>,
    /// Frames decoded so far (`totalVideoFrames`), where the browser tells.
    pub frames: Option<u32>,
    /// The code of its `MediaError`, once it has one.
    pub error: Option<NoticeCode>,
}

/// Where and why a file stopped although it was to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaybackFailure {
    /// Of the last picture, from the beginning of the file.
    pub position: Duration,
    /// What the person hears of it.
    pub code: NoticeCode,
}

/// Judges one opened file.
///
/// Call [`Self::handle_sample`] at every event of the element and at [`Self::poll_timeout`]. Where [`Self::poll_check`] is
/// true afterwards, try to read the file, and give the outcome to [`Self::handle_readable`].
#[derive(Debug, Clone, Default)]
pub struct PlaybackWatch {
    last: Option<(PlayerSample, Timestamp)>,
    /// When the position, and when the number of frames, became another while the file was to play.
    moved_at: Timestamp,
    pictured_at: Timestamp,
    /// The position of the last new picture.
    pictured_position: Duration,
    /// The last position that was reached by playing, and when: a browser may jump to the duration before it says that the file
    /// ended.
    played_to: (Duration, Timestamp),
    is_check_wanted: bool,
    is_checked: bool,
    failure: Option<PlaybackFailure>,
}

impl PlaybackWatch {
    /// Takes what the element says of itself now. Whether it stands at another place than it stood before.
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

    /// Takes whether the file could be read when [`Self::poll_check`] wanted it to be.
    pub fn handle_readable(&mut self, is_readable: bool) {
        // What plays on is in memory already.
        if !is_readable && (self.is_checked || self.failure.is_some()) {
            let position = self.failure.map_or(self.pictured_position, |failure| failure.position);
            self.failure = Some(PlaybackFailure { position, code: NoticeCode::FileUnreadable });
        }
    }

    /// Whether to try to read the file now; once for each silence.
    pub fn poll_check(&mut self) -> bool {
        std::mem::take(&mut self.is_check_wanted)
    }

    /// When to call [`Self::handle_sample`] again although no event came; `None` while the file stands still on purpose.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let (sample, at) = self.last.as_ref()?;
        let is_over = sample.error.is_some() || !is_running(sample.playback);
        (!is_over).then(|| *at + LOOK_INTERVAL)
    }

    /// What is to be declared to the others.
    #[must_use]
    pub fn playback(&self) -> Playback {
        match (&self.failure, &self.last) {
            (Some(_), _) => Playback::Failed,
            (None, Some((sample, _))) => sample.playback,
            (None, None) => Playback::Paused,
        }
    }

    /// Where and why it stopped, while it is stopped.
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

    /// Where the file is now if it went on as it did.
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

    /// A file that moves again is well, unless the element itself gave up.
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
