use serde_json::{Value, json};
use sightline_core::measure::{
    StatsEntry,
    report::{RtcStatsDump, RtcStatsHeader, to_csv},
};

use crate::pair::Pair;

#[test]
fn the_table_has_a_line_for_each_sample_of_each_side_and_as_many_fields_as_its_head() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(5);
    pair.ada.run.stop(pair.now);
    pair.deliver();
    let mut report = pair.ada.run.report(0.0, pair.now).unwrap();
    report.sides[0].observer.name = "=a, \"b\"".to_owned();
    let csv = to_csv(&report);
    let lines: Vec<_> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 5 + 5);
    assert!(lines[0].starts_with("run,observer,observed,time,receive_bitrate,"));
    let fields = lines[0].split(',').count();
    assert!(lines[6..].iter().all(|line| line.split(',').count() == fields), "{lines:?}");
    assert!(lines[1].contains(",\"'=a, \"\"b\"\"\",bob,"), "{}", lines[1]);
    assert!(lines[1].contains(",500000,"), "{}", lines[1]);
    // The columns of the stamps follow the columns of the browser.
    let column = |name: &str| lines[0].split(',').position(|column| column == name).unwrap();
    let bobs: Vec<_> = lines[10].split(',').collect();
    assert_eq!(bobs[column("stamped_frames_shown")], "125");
    assert_eq!(bobs[column("stamped_delay")], "0.08");
}

fn entries(value: Value) -> Vec<StatsEntry> {
    serde_json::from_value(value).unwrap()
}

/// Reads the text as the rtcstats importer does: a missing value is unchanged, `null` removes it.
fn read(text: &str) -> Vec<(Value, Value)> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("RTCStatsDump"));
    let head: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!((&head["fileFormat"], &head["userAgent"]), (&json!(3), &json!("a browser")));
    let (mut at_ms, mut stats) = (0, json!({}));
    lines
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            at_ms += event[3].as_u64().unwrap();
            if event[0] == "getStats" {
                for (id, entry) in event[2].as_object().unwrap() {
                    for (name, value) in entry.as_object().into_iter().flatten() {
                        stats[id][name] = value.clone();
                    }
                    if entry.is_null() {
                        stats.as_object_mut().unwrap().remove(id);
                    }
                }
            }
            (json!([event[0], event[1], at_ms]), stats.clone())
        })
        .collect()
}

#[test]
fn a_dump_has_the_rtcstats_format_and_contains_no_address() {
    let mut dump = RtcStatsDump::default();
    let report = |bytes: u32, with_pair: bool| {
        let mut all = vec![
            json!({"type": "inbound-rtp", "id": "V", "timestamp": 1000 + bytes, "kind": "video", "bytesReceived": bytes}),
            json!({"type": "local-candidate", "id": "L", "timestamp": 1, "address": "192.0.2.7", "port": 7, "candidateType": "host"}),
        ];
        if with_pair {
            all.push(json!({"type": "candidate-pair", "id": "P", "timestamp": 1, "state": "succeeded"}));
        }
        entries(all.into())
    };
    dump.handle_report("bob", &report(10, true), 1_700_000_000_000);
    dump.handle_report("bob", &report(30, false), 1_700_000_001_000);
    let header =
        RtcStatsHeader { user_agent: "a browser".to_owned(), url: "https://example.org/".to_owned() };
    let text = dump.to_text(&header);
    assert!(!text.contains("192.0.2.7"));
    assert_eq!(text.matches("\"kind\"").count(), 1, "what did not change is not said again");
    let read = read(&text);
    assert_eq!(read[0].0, json!(["getStats", "bob", 1_700_000_000_000_u64]));
    assert_eq!(read[1].0, json!(["getStats", "bob", 1_700_000_001_000_u64]));
    assert_eq!(
        read[1].1,
        json!({
            "V": {"type": "inbound-rtp", "timestamp": 1030.0, "kind": "video", "bytesReceived": 30.0},
            "L": {"type": "local-candidate", "timestamp": 1.0, "candidateType": "host"},
        })
    );
}
