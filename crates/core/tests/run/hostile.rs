//! A member that forges its measurements and sends unrequested messages.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use sightline_core::measure::{
    clock::ClockEstimate,
    report::{Report, Side},
    run::RunState,
};
use sightline_protocol::{RunId, control::ControlMessage, telemetry::PageTime};

use crate::{pair::Pair, schema_check::check};

fn run(number: u128) -> RunId {
    RunId::from_random(number)
}

fn log(number: u128, text: &str) -> ControlMessage {
    ControlMessage::RunLog { run: run(number), part: 0, parts: 1, text: text.to_owned() }
}

/// Bob sees Ada and gets these messages from her; returns his report.
fn report_after(messages: &[ControlMessage], clock: Option<ClockEstimate>) -> Report {
    let mut pair = Pair::new();
    pair.start_at_bobs(2, None);
    pair.play(3);
    for message in messages {
        pair.tell_bob(message, clock);
    }
    pair.play(3);
    for message in messages {
        pair.tell_bob(message, clock);
    }
    // Ada's honest messages do not arrive.
    pair.is_connected = false;
    pair.bob.run.stop(pair.bobs_now());
    for message in messages {
        pair.tell_bob(message, clock);
    }
    assert_eq!(pair.bob.run.state(), RunState::Ended);
    pair.bob.run.report(1e12, pair.bobs_now()).unwrap()
}

fn own_parts(report: &Report) -> (Value, Vec<Side>) {
    let mut head: Value = serde_json::from_str(&report.to_json()).unwrap();
    head.as_object_mut().unwrap().remove("sides");
    let own = report.sides.iter().filter(|side| side.observer.name == "bob").cloned().collect();
    (head, own)
}

fn honest() -> Report {
    report_after(&[], None)
}

fn assert_unharmed(report: &Report) {
    assert_eq!(own_parts(report), own_parts(&honest()));
    let text = report.to_json();
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    check(&value, &schema, &schema, "report");
    let read = Report::read(text.as_bytes()).expect("the local report can be opened");
    assert_same(&serde_json::from_str(&read.to_json()).unwrap(), &value);
}

/// Compares two values. Numbers may differ in the last digits, since they were read once more.
fn assert_same(one: &Value, other: &Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert!(one.keys().eq(other.keys()), "{one:?} {other:?}");
            one.iter().for_each(|(name, value)| assert_same(value, &other[name]));
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len());
            one.iter().zip(other).for_each(|(one, other)| assert_same(one, other));
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            assert!((one - other).abs() <= other.abs() * 1e-12, "{one} and {other}");
        }
        _ => assert_eq!(one, other),
    }
}

/// A side of a report, as an honest page sends it.
fn told() -> Value {
    json!({
        "observer": {"member": "mallory", "name": "Bob", "browser": "=x\u{202e}"},
        "observed": {"member": "bob", "name": "Mallory"},
        "columns": ["time", "send_bitrate", "no_metric"],
        "samples": [[101.0, 5.0, 1.0], [102.0, null, 2.0]],
        "events": [{"at_s": 101.5, "subject": "codec", "value": "VP8"}],
        "playout": {
            "first_frame_at_s": 101.0, "watched_s": 5.0, "stall_count": 1, "stall_time_s": 1.0, "stall_ratio": 0.2,
            "longest_stall_s": 1.0, "stalls": [{"start_s": 102.0, "duration_s": 1.0, "cause": "loss"}],
            "marks": [{"kind": "paused", "from_s": 102.0, "to_s": 103.0}],
        },
    })
}

const ALIGNED: Option<ClockEstimate> =
    Some(ClockEstimate { offset_us: -10_000_000, error: Duration::from_millis(2) });

#[test]
fn the_log_of_another_member_is_in_a_separate_section_under_its_name() {
    let report = report_after(&[log(2, &told().to_string())], ALIGNED);
    assert_eq!(report.sides.len(), 2);
    let side = &report.sides[1];
    assert_eq!((side.observer.name.as_str(), side.observed.name.as_str()), ("ada", "bob"));
    assert_eq!((side.observer.member.as_str(), side.observer.browser.as_str()), ("ada", "=x"));
    assert_eq!(side.columns, ["time", "send_bitrate"]);
    assert_eq!(side.samples[0].len(), 2);
    assert_unharmed(&report);
}

#[test]
fn an_impossible_time_of_the_first_frame_is_refused() {
    for first_frame_at_s in [-1e300, -1.0, 1e300, 2e19] {
        let mut side = told();
        side["playout"]["first_frame_at_s"] = json!(first_frame_at_s);
        for clock in [ALIGNED, None] {
            let report =
                report_after(&[log(2, &side.to_string()), ControlMessage::RunStop { run: run(2) }], clock);
            assert_unharmed(&report);
            assert!((report.duration_s - 6.0).abs() < 0.1, "{}", report.duration_s);
            assert!(first_frame_at_s == -1.0 || report.sides.len() == 1);
        }
    }
}

#[test]
fn a_large_clock_offset_does_not_move_a_side_out_of_the_report() {
    for offset_us in [i64::MAX, i64::MIN + 1, 900_000_000_000_000, -900_000_000_000_000, 1_000_000_000_000] {
        let clock = Some(ClockEstimate { offset_us, error: Duration::from_secs(5) });
        let report = report_after(&[log(2, &told().to_string())], clock);
        assert_eq!(report.sides.len(), 1, "{offset_us}");
        assert_unharmed(&report);
    }
}

#[test]
fn a_side_that_is_too_long_or_nested_too_deeply_is_refused() {
    let mut long = told();
    long["playout"]["stalls"] = Value::Array(vec![long["playout"]["stalls"][0].clone(); 2001]);
    for text in [long.to_string(), "[".repeat(10_000), String::new(), "null".to_owned(), "{}".to_owned()] {
        let parts: Vec<_> =
            text.as_bytes().chunks(20_000).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
        let count = u16::try_from(parts.len().max(1)).unwrap();
        let messages: Vec<_> = (0..)
            .zip(parts)
            .map(|(part, text)| ControlMessage::RunLog { run: run(2), part, parts: count, text })
            .collect();
        let report = report_after(&messages, ALIGNED);
        assert_eq!(report.sides.len(), 1);
        assert_unharmed(&report);
    }
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("JSON has no other", |number| number.is_finite()),
        -200.0..200.0_f64,
        prop::sample::select(vec![
            -1e300,
            1e300,
            2e19,
            -0.0,
            1e9,
            1e15,
            172_801.0,
            f64::MAX,
            f64::MIN_POSITIVE
        ]),
    ]
}

/// The paths of numbers in a received side.
const PLACES: [&str; 14] = [
    "/samples/0/0",
    "/samples/0/1",
    "/samples/1/0",
    "/events/0/at_s",
    "/playout/first_frame_at_s",
    "/playout/watched_s",
    "/playout/stall_count",
    "/playout/stall_time_s",
    "/playout/stall_ratio",
    "/playout/longest_stall_s",
    "/playout/stalls/0/start_s",
    "/playout/stalls/0/duration_s",
    "/playout/marks/0/from_s",
    "/playout/marks/0/to_s",
];

fn any_message() -> impl Strategy<Value = ControlMessage> {
    let id = || prop::sample::select(vec![1_u128, 2, 3]);
    prop_oneof![
        (id(), any::<bool>(), prop::option::of(0..900_000_000_000_000_u64)).prop_map(
            |(id, is_running, first_us)| ControlMessage::RunStart {
                run: run(id),
                is_running,
                first_us: first_us.map(PageTime::saturating),
            }
        ),
        id().prop_map(|id| ControlMessage::RunStop { run: run(id) }),
        (id(), any::<u16>(), any::<u16>(), ".{0,40}").prop_map(|(id, part, parts, text)| {
            ControlMessage::RunLog { run: run(id), part, parts, text }
        }),
        (id(), prop::collection::vec((0..PLACES.len(), any_number()), 0..4)).prop_map(|(id, changes)| {
            let mut side = told();
            for (at, number) in changes {
                *side.pointer_mut(PLACES[at]).unwrap() = json!(number);
            }
            log(id, &side.to_string())
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_message_of_another_member_changes_the_local_part_of_the_report(
        messages in prop::collection::vec(any_message(), 0..12),
        offset_us in prop::option::of(prop_oneof![any::<i64>(), -20_000_000..20_000_000_i64]),
    ) {
        let clock = offset_us.map(|offset_us| ClockEstimate { offset_us, error: Duration::from_millis(3) });
        assert_unharmed(&report_after(&messages, clock));
    }
}
