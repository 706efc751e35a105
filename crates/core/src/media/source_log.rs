//! Which frames of a video file this page showed, and when: what the viewers' ledgers are judged by.
//!
//! Browsers go on sending the old picture while a file stands still, so a viewer alone cannot see it.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    control::Playback,
    telemetry::{
        MAX_SOURCE_BREAKS, MAX_SOURCE_FRAMES, SourceBreak, SourceFrames, SourceInterval, SourceTime,
    },
};

use crate::{Timestamp, short_list};

/// Time that a message covers: two messages of one a second may be lost.
const SPAN: Duration = Duration::from_secs(3);
/// A frame is reported once it is this old, since its callback may come late.
const SETTLES: Duration = Duration::from_millis(100);
/// A step of the media time that exceeds the time that passed by more is a jump.
const JUMP: Duration = Duration::from_secs(1);
/// Number of steps of the media time that determine the usual one.
const STEPS: usize = 60;

#[derive(Debug, Clone, Copy)]
struct Frame {
    shown_at: Timestamp,
    media_time: Duration,
    presented: u32,
}

#[derive(Debug, Clone, Copy)]
struct Break {
    kind: Playback,
    from: Timestamp,
    to: Option<Timestamp>,
}

/// The frames of one opened file that its element showed lately, and the times in which none was due.
///
/// Call the `handle_*` methods in the order of the events; call [`Self::handle_playback`] with the element's present state before
/// [`Self::handle_frame`].
#[derive(Debug, Clone)]
pub struct SourceLog {
    frames: VecDeque<Timestamp>,
    last: Option<Frame>,
    breaks: VecDeque<Break>,
    playback: Playback,
    /// Start of the time in which every frame was noted; `None` while the page is hidden.
    noted_from: Option<Timestamp>,
    media_steps: VecDeque<Duration>,
}

impl SourceLog {
    /// A log of a file that is opened now, paused, on a visible page or not.
    #[must_use]
    pub fn new(is_visible: bool, now: Timestamp) -> Self {
        let opened = Break { kind: Playback::Paused, from: now, to: None };
        Self {
            frames: VecDeque::new(),
            last: None,
            breaks: VecDeque::from([opened]),
            playback: Playback::Paused,
            noted_from: is_visible.then_some(now),
            media_steps: VecDeque::new(),
        }
    }

    /// Takes the element's state.
    pub fn handle_playback(&mut self, playback: Playback, at: Timestamp) {
        self.playback = playback;
        if !is_stopped(playback) {
            // The break lasts until a frame is shown.
            return;
        }
        match self.breaks.back_mut().filter(|last| last.to.is_none()) {
            Some(open) if open.kind == playback => {}
            Some(open) => {
                open.to = Some(at.max(open.from));
                self.open_break(playback, at);
            }
            None => self.open_break(playback, at),
        }
    }

    /// Takes a frame that was shown: `presentationTime`, `mediaTime` and `presentedFrames` of its callback. A frame that is not
    /// later than the last one is ignored.
    pub fn handle_frame(&mut self, shown_at: Timestamp, media_time: Duration, presented: u32) {
        let frame = Frame { shown_at, media_time, presented };
        let Some(last) = self.last.filter(|last| last.shown_at < shown_at) else {
            if self.last.is_none() {
                self.note(frame);
            }
            return;
        };
        let passed = shown_at - last.shown_at;
        let has_break = self.breaks.iter().any(|known| known.to.is_none_or(|to| last.shown_at < to));
        let step = media_time.checked_sub(last.media_time);
        let has_jumped = step.is_none_or(|step| step > passed + JUMP);
        if has_jumped && !has_break {
            // The events of a loop may come after its first frame.
            let jump = Break { kind: Playback::Seeking, from: last.shown_at, to: Some(shown_at) };
            self.keep_break(jump);
        } else if let (Some(step), false) = (step, has_break) {
            self.note_missed(&last, &frame);
            if !step.is_zero() {
                self.media_steps.push_back(step / presented.saturating_sub(last.presented).max(1));
                if self.media_steps.len() > STEPS {
                    self.media_steps.pop_front();
                }
            }
        }
        self.note(frame);
    }

    /// Takes whether the page is visible: a hidden page is not called for frames.
    pub fn handle_visibility(&mut self, is_visible: bool, at: Timestamp) {
        if self.noted_from.is_some() != is_visible {
            self.noted_from = is_visible.then_some(at);
            // What was shown meanwhile is unknown.
            self.frames.clear();
            self.last = None;
        }
    }

    /// The message about the last seconds; `None` while the page is hidden.
    #[must_use]
    pub fn report(&self, now: Timestamp) -> Option<SourceFrames> {
        let to = now - SETTLES;
        let mut from = self.noted_from?.max(to - SPAN);
        let settled = || self.frames.iter().filter(|at| **at <= to).rev();
        // Of more frames and breaks the time of the oldest is not covered.
        let left_out = settled().nth(MAX_SOURCE_FRAMES).copied();
        let left_out_break = self.breaks.iter().rev().nth(MAX_SOURCE_BREAKS).and_then(|known| known.to);
        for left_out in [left_out, left_out_break].into_iter().flatten() {
            from = from.max(left_out + Duration::from_millis(1));
        }
        let (from_ms, to_ms) = (millis(from), millis(to));
        if from_ms >= to_ms {
            return None;
        }
        let relative = |at: Timestamp| SourceTime::saturating(millis(at).saturating_sub(from_ms));
        let mut before_ms = from_ms;
        let frames_ms = self.frames.iter().filter(|at| (from_ms..=to_ms).contains(&millis(**at)));
        let frames_ms = frames_ms.map(|at| {
            let step = millis(*at) - before_ms;
            before_ms = millis(*at);
            SourceTime::saturating(step)
        });
        let frames_ms = frames_ms.take(MAX_SOURCE_FRAMES).collect();
        let is_reported = |known: &&Break| {
            millis(known.from) < to_ms && known.to.is_none_or(|known_to| from_ms < millis(known_to))
        };
        let breaks = self.breaks.iter().filter(is_reported).take(MAX_SOURCE_BREAKS);
        let entry = |known: &Break| SourceBreak {
            kind: known.kind,
            from_ms: relative(known.from),
            to_ms: known.to.filter(|known_to| millis(*known_to) <= to_ms).map(relative),
        };
        Some(SourceFrames {
            from_us: Timestamp::from_origin(Duration::from_millis(from_ms)).page_time(),
            to_us: Timestamp::from_origin(Duration::from_millis(to_ms)).page_time(),
            frames_ms,
            breaks: breaks.map(entry).collect(),
            interval_us: self.interval().map(|interval| {
                SourceInterval::saturating(u64::try_from(interval.as_micros()).unwrap_or(u64::MAX))
            }),
        })
    }

    /// The usual time between two frames of the file: the lower quartile of the last steps of the media time, since an element that
    /// leaves frames out makes longer steps.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        let mut steps: Vec<_> = self.media_steps.iter().copied().collect();
        short_list::sort(&mut steps);
        steps.get(steps.len() / 4).copied()
    }

    fn note(&mut self, frame: Frame) {
        let resumes = |open: &&mut Break| open.to.is_none() && open.from <= frame.shown_at;
        if !is_stopped(self.playback)
            && let Some(open) = self.breaks.back_mut().filter(resumes)
        {
            open.to = Some(frame.shown_at);
        }
        self.last = Some(frame);
        self.push(frame.shown_at);
    }

    /// Spreads the frames for which the page was too busy evenly over the time between two callbacks.
    fn note_missed(&mut self, last: &Frame, frame: &Frame) {
        let steps = frame.presented.saturating_sub(last.presented).min(MAX_SOURCE_FRAMES as u32);
        let step = (frame.shown_at - last.shown_at) / steps.max(1);
        for number in 1..steps {
            self.push(last.shown_at + step * number);
        }
    }

    fn push(&mut self, shown_at: Timestamp) {
        self.frames.push_back(shown_at);
        let kept = SPAN + SETTLES * 10;
        while self.frames.len() > MAX_SOURCE_FRAMES * 8
            || self.frames.front().is_some_and(|front| shown_at - *front > kept)
        {
            self.frames.pop_front();
        }
    }

    fn open_break(&mut self, kind: Playback, from: Timestamp) {
        self.keep_break(Break { kind, from, to: None });
    }

    fn keep_break(&mut self, known: Break) {
        self.breaks.push_back(known);
        if self.breaks.len() > MAX_SOURCE_BREAKS * 4 {
            self.breaks.pop_front();
        }
    }
}

fn is_stopped(playback: Playback) -> bool {
    matches!(playback, Playback::Paused | Playback::Seeking | Playback::Ended)
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.since_origin().as_millis()).unwrap_or(u64::MAX)
}
