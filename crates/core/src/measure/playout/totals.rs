//! Computes the totals of a measurement and its score.

use std::time::Duration;

use super::{
    Mark, PlayoutSummary, Score, SourceKnownBy, counters::Step, marks::cut, meter::PlayoutMeter,
    score::ScoreInputs,
};
use crate::Timestamp;

/// Time span of the score that is shown during a call.
pub const RECENT: Duration = Duration::from_secs(30);
/// Ratios use at least this time as their divisor, since ratios over shorter times are meaningless.
const LEAST_JUDGED: Duration = Duration::from_secs(10);

impl PlayoutMeter {
    /// The totals up to now.
    #[must_use]
    pub fn summary(&self, now: Timestamp) -> PlayoutSummary {
        let totals = &self.counters.totals;
        let now = self.finished.unwrap_or(now);
        let running = self.running(now);
        let running_time: Duration = running.iter().map(|(start, end)| *end - *start).sum();
        let longest_running = running.iter().map(|(start, end)| *end - *start).max();
        let watched = self.first_shown.map(|first| now - first);
        let marked = watched.map_or(Duration::ZERO, |watched| {
            watched.saturating_sub(self.unmarked(self.first_shown.unwrap_or(now), now))
        });
        let sound = self.sound.summary();
        let stall_count = self.ledger.count.saturating_add(u32::try_from(running.len()).unwrap_or(u32::MAX));
        let stall_time = self.ledger.time + running_time;
        let seconds = watched.map(|watched| watched.as_secs_f64()).filter(|seconds| *seconds > 0.0);
        let stall_ratio = seconds.map(|seconds| stall_time.as_secs_f64() / seconds);
        let stalls_per_minute = seconds.map(|seconds| f64::from(stall_count) * 60.0 / seconds);
        let time_to_first_frame = self.first_shown.map(|first| first - self.expected_since);
        let loss_ratio = totals.lost.zip(totals.packets).and_then(|(lost, packets)| {
            let expected = lost + packets;
            (expected > 0.0).then(|| lost / expected)
        });
        let shown_s = watched.map(|watched| watched.saturating_sub(marked).as_secs_f64());
        let frames_per_second = shown_s
            // A rate over less than a second is meaningless.
            .filter(|seconds| *seconds >= 1.0)
            .map(|seconds| self.frames_in_view() / seconds);
        let (source_known_by, source_frames_per_second) = self.known_source().unzip();
        let has_reported_frames = self.reported_frames.0 > 0.0;
        let lower_rate_ratio = frames_per_second
            .zip(source_frames_per_second)
            .map(|(shown, source)| (1.0 - shown / source).clamp(0.0, 1.0));
        let usual_stall_time = self.usual.1 + running_time;
        let score = stall_ratio.zip(stalls_per_minute).map(|(stall_ratio, stalls_per_minute)| {
            Score::new(&ScoreInputs {
                stall_ratio,
                stalls_per_minute,
                loss_ratio,
                frames_per_second: frames_per_second.filter(|_| !self.shows_only_changes),
                source_frames_per_second,
                time_to_first_frame,
                concealed_ratio: sound.concealed_ratio,
            })
        });
        PlayoutSummary {
            time_to_first_frame,
            watched,
            marked,
            stall_count,
            stall_time,
            longest_stall: longest_running
                .map_or(self.ledger.longest, |running| running.max(self.ledger.longest)),
            stall_ratio,
            stalls_per_minute,
            usual_stall_count: self.usual.0.saturating_add(u32::try_from(running.len()).unwrap_or(u32::MAX)),
            usual_stall_time,
            usual_stall_ratio: seconds.map(|seconds| usual_stall_time.as_secs_f64() / seconds),
            source_known_by,
            source_frames: has_reported_frames.then_some(self.reported_frames.0 as u32),
            source_frames_presented: has_reported_frames.then_some(self.reported_shown as u32),
            source_frames_per_second,
            lower_rate_ratio,
            bytes: totals.bytes,
            mean_bitrate_bps: totals
                .bytes_within
                .filter(|_| totals.seconds > 0.0)
                .map(|bytes| bytes * 8.0 / totals.seconds),
            bitrate_bps: self
                .ledger
                .steps()
                .last()
                .filter(|step| step.seconds > 0.0)
                .map(|step| step.bytes * 8.0 / step.seconds),
            loss_ratio,
            frames_received: totals.frames_received,
            frames_decoded: totals.frames_decoded,
            frames_dropped: totals.frames_dropped,
            frames_presented: self.has_callbacks.then_some(self.frames_presented()),
            frames_per_second,
            resolution: self.last.map(|last| (last.width, last.height)),
            freeze_count: totals.freeze_count,
            total_freezes_duration_s: totals.freezes_s,
            gaps: self.gaps,
            score,
            sound,
        }
    }

    /// The score of the last [`RECENT`], by the same ledger and calculation as the score of the whole measurement.
    #[must_use]
    pub fn recent_score(&self, now: Timestamp) -> Option<Score> {
        let first = self.first_shown?;
        let now = self.finished.unwrap_or(now);
        let from = first.max(now - RECENT);
        let kept = self.ledger.stalls().rev().map(|stall| (stall.start, stall.end()));
        let kept = kept.take_while(|(_, end)| *end > from);
        let (mut time, mut count) = (Duration::ZERO, 0_u32);
        for (start, end) in kept.chain(self.running(now)) {
            time += end.min(now) - start.max(from);
            count = count.saturating_add(1);
        }
        let seconds = (now - from).max(LEAST_JUDGED).as_secs_f64();
        let steps = || self.ledger.steps().iter().filter(|step| step.to > from);
        let sum = |of: fn(&Step) -> f64| steps().map(of).sum::<f64>();
        let (lost, packets) = (sum(|step| step.lost), sum(|step| step.packets));
        Some(Score::new(&ScoreInputs {
            stall_ratio: (time.as_secs_f64() / seconds).min(1.0),
            stalls_per_minute: f64::from(count) * 60.0 / seconds,
            loss_ratio: (lost + packets > 0.0).then(|| lost / (lost + packets)),
            frames_per_second: self.recent_frame_rate(from, now),
            source_frames_per_second: self.recent_source_rate(from),
            time_to_first_frame: (first == from).then(|| first - self.expected_since),
            concealed_ratio: self.sound.concealed_ratio_since(from),
        }))
    }

    /// The frame rate of the source in the whole measurement, and who knows it; `None` for a screen, which has none.
    fn known_source(&self) -> Option<(SourceKnownBy, f64)> {
        let rate = |(frames, time): (f64, Duration)| (frames > 0.0).then(|| frames / time.as_secs_f64());
        let known = [
            (SourceKnownBy::Stamps, self.stamped_source),
            (SourceKnownBy::Frames, self.reported_frames),
            (SourceKnownBy::Counts, self.counted_source),
        ];
        let known = known.into_iter().find_map(|(by, source)| Some((by, rate(source)?)));
        known.filter(|_| !self.shows_only_changes)
    }

    /// The frame rate of the source since `from`. That of a file never changes; a camera has fewer frames in the dark.
    fn recent_source_rate(&self, from: Timestamp) -> Option<f64> {
        let (by, rate) = self.known_source()?;
        let reported = || self.detector.source.reported_since(from);
        Some(if by == SourceKnownBy::Counts { reported().unwrap_or(rate) } else { rate })
    }

    /// Frames per second; `None` after too short a time, and for a screen that does not change.
    fn recent_frame_rate(&self, from: Timestamp, now: Timestamp) -> Option<f64> {
        let (since, before) = *self.presented_at.iter().find(|(at, _)| *at >= from)?;
        let shown = self.unmarked(since, now);
        let says_something = self.has_callbacks && !self.shows_only_changes && shown >= LEAST_JUDGED / 2;
        says_something.then(|| (self.frames_in_view() - before).max(0.0) / shown.as_secs_f64())
    }

    /// The time from `first` to `now` that no mark covers.
    pub(super) fn unmarked(&self, first: Timestamp, now: Timestamp) -> Duration {
        let mut rest = vec![(first, now)];
        let touches = |mark: &&Mark| mark.from < now && mark.to.is_none_or(|to| first < to);
        for mark in self.marks.iter().filter(touches) {
            cut(&mut rest, mark.from, mark.to);
        }
        rest.into_iter().map(|(from, to)| to - from).sum()
    }
}
