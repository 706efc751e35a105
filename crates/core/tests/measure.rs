//! The measurements without a browser: the test feeds observations and compares the report of a run.
//!
//! A sequence is a file of JSON lines, each with the page's time in milliseconds and one observation, as a browser or a member
//! reports it. `recorded.jsonl` was recorded from Chromium, with the report that the page saved
//! (`tests/profiles/recording.toml` describes how). `hand_made.jsonl` was written by a script: Ada watches Bob, whose clock is
//! 65 s ahead, for a run of eleven seconds with one stop of 720 ms in which packets are lost. Its report was reviewed and then
//! kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use sightline_core::{
    Timestamp, decode, duration_of_seconds,
    link::LinkId,
    measure::{
        ConnectionReport, MeasureOutput, Measurements, NotedFrame, Observation, ShownFrame, StatsEntry,
        connection::{ConnectionStates, LinkPath, Subject},
        report::{Party, Report},
        run::RunState,
    },
};
use sightline_protocol::{MemberId, RunId, control::ControlMessage, telemetry::TelemetryMessage};

const HAND_MADE: &str = include_str!("measurements/hand_made.jsonl");
const HAND_MADE_REPORT: &str = include_str!("measurements/hand_made.report.json");
/// When the page was opened, in milliseconds since 1970.
const OPENED_UNIX_MS: u64 = 1_700_000_000_000;
const LINK: LinkId = LinkId(1);

fn ms(ms: f64) -> Timestamp {
    Timestamp::from_origin(Duration::from_micros((ms * 1000.0) as u64))
}

fn bob() -> MemberId {
    MemberId::new("bob").unwrap()
}

/// Ada's page, which replays a sequence.
struct Page {
    measurements: Measurements,
    /// The run that the recorded page started when it entered the room.
    run: RunId,
    states: ConnectionStates,
    frames: Vec<NotedFrame>,
    outputs: Vec<MeasureOutput>,
    now: Timestamp,
}

impl Page {
    fn new() -> Self {
        let ada = Party { member: "ada".to_owned(), name: "Ada".to_owned(), browser: "none".to_owned() };
        let conditions = vec![("source".to_owned(), "camera".to_owned())];
        Self::of("room", ada, conditions, RunId::from_random(7))
    }

    fn of(room: &str, local: Party, conditions: Vec<(String, String)>, run: RunId) -> Self {
        let mut measurements = Measurements::new(room, local, true);
        measurements.set_conditions(conditions);
        Self {
            measurements,
            run,
            states: ConnectionStates::default(),
            frames: Vec::new(),
            outputs: Vec::new(),
            now: Timestamp::ZERO,
        }
    }

    /// The page that saved this report.
    fn that_saved(report: &Report) -> Self {
        let own = &report.sides[0];
        let is_set_here = |name: &str| ["source", "relay_only"].contains(&name);
        let conditions = own.conditions.iter().filter(|(name, _)| is_set_here(name)).cloned().collect();
        Self::of(&report.room, own.observer.clone(), conditions, RunId::new(&report.run).unwrap())
    }

    fn after(sequence: &str) -> Self {
        let mut page = Self::new();
        sequence.lines().for_each(|line| page.take(&serde_json::from_str(line).unwrap()));
        page
    }

    fn take(&mut self, line: &Value) {
        self.now = ms(line["at_ms"].as_f64().unwrap());
        let (what, seen) = line.as_object().unwrap().iter().find(|(name, _)| *name != "at_ms").unwrap();
        match what.as_str() {
            "present" => self.see(Observation::Present {
                name: seen["name"].as_str().unwrap().to_owned(),
                published: serde_json::from_value(seen["published"].clone()).unwrap(),
            }),
            "connected" => {
                let is_connected = seen.as_bool().unwrap();
                let state = if is_connected { "connected" } else { "connecting" };
                self.states.connection = Some(state.to_owned());
                self.see(Observation::Connected(is_connected));
            }
            "channel_opened" => self.see(Observation::ChannelOpened),
            "telemetry" => {
                let message = decode::telemetry_message(seen.as_str().unwrap()).unwrap();
                self.see(Observation::Telemetry(LINK, message));
            }
            "control" => match decode::control_message(seen.as_str().unwrap()).unwrap() {
                ControlMessage::State(published) => {
                    let name = "Sender".to_owned();
                    self.see(Observation::Present { name, published: Some(published) });
                }
                message => self.see(Observation::Run(message)),
            },
            "run_limit_s" => {
                let limit = duration_of_seconds(seen.as_f64().unwrap());
                self.measurements.start_run(self.run.clone(), limit, self.now);
                // The other member comes later.
                self.see(Observation::Present { name: "Sender".to_owned(), published: None });
            }
            "frame" => self.frames.push(NotedFrame { shown: frame(seen), stamp: None }),
            "report" => self.report(serde_json::from_value(seen.clone()).unwrap()),
            "start_run" => {
                let id = RunId::new(seen.as_str().unwrap()).unwrap();
                self.measurements.start_run(id, None, self.now);
            }
            "stop_run" => self.measurements.stop_run(self.now),
            other => panic!("{other}"),
        }
        self.outputs.extend(std::iter::from_fn(|| self.measurements.poll_output()));
    }

    fn see(&mut self, observation: Observation) {
        self.measurements.handle(&bob(), observation, self.now);
    }

    fn report(&mut self, entries: Vec<StatsEntry>) {
        let report = ConnectionReport {
            link: LINK,
            entries,
            states: self.states.clone(),
            are_frames_noted: true,
            frames: std::mem::take(&mut self.frames),
            local_sdp: None,
            remote_sdp: None,
            unix_ms: self.unix_ms(),
        };
        self.see(Observation::Report(Box::new(report)));
    }

    fn unix_ms(&self) -> u64 {
        OPENED_UNIX_MS + u64::try_from(self.now.since_origin().as_millis()).unwrap()
    }

    fn document(&self) -> Option<Report> {
        self.measurements.report(self.unix_ms(), self.now)
    }

    fn told(&self) -> impl Iterator<Item = &TelemetryMessage> {
        self.outputs.iter().filter_map(|output| match output {
            MeasureOutput::SendTelemetry(LINK, message) => Some(message),
            _ => None,
        })
    }
}

/// A shown frame from recorded `VideoFrameCallbackMetadata`.
fn frame(metadata: &Value) -> ShownFrame {
    let number = |name: &str| metadata[name].as_f64();
    let count = |name: &str| number(name).unwrap_or_default() as u32;
    let shown_at = ms(number("presentationTime").unwrap());
    ShownFrame {
        shown_at,
        seen_at: number("expectedDisplayTime").map_or(shown_at, ms),
        presented_frames: count("presentedFrames"),
        width: count("width"),
        height: count("height"),
        rtp_timestamp: number("rtpTimestamp").map(|ticks| ticks as u32),
        received_at: number("receiveTime").map(ms),
        captured_at: number("captureTime").map(ms),
        processing: number("processingDuration").and_then(duration_of_seconds),
    }
}

#[test]
fn a_sequence_of_reports_and_frames_leaves_the_same_report_document() {
    let page = Page::after(HAND_MADE);
    let document = page.document().expect("the run is over");
    let kept: Value = serde_json::from_str(HAND_MADE_REPORT).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&document.to_json()).unwrap(), kept);
}

/// The report that a recorded page saved, and the report after a replay of what it recorded.
fn saved_and_replayed(name: &str) -> (Value, Value) {
    let file = |kind: &str| std::fs::read_to_string(format!("tests/measurements/{name}.{kind}")).unwrap();
    let saved = Report::parse(&file("report.json")).unwrap();
    let mut page = Page::that_saved(&saved);
    file("jsonl").lines().for_each(|line| page.take(&serde_json::from_str(line).unwrap()));
    let document = page.document().expect("the run is over");
    let mut saved: Value = serde_json::from_str(&file("report.json")).unwrap();
    for side in saved["sides"].as_array_mut().unwrap() {
        // `cargo xtask measure` adds the link.
        let is_of_page = |condition: &Value| {
            let name = condition[0].as_str().unwrap();
            name != "profile" && !name.starts_with("link")
        };
        side["conditions"].as_array_mut().unwrap().retain(is_of_page);
    }
    (saved, serde_json::to_value(&document).unwrap())
}

#[test]
fn a_recorded_run_leaves_the_report_that_the_browser_saved() {
    let (mut saved, mut replayed) = saved_and_replayed("recorded");
    remove_fields_added_later(&mut replayed, &saved);
    // The page that saved the report judged causes by older rules, which called a second without any packet a loss.
    assert_eq!(remove_causes(&mut saved), ["loss"]);
    assert_eq!(remove_causes(&mut replayed), ["path_change"]);
    // It also expected 24 frames a second from every source; this camera had 15.
    let is_rate = |term: &Value| term["kind"] == "frame_rate";
    let (before, now) = (remove_score(&mut saved), remove_score(&mut replayed));
    let points =
        [&before, &now].map(|terms| terms.iter().find(|term| is_rate(term)).unwrap()["points"].clone());
    assert_eq!(points, [1.0, 0.1]);
    let others =
        [before, now].map(|terms| terms.into_iter().filter(|term| !is_rate(term)).collect::<Vec<_>>());
    assert_eq!(others[0], others[1]);
    assert_like(&replayed, &saved, "report");
}

#[test]
fn a_recorded_run_with_sound_leaves_the_same_figures_and_bursts_of_sound() {
    let (mut saved, mut replayed) = saved_and_replayed("recorded_sound");
    let sound = saved["sides"][0]["sound"].clone();
    let causes: Vec<_> =
        sound["bursts"].as_array().unwrap().iter().map(|burst| burst["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["loss", "late"]);
    for figure in ["samples_received", "concealed_samples", "inserted_samples", "jitter_buffer_delay_s"] {
        assert!(sound[figure].as_f64().unwrap() > 0.0, "{figure} of {sound}");
    }
    assert_eq!(remove_causes(&mut replayed), remove_causes(&mut saved));
    assert_like(&replayed, &saved, "report");
}

/// Removes the causes of all stalls, and returns them.
fn remove_causes(report: &mut Value) -> Vec<String> {
    let sides = report["sides"].as_array_mut().unwrap().iter_mut();
    let stalls = sides.filter_map(|side| side.pointer_mut("/playout/stalls")?.as_array_mut()).flatten();
    let causes = stalls.filter_map(|stall| stall.as_object_mut()?.remove("cause"));
    causes.map(|cause| cause.as_str().unwrap().to_owned()).collect()
}

/// Removes the score of the first side, and returns its terms.
fn remove_score(report: &mut Value) -> Vec<Value> {
    let playout = report.pointer_mut("/sides/0/playout").unwrap().as_object_mut().unwrap();
    playout.remove("score").unwrap()["terms"].as_array().unwrap().clone()
}

/// Removes values that are recorded now and were not when the report was saved.
fn remove_fields_added_later(replayed: &mut Value, saved: &Value) {
    for (side, saved) in
        replayed["sides"].as_array_mut().unwrap().iter_mut().zip(saved["sides"].as_array().unwrap())
    {
        let known = saved["columns"].as_array().unwrap();
        let columns = side["columns"].as_array().unwrap();
        let is_known: Vec<_> = columns.iter().map(|column| known.contains(column)).collect();
        let keep = |values: &mut Value| {
            let mut is_known = is_known.iter();
            values.as_array_mut().unwrap().retain(|_| *is_known.next().unwrap());
        };
        keep(&mut side["columns"]);
        side["samples"].as_array_mut().unwrap().iter_mut().for_each(keep);
        for stall in side["playout"]["stalls"].as_array_mut().into_iter().flatten() {
            stall.as_object_mut().unwrap().remove("confidence");
        }
        for place in ["", "/playout"] {
            let Some(Value::Object(members)) = side.pointer_mut(place) else { continue };
            members.retain(|name, _| saved.pointer(&format!("{place}/{name}")).is_some());
        }
    }
}

/// Checks that two documents are equal, except for times that the replay reads some milliseconds apart.
fn assert_like(one: &Value, other: &Value, place: &str) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert!(one.keys().eq(other.keys()), "{place}: {one:?} {other:?}");
            for name in one.keys().filter(|name| !["started_at_unix_ms", "member"].contains(&name.as_str())) {
                assert_like(&one[name], &other[name], &format!("{place}.{name}"));
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len(), "{place}");
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                assert_like(one, other, &format!("{place}[{at}]"));
            }
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            assert!((one - other).abs() <= 0.1 + 0.02 * other.abs(), "{place}: {one} and {other}");
        }
        _ => assert_eq!(one, other, "{place}"),
    }
}

#[test]
fn the_document_comparison_detects_a_different_value() {
    let kept: Value = serde_json::from_str(HAND_MADE_REPORT).unwrap();
    assert_like(&kept, &kept, "report");
    for (place, value) in [
        ("/sides/0/playout/stall_count", json!(2)),
        ("/sides/0/playout/stalls/0/cause", json!("bandwidth")),
        ("/sides/0/samples/3/0", json!(4.5)),
        ("/sides/1/samples", json!([])),
    ] {
        let mut other = kept.clone();
        *other.pointer_mut(place).unwrap() = value;
        assert!(std::panic::catch_unwind(|| assert_like(&other, &kept, "report")).is_err(), "{place}");
    }
}

#[test]
fn the_report_contains_the_stall_and_the_clock_of_the_sequence() {
    let document = Page::after(HAND_MADE).document().expect("the run is over");
    assert_eq!((document.room.as_str(), document.sides.len()), ("room", 2));
    let own = &document.sides[0];
    assert_eq!((own.observer.name.as_str(), own.observed.name.as_str()), ("Ada", "Bob"));
    let playout = own.playout.as_ref().expect("a picture was shown");
    let [stall] = playout.stalls.as_slice() else { panic!("{:?}", playout.stalls) };
    assert_eq!(stall.cause, "path_change");
    assert!((stall.duration_s - 0.68).abs() < 0.05, "{stall:?}");
    let theirs = &document.sides[1];
    assert_eq!((theirs.observer.name.as_str(), theirs.observer.browser.as_str()), ("Bob", "Firefox"));
    let clock = theirs.clock.as_ref().expect("Bob's clock was asked for");
    assert!((clock.offset_s - 65.0).abs() <= clock.error_s && clock.error_s < 0.02, "{clock:?}");
}

#[test]
fn reception_and_sending_are_reported_to_the_other_side_and_shown() {
    let page = Page::after(HAND_MADE);
    let sequences: Vec<_> = page
        .told()
        .filter_map(|message| match message {
            TelemetryMessage::Reception(reception) => Some(reception.sequence),
            _ => None,
        })
        .collect();
    assert_eq!(sequences, (0..13).collect::<Vec<_>>(), "once for each report");
    assert_eq!(page.told().filter(|message| matches!(message, TelemetryMessage::Sending(_))).count(), 13);
    let shown: Vec<_> = page
        .outputs
        .iter()
        .filter_map(|output| match output {
            MeasureOutput::Figures(_, shown) => Some(shown),
            _ => None,
        })
        .collect();
    let last = shown.last().unwrap();
    assert_eq!(shown.len(), 13);
    assert_eq!(last.selected_pair.as_deref(), Some("host udp 192.0.2.1:5000 - host udp *"));
    assert_eq!(last.receiver.as_ref().map(|receiver| receiver.name.as_str()), Some("Bob"));
    assert!(shown.iter().all(|shown| shown.watched.is_none()), "the other metrics are not watched");
    assert_eq!(page.measurements.path(&bob()), Some(LinkPath::Direct));
    let states = page.outputs.iter().filter_map(|output| match output {
        MeasureOutput::Run(progress) => Some(progress.state),
        _ => None,
    });
    let mut states: Vec<_> = states.collect();
    states.dedup();
    assert_eq!(states, [RunState::Waiting, RunState::Running, RunState::Ended]);
    let run_messages = page.outputs.iter().filter_map(|output| match output {
        MeasureOutput::SendControl(_, message) => Some(message),
        _ => None,
    });
    let kinds: Vec<_> = run_messages
        .map(|message| match message {
            ControlMessage::RunStart { .. } => "start",
            ControlMessage::RunStop { .. } => "stop",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["start", "stop"]);
}

#[test]
fn histories_are_output_only_while_they_are_watched_and_all_of_them_at_the_start() {
    let mut page = Page::after(HAND_MADE);
    assert!(!page.outputs.iter().any(|output| matches!(output, MeasureOutput::History(..))));
    page.measurements.watch(true, page.now);
    let history = std::iter::from_fn(|| page.measurements.poll_output()).find_map(|output| match output {
        MeasureOutput::History(member, history) if member == bob() => Some(history),
        _ => None,
    });
    let history = history.expect("what was measured before anybody looked");
    assert_eq!(history.len(), 13);
    let subjects: Vec<_> = history.events().map(|event| event.subject).collect();
    assert!(
        subjects.contains(&Subject::Source) && subjects.contains(&Subject::CandidatePair),
        "{subjects:?}"
    );
    page.see(Observation::State(Subject::Connection, "disconnected".to_owned()));
    assert!(matches!(page.measurements.poll_output(), Some(MeasureOutput::History(..))), "at once");
}

#[test]
fn a_page_is_busy_while_its_timers_are_late_and_not_while_it_is_hidden() {
    let mut page = Page::after(HAND_MADE);
    let busy_ms = |page: &mut Page| {
        let reports: Vec<Value> = HAND_MADE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = reports.iter().rev().find_map(|line| line.get("report")).unwrap();
        page.report(serde_json::from_value(last.clone()).unwrap());
        page.outputs = std::iter::from_fn(|| page.measurements.poll_output()).collect();
        let busy = page.told().find_map(|message| match message {
            TelemetryMessage::Sending(sending) => sending.picture.busy_ms,
            _ => None,
        });
        busy.map(sightline_protocol::bounded::UpTo::get)
    };
    page.measurements.handle_timeout(page.now);
    page.now = page.now + Duration::from_millis(1400);
    page.measurements.handle_timeout(page.now);
    assert_eq!(busy_ms(&mut page), Some(400), "a timer of one second came 400 ms late");
    page.measurements.handle_visibility(false, page.now);
    page.now = page.now + Duration::from_secs(600);
    page.measurements.handle_visibility(true, page.now);
    page.now = page.now + Duration::from_millis(3);
    page.measurements.handle_timeout(page.now);
    assert_eq!(busy_ms(&mut page), Some(3), "the page was hidden before");
}

#[test]
fn stats_are_read_once_a_second_while_the_page_is_visible_or_in_a_run() {
    let mut page = Page::new();
    let read = |page: &mut Page, at_ms: f64| {
        page.measurements.handle_timeout(ms(at_ms));
        std::iter::from_fn(|| page.measurements.poll_output())
            .filter(|output| *output == MeasureOutput::ReadStats)
            .count()
    };
    assert_eq!((read(&mut page, 5000.0), read(&mut page, 5999.0), read(&mut page, 6000.0)), (1, 0, 1));
    page.measurements.handle_visibility(false, ms(6500.0));
    assert_eq!((page.measurements.poll_timeout(), read(&mut page, 9000.0)), (None, 0));
    page.measurements.start_run(RunId::from_random(7), None, ms(9100.0));
    assert_eq!((page.measurements.poll_timeout(), read(&mut page, 9100.0)), (Some(ms(9100.0)), 1));
}

#[test]
fn a_rebuilt_connection_starts_new_counters_and_the_member_continues() {
    let mut page = Page::after(HAND_MADE);
    let old: Vec<_> = page.told().cloned().collect();
    page.see(Observation::ConnectionClosed(LINK));
    assert_eq!(page.measurements.path(&bob()), None);
    page.outputs.clear();
    page.see(Observation::Telemetry(LinkId(2), old[0].clone()));
    let entry = StatsEntry { entry_type: "inbound-rtp".to_owned(), timestamp: 1.0, ..StatsEntry::default() };
    let report = ConnectionReport {
        link: LinkId(2),
        entries: vec![entry],
        states: ConnectionStates::default(),
        are_frames_noted: true,
        frames: Vec::new(),
        local_sdp: None,
        remote_sdp: None,
        unix_ms: page.unix_ms(),
    };
    page.see(Observation::Report(Box::new(report)));
    let outputs: Vec<_> = std::iter::from_fn(|| page.measurements.poll_output()).collect();
    let told = outputs.iter().find_map(|output| match output {
        MeasureOutput::SendTelemetry(LinkId(2), TelemetryMessage::Reception(reception)) => Some(reception),
        _ => None,
    });
    assert_eq!(told.map(|reception| reception.sequence), Some(0), "on the new connection");
    page.see(Observation::Gone);
    let outputs: Vec<_> = std::iter::from_fn(|| page.measurements.poll_output()).collect();
    assert!(outputs.contains(&MeasureOutput::Receiver(None)), "{outputs:?}");
}
