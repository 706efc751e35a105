//! Records the measurements that one browser makes of one other, from the start to the end of a run.

use std::time::Duration;

use sightline_protocol::telemetry::SourceFrames;

use crate::{
    Timestamp,
    measure::{
        clock::ClockEstimate,
        entry::StatsEntry,
        frame::ShownFrame,
        metric::{Figure, FigureValue, Metric},
        playout::{
            Declaration, GAP_BUCKETS_MS, MarkKind, PlayoutMeter, PlayoutSummary, SenderInterval, Stall,
        },
        report::{
            AbsenceEntry, AbsenceReason, BurstEntry, EventEntry, FileEntry, GapCounts, KnownSourceEntry,
            MAX_ABSENCES, MAX_CONDITIONS, MAX_EVENTS, MAX_SAMPLES, MarkEntry, Party, PlayoutEntry,
            ScoreEntry, Side, SoundEntry, SourceKnowledge, StallEntry, plain, possible, possible_length,
            rounded,
        },
        sound::{SOUND_METRICS, SoundBurst, SoundSummary},
        stamp::{FrameLog, ShownStamp, Stamp, Unreadable},
    },
};

/// The metrics in the columns of a report's samples, after the time.
pub const RECORDED: [Metric; 41] = [
    Metric::ReceiveBitrate,
    Metric::SendBitrate,
    Metric::AvailableOutgoingBitrate,
    Metric::FramesPerSecond,
    Metric::FramesPerSecondSent,
    Metric::FrameWidth,
    Metric::FrameHeight,
    Metric::FrameWidthSent,
    Metric::FrameHeightSent,
    Metric::RoundTripTime,
    Metric::Jitter,
    Metric::LossRatio,
    Metric::PacketsLost,
    Metric::FramesDropped,
    Metric::FramesPresented,
    Metric::StallTime,
    Metric::FreezeCount,
    Metric::TotalFreezesDuration,
    Metric::StampedFramesShown,
    Metric::StampedFramesLost,
    Metric::StampedFramesRepeated,
    Metric::StampedFramesLate,
    Metric::StampedDelay,
    Metric::ConcealedRatio,
    Metric::SoundBursts,
    Metric::JitterBufferDelay,
    Metric::ConcealedSamples,
    Metric::SilentConcealedSamples,
    Metric::ConcealmentEvents,
    Metric::InsertedSamples,
    Metric::RemovedSamples,
    Metric::SamplesReceived,
    Metric::TargetBitrate,
    Metric::EncodeTime,
    Metric::DecodeTime,
    Metric::Quantizer,
    Metric::QuantizerSent,
    Metric::RetransmittedPacketsReceived,
    Metric::RetransmittedPacketsSent,
    Metric::KeyFramesDecoded,
    Metric::KeyFramesEncoded,
];

/// The metrics with a word as value whose changes are events.
const FOLLOWED: [Metric; 6] = [
    Metric::Codec,
    Metric::CodecSent,
    Metric::Path,
    Metric::Protocol,
    Metric::QualityLimitationReason,
    Metric::ConnectionState,
];

/// A page whose socket closed longer ago while its connection stayed up was not absent.
const ABSENT_WITHIN: Duration = Duration::from_secs(40);

/// Records the measurements of one member.
#[derive(Debug, Clone)]
pub struct Recorder {
    observed: Party,
    meter: PlayoutMeter,
    stamps: FrameLog,
    samples: Vec<Vec<Option<f64>>>,
    events: Vec<EventEntry>,
    words: [Option<String>; FOLLOWED.len()],
    conditions: Vec<(String, String)>,
    file: Option<FileEntry>,
    /// Since when the other page has been away or unreachable, and the times in which it was.
    away_since: Option<Timestamp>,
    absences: Vec<(Timestamp, Timestamp)>,
    /// Since when the server has said that the page is away.
    away_by_server_since: Option<Timestamp>,
    /// Since when the connection has been down.
    down_since: Option<Timestamp>,
    last_shown: Option<Timestamp>,
    finished: Option<Timestamp>,
}

impl Recorder {
    /// Records the measurements of `meter`, which starts with the recording.
    #[must_use]
    pub fn new(observed: Party, meter: PlayoutMeter) -> Self {
        Self {
            observed: observed.plain(),
            meter,
            stamps: FrameLog::default(),
            samples: Vec::new(),
            events: Vec::new(),
            words: Default::default(),
            conditions: Vec::new(),
            file: None,
            away_since: None,
            absences: Vec::new(),
            away_by_server_since: None,
            down_since: None,
            last_shown: None,
            finished: None,
        }
    }

    /// The time at which the first frame was shown.
    #[must_use]
    pub fn first_shown(&self) -> Option<Timestamp> {
        self.meter.first_shown()
    }

    /// Takes the number of the next frame and the time at which it was painted, on the sender's clock; `None` without a stamp.
    pub fn handle_painted(&mut self, painted: Option<(u32, Timestamp)>) {
        if let Some((number, at)) = painted {
            self.meter.handle_stamp(number, at);
        }
    }

    /// Takes a frame that was shown.
    pub fn handle_frame(&mut self, frame: ShownFrame, now: Timestamp) {
        self.last_shown = self.last_shown.max(Some(frame.shown_at));
        self.meter.handle_frame(frame, now);
    }

    /// Takes the result of reading that frame's stamp in known-source mode, and the cost of reading it.
    pub fn handle_stamp(
        &mut self,
        read: Result<Stamp, Unreadable>,
        cost: Duration,
        shown: &ShownFrame,
        clock: Option<ClockEstimate>,
    ) {
        if self.finished.is_none() && !self.meter.is_before(shown) {
            self.stamps.handle_shown(read, cost, shown, clock);
        }
    }

    /// Takes a stats report and the rows that were computed from it.
    pub fn handle_report(&mut self, entries: &[StatsEntry], rows: &[Figure], now: Timestamp) {
        if self.finished.is_some() {
            return;
        }
        self.meter.handle_report(entries, now);
        let (summary, truth) = (self.meter.summary(now), self.stamps.known());
        let value =
            |metric: Metric| rows.iter().find(|row| row.metric == metric).and_then(|row| row.value.as_ref());
        let number = |metric: Metric| match metric {
            // The totals of the run instead of those of the call.
            Metric::FramesPresented | Metric::StallTime => summary.value(metric),
            _ if SOUND_METRICS.contains(&metric) => summary.sound.value(metric),
            Metric::StampedFramesShown
            | Metric::StampedFramesLost
            | Metric::StampedFramesRepeated
            | Metric::StampedFramesLate
            | Metric::StampedDelay => truth.and_then(|truth| truth.value(metric)),
            _ => match value(metric)? {
                FigureValue::Number(number) => Some(*number),
                FigureValue::Word(_) => None,
            },
        };
        if self.samples.len() < MAX_SAMPLES {
            let mut row = vec![Some(seconds(now))];
            row.extend(RECORDED.into_iter().map(|metric| number(metric).and_then(rounded_sample)));
            self.samples.push(row);
        }
        for (at, metric) in FOLLOWED.into_iter().enumerate() {
            let word = match value(metric) {
                Some(FigureValue::Word(word)) => Some(word.clone()),
                _ => None,
            };
            if word != self.words[at] {
                self.words[at].clone_from(&word);
                self.note(metric.name(), word.unwrap_or_default(), now);
            }
        }
    }

    /// Takes the sender's declaration about its source.
    pub fn handle_declaration(&mut self, declaration: Declaration, at: Timestamp) {
        self.meter.handle_declaration(declaration, at);
    }

    /// Takes whether the sender declares that it sends sound.
    pub fn handle_sound_declared(&mut self, is_sent: bool, at: Timestamp) {
        self.meter.handle_sound_declared(is_sent, at);
    }

    /// Takes whether the source delivers a picture only when it changes.
    pub fn handle_shows_only_changes(&mut self, shows_only_changes: bool) {
        self.meter.handle_shows_only_changes(shows_only_changes);
    }

    /// Takes whether this page is visible.
    pub fn handle_visibility(&mut self, is_visible: bool, at: Timestamp) {
        self.meter.handle_visibility(is_visible, at);
    }

    /// Takes whether the connection is up.
    pub fn handle_connected(&mut self, is_connected: bool, at: Timestamp) {
        self.meter.handle_connected(is_connected, at);
        let since = self.down_since.unwrap_or(at);
        self.down_since = (!is_connected).then_some(since);
        if is_connected {
            self.end_absence(at);
        } else {
            self.begin_absence(at);
        }
    }

    /// Takes whether the server says that the member's page is away. Its connection may stay up: then it was not absent.
    pub fn handle_away(&mut self, is_away: bool, at: Timestamp) {
        let since = self.away_by_server_since.unwrap_or(at);
        self.away_by_server_since = is_away.then_some(since);
        if is_away {
            self.begin_absence(at);
        }
    }

    /// Notes that a channel to the member opened.
    pub fn handle_opened(&mut self, at: Timestamp) {
        self.end_absence(at);
    }

    /// Takes the video file that this page plays. The last one stays.
    pub fn handle_own_file(&mut self, file: &FileEntry) {
        if self.finished.is_none() {
            self.file = Some(file.clone().plain());
        }
    }

    fn begin_absence(&mut self, at: Timestamp) {
        // A socket that closed while the connection stayed up was no absence.
        self.away_since = self.away_since.filter(|since| at - *since < ABSENT_WITHIN).or(Some(at));
    }

    fn end_absence(&mut self, at: Timestamp) {
        let Some(since) = self.away_since.take().filter(|since| self.finished.is_none() && *since < at)
        else {
            return;
        };
        if self.absences.len() < MAX_ABSENCES / 2 {
            self.absences.push((since, at));
        }
    }

    /// Takes a time in which this page had no time for its work.
    pub fn handle_busy(&mut self, from: Timestamp, to: Timestamp) {
        self.meter.handle_busy(from, to);
    }

    /// Takes the sender's report about itself.
    pub fn handle_sender(&mut self, interval: SenderInterval, now: Timestamp) {
        self.meter.handle_sender(interval, now);
    }

    /// Notes that a video file is the source from now on.
    pub fn handle_file(&mut self, now: Timestamp) {
        self.meter.handle_file(now);
    }

    /// Takes the sender's report about the frames of its file.
    pub fn handle_source_frames(
        &mut self,
        message: &SourceFrames,
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) {
        self.meter.handle_source_frames(message, clock, now);
    }

    /// Takes the conditions of the measurement.
    pub fn set_conditions(&mut self, conditions: Vec<(String, String)>) {
        let plain = conditions.into_iter().map(|(name, value)| (plain(&name), plain(&value)));
        self.conditions = plain.take(MAX_CONDITIONS - FOLLOWED.len()).collect();
    }

    /// Ends the recording.
    pub fn finish(&mut self, now: Timestamp) {
        if self.finished.is_none() {
            if self.down_since.is_some() {
                self.end_absence(now);
            }
            self.finished = Some(now);
            self.meter.finish(now);
        }
    }

    /// Whether the member has left, or been unreachable, since `at` or before. A member whose picture was measured is also gone if the
    /// server says that its page is away and its picture has stopped, since a connection notices only seconds later.
    #[must_use]
    pub fn is_gone_since(&self, at: Timestamp) -> bool {
        let is_before = |time: Option<Timestamp>| time.is_some_and(|time| time <= at);
        is_before(self.finished)
            || is_before(self.down_since)
            || is_before(self.away_by_server_since) && is_before(self.last_shown)
    }

    /// The times in which the other page was away or unreachable, in seconds on this page's clock.
    pub fn absences(&self) -> impl Iterator<Item = AbsenceEntry> + '_ {
        self.absences.iter().map(|(from, to)| AbsenceEntry {
            from_s: seconds(*from),
            to_s: seconds(*to),
            reason: AbsenceReason::Away,
        })
    }

    /// The playout totals so far.
    #[must_use]
    pub fn summary(&self, now: Timestamp) -> PlayoutSummary {
        self.meter.summary(now)
    }

    /// The stalls so far.
    #[must_use]
    pub fn stalls(&self, now: Timestamp) -> Vec<Stall> {
        self.meter.stalls(now)
    }

    /// The log, with times in seconds on this page's clock.
    #[must_use]
    pub fn side(&self, observer: &Party, now: Timestamp) -> Side {
        let mut columns = vec!["time".to_owned()];
        columns.extend(RECORDED.into_iter().map(|metric| metric.name().to_owned()));
        let last_words = FOLLOWED.into_iter().zip(&self.words);
        let last_words =
            last_words.filter_map(|(metric, word)| Some((metric.name().to_owned(), plain(word.as_ref()?))));
        Side {
            observer: observer.clone().plain(),
            observed: self.observed.clone(),
            clock: None,
            file: self.file.clone(),
            absences: self.absences().collect(),
            conditions: self.conditions.iter().cloned().chain(last_words).collect(),
            columns,
            samples: self.samples.clone(),
            events: self.events.clone(),
            playout: self.meter.first_shown().map(|first| self.playout(first, now)),
            known_source: self.known_source(),
            sound: self.sound(now),
        }
    }

    /// The part about the sound; `None` if there was no sound.
    fn sound(&self, now: Timestamp) -> Option<SoundEntry> {
        let summary = self.meter.summary(now).sound;
        if summary == SoundSummary::default() {
            return None;
        }
        let count = |number: Option<f64>, most: Option<f64>| {
            number.and_then(possible).map(|number| number.min(most.unwrap_or(number)))
        };
        let samples = count(summary.samples_received, None);
        let concealed = count(summary.concealed_samples, samples);
        let ratio = |ratio: f64| fine(ratio.clamp(0.0, 1.0));
        let entry = |burst: SoundBurst| BurstEntry {
            start_s: seconds(burst.start),
            duration_s: length(burst.duration),
            concealed_s: length(burst.concealed),
            cause: burst.cause.as_str().to_owned(),
        };
        Some(SoundEntry {
            samples_received: samples,
            concealed_samples: concealed,
            silent_concealed_samples: count(summary.silent_concealed_samples, concealed),
            concealment_events: count(summary.concealment_events, None),
            inserted_samples: count(summary.inserted_samples, None),
            removed_samples: count(summary.removed_samples, None),
            concealed_ratio: summary.concealed_ratio.map(ratio),
            jitter_buffer_delay_s: summary.jitter_buffer_delay_s.and_then(possible_length).map(fine),
            burst_count: summary.burst_count,
            bursts: self.meter.sound_bursts().map(entry).collect(),
        })
    }

    fn known_source(&self) -> Option<KnownSourceEntry> {
        let truth = self.stamps.known()?;
        let frame = |frame: &ShownStamp| (frame.number, seconds(frame.shown_at), frame.delay.map(length));
        Some(KnownSourceEntry {
            frames_shown: truth.shown,
            frames_lost: truth.lost,
            frames_repeated: truth.repeated,
            frames_late: truth.late,
            frames_unreadable: truth.unreadable,
            delay_mean_s: truth.mean_delay.map(length),
            delay_shortest_s: truth.shortest_delay.map(length),
            delay_longest_s: truth.longest_delay.map(length),
            clock_offset_s: truth.clock.map(|clock| fine(clock.offset_us as f64 / 1e6)),
            clock_error_s: truth.delay_error.map(|error| fine(error.as_secs_f64())),
            clocks: self.clocks(),
            frames: self.stamps.frames().map(frame).collect(),
        })
    }

    /// The estimates with which the delays of the frames were computed, each from the first frame on that has it.
    fn clocks(&self) -> Vec<(f64, f64, f64)> {
        let mut clocks = Vec::new();
        let mut last = None;
        for frame in self.stamps.frames().filter(|frame| frame.delay.is_some()) {
            let is_another = frame.clock != std::mem::replace(&mut last, frame.clock);
            let Some(clock) = frame.clock.filter(|_| is_another && clocks.len() < MAX_SAMPLES) else {
                continue;
            };
            clocks.push((
                seconds(frame.shown_at),
                fine(clock.offset_us as f64 / 1e6),
                fine(clock.error.as_secs_f64()),
            ));
        }
        clocks
    }

    fn playout(&self, first: Timestamp, now: Timestamp) -> PlayoutEntry {
        let summary = self.meter.summary(now);
        let (frame_width, frame_height) = summary.resolution.unzip();
        let score = summary.score.as_ref().map(ScoreEntry::new);
        PlayoutEntry {
            first_frame_at_s: seconds(first),
            watched_s: length(summary.watched.unwrap_or_default()),
            marked_s: length(summary.marked),
            time_to_first_frame_s: summary.time_to_first_frame.map(length),
            stall_count: summary.stall_count,
            stall_time_s: length(summary.stall_time),
            stall_ratio: summary.stall_ratio.map_or(0.0, |ratio| fine(ratio.min(1.0))),
            stalls_per_minute: summary.stalls_per_minute.map(rounded).unwrap_or_default(),
            longest_stall_s: length(summary.longest_stall),
            usual_stall_count: Some(summary.usual_stall_count),
            usual_stall_time_s: Some(length(summary.usual_stall_time)),
            usual_stall_ratio: summary.usual_stall_ratio.map(|ratio| fine(ratio.min(1.0))),
            source_known_by: summary.source_known_by.map(SourceKnowledge::from),
            source_frames: summary.source_frames,
            source_frames_presented: summary.source_frames_presented,
            source_frames_per_second: summary.source_frames_per_second.and_then(possible).map(rounded),
            lower_rate_ratio: summary.lower_rate_ratio.map(fine),
            freeze_count: summary.freeze_count.and_then(possible),
            total_freezes_duration_s: summary.total_freezes_duration_s.and_then(possible_length).map(rounded),
            bytes_received: summary.bytes.and_then(possible),
            mean_receive_bitrate_bps: summary.mean_bitrate_bps.and_then(possible).map(rounded),
            loss_ratio: summary.loss_ratio.map(|ratio| fine(ratio.clamp(0.0, 1.0))),
            frames_received: summary.frames_received.and_then(possible),
            frames_decoded: summary.frames_decoded.and_then(possible),
            frames_dropped: summary.frames_dropped.and_then(possible),
            frames_presented: summary.frames_presented,
            frames_per_second: summary.frames_per_second.and_then(possible).map(rounded),
            frame_width,
            frame_height,
            gaps: GapCounts { bounds_ms: GAP_BUCKETS_MS.to_vec(), counts: summary.gaps.counts.to_vec() },
            score,
            stalls: self
                .meter
                .stalls(now)
                .iter()
                .map(|stall| StallEntry {
                    start_s: seconds(stall.start),
                    duration_s: length(stall.duration),
                    cause: stall.cause.as_str().to_owned(),
                    confidence: Some(stall.confidence),
                })
                .collect(),
            marks: self
                .meter
                .marks()
                .map(|mark| MarkEntry {
                    kind: MarkKind::as_str(mark.kind).to_owned(),
                    from_s: seconds(mark.from),
                    to_s: mark.to.map(seconds),
                })
                .collect(),
        }
    }

    fn note(&mut self, subject: &str, value: String, now: Timestamp) {
        if self.events.len() < MAX_EVENTS {
            let value = plain(&value);
            self.events.push(EventEntry { at_s: seconds(now), subject: subject.to_owned(), value });
        }
    }
}

pub(super) fn seconds(at: Timestamp) -> f64 {
    length(at.since_origin())
}

fn length(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64())
}

/// Rounds ratios and times of milliseconds, which need more digits than other numbers.
fn fine(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

fn rounded_sample(number: f64) -> Option<f64> {
    let rounded = if number.abs() < 100.0 { fine(number) } else { number.round() };
    // A negative jitter buffer delay or loss is recorded as it is.
    possible(rounded.abs()).map(|_| rounded)
}
