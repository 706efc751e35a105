//! What the counters of both sides say about the time of a stall.

use std::time::Duration;

use sightline_protocol::telemetry::Limitation;

use super::{SenderInterval, cause::NOTABLE_QUEUE_S, counters::Step, frame::Gap, transit::Transits};
use crate::{Timestamp, short_list};

/// Time before and after a stall whose reports count: they come once a second, and a loss shows slightly earlier or later.
const BEFORE: Duration = Duration::from_millis(500);
const AFTER: Duration = Duration::from_millis(1500);
/// Time around a stall in which a path that loses packets all the time loses some.
const BESIDE: Duration = Duration::from_millis(2500);
/// Packets that were lost at the end of a stall are counted this much later: the next ones show that they are missing.
const COUNTED_WITHIN: Duration = Duration::from_millis(300);
/// Number of consecutive messages that are late by the same time if the path became longer.
const STEADY_MESSAGES: usize = 3;
/// The delays of these messages differ by no more than this, or this part of the delay.
const STEADY_WITHIN_S: f64 = 0.01;
const STEADY_WITHIN_PART: f64 = 0.03;
/// Time in which a page that stood still has consequences: lost packets are sent again, and the sender, which heard nothing, sends less.
const AFTERMATH: Duration = Duration::from_secs(1);
/// Time before a stall in which a queue has consequences: the packets for which it had no room are sent again, and the sender sends less.
const QUEUE_BEFORE: Duration = Duration::from_secs(4);
/// Time before a stall that determines what is usual.
const USUAL: Duration = Duration::from_secs(10);
/// Time after a stall in which a path that became longer is still longer.
const STAYS: Duration = Duration::from_millis(3500);

/// The evidence about a stall.
pub(super) struct Evidence<'a> {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// The gap that contains the stall; `None` while the stall lasts.
    pub(super) gap: Option<&'a Gap>,
    /// The normal time between two frames.
    pub(super) normal: Duration,
    pub(super) steps: &'a [Step],
    pub(super) sender: &'a [SenderInterval],
    pub(super) transits: &'a Transits,
    /// Times in which this page had no time for its work.
    pub(super) busy: &'a [(Timestamp, Timestamp)],
    /// Whether the sender declared during the stall that its source had failed.
    pub(super) has_source_failed: bool,
    /// Whether the connection was down during the stall.
    pub(super) was_disconnected: bool,
    /// Whether the source delivers a picture only when it changes, and so has no usual rate.
    pub(super) may_be_unchanged: bool,
}

/// The evidence as numbers. `None` means that a browser does not report the value, or that the report has not arrived.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) has_source_failed: bool,
    /// Whether the connection was down, or the candidate pair changed.
    pub(super) has_new_path: bool,
    pub(super) stall_s: f64,
    pub(super) normal_s: f64,
    /// Whether the source's own frames say that it stood still for at least half of the stall.
    pub(super) has_source_stood: bool,
    /// Whether the source's own frames say that it delivered at least half of those that the stall lacks.
    pub(super) has_source_delivered: bool,
    /// Number of frames that the source's element showed, and that its page did not paint and send.
    pub(super) unpainted: f64,
    /// Number of frames that the stall lacks.
    pub(super) missing: f64,
    /// Length of the sender's intervals during the stall.
    pub(super) sender_s: f64,
    /// Number of frames that the source delivered fewer than usual.
    pub(super) source_lacks: Option<f64>,
    /// Number of frames of the source that were not encoded.
    pub(super) encoder_lacks: Option<f64>,
    /// Number of frames sent fewer than usual; for a sender that does not count its source's frames.
    pub(super) sent_lacks: Option<f64>,
    /// Share of the time for which the encoder worked.
    pub(super) encoder_load: Option<f64>,
    /// Time to encode a frame, and what is usual.
    pub(super) encode_s: Option<f64>,
    pub(super) usual_encode_s: Option<f64>,
    /// The longest time for which the sender's page had no time for its work.
    pub(super) sender_busy_s: Option<f64>,
    pub(super) limitation: Limitation,
    /// The least target bitrate around the stall as a part of the greatest before.
    pub(super) target_ratio: Option<f64>,
    /// Mean time that a packet waited to be sent.
    pub(super) send_delay_s: Option<f64>,
    /// The longest additional delay of the sender's messages around the stall, and the shortest in the time after it.
    pub(super) late_s: Option<f64>,
    pub(super) stays_late_s: Option<f64>,
    /// Whether consecutive messages of the sender were late by the same time, whatever was sent: the path is longer. In a queue the delay
    /// changes with what is sent.
    pub(super) is_path_longer: bool,
    /// The increase of the round-trip time around the stall, and the least in the time after it.
    pub(super) round_trip_rise_s: Option<f64>,
    /// How much longer the round trip was right before the stall than at its shortest: the queue of a path that had too little bandwidth
    /// until then.
    pub(super) queue_before_s: f64,
    /// Number of packets that were lost and that arrived around the stall.
    pub(super) lost: f64,
    pub(super) packets: f64,
    /// Number of packets that the sender sent again around the stall.
    pub(super) retransmitted: f64,
    /// Share of the packets that were lost before and after that time.
    pub(super) loss_elsewhere: Option<f64>,
    /// Share of the packets that were lost between the reports right before and right after the stall, and in the time
    /// [`BESIDE`] before and after these.
    pub(super) loss_within: Option<f64>,
    pub(super) loss_before: Option<f64>,
    pub(super) loss_after: Option<f64>,
    pub(super) usual_packets_per_s: Option<f64>,
    /// The fewest packets a second between two reports about the stall.
    pub(super) fewest_packets_per_s: Option<f64>,
    /// Whether there was a report about the time of the stall.
    pub(super) has_steps: bool,
    /// The length of the reports about the stall in which no packet came. The first one may begin before the next frame was due.
    pub(super) silent_s: f64,
    /// The part of the gap by which the next frame was captured late, and received late.
    pub(super) captured_late_s: Option<f64>,
    pub(super) received_late_s: Option<f64>,
    /// The shortest and the longest additional transit of the frames after the stall.
    pub(super) longer_transit_s: Option<(f64, f64)>,
    /// The part of the stall in which this page had no time for its work.
    pub(super) viewer_busy_ratio: f64,
    /// The longest time right before the stall in which this page had no time for its work.
    pub(super) viewer_was_busy_s: f64,
}

impl Evidence<'_> {
    pub(super) fn facts(&self) -> Facts {
        let during: Vec<_> = self.sender.iter().filter(|interval| self.is_during(interval)).collect();
        let steps = || self.steps.iter().filter(|step| self.is_around(step.from, step.to));
        let steps_within = || self.steps.iter().filter(|step| step.from < self.end && self.start < step.to);
        let stall_s = (self.end - self.start).as_secs_f64();
        let normal_s = self.normal.as_secs_f64().max(0.001);
        let sender_s = during.iter().map(|interval| length_s(interval)).sum();
        let missing = during
            .iter()
            .map(|interval| (interval.to.min(self.end) - interval.from.max(self.start)).as_secs_f64())
            .sum::<f64>()
            / normal_s;
        let sum = |of: fn(&SenderInterval) -> Option<u32>| {
            (!during.is_empty())
                .then(|| during.iter().map(|interval| of(interval).map(f64::from)).sum::<Option<f64>>())?
        };
        let source = sum(|interval| interval.source_frames);
        let sent = sum(|interval| interval.frames_sent);
        let encoded = sum(|interval| interval.picture.frames_encoded).or(sent);
        let lacks = |of: fn(&SenderInterval) -> Option<u32>, count: Option<f64>| {
            Some(self.usual_rate(of)? * sender_s - count?)
        };
        let encode_time = during
            .iter()
            .map(|interval| interval.picture.encode.map(|time| time.as_secs_f64()))
            .sum::<Option<f64>>()
            .filter(|_| !during.is_empty());
        let around: Vec<_> =
            self.sender.iter().filter(|interval| self.is_around(interval.from, interval.to)).collect();
        let before = || self.sender.iter().filter(|interval| self.is_before(interval.to));
        let after = || {
            self.sender.iter().filter(|interval| self.end <= interval.to && interval.to <= self.end + STAYS)
        };
        let target = |interval: &SenderInterval| interval.picture.target_bps.map(f64::from);
        let usual_target = before().filter_map(target).reduce(f64::max);
        let least_target = around.iter().copied().chain(after()).filter_map(target).reduce(f64::min);
        let usual_late = median(before().map(|interval| interval.late.as_secs_f64())).unwrap_or(0.0);
        let late = |interval: &SenderInterval| (interval.late.as_secs_f64() - usual_late).max(0.0);
        let usual_round_trip = median(
            self.steps.iter().filter(|step| self.is_before(step.to)).filter_map(|step| step.round_trip_s),
        );
        let sent_round_trip =
            |interval: &SenderInterval| interval.picture.round_trip.map(|time| time.as_secs_f64());
        let usual_sent_round_trip = median(before().filter_map(sent_round_trip));
        let rise = |now: Option<f64>, usual: Option<f64>| Some((now? - usual?).max(0.0));
        let later_steps =
            || self.steps.iter().filter(|step| self.start <= step.to && step.from <= self.end + AFTER);
        let round_trip_rise_s =
            rise(later_steps().filter_map(|step| step.round_trip_s).reduce(f64::max), usual_round_trip)
                .into_iter()
                .chain(rise(
                    around.iter().filter_map(|interval| sent_round_trip(interval)).reduce(f64::max),
                    usual_sent_round_trip,
                ))
                .reduce(f64::max);
        let of_pair = self.steps.iter().filter_map(|step| Some((step.to, step.round_trip_s?)));
        let of_packets =
            self.sender.iter().filter_map(|interval| Some((interval.to, sent_round_trip(interval)?)));
        let queue_before_s = self.queue_before_s(of_pair).max(self.queue_before_s(of_packets));
        let loss_where = |is_there: &dyn Fn(&Step) -> bool| {
            let there = self.steps.iter().filter(|step| is_there(step));
            let (lost, packets) =
                there.fold((0.0, 0.0), |(lost, packets), step| (lost + step.lost, packets + step.packets));
            (packets > 0.0).then(|| lost / (lost + packets))
        };
        let counted_until = self.end + COUNTED_WITHIN;
        let usual_packets = self.steps.iter().filter(|step| self.is_before(step.to) && step.seconds > 0.0);
        let frame_late =
            |passed: Option<Duration>| passed.map(|passed| passed.saturating_sub(self.normal).as_secs_f64());
        let (captured, received) = self.gap.map_or((None, None), |gap| (gap.captured, gap.received));
        let reported = self.gap.and_then(|gap| gap.reported);
        let painted = self.gap.and_then(|gap| gap.source);
        let not_painted = painted.map(|(frames, time)| time.saturating_sub(self.normal * frames));
        let stood = reported.and_then(|reported| reported.between.stood);
        let stood = stood.map(|stood| stood.saturating_sub(self.normal)).max(not_painted);
        // What was painted is what was sent, so the stamps decide.
        let delivered =
            painted.map(|(frames, _)| frames).or(reported.map(|reported| reported.between.frames));
        let unpainted = painted
            .zip(reported)
            .map_or(0, |((painted, _), reported)| reported.between.frames.saturating_sub(painted));
        let stall = self.end - self.start;
        let busy: f64 = self
            .busy
            .iter()
            .filter(|(from, to)| *from < self.end && self.start < *to)
            .map(|(from, to)| ((*to).min(self.end) - (*from).max(self.start)).as_secs_f64())
            .fold(0.0, f64::max);
        Facts {
            has_source_failed: self.has_source_failed,
            has_new_path: self.was_disconnected || steps().any(|step| step.has_new_path),
            has_source_stood: stood.is_some_and(|stood| stood * 2 >= stall),
            has_source_delivered: delivered.is_some_and(|frames| self.normal * frames * 2 >= stall),
            unpainted: unpainted.into(),
            stall_s,
            normal_s,
            missing,
            sender_s,
            source_lacks: lacks(|interval| interval.source_frames, source),
            encoder_lacks: source.zip(encoded).map(|(source, encoded)| source - encoded),
            sent_lacks: lacks(|interval| interval.frames_sent, sent),
            encoder_load: encode_time.map(|time| time / f64::max(sender_s, 0.001)),
            encode_s: encode_time
                .zip(encoded)
                .and_then(|(time, frames)| (frames > 0.0).then(|| time / frames)),
            usual_encode_s: median(before().filter_map(|interval| {
                let frames = interval.picture.frames_encoded.filter(|frames| *frames > 0)?;
                Some(interval.picture.encode?.as_secs_f64() / f64::from(frames))
            })),
            sender_busy_s: around
                .iter()
                .filter_map(|interval| interval.picture.busy)
                .max()
                .map(|busy| busy.as_secs_f64()),
            limitation: limitation(&during),
            target_ratio: least_target.zip(usual_target).map(|(least, usual)| least / usual.max(1.0)),
            send_delay_s: around
                .iter()
                .filter_map(|interval| {
                    let packets = interval.picture.packets.filter(|packets| *packets > 0)?;
                    Some(interval.picture.send_delay?.as_secs_f64() / f64::from(packets))
                })
                .reduce(f64::max),
            late_s: around.iter().map(|interval| late(interval)).reduce(f64::max),
            stays_late_s: after().map(late).reduce(f64::min),
            is_path_longer: self.is_path_longer(usual_late),
            round_trip_rise_s,
            queue_before_s,
            lost: steps().map(|step| step.lost).sum(),
            packets: steps().map(|step| step.packets).sum(),
            retransmitted: around
                .iter()
                .filter_map(|interval| interval.picture.retransmitted)
                .map(f64::from)
                .sum(),
            loss_elsewhere: loss_where(&|step| {
                !self.is_around(step.from, step.to)
                    && self.start - USUAL / 2 <= step.from
                    && step.to <= self.end + USUAL / 2
            }),
            loss_within: loss_where(&|step| step.from <= counted_until && self.start <= step.to),
            loss_before: loss_where(&|step| self.start - BESIDE <= step.from && step.to < self.start),
            loss_after: loss_where(&|step| counted_until < step.from && step.from <= counted_until + BESIDE),
            usual_packets_per_s: median(usual_packets.map(|step| step.packets / step.seconds)),
            has_steps: steps().next().is_some(),
            fewest_packets_per_s: steps_within()
                .filter(|step| step.seconds > 0.0)
                .map(|step| step.packets / step.seconds)
                .reduce(f64::min),
            silent_s: steps_within().filter(|step| step.packets < 1.0).map(|step| step.seconds).sum(),
            captured_late_s: frame_late(captured),
            received_late_s: frame_late(received),
            longer_transit_s: self
                .transits
                .longer((self.start - USUAL / 2, self.start), (self.end, self.end + STAYS))
                .map(|(shortest, longest)| (shortest.as_secs_f64(), longest.as_secs_f64())),
            viewer_was_busy_s: self
                .busy
                .iter()
                .filter(|(_, to)| *to <= self.start && self.start - *to <= AFTERMATH)
                .map(|(from, to)| (*to - *from).as_secs_f64())
                .fold(0.0, f64::max),
            viewer_busy_ratio: if stall_s > 0.0 { busy / stall_s } else { 0.0 },
        }
    }

    /// How much longer than the shortest round trip the longest one right before the stall was.
    fn queue_before_s(&self, round_trips: impl Iterator<Item = (Timestamp, f64)>) -> f64 {
        let is_near = |to: Timestamp| self.start - USUAL <= to && to <= self.end + STAYS;
        let is_right_before = |to: Timestamp| self.start - QUEUE_BEFORE <= to && to <= self.start + BEFORE;
        let (shortest, longest) = round_trips.filter(|(to, _)| is_near(*to)).fold(
            (f64::INFINITY, 0.0),
            |(shortest, longest), (to, time)| {
                let longest = if is_right_before(to) { f64::max(longest, time) } else { longest };
                (f64::min(shortest, time), longest)
            },
        );
        f64::max(longest - shortest, 0.0)
    }

    fn is_path_longer(&self, usual_late_s: f64) -> bool {
        self.sender.windows(STEADY_MESSAGES).any(|messages| {
            let late = || messages.iter().map(|interval| interval.late.as_secs_f64());
            let (shortest, longest) = (late().fold(f64::INFINITY, f64::min), late().fold(0.0, f64::max));
            longest - shortest <= STEADY_WITHIN_S.max(longest * STEADY_WITHIN_PART)
                && shortest - usual_late_s >= NOTABLE_QUEUE_S
                && messages.iter().any(|interval| self.is_around(interval.from, interval.to))
        })
    }

    fn is_during(&self, interval: &SenderInterval) -> bool {
        interval.from < self.end && self.start < interval.to
    }

    fn is_around(&self, from: Timestamp, to: Timestamp) -> bool {
        from <= self.end + AFTER && self.start <= to + BEFORE
    }

    fn is_before(&self, to: Timestamp) -> bool {
        to <= self.start && self.start - to <= USUAL
    }

    /// The usual frames per second: the upper quartile of the intervals outside of the stall. Without such intervals, and for a
    /// screen, the rate follows from the normal interval of the viewer.
    fn usual_rate(&self, of: fn(&SenderInterval) -> Option<u32>) -> Option<f64> {
        let rate = |interval: &SenderInterval| {
            Some(f64::from(of(interval)?) / length_s(interval)).filter(|rate| rate.is_finite())
        };
        let mut rates: Vec<f64> =
            self.sender.iter().filter(|interval| !self.is_during(interval)).filter_map(rate).collect();
        short_list::sort_numbers(&mut rates);
        let usual = rates.get(rates.len() * 3 / 4).copied().filter(|_| !self.may_be_unchanged);
        let is_reported = self.sender.iter().any(|interval| of(interval).is_some());
        usual.or_else(|| is_reported.then(|| 1.0 / self.normal.as_secs_f64().max(0.001)))
    }
}

fn length_s(interval: &SenderInterval) -> f64 {
    (interval.to - interval.from).as_secs_f64()
}

/// The limitation that the sender reported; its processor takes precedence.
fn limitation(intervals: &[&SenderInterval]) -> Limitation {
    let is_named = |word: &Limitation| intervals.iter().any(|interval| interval.limitation == *word);
    [Limitation::Cpu, Limitation::Bandwidth].into_iter().find(is_named).unwrap_or_default()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    short_list::sort_numbers(&mut values);
    values.get(values.len() / 2).copied()
}
