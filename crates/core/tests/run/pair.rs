//! Two pages: Ada sends a picture, Bob watches it. Bob's clock is ten seconds ahead of Ada's.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    measure::{
        Figure, FigureValue, Metric, ShownFrame, StatsEntry,
        clock::ClockEstimate,
        playout::PlayoutMeter,
        report::Party,
        run::{Recorder, Run, RunOutput},
        stamp::Stamp,
    },
};
use sightline_protocol::{MemberId, RunId, control::ControlMessage};

pub(crate) const AHEAD: Duration = Duration::from_secs(10);
/// The time from painting to display.
pub(crate) const DELAY: Duration = Duration::from_millis(80);

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub(crate) fn party(name: &str) -> Party {
    Party { member: name.to_owned(), name: name.to_owned(), browser: "test".to_owned() }
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) run: Run,
}

/// Two pages; times are those of Ada's clock.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) ada: Page,
    pub(crate) bob: Page,
    pub(crate) now: Timestamp,
    presented: u32,
    /// Whether messages are delivered.
    pub(crate) is_connected: bool,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_origin(Duration::from_secs(100));
        Self { ada: Page::default(), bob: Page::default(), now, presented: 0, is_connected: true }
    }

    pub(crate) fn bobs_now(&self) -> Timestamp {
        self.now + AHEAD
    }

    /// The estimate that Ada has of Bob's clock.
    pub(crate) fn clock_of_bob(&self) -> Option<ClockEstimate> {
        Some(ClockEstimate { offset_us: ahead_us(), error: Duration::from_millis(2) })
    }

    /// Ada starts a run.
    pub(crate) fn start(&mut self, number: u128, limit: Option<Duration>) {
        self.ada.run.start(RunId::from_random(number), party("ada"), "room", limit, self.now);
        self.open();
    }

    /// Bob also starts a run.
    pub(crate) fn start_at_bobs(&mut self, number: u128, limit: Option<Duration>) {
        self.bob.run.start(RunId::from_random(number), party("bob"), "room", limit, self.bobs_now());
        self.open();
    }

    /// Ada gets a message that Bob's page did not produce.
    pub(crate) fn tell_ada(&mut self, message: &ControlMessage, clock: Option<ClockEstimate>) {
        let now = self.now;
        let local = || (party("ada"), "room".to_owned());
        if self.ada.run.handle_control(&id("bob"), message, local, clock, now) {
            self.ada.run.handle_open(&id("bob"), || Recorder::new(party("bob"), PlayoutMeter::new(now)));
        }
    }

    /// Bob gets a message that Ada's page did not produce.
    pub(crate) fn tell_bob(&mut self, message: &ControlMessage, clock: Option<ClockEstimate>) {
        let now = self.bobs_now();
        let local = || (party("bob"), "room".to_owned());
        if self.bob.run.handle_control(&id("ada"), message, local, clock, now) {
            self.bob.run.handle_open(&id("ada"), || Recorder::new(party("ada"), PlayoutMeter::new(now)));
        }
    }

    /// The channels between the two open.
    pub(crate) fn open(&mut self) {
        let now = self.now;
        self.ada.run.handle_open(&id("bob"), || Recorder::new(party("bob"), PlayoutMeter::new(now)));
        let now = self.bobs_now();
        self.bob.run.handle_open(&id("ada"), || Recorder::new(party("ada"), PlayoutMeter::new(now)));
        self.deliver();
    }

    /// Delivers all messages, including those that follow from them.
    pub(crate) fn deliver(&mut self) {
        loop {
            let from_ada = sent(&mut self.ada.run);
            let from_bob = sent(&mut self.bob.run);
            if from_ada.is_empty() && from_bob.is_empty() {
                return;
            }
            if !self.is_connected {
                continue;
            }
            let (now, bobs_now) = (self.now, self.bobs_now());
            let error = Duration::from_millis(2);
            for message in from_ada {
                // Serialized and parsed, as on the wire.
                let message = again(&message);
                let clock = ClockEstimate { offset_us: -ahead_us(), error };
                let local = || (party("bob"), "room".to_owned());
                if self.bob.run.handle_control(&id("ada"), &message, local, Some(clock), bobs_now) {
                    self.bob
                        .run
                        .handle_open(&id("ada"), || Recorder::new(party("ada"), PlayoutMeter::new(bobs_now)));
                }
            }
            for message in from_bob {
                let message = again(&message);
                let clock = ClockEstimate { offset_us: ahead_us(), error };
                let local = || (party("ada"), "room".to_owned());
                if self.ada.run.handle_control(&id("bob"), &message, local, Some(clock), now) {
                    self.ada
                        .run
                        .handle_open(&id("bob"), || Recorder::new(party("bob"), PlayoutMeter::new(now)));
                }
            }
        }
    }

    /// Bob sees Ada's picture at 25 frames per second; both get a stats report each second.
    pub(crate) fn play(&mut self, seconds: u32) {
        for _ in 0..seconds {
            for _ in 0..25 {
                self.now = self.now + Duration::from_millis(40);
                self.presented += 1;
                let shown_at = self.bobs_now();
                let frame = ShownFrame {
                    shown_at,
                    seen_at: shown_at,
                    presented_frames: self.presented,
                    width: 640,
                    height: 360,
                    ..ShownFrame::default()
                };
                for recorder in self.bob.run.recorders(&id("ada")) {
                    recorder.handle_frame(frame, shown_at);
                    // Painted 80 ms earlier, on Ada's clock.
                    let painted_at = Timestamp::from_origin(self.now.since_origin() - DELAY);
                    let clock = ClockEstimate { offset_us: -ahead_us(), error: Duration::from_millis(2) };
                    let stamp = Ok(Stamp::new(self.presented, painted_at));
                    recorder.handle_stamp(stamp, Duration::from_millis(1), &frame, Some(clock));
                }
            }
            self.report();
        }
    }

    /// Bob's page is loaded again: what it measured is lost, and it is back after this long.
    pub(crate) fn reload_bob(&mut self, away: Duration) {
        for recorder in self.ada.run.recorders(&id("bob")) {
            recorder.handle_away(true, self.now);
        }
        self.now = self.now + away;
        self.bob = Page::default();
        for recorder in self.ada.run.recorders(&id("bob")) {
            recorder.handle_away(false, self.now);
            recorder.handle_opened(self.now);
        }
        self.open();
    }

    /// No frame is shown for this long.
    pub(crate) fn stop_for(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// Ada is heard, too. In the seventh second a fifth of the sound is lost.
    fn audio(&self, now: Timestamp) -> serde_json::Value {
        let packets = self.presented * 2;
        let (lost, concealed) = if packets > 300 { (10, 9600) } else { (0, 0) };
        serde_json::json!({
            "type": "inbound-rtp", "kind": "audio", "id": "A", "timestamp": now.since_origin().as_millis() as u64,
            "packetsReceived": packets - lost, "packetsLost": lost, "totalSamplesReceived": packets * 960,
            "concealedSamples": concealed, "silentConcealedSamples": concealed / 10, "concealmentEvents": lost,
            "insertedSamplesForDeceleration": packets, "removedSamplesForAcceleration": packets * 2,
            "jitterBufferDelay": f64::from(packets) * 48.0, "jitterBufferEmittedCount": packets * 960,
        })
    }

    fn report(&mut self) {
        let (now, bobs_now) = (self.now, self.bobs_now());
        let rows = |bitrate| {
            vec![
                Figure { metric: Metric::SendBitrate, value: Some(FigureValue::Number(bitrate)) },
                Figure { metric: Metric::Codec, value: Some(FigureValue::Word("VP8".to_owned())) },
            ]
        };
        let entry: StatsEntry = serde_json::from_value(serde_json::json!({
            "type": "inbound-rtp", "kind": "video", "id": "V", "timestamp": now.since_origin().as_millis() as u64,
            "bytesReceived": self.presented * 1000, "packetsReceived": self.presented, "packetsLost": 0,
        }))
        .unwrap();
        let audio: StatsEntry = serde_json::from_value(self.audio(now)).unwrap();
        for recorder in self.ada.run.recorders(&id("bob")) {
            recorder.handle_report(&[], &rows(500_000.0), now);
        }
        for recorder in self.bob.run.recorders(&id("ada")) {
            recorder.handle_report(&[entry.clone(), audio.clone()], &rows(0.0), bobs_now);
        }
        self.ada.run.handle_progress(now);
        self.bob.run.handle_progress(bobs_now);
        self.deliver();
    }
}

fn ahead_us() -> i64 {
    i64::try_from(AHEAD.as_micros()).unwrap()
}

fn sent(run: &mut Run) -> Vec<ControlMessage> {
    let outputs = std::iter::from_fn(|| run.poll_output());
    outputs
        .filter_map(|output| match output {
            RunOutput::Send(_, message) => Some(message),
            RunOutput::Changed => None,
        })
        .collect()
}

fn again(message: &ControlMessage) -> ControlMessage {
    serde_json::from_str(&serde_json::to_string(message).unwrap()).unwrap()
}
