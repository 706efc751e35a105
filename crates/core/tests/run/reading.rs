//! Reading files that claim to be reports.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use sightline_core::measure::report::{Report, ReportInvalid, to_csv};

use crate::report::reports;

fn sound() -> Value {
    static SOUND: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&reports()[1].to_json()).unwrap());
    SOUND.clone()
}

/// Reads a report without its contents, which would be too long to print.
fn read(value: &Value) -> Result<Report, ReportInvalid> {
    Report::read(value.to_string().as_bytes())
}

/// Reads a report with another value at a path.
fn with(place: &str, value: Value) -> Result<Report, ReportInvalid> {
    let mut report = sound();
    *report.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
    read(&report)
}

/// The paths of all numbers in a report.
fn numbers(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(place.to_owned()),
        // The first and last element represent the whole list.
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate().filter(|(at, _)| *at == 0 || at + 1 == values.len())
            {
                numbers(value, &format!("{place}/{at}"), found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                numbers(value, &format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_valid_report_is_read_with_and_without_a_byte_order_mark() {
    let text = sound().to_string();
    assert_eq!(Report::read(text.as_bytes()), Ok(reports()[1].clone()));
    assert_eq!(Report::read(format!("\u{feff}{text}").as_bytes()), Ok(reports()[1].clone()));
}

#[test]
fn a_huge_number_is_refused_in_every_field() {
    let mut places = Vec::new();
    numbers(&sound(), "", &mut places);
    assert!(places.len() > 50, "{places:?}");
    for place in places {
        for number in [json!(2e19), json!(1e300), json!(-1e300), json!(f64::MAX)] {
            let outcome = with(&place, number.clone());
            // An invalid whole number is an error of another kind.
            let is_refused = matches!(
                outcome,
                Err(ReportInvalid::Impossible
                    | ReportInvalid::Damaged
                    | ReportInvalid::TooNew
                    | ReportInvalid::Foreign)
            );
            assert!(is_refused, "{place} {number}: {outcome:?}");
        }
        for word in [json!("NaN"), json!("Infinity"), json!([]), json!(true)] {
            assert!(with(&place, word.clone()).is_err(), "{place} {word}");
        }
    }
}

#[test]
fn impossible_sound_values_are_refused() {
    for (place, value) in [
        ("concealed_samples", json!(1e9)),
        ("silent_concealed_samples", json!(9601)),
        ("concealed_ratio", json!(1.01)),
        ("concealed_ratio", json!(-0.01)),
        ("jitter_buffer_delay_s", json!(-1)),
        ("bursts/0/concealed_s", json!(1.5)),
        ("bursts/0/duration_s", json!(-1)),
        ("bursts/0/start_s", json!(1e6)),
    ] {
        let outcome = with(&format!("/sides/0/sound/{place}"), value.clone());
        assert_eq!(outcome, Err(ReportInvalid::Impossible), "{place} {value}");
    }
    let burst = |start_s| json!({"start_s": start_s, "duration_s": 1, "concealed_s": 0.5, "cause": "loss"});
    let bursts = |list| with("/sides/0/sound/bursts", list);
    assert_eq!(bursts(json!([burst(2), burst(1)])), Err(ReportInvalid::Impossible));
    assert!(bursts(json!([burst(1), burst(2)])).is_ok());
    assert_eq!(bursts(Value::Array(vec![burst(1); 501])), Err(ReportInvalid::TooLong));
    for name in ["concealed_samples", "silent_concealed_samples", "concealed_ratio", "burst_count"] {
        assert!(with(&format!("/sides/0/sound/{name}"), Value::Null).is_ok(), "{name} may not be reported");
    }
}

#[test]
fn a_number_beyond_the_range_of_a_float_is_refused() {
    let text = sound().to_string().replacen("\"duration_s\":", "\"duration_s\":1e999,\"before\":", 1);
    assert_eq!(Report::parse(&text), Err(ReportInvalid::Impossible));
    for word in ["NaN", "Infinity", "-Infinity", "0x10", "01"] {
        let text =
            sound().to_string().replacen("\"duration_s\":", &format!("\"duration_s\":{word},\"before\":"), 1);
        assert_eq!(Report::parse(&text), Err(ReportInvalid::NotJson), "{word}");
    }
}

#[test]
fn times_out_of_order_or_beyond_the_duration_are_refused() {
    assert_eq!(with("/sides/0/samples/1/0", json!(0.96)).err(), None);
    assert_eq!(with("/sides/0/samples/5/0", json!(0.0)), Err(ReportInvalid::Impossible));
    let stall = |start_s: f64| json!({"start_s": start_s, "duration_s": 1.0, "cause": "loss"});
    assert_eq!(
        with("/sides/0/playout/stalls", json!([stall(5.0), stall(3.0)])),
        Err(ReportInvalid::Impossible)
    );
    let mark = json!([{"kind": "paused", "from_s": 5.0, "to_s": 4.0}]);
    assert_eq!(with("/sides/0/playout/marks", mark), Err(ReportInvalid::Impossible));
    assert_eq!(with("/sides/0/playout/marked_s", json!(1000.0)), Err(ReportInvalid::Impossible));
    assert_eq!(with("/sides/0/playout/longest_stall_s", json!(1000.0)), Err(ReportInvalid::Impossible));
    assert_eq!(with("/sides/0/playout/gaps/bounds_ms/0", json!(4000)), Err(ReportInvalid::Impossible));
}

#[test]
fn an_overlong_list_or_text_is_refused() {
    let many = |value: Value, count: usize| Value::Array(vec![value; count]);
    let stall = json!({"start_s": 1.0, "duration_s": 0.5, "cause": "loss"});
    assert!(with("/sides/0/playout/stalls", many(stall.clone(), 2000)).is_ok());
    let side = sound()["sides"][0].clone();
    let mut without_samples = side.clone();
    without_samples["samples"] = json!([]);
    for (place, value) in [
        ("/sides/0/playout/stalls", many(stall.clone(), 2001)),
        ("/sides/0/playout/stalls", many(stall, 200_000)),
        ("/sides/0/playout/marks", many(json!({"kind": "hidden", "from_s": 1.0, "to_s": null}), 5000)),
        ("/sides/0/samples", many(side["samples"][0].clone(), 20_000)),
        ("/sides/0/samples", many(json!([]), 3_000_000)),
        ("/sides/0/samples/0", many(json!(0), 1000)),
        ("/sides/0/columns", many(json!("time"), 100)),
        ("/sides/0/conditions", many(json!(["a", "b"]), 1000)),
        ("/sides/0/events", many(json!({"at_s": 0, "subject": "codec", "value": "VP8"}), 5000)),
        ("/sides/0/known_source/frames", many(json!([1, 0.5, null]), 40_000)),
        ("/sides/0/playout/score/terms", many(json!({"kind": "loss", "points": 0.1, "figure": 1}), 100)),
        ("/sides/0/playout/gaps/counts", many(json!(1), 1000)),
        ("/sides", many(without_samples, 1000)),
        ("/room", json!("x".repeat(10_000))),
        ("/sides/0/observer/name", json!("\u{5d0}".repeat(1_000_000))),
        ("/sides/0/observer/browser", json!("x".repeat(2000))),
        ("/sides/0/playout/score/terms/0/kind", json!("x".repeat(2000))),
    ] {
        assert_eq!(with(place, value), Err(ReportInvalid::TooLong), "{place}");
    }
}

#[test]
fn arrays_within_arrays_are_refused_before_they_are_read() {
    for count in [17, 200, 10_000, 1_000_000] {
        for text in ["[".repeat(count), "[".repeat(count) + &"]".repeat(count), "{\"a\":".repeat(count)] {
            assert_eq!(Report::parse(&text), Err(ReportInvalid::TooNested), "{count}");
        }
        let text = sound().to_string().replacen(
            '{',
            &format!("{{\"x\":{}{},", "[".repeat(count), "]".repeat(count)),
            1,
        );
        assert_eq!(Report::parse(&text), Err(ReportInvalid::TooNested), "{count}");
    }
}

#[test]
fn the_reader_tells_invalid_text_from_invalid_json() {
    let text = sound().to_string();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [utf16.clone(), [b"\xff\xfe".to_vec(), utf16].concat(), b"{\"format\":\"\xff\"}".to_vec()] {
        assert_eq!(Report::read(&bytes), Err(ReportInvalid::NotText));
    }
    for blank in ["", " ", "\n\t ", "\u{feff}"] {
        assert_eq!(Report::read(blank.as_bytes()), Err(ReportInvalid::NotJson), "{blank:?}");
    }
    assert_eq!(Report::parse(&" ".repeat(70_000_000)), Err(ReportInvalid::TooLarge));
}

#[test]
fn missing_fields_are_damage_and_unknown_fields_are_not() {
    let report = sound();
    for name in report.as_object().unwrap().keys() {
        let mut less = report.clone();
        less.as_object_mut().unwrap().remove(name);
        let expected = if name == "format" || name == "version" {
            ReportInvalid::Foreign
        } else {
            ReportInvalid::Damaged
        };
        assert_eq!(read(&less), Err(expected), "{name}");
    }
    let mut more = report;
    more["later"] = json!({"a": [1, {"b": 2e19}]});
    more["sides"][0]["later"] = json!("x");
    assert!(read(&more).is_ok());
}

#[test]
fn the_reader_tells_a_later_version_from_an_invalid_one() {
    assert_eq!(with("/version", json!(2)), Err(ReportInvalid::TooNew));
    assert_eq!(with("/version", json!(4_294_967_295_u32)), Err(ReportInvalid::TooNew));
    assert_eq!(with("/version", json!(0)), Err(ReportInvalid::Damaged));
    for version in [json!(-1), json!(1e300), json!("1"), json!(1.5), json!(null)] {
        assert_eq!(with("/version", version.clone()), Err(ReportInvalid::Foreign), "{version}");
    }
}

#[test]
fn hidden_and_direction_characters_are_removed_from_texts() {
    let report = with("/sides/0/observer/name", json!("\u{202e}Ada\u{2066}\u{0}\u{61c}")).unwrap();
    let name = &report.sides[0].observer.name;
    assert!(name.contains("Ada") && !name.contains(['\u{202e}', '\u{2066}', '\u{0}']), "{name:?}");
    let report = with("/room", json!("\u{202e}room\u{e0041}\u{ad}")).unwrap();
    assert_eq!(report.room, "room");
    let report = with("/sides/0/observer/browser", json!("a\u{2028}b\u{2069}\r\n")).unwrap();
    assert_eq!(report.sides[0].observer.browser, "ab");
}

#[test]
fn an_invalid_or_duplicate_column_name_is_damage() {
    for name in ["=cmd|x", "a,b", "", "A", "a b", "time", "é"] {
        assert_eq!(with("/sides/0/columns/1", json!(name)), Err(ReportInvalid::Damaged), "{name:?}");
    }
    assert!(with("/sides/0/columns/1", json!("of_a_later_version")).is_ok());
}

#[test]
fn no_cell_of_the_table_is_a_formula() {
    for name in ["=1+1", "+1", "-1", "@sum(a1)", "\u{a0}=1", "\u{ff1d}1"] {
        let mut report = reports()[1].clone();
        report.sides[0].observer.name = name.to_owned();
        report.sides[0].columns[1] = name.to_owned();
        let csv = to_csv(&report);
        let cells = csv.split(['\r', '\n', ',']).filter(|cell| cell.contains(name)).collect::<Vec<_>>();
        assert!(
            cells.len() > 1 && cells.iter().all(|cell| cell.trim_start_matches('"').starts_with('\'')),
            "{name:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Report::read(&bytes);
    }

    /// One value of a valid report is replaced by a value of any kind.
    #[test]
    fn an_accepted_report_contains_only_possible_numbers(
        at in any::<prop::sample::Index>(),
        number in prop_oneof![any::<f64>(), -1e6..1e6_f64, Just(2e19), Just(-1e300)],
    ) {
        let mut places = Vec::new();
        let report = sound();
        numbers(&report, "", &mut places);
        let place = at.get(&places);
        if let Some(value) = serde_json::Number::from_f64(number) {
            let mut changed = report;
            *changed.pointer_mut(place).unwrap() = Value::Number(value);
            if let Ok(read) = read(&changed) {
                let mut places = Vec::new();
                let written: Value = serde_json::from_str(&read.to_json()).unwrap();
                numbers(&written, "", &mut places);
                for place in places {
                    let number = written.pointer(&place).unwrap().as_f64().unwrap();
                    prop_assert!(number.is_finite() && number.abs() <= 1e15, "{place}: {number}");
                }
                prop_assert!(!to_csv(&read).is_empty());
            }
        }
    }
}

#[test]
fn names_in_a_report_keep_joiners_and_lose_hidden_characters() {
    for (written, read) in [
        ("\u{1f469}\u{200d}\u{1f52c}", "\u{1f469}\u{200d}\u{1f52c}"),
        (
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        ),
        ("A\u{202e}d\u{200b}a\u{ad}\u{3164}", "Ada"),
    ] {
        let report = with("/sides/0/observer/name", json!(written)).unwrap();
        assert_eq!(report.sides[0].observer.name, read, "{written:?}");
    }
}
