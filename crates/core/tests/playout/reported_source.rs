//! A plain video file whose page tells which frames it showed: from the element there to the display here, with a truth of its own.

use std::{collections::BTreeMap, time::Duration};

use proptest::{prelude::*, strategy::ValueTree};
use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame,
        clock::ClockEstimate,
        playout::{Declaration, PlayoutMeter, PlayoutSummary, SourceKnownBy, Stall, StallCause},
    },
    media::SourceLog,
};
use sightline_protocol::{control::Playback, telemetry::SourceFrames};

/// The source's clock is an hour ahead.
const AHEAD_US: i64 = 3_600_000_000;
const REFRESH_US: u64 = 16_667;
/// From the capture to the arrival, and from the arrival to the display.
const NETWORK_US: u64 = 30_000;
const BUFFER_US: u64 = 60_000;

/// What the source does next.
#[derive(Debug, Clone, Copy)]
enum Act {
    Play(u64),
    /// Nothing new is shown for this long, beyond the interval.
    Stand(u64),
    Pause(u64),
    /// A jump, after which the first frame takes this long.
    Seek(u64),
    /// A jump to the beginning whose events come after the first frame.
    Loop(u64),
    /// The way here is cut for this long, while the source plays on.
    Cut(u64),
    /// The source plays and then stands still, both for a time. The way here is cut from the beginning, for the third time.
    CutInto(u64, u64, u64),
    /// The source stands still and then plays, both for a time. The way here is cut from this long before the source plays.
    CutOutOf(u64, u64, u64),
}

/// How the sender's browser captures a playing file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capture {
    /// Thirty times a second, whatever the file does (Chromium).
    Evenly,
    /// Each shown frame once (Firefox).
    EachFrame,
}

#[derive(Debug)]
struct World {
    interval_us: u64,
    log: SourceLog,
    now_us: u64,
    media_us: u64,
    presented: u32,
    /// When each frame was shown at the source, and which times there were declared.
    shown_us: Vec<u64>,
    declared_us: Vec<(u64, u64)>,
    cuts_us: Vec<(u64, u64)>,
    /// After a cut, the frames of this time before its end are sent again, the first of them up to this number.
    resent_us: u64,
    resent_at_most: usize,
    /// The messages, each with when it was sent.
    reported: Vec<(u64, SourceFrames)>,
    next_report_us: u64,
}

fn at(us: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_micros(us))
}

/// The source's clock at a time of the local one.
fn there(us: u64) -> Timestamp {
    at(us + AHEAD_US.unsigned_abs())
}

impl World {
    fn new(fps: u64) -> Self {
        let mut log = SourceLog::new(true, there(1_000_000));
        log.handle_playback(Playback::Playing, there(1_000_000));
        Self {
            interval_us: 1_000_000 / fps,
            log,
            now_us: 1_000_000,
            media_us: 0,
            presented: 0,
            shown_us: Vec::new(),
            declared_us: Vec::new(),
            cuts_us: Vec::new(),
            resent_us: 0,
            resent_at_most: usize::MAX,
            reported: Vec::new(),
            next_report_us: 2_000_000,
        }
    }

    fn advance(&mut self, by_us: u64) {
        let end = self.now_us + by_us;
        while self.next_report_us <= end {
            self.reported.extend(
                self.log.report(there(self.next_report_us)).map(|reported| (self.next_report_us, reported)),
            );
            self.next_report_us += 1_000_000;
        }
        self.now_us = end;
    }

    fn show(&mut self) {
        self.presented += 1;
        self.shown_us.push(self.now_us);
        let media = Duration::from_micros(self.media_us);
        self.log.handle_frame(there(self.now_us), media, self.presented);
    }

    fn play(&mut self, ms: u64) {
        let end = self.now_us + ms * 1000;
        while self.now_us < end {
            self.show();
            self.advance(self.interval_us);
            self.media_us += self.interval_us;
        }
    }

    /// The interval after the last frame passes before something is declared.
    fn declare(&mut self, playback: Playback, ms: u64) {
        let from = self.now_us;
        self.log.handle_playback(playback, there(from));
        self.advance(ms * 1000);
        self.log.handle_playback(Playback::Playing, there(self.now_us));
        self.declared_us.push((from, self.now_us));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Play(ms) => self.play(ms),
            Act::Stand(ms) => {
                self.media_us += ms * 1000;
                self.advance(ms * 1000);
            }
            Act::Pause(ms) => self.declare(Playback::Paused, ms),
            Act::Seek(ms) => {
                self.media_us = self.media_us.saturating_add(7_000_000) % 30_000_000;
                self.declare(Playback::Seeking, ms);
            }
            Act::Loop(ms) => {
                self.media_us = 0;
                self.declared_us.push((self.now_us, self.now_us + ms * 1000));
                self.advance(ms * 1000);
            }
            Act::Cut(ms) => {
                let begin = self.now_us;
                self.play(ms);
                self.cuts_us.push((begin, self.now_us));
            }
            Act::CutOutOf(stands, plays, before) => {
                self.act(Act::Stand(stands));
                let begin = self.now_us - before * 1000;
                self.play(plays);
                self.cuts_us.push((begin, self.now_us));
            }
            Act::CutInto(plays, stands, cut) => {
                self.cuts_us.push((self.now_us, self.now_us + cut * 1000));
                self.play(plays);
                self.act(Act::Stand(stands));
            }
        }
    }

    /// The frames that are shown here: when, when captured, and the number of the source's frame in the picture.
    fn display(&self, capture: Capture, late: &[u64]) -> Vec<(u64, u64, usize)> {
        let end = self.now_us;
        let captured: Vec<u64> = match capture {
            Capture::Evenly => (0..).map(|n| 1_010_000 + n * 33_333).take_while(|us| *us < end).collect(),
            Capture::EachFrame => self.shown_us.iter().map(|us| us + 4_000).collect(),
        };
        let mut frames: Vec<(u64, u64, usize)> = Vec::new();
        let mut resent = BTreeMap::new();
        for (count, captured) in captured.into_iter().enumerate() {
            let cut = self.cuts_us.iter().find(|(from, to)| (*from..*to).contains(&captured));
            let is_lost = cut.is_some_and(|(_, to)| {
                let resent: &mut usize = resent.entry(*to).or_default();
                let is_resent = captured + self.resent_us >= *to && *resent < self.resent_at_most;
                *resent += usize::from(is_resent);
                !is_resent
            });
            let Some(number) = self.shown_us.partition_point(|us| *us <= captured).checked_sub(1) else {
                continue;
            };
            let late = late[count % late.len()];
            let sent = cut.map_or(captured, |(_, to)| *to);
            let shown = (sent + NETWORK_US + BUFFER_US + late).div_ceil(REFRESH_US) * REFRESH_US;
            let last = frames.last().map_or(0, |(last, ..)| *last);
            if !is_lost && cut.is_some() {
                frames.push((shown.max(last + REFRESH_US), captured, number));
            } else if !is_lost && last < shown {
                frames.push((shown, captured, number));
            }
        }
        frames
    }
}

struct Outcome {
    stalls: Vec<Stall>,
    summary: PlayoutSummary,
    /// Start and length of the true standstills of the display, as a person there would see them, in microseconds.
    truth: Vec<(u64, u64)>,
    distinct: usize,
}

fn watch(world: &World, capture: Capture, late: &[u64], is_lost: impl Fn(usize) -> bool) -> Outcome {
    watch_by(Duration::from_millis(12), world, capture, late, is_lost)
}

/// Watches with a clock that is known to within `error`.
fn watch_by(
    error: Duration,
    world: &World,
    capture: Capture,
    late: &[u64],
    is_lost: impl Fn(usize) -> bool,
) -> Outcome {
    let mut meter = PlayoutMeter::new(Timestamp::ZERO);
    meter.handle_file(at(1_000_000));
    let clock = ClockEstimate { offset_us: AHEAD_US, error };
    let frames = world.display(capture, late);
    let mut reported = world.reported.iter().enumerate().filter(|(count, _)| !is_lost(*count)).peekable();
    for (count, (shown, captured, _)) in frames.iter().enumerate() {
        while let Some((_, (sent, message))) = reported.next_if(|(_, (sent, _))| sent + NETWORK_US <= *shown)
        {
            meter.handle_source_frames(message, Some(clock), at(sent + NETWORK_US));
        }
        let frame = ShownFrame {
            shown_at: at(*shown),
            presented_frames: count as u32 + 1,
            rtp_timestamp: Some((*captured * 9 / 100) as u32),
            received_at: Some(at(captured + NETWORK_US)),
            ..ShownFrame::default()
        };
        meter.handle_frame(frame, at(*shown));
    }
    let end = world.now_us + 3_000_000;
    for (_, (sent, message)) in reported {
        meter.handle_source_frames(message, Some(clock), at(sent + NETWORK_US));
    }
    // The last frame is the end of what a person could see.
    let last = frames.last().map_or(end, |(shown, ..)| *shown);
    meter.finish(at(last));
    let mut truth = Vec::new();
    let mut before = frames[0];
    for frame in &frames[1..] {
        if frame.2 == before.2 {
            continue;
        }
        // What is declared there lies that much later here.
        let delay = NETWORK_US + BUFFER_US;
        let declared: u64 = world
            .declared_us
            .iter()
            .map(|(from, to)| (to + delay).min(frame.0).saturating_sub((from + delay).max(before.0)))
            .sum();
        let stood = (frame.0 - before.0).saturating_sub(world.interval_us + declared);
        if stood >= 200_000 {
            truth.push((frame.0 - stood, stood));
        }
        before = *frame;
    }
    let mut numbers: Vec<_> = frames.iter().map(|(.., number)| *number).collect();
    numbers.dedup();
    Outcome {
        stalls: meter.stalls(at(last)),
        summary: meter.summary(at(last)),
        truth,
        distinct: numbers.len(),
    }
}

/// How many of the true standstills were found, how many stalls are none, and by how much each that was found is off. A stall
/// belongs to the standstill of which it covers most, and may begin or end 100 ms off.
fn compare(outcome: &Outcome) -> (usize, usize, Vec<i64>) {
    const NEAR_US: u64 = 100_000;
    let mut sums = vec![0_i64; outcome.truth.len()];
    let mut wrong = 0;
    for stall in &outcome.stalls {
        let (from, to) =
            (stall.start.since_origin().as_micros() as u64, stall.end().since_origin().as_micros() as u64);
        let covered = |(start, length): &(u64, u64)| {
            (to + NEAR_US).min(start + length).saturating_sub(from.max(start.saturating_sub(NEAR_US)))
        };
        let of = (0..sums.len()).max_by_key(|at| covered(&outcome.truth[*at]));
        match of.filter(|at| covered(&outcome.truth[*at]) > 0) {
            Some(at) => sums[at] += (to - from) as i64,
            // A standstill of just under 200 ms may be reported as one of just above.
            None if stall.duration >= Duration::from_millis(240) => wrong += 1,
            None => {}
        }
    }
    let found = sums.iter().zip(&outcome.truth).filter(|(sum, _)| **sum > 0);
    let off: Vec<_> = found.map(|(sum, (_, length))| sum - *length as i64).collect();
    (off.len(), wrong, off)
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (200_u64..2500).prop_map(Act::Stand),
        1 => (300_u64..5000).prop_map(Act::Pause),
        1 => (20_u64..600).prop_map(Act::Seek),
        1 => (0_u64..150).prop_map(Act::Loop),
        2 => (250_u64..2000).prop_map(Act::Cut),
        1 => (100_u64..1000, 400_u64..2500, 50_u64..350)
            .prop_map(|(plays, stands, more)| Act::CutInto(plays, stands, plays + more)),
        1 => (400_u64..2500, 100_u64..1000, 30_u64..350)
            .prop_map(|(stands, plays, before)| Act::CutOutOf(stands, plays, before)),
    ];
    prop::collection::vec((act, 300_u64..4000), 4..16)
        .prop_map(|acts| acts.into_iter().flat_map(|(act, ms)| [act, Act::Play(ms)]).collect())
}

fn played(fps: u64, acts: &[Act]) -> World {
    let mut world = World::new(fps);
    world.play(3000);
    acts.iter().for_each(|act| world.act(*act));
    world.play(4000);
    world
}

#[test]
fn hundreds_of_standstills_of_files_are_found_and_no_others() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (
        prop::sample::select(vec![10_u64, 12, 15, 24, 25, 30, 50]),
        acts(),
        prop::sample::select(vec![Capture::Evenly, Capture::EachFrame]),
        prop::collection::vec(0_u64..25_000, 50),
        prop::collection::vec(0_u32..100, 40),
        prop::sample::select(vec![0_u64, 150_000, 400_000]),
    );
    let (mut all, mut found, mut wrong, mut off, mut reported) = (0, 0, 0, Vec::new(), 0);
    let mut intervals = Duration::ZERO;
    for _ in 0..100 {
        let (fps, acts, capture, late, dice, resent_us): (u64, Vec<Act>, Capture, Vec<u64>, Vec<u32>, u64) =
            strategy.new_tree(&mut runner).unwrap().current();
        let world = World { resent_us, ..played(fps, &acts) };
        // One message in eight is lost.
        let outcome = watch(&world, capture, &late, |count| dice[count % dice.len()] < 12);
        let (hits, errors, lengths) = compare(&outcome);
        if hits < outcome.truth.len() || errors > 0 {
            println!("{fps} fps {capture:?} {acts:?}\n  {:?}\n  {:?}", outcome.truth, outcome.stalls);
        }
        all += outcome.truth.len();
        found += hits;
        wrong += errors;
        reported += outcome.stalls.len();
        intervals += Duration::from_micros(world.interval_us) * lengths.len() as u32;
        off.extend(lengths);
        let shown = outcome.summary.source_frames_presented.unwrap() as usize;
        let source = outcome.summary.source_frames.unwrap() as usize;
        assert!(shown <= source && source <= world.shown_us.len(), "{shown} of {source}");
        assert!(shown <= outcome.distinct + 1 + outcome.distinct / 50, "{shown} of {}", outcome.distinct);
    }
    let (recall, precision) = (found as f64 / f64::from(all as u32), 1.0 - wrong as f64 / reported as f64);
    let mean_off = off.iter().map(|off| off.unsigned_abs()).sum::<u64>() / off.len() as u64;
    println!("{found} of {all}, {wrong} wrong of {reported}, {mean_off} us off in the mean");
    assert!(all > 500 && recall >= 0.95, "{found} of {all}");
    assert!(precision >= 0.98, "{wrong} of {reported}");
    assert!(Duration::from_micros(mean_off) <= intervals / off.len() as u32, "{mean_off}");
}

const LATE: [u64; 7] = [0, 9_000, 3_000, 14_000, 1_000, 6_000, 11_000];

fn found(fps: u64, capture: Capture, acts: &[Act]) -> Outcome {
    watch(&played(fps, acts), capture, &LATE, |_| false)
}

fn assert_stalls(outcome: &Outcome, lengths_ms: &[u64], within_ms: u64) {
    let reported: Vec<_> = outcome.stalls.iter().map(|stall| stall.duration.as_millis() as u64).collect();
    assert_eq!(reported.len(), lengths_ms.len(), "{reported:?} of {lengths_ms:?}");
    let is_near =
        reported.iter().zip(lengths_ms).all(|(reported, known)| reported.abs_diff(*known) <= within_ms);
    assert!(is_near, "{reported:?} of {lengths_ms:?}");
}

#[test]
fn a_cut_that_ends_within_a_standstill_is_a_stall_of_its_own() {
    for (plays, stands, cut) in [(400, 1440, 700), (900, 640, 1100), (300, 2000, 1500)] {
        for resent_us in [0, 400_000] {
            let world = World { resent_us, ..played(25, &[Act::CutInto(plays, stands, cut)]) };
            let outcome = watch(&world, Capture::Evenly, &LATE, |_| false);
            let lengths: Vec<_> = outcome.truth.iter().map(|(_, us)| us / 1000).collect();
            assert_eq!(lengths.len(), 2, "{lengths:?}");
            assert_stalls(&outcome, &lengths, 60);
        }
    }
}

#[test]
fn the_first_frame_after_a_standstill_ends_it_although_it_was_sent_at_once() {
    // So it seems to be captured up to 15 ms earlier than it was, before the source showed its picture.
    let error = Duration::from_micros(NETWORK_US) - Duration::from_millis(1);
    let world = played(25, &[Act::Stand(640), Act::Play(1000), Act::Stand(440)]);
    let outcome = watch_by(error, &world, Capture::EachFrame, &[0], |_| false);
    assert_stalls(&outcome, &[640, 440], 20);
}

#[test]
fn a_cut_that_begins_within_a_standstill_is_one_stall_with_it() {
    for (stands, plays, before) in [(640, 500, 60), (1440, 300, 200), (440, 900, 35), (1440, 700, 300)] {
        // Without frames that are sent again, and with one of the last 60 ms of the standstill, before the way is cut once more.
        for (resent_us, again) in [(0, 0), (plays * 1000 + 60_000, 250)] {
            let played = played(25, &[Act::CutOutOf(stands, plays, before), Act::Cut(again)]);
            let world = World { resent_us, resent_at_most: 1, ..played };
            let outcome = watch(&world, Capture::Evenly, &LATE, |_| false);
            let lengths: Vec<_> = outcome.truth.iter().map(|(_, us)| us / 1000).collect();
            assert_eq!(lengths.len(), 1, "{lengths:?}");
            assert_stalls(&outcome, &lengths, 60);
        }
    }
}

#[test]
fn a_file_that_stands_still_is_a_stall_of_its_source_although_its_old_picture_is_sent() {
    for capture in [Capture::Evenly, Capture::EachFrame] {
        for stands in [640, 200, 440, 1440] {
            let outcome = found(25, capture, &[Act::Stand(stands)]);
            assert_stalls(&outcome, &[stands], 40);
            assert_eq!(outcome.stalls[0].cause, StallCause::Source, "{capture:?}");
            assert!(outcome.summary.score.as_ref().unwrap().tenths < 50);
            assert_eq!(outcome.summary.source_known_by, Some(SourceKnownBy::Frames));
        }
    }
}

#[test]
fn a_gap_near_the_end_of_a_loop_has_its_true_length() {
    for capture in [Capture::Evenly, Capture::EachFrame] {
        for after_ms in [0, 40, 120, 400, 900] {
            let acts = [Act::Stand(640), Act::Play(after_ms), Act::Loop(60)];
            let looped: Vec<_> = (0..3).flat_map(|_| acts.into_iter().chain([Act::Play(3000)])).collect();
            let outcome = found(25, capture, &looped);
            if after_ms > 0 {
                assert_stalls(&outcome, &[640, 640, 640], 45);
            }
        }
    }
}

#[test]
fn a_cut_shortly_after_play_has_its_true_length() {
    for capture in [Capture::Evenly, Capture::EachFrame] {
        let outcome = found(25, capture, &[Act::Pause(3000), Act::Play(400), Act::Cut(738), Act::Play(3000)]);
        assert_stalls(&outcome, &[738], 60);
        assert_ne!(outcome.stalls[0].cause, StallCause::Source);
    }
}

#[test]
fn a_gap_before_a_seek_has_its_true_length() {
    for capture in [Capture::Evenly, Capture::EachFrame] {
        let outcome = found(25, capture, &[Act::Stand(459), Act::Seek(200)]);
        assert_stalls(&outcome, &[459], 45);
        let cut = found(25, capture, &[Act::Cut(459), Act::Play(80), Act::Seek(200)]);
        assert_stalls(&cut, &[459], 60);
    }
}

#[test]
fn pauses_seeks_and_loops_are_no_stalls_at_any_rate() {
    for fps in [5, 10, 15, 24, 25, 30, 50, 60] {
        for capture in [Capture::Evenly, Capture::EachFrame] {
            let acts = [
                Act::Pause(4000),
                Act::Play(2000),
                Act::Seek(300),
                Act::Play(700),
                Act::Loop(120),
                Act::Play(500),
                Act::Pause(200),
                Act::Seek(100),
            ];
            let outcome = found(fps, capture, &acts);
            assert_stalls(&outcome, &[], 0);
        }
    }
}

#[test]
fn no_more_frames_are_counted_than_the_source_showed() {
    // Chromium sends thirty frames a second of a file that shows fifteen.
    let outcome = found(15, Capture::Evenly, &[Act::Play(20_000)]);
    let summary = outcome.summary;
    assert!((summary.frames_per_second.unwrap() - 15.0).abs() < 0.5, "{summary:?}");
    assert!((summary.source_frames_per_second.unwrap() - 15.0).abs() < 0.5, "{summary:?}");
    assert!(summary.source_frames_presented <= summary.source_frames);
    assert!(summary.frames_presented.unwrap() > 700, "{summary:?}");
}

#[test]
fn messages_that_cannot_be_change_nothing() {
    let world = played(25, &[Act::Stand(640)]);
    let mut hostile = World { reported: Vec::new(), ..played(25, &[Act::Stand(640)]) };
    for (sent, reported) in &world.reported {
        hostile.reported.push((*sent, reported.clone()));
        let backwards = SourceFrames { from_us: reported.to_us, to_us: reported.from_us, ..reported.clone() };
        let far = reported.to_us.get().saturating_add(3_000_000_000_000);
        let future = SourceFrames {
            from_us: sightline_protocol::telemetry::PageTime::saturating(far - 1000),
            to_us: sightline_protocol::telemetry::PageTime::saturating(far),
            ..SourceFrames::default()
        };
        let beyond = SourceFrames { frames_ms: vec![reported.frames_ms[0]; 5000], ..reported.clone() };
        hostile.reported.extend([backwards, future, beyond].map(|reported| (*sent, reported)));
    }
    let [expected, reported] =
        [&world, &hostile].map(|world| watch(world, Capture::Evenly, &LATE, |_| false));
    assert_eq!(reported.stalls, expected.stalls);
    assert_eq!(reported.summary, expected.summary);
}

#[test]
fn without_reports_of_the_source_nothing_waits_for_one() {
    let mut world = played(25, &[Act::Cut(600)]);
    world.reported.clear();
    let outcome = watch(&world, Capture::Evenly, &LATE, |_| false);
    assert_stalls(&outcome, &[600], 60);
    assert_eq!((outcome.summary.source_known_by, outcome.summary.source_frames), (None, None));
}

#[test]
fn the_same_input_gives_the_same_ledger_whenever_it_is_looked_at() {
    let world = played(25, &[Act::Stand(640), Act::Play(1000), Act::Cut(300), Act::Loop(30)]);
    let frames = world.display(Capture::Evenly, &LATE);
    let clock = ClockEstimate { offset_us: AHEAD_US, error: Duration::from_millis(12) };
    let ledger = |batch_us: u64| {
        let mut meter = PlayoutMeter::new(Timestamp::ZERO);
        meter.handle_declaration(Declaration::Playing, Timestamp::ZERO);
        meter.handle_file(at(1_000_000));
        let (mut reported, mut shown) =
            (world.reported.iter().peekable(), frames.iter().enumerate().peekable());
        let mut now_us = 0;
        while now_us < world.now_us {
            now_us += batch_us;
            while let Some((sent, message)) = reported.next_if(|(sent, _)| sent + NETWORK_US <= now_us) {
                meter.handle_source_frames(message, Some(clock), at(sent + NETWORK_US));
            }
            while let Some((count, (shown, captured, _))) = shown.next_if(|(_, (shown, ..))| *shown <= now_us)
            {
                let frame = ShownFrame {
                    shown_at: at(*shown),
                    presented_frames: count as u32 + 1,
                    rtp_timestamp: Some((*captured * 9 / 100) as u32),
                    received_at: Some(at(captured + NETWORK_US)),
                    ..ShownFrame::default()
                };
                meter.handle_frame(frame, at(now_us));
            }
            let _ = meter.summary(at(now_us));
        }
        meter.finish(at(world.now_us));
        meter.stalls(at(world.now_us))
    };
    let expected = ledger(1_000_000);
    assert_eq!(expected.len(), 2, "{expected:?}");
    for batch_us in [250_000, 500_000, 1_500_000] {
        assert_eq!(ledger(batch_us), expected);
    }
}

#[test]
fn the_rate_during_a_call_counts_the_frames_that_wait_for_a_report() {
    let world = played(25, &[Act::Play(10_000)]);
    let clock = ClockEstimate { offset_us: AHEAD_US, error: Duration::from_millis(12) };
    for capture in [Capture::Evenly, Capture::EachFrame] {
        let mut meter = PlayoutMeter::new(Timestamp::ZERO);
        meter.handle_file(at(1_000_000));
        let mut reported = world.reported.iter().peekable();
        for (count, (shown, captured, _)) in world.display(capture, &LATE).iter().enumerate() {
            while let Some((sent, message)) = reported.next_if(|(sent, _)| sent + NETWORK_US <= *shown) {
                meter.handle_source_frames(message, Some(clock), at(sent + NETWORK_US));
            }
            let frame = ShownFrame {
                shown_at: at(*shown),
                presented_frames: count as u32 + 1,
                rtp_timestamp: Some((*captured * 9 / 100) as u32),
                received_at: Some(at(captured + NETWORK_US)),
                ..ShownFrame::default()
            };
            meter.handle_frame(frame, at(*shown));
            if *shown > 4_000_000 {
                let rate = meter.summary(at(*shown)).frames_per_second.unwrap();
                assert!((rate - 25.0).abs() < 1.0, "{capture:?} at {shown}: {rate}");
            }
        }
    }
}

#[test]
fn frames_that_the_senders_page_had_no_time_to_paint_are_its_computers_fault() {
    let world = played(25, &[Act::Play(16_000)]);
    let clock = ClockEstimate { offset_us: AHEAD_US, error: Duration::from_millis(12) };
    let mut meter = PlayoutMeter::new(Timestamp::ZERO);
    meter.handle_file(at(1_000_000));
    // The element goes on, and for six seconds the page paints only every eighth of its frames.
    let is_busy = |us: u64| (8_000_000..14_000_000).contains(&us);
    let painted = world.shown_us.iter().enumerate().filter(|(at, us)| !is_busy(**us) || at % 8 == 0);
    let mut reported = world.reported.iter().peekable();
    for (number, (_, painted)) in painted.enumerate() {
        let shown = (painted + NETWORK_US + BUFFER_US).div_ceil(REFRESH_US) * REFRESH_US;
        while let Some((sent, message)) = reported.next_if(|(sent, _)| sent + NETWORK_US <= shown) {
            meter.handle_source_frames(message, Some(clock), at(sent + NETWORK_US));
        }
        meter.handle_stamp(number as u32, there(*painted));
        let frame = ShownFrame {
            shown_at: at(shown),
            presented_frames: number as u32 + 1,
            rtp_timestamp: Some((painted * 9 / 100) as u32),
            received_at: Some(at(painted + NETWORK_US)),
            ..ShownFrame::default()
        };
        meter.handle_frame(frame, at(shown));
    }
    let stalls = meter.stalls(at(world.now_us));
    let causes: Vec<_> = stalls.iter().map(|stall| stall.cause).collect();
    assert!(causes.len() >= 15, "{stalls:?}");
    assert!(causes.iter().all(|cause| *cause == StallCause::SenderCpu), "{stalls:?}");
}
