//! When each frame of a file is due, and which frames a viewer needs who begins now.
//!
//! Contract: give frames with [`Playback::handle_frame`] while [`Playback::wants_frames`], and the end of the file once. Call
//! [`Playback::release`] at [`Playback::poll_timeout`] and after every other call. Frames are released in the order of their times.

use std::{collections::VecDeque, time::Duration};

use sightline_core::Timestamp;
use sightline_protocol::control::Playback as PlaybackState;

use super::{Frame, Track};

/// Frames that wait until they are due: two seconds of pictures and sound, so that the disk may be slow.
const MAX_AHEAD: usize = 160;
const MAX_AHEAD_BYTES: usize = 32 << 20;
/// Frames that were released since the keyframe before the latest one. A file with more between two keyframes has no place in it
/// for a late joiner, who then waits for the next keyframe.
const MAX_RECENT_BYTES: usize = 64 << 20;
/// Frames that are this late were late because the computer slept: the file goes on where it was.
const ASLEEP: Duration = Duration::from_secs(2);

/// A frame that was released.
#[derive(Debug, Clone)]
pub(crate) struct Released {
    pub(crate) frame: Frame,
    /// When it was due.
    pub(crate) due: Timestamp,
}

/// One file that plays, for all viewers.
#[derive(Debug, Default)]
pub(crate) struct Playback {
    ahead: VecDeque<Frame>,
    ahead_bytes: usize,
    /// The position at a moment, while the file plays.
    anchor: Option<(Timestamp, Duration)>,
    /// The position while it does not.
    position: Duration,
    /// The position at which the frames that come now begin, and where that is in the file.
    origin: (Duration, Duration),
    /// Whether the file jumps, and no frame of the new position was released.
    is_seeking: bool,
    is_whole: bool,
    has_ended: bool,
    failed_at: Option<Duration>,
    recent: VecDeque<Released>,
    recent_bytes: usize,
    /// The number of the first of the `recent` frames.
    first: u64,
    /// The number of the latest keyframe, if it is still there.
    keyframe: Option<u64>,
}

impl Playback {
    /// Whether more frames can be taken.
    pub(crate) fn wants_frames(&self) -> bool {
        self.ahead.len() < MAX_AHEAD && self.ahead_bytes < MAX_AHEAD_BYTES && self.failed_at.is_none()
    }

    /// Takes the next frame of the file, with its time since the beginning or since the jump before. A file that begins again
    /// continues to count its time.
    pub(crate) fn handle_frame(&mut self, mut frame: Frame) {
        frame.time += self.origin.0;
        // Sound and pictures are interleaved loosely.
        let at = self.ahead.partition_point(|earlier| earlier.time <= frame.time);
        self.ahead_bytes += frame.data.len();
        self.ahead.insert(at, frame);
    }

    /// Notes that there are no more frames.
    pub(crate) fn handle_end(&mut self) {
        self.is_whole = true;
    }

    /// Notes that the rest of the file cannot be read.
    pub(crate) fn handle_failure(&mut self, now: Timestamp) {
        self.failed_at = Some(self.position(now));
        self.stop(now);
    }

    /// Jumps to about `target` of the file. The frames that come next are those of the new position.
    pub(crate) fn seek(&mut self, target: Duration, now: Timestamp) {
        if self.failed_at.is_some() {
            return;
        }
        self.position = self.position(now);
        self.anchor = self.anchor.map(|_| (now, self.position));
        self.origin = (self.position, target);
        self.ahead.clear();
        self.ahead_bytes = 0;
        (self.is_seeking, self.is_whole, self.has_ended) = (true, false, false);
    }

    /// Notes where the file goes on after a jump: at a keyframe.
    pub(crate) fn handle_target(&mut self, found: Duration) {
        self.origin.1 = found;
    }

    /// Plays, or goes on.
    pub(crate) fn play(&mut self, now: Timestamp) {
        if self.anchor.is_none() && self.failed_at.is_none() && !self.has_ended {
            self.anchor = Some((now, self.position));
        }
    }

    pub(crate) fn pause(&mut self, now: Timestamp) {
        if !self.has_ended {
            self.stop(now);
        }
    }

    /// What to declare to the other members.
    pub(crate) fn state(&self) -> PlaybackState {
        if self.is_seeking && self.failed_at.is_none() {
            return PlaybackState::Seeking;
        }
        match (self.failed_at, self.has_ended, self.anchor) {
            (Some(_), ..) => PlaybackState::Failed,
            (None, true, _) => PlaybackState::Ended,
            (None, false, Some(_)) => PlaybackState::Playing,
            (None, false, None) => PlaybackState::Paused,
        }
    }

    /// Where the file stopped although it should play.
    pub(crate) fn failed_at(&self) -> Option<Duration> {
        self.failed_at
    }

    /// The position, from the beginning of the file; it grows over all rounds.
    pub(crate) fn position(&self, now: Timestamp) -> Duration {
        self.anchor.map_or(self.position, |(at, position)| position + now.since(at))
    }

    /// The position in the file, if it had no end.
    pub(crate) fn file_position(&self, now: Timestamp) -> Duration {
        let (position, in_file) = self.origin;
        in_file + if self.is_seeking { Duration::ZERO } else { self.position(now).saturating_sub(position) }
    }

    /// Releases the frames that are due. Returns whether there were any, or the end was reached.
    pub(crate) fn release(&mut self, now: Timestamp) -> bool {
        if self.is_seeking {
            return self.arrive(now);
        }
        let Some(next) = self.next_due() else { return self.reach_end() };
        if now.since(next) >= ASLEEP
            && let Some(frame) = self.ahead.front()
        {
            self.anchor = Some((now, frame.time));
        }
        let mut has_released = false;
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            let Some(frame) = self.ahead.pop_front() else { break };
            self.ahead_bytes -= frame.data.len();
            self.keep(Released { frame, due });
            has_released = true;
        }
        self.reach_end() || has_released
    }

    /// When the next frame is due; `None` while the file stands, or waits for the disk.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.next_due()
    }

    // For the viewers.

    /// The number of the frame with which a viewer begins now: the nearest earlier keyframe.
    pub(crate) fn beginning(&self) -> Option<u64> {
        self.keyframe
    }

    /// The frame with this number; for a number that is no longer kept, the latest keyframe with its number. `None` if it is not
    /// released yet.
    pub(crate) fn released(&self, number: u64) -> Option<(u64, &Released)> {
        let number = if number < self.first { self.keyframe? } else { number };
        let at = usize::try_from(number - self.first).ok()?;
        self.recent.get(at).map(|released| (number, released))
    }

    /// Shows the first picture of the new position, also of a file that stands.
    fn arrive(&mut self, now: Timestamp) -> bool {
        let Some(at) = self.ahead.iter().position(|frame| frame.track == Track::Video) else { return false };
        let before: usize = self.ahead.drain(..at).map(|sound| sound.data.len()).sum();
        let Some(frame) = self.ahead.pop_front() else { return false };
        self.ahead_bytes -= before + frame.data.len();
        self.is_seeking = false;
        self.position = frame.time;
        self.anchor = self.anchor.map(|_| (now, frame.time));
        self.keep(Released { frame, due: now });
        true
    }

    fn next_due(&self) -> Option<Timestamp> {
        let (at, position) = self.anchor?;
        let time = self.ahead.front()?.time;
        Some(if time >= position { at + (time - position) } else { at - (position - time) })
    }

    fn stop(&mut self, now: Timestamp) {
        self.position = self.position(now);
        self.anchor = None;
    }

    fn reach_end(&mut self) -> bool {
        let is_over = self.is_whole && self.ahead.is_empty() && self.anchor.is_some();
        if is_over {
            self.has_ended = true;
            self.anchor = None;
        }
        is_over
    }

    fn keep(&mut self, released: Released) {
        let number = self.first + self.recent.len() as u64;
        if released.frame.is_key {
            // A viewer that is sent to more slowly may still be at frames after the keyframe before.
            while self.keyframe.is_some_and(|keyframe| self.first < keyframe) {
                self.forget_first();
            }
            self.keyframe = Some(number);
        }
        self.recent_bytes += released.frame.data.len();
        self.recent.push_back(released);
        while self.recent_bytes > MAX_RECENT_BYTES && self.recent.len() > 1 {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some(forgotten) = self.recent.pop_front() {
            self.recent_bytes -= forgotten.frame.data.len();
            self.keyframe = self.keyframe.filter(|keyframe| *keyframe != self.first);
            self.first += 1;
        }
    }
}

/// The position of a failure, as it is declared.
pub(crate) fn whole_seconds(position: Duration) -> u32 {
    u32::try_from(position.as_secs()).unwrap_or(u32::MAX)
}

impl Released {
    pub(crate) fn is_video(&self) -> bool {
        self.frame.track == Track::Video
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::frame, *};

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    /// Pictures every 40 ms with a keyframe every 400 ms.
    fn pictures(count: u64) -> Playback {
        let mut playback = Playback::default();
        for number in 0..count {
            playback.handle_frame(frame(Track::Video, 40 * number, number % 10 == 0, 100));
        }
        playback
    }

    fn released(playback: &Playback) -> u64 {
        playback.first + playback.recent.len() as u64
    }

    #[test]
    fn a_jump_is_declared_until_its_first_picture_from_which_on_the_file_plays() {
        let mut playback = pictures(20);
        playback.play(ms(1000));
        playback.release(ms(1100));
        playback.seek(Duration::from_secs(60), ms(1100));
        assert_eq!((playback.state(), playback.poll_timeout()), (PlaybackState::Seeking, None));
        assert_eq!(playback.file_position(ms(1200)), Duration::from_secs(60));
        playback.handle_target(Duration::from_secs(58));
        playback.handle_frame(frame(Track::Audio, 0, false, 100));
        assert!(!playback.release(ms(1300)), "no picture yet");
        for number in 0..3 {
            playback.handle_frame(frame(Track::Video, 40 * number, number == 0, 100));
        }
        let before = released(&playback);
        assert!(playback.release(ms(1400)));
        assert_eq!((released(&playback), playback.state()), (before + 1, PlaybackState::Playing));
        assert_eq!(playback.poll_timeout(), Some(ms(1440)), "the clock stood during the jump");
        assert_eq!(playback.file_position(ms(1430)), Duration::from_millis(58_030));
        assert_eq!(playback.beginning(), Some(before), "a late joiner begins with the new position");
    }

    #[test]
    fn a_jump_of_a_file_that_stands_or_has_ended_shows_one_picture_and_plays_on_request() {
        let mut playback = pictures(2);
        playback.handle_end();
        playback.play(ms(0));
        playback.release(ms(40));
        assert_eq!(playback.state(), PlaybackState::Ended);
        playback.seek(Duration::ZERO, ms(500));
        for number in 0..3 {
            playback.handle_frame(frame(Track::Video, 40 * number, number == 0, 100));
        }
        assert!(playback.release(ms(600)));
        assert_eq!((released(&playback), playback.state()), (3, PlaybackState::Paused));
        assert!(!playback.release(ms(2000)));
        playback.play(ms(2000));
        assert_eq!(playback.poll_timeout(), Some(ms(2040)));
    }

    #[test]
    fn frames_are_released_when_they_are_due() {
        let mut playback = pictures(20);
        assert_eq!((playback.state(), playback.poll_timeout()), (PlaybackState::Paused, None));
        playback.play(ms(1000));
        assert_eq!(playback.state(), PlaybackState::Playing);
        assert!(playback.release(ms(1000)));
        assert_eq!((released(&playback), playback.poll_timeout()), (1, Some(ms(1040))));
        assert!(!playback.release(ms(1039)));
        assert!(playback.release(ms(1100)));
        assert_eq!(released(&playback), 3);
        assert_eq!(playback.released(2).unwrap().1.due, ms(1080));
        assert!(playback.released(3).is_none());
    }

    #[test]
    fn a_pause_moves_every_later_frame() {
        let mut playback = pictures(20);
        playback.play(ms(0));
        playback.release(ms(50));
        playback.pause(ms(60));
        assert_eq!((playback.state(), playback.poll_timeout()), (PlaybackState::Paused, None));
        assert!(!playback.release(ms(5000)));
        playback.play(ms(5000));
        assert_eq!(playback.poll_timeout(), Some(ms(5020)));
    }

    #[test]
    fn a_file_ends_after_its_last_frame() {
        let mut playback = pictures(2);
        playback.handle_end();
        playback.play(ms(0));
        playback.release(ms(0));
        assert_eq!(playback.state(), PlaybackState::Playing);
        assert!(playback.release(ms(40)));
        assert_eq!(playback.state(), PlaybackState::Ended);
        assert!(!playback.release(ms(80)));
        playback.play(ms(100));
        assert_eq!(playback.state(), PlaybackState::Ended);
        assert!(playback.beginning().is_some(), "a late joiner sees the last picture");
    }

    #[test]
    fn a_disk_that_is_slow_is_not_the_end() {
        let mut playback = pictures(1);
        playback.play(ms(0));
        playback.release(ms(0));
        assert!(!playback.release(ms(500)));
        assert_eq!(playback.state(), PlaybackState::Playing);
        playback.handle_frame(frame(Track::Video, 40, false, 100));
        assert!(playback.release(ms(500)));
    }

    #[test]
    fn a_late_joiner_begins_with_the_nearest_earlier_keyframe() {
        let mut playback = pictures(30);
        playback.play(ms(0));
        playback.release(ms(40 * 27));
        assert_eq!(playback.beginning(), Some(20));
        // The keyframe before is kept for viewers that are behind, older frames are not.
        assert_eq!(playback.released(10).unwrap().0, 10);
        assert_eq!(playback.released(9).unwrap().0, 20);
    }

    #[test]
    fn frames_without_a_keyframe_do_not_fill_the_memory() {
        let mut playback = Playback::default();
        playback.play(ms(0));
        for number in 0..200 {
            playback.handle_frame(frame(Track::Video, number, number == 0, 1 << 20));
            playback.release(ms(number));
        }
        assert!(playback.recent_bytes <= MAX_RECENT_BYTES);
        assert_eq!(playback.beginning(), None, "whoever joins now waits for the next keyframe");
        playback.handle_frame(frame(Track::Video, 200, true, 1 << 20));
        playback.release(ms(200));
        assert_eq!(playback.beginning(), Some(200));
    }

    #[test]
    fn sound_is_put_in_order_with_the_pictures() {
        let mut playback = pictures(3);
        playback.handle_frame(frame(Track::Audio, 50, false, 10));
        playback.play(ms(0));
        playback.release(ms(60));
        assert!(!playback.released(2).unwrap().1.is_video());
    }

    #[test]
    fn a_computer_that_slept_goes_on_where_it_was() {
        let mut playback = pictures(20);
        playback.play(ms(0));
        playback.release(ms(0));
        playback.release(ms(60_000));
        assert_eq!((released(&playback), playback.poll_timeout()), (2, Some(ms(60_040))));
    }

    #[test]
    fn a_file_that_cannot_be_read_further_is_declared_with_its_position() {
        let mut playback = pictures(3);
        playback.play(ms(0));
        playback.release(ms(1500));
        playback.handle_failure(ms(1500));
        assert_eq!(
            (playback.state(), playback.failed_at()),
            (PlaybackState::Failed, Some(Duration::from_millis(1500)))
        );
        playback.play(ms(2000));
        assert_eq!(playback.state(), PlaybackState::Failed);
    }

    #[test]
    fn what_is_read_ahead_is_bounded() {
        let mut playback = Playback::default();
        let mut count = 0;
        while playback.wants_frames() {
            playback.handle_frame(frame(Track::Video, count, true, 100));
            count += 1;
        }
        assert_eq!(count, MAX_AHEAD as u64);
    }
}
