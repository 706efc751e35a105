use std::time::Duration;

use sightline_core::measure::report::{Report, ReportInvalid, Side};

use crate::pair::{AHEAD, DELAY, Pair};

/// Ten seconds, a stall of 700 ms, ten seconds: the reports of Ada and of Bob.
pub(crate) fn reports() -> [Report; 2] {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.start_at_bobs(2, None);
    pair.play(10);
    pair.stop_for(Duration::from_millis(700));
    pair.play(10);
    pair.ada.run.stop(pair.now);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    [
        pair.ada.run.report(1_000_000.0, pair.now).unwrap(),
        pair.bob.run.report(1_000_000.0, pair.bobs_now()).unwrap(),
    ]
}

fn watching(report: &Report) -> &Side {
    report.sides.iter().find(|side| side.observer.name == "bob").unwrap()
}

#[test]
fn a_score_read_from_a_report_has_the_written_terms() {
    let mut entry = watching(&reports()[0]).playout.clone().unwrap().score.unwrap();
    let score = entry.score().unwrap();
    let taken: u32 = score.terms.iter().map(|term| term.tenths).sum();
    assert!(taken > 0 && score.tenths == 50 - taken, "{score:?}");
    assert_eq!(score.terms[0].kind.as_str(), entry.terms[0].kind);
    entry.terms[0].kind = "of_a_later_version".to_owned();
    assert_eq!(entry.score(), None);
}

#[test]
fn both_sides_have_one_time_axis_in_both_reports() {
    for report in reports() {
        assert_eq!(report.sides.len(), 2);
        let [ada, bob] =
            ["ada", "bob"].map(|name| report.sides.iter().find(|side| side.observer.name == name).unwrap());
        // Both got stats reports at the same times.
        let times = |side: &Side| side.column("send_bitrate").map(|(at_s, _)| at_s).collect::<Vec<_>>();
        assert_eq!(times(ada).len(), 20);
        for (ada, bob) in times(ada).into_iter().zip(times(bob)) {
            assert!((ada - bob).abs() < 0.01, "{ada} {bob}");
        }
        assert_eq!(ada.column("send_bitrate").next().unwrap().1, Some(500_000.0));
        assert!(ada.playout.is_none());
        // Ada sees no picture: her axis begins with the first frame that Bob reports, too.
        assert!((report.duration_s - 20.66).abs() < 0.05, "{}", report.duration_s);
        let clocks: Vec<_> = report.sides.iter().filter_map(|side| side.clock).collect();
        assert_eq!(clocks.len(), 1);
        assert!((clocks[0].offset_s.abs() - AHEAD.as_secs_f64()).abs() < 1e-9 && clocks[0].error_s == 0.002);
    }
}

#[test]
fn the_ledger_is_the_same_in_both_reports() {
    for report in reports() {
        let playout = watching(&report).playout.as_ref().unwrap();
        assert!(playout.first_frame_at_s.abs() < 0.05, "{}", playout.first_frame_at_s);
        let [stall] = playout.stalls.as_slice() else { panic!("{:?}", playout.stalls) };
        assert!((stall.duration_s - 0.7).abs() < 0.002, "{stall:?}");
        assert!((stall.start_s - playout.first_frame_at_s - 10.0).abs() < 0.05, "{stall:?}");
        assert_eq!(playout.stall_count, 1);
        assert_eq!(playout.stall_time_s, stall.duration_s);
        assert!((playout.stall_ratio - 0.7 / 20.66).abs() < 1e-4, "{}", playout.stall_ratio);
        assert_eq!(playout.frames_presented, Some(500));
        assert_eq!(playout.gaps.counts.iter().sum::<u32>(), 499);
        let score = playout.score.as_ref().unwrap();
        let taken: f64 = score.terms.iter().map(|term| term.points).sum();
        assert!((score.value - (5.0 - taken)).abs() < 1e-9, "{score:?}");
    }
}

#[test]
fn the_stamps_give_the_display_time_and_the_delay_of_every_frame() {
    for report in reports() {
        let known = watching(&report).known_source.as_ref().unwrap();
        assert_eq!((known.frames_shown, known.frames_lost, known.frames_unreadable), (500, 0, 0));
        assert!(known.delay_mean_s.is_some_and(|delay_s| (delay_s - DELAY.as_secs_f64()).abs() < 0.001));
        assert_eq!(known.clock_error_s, Some(0.002));
        let (numbers, times): (Vec<_>, Vec<_>) =
            known.frames.iter().map(|(number, shown_at_s, _)| (*number, *shown_at_s)).unzip();
        assert_eq!(numbers, (1..=500).collect::<Vec<_>>());
        // The stall is on the same axis as the ledger's.
        let (before, after) = (times[249], times[250]);
        let stall = &watching(&report).playout.as_ref().unwrap().stalls[0];
        assert!((after - (stall.start_s + stall.duration_s)).abs() < 0.002, "{before} {after} {stall:?}");
        assert!((after - before - 0.74).abs() < 0.002);
    }
}

#[test]
fn the_sound_is_in_both_reports_with_its_bursts_on_the_axis() {
    for report in reports() {
        let side = watching(&report);
        let sound = side.sound.as_ref().unwrap();
        assert_eq!(sound.concealed_samples, Some(9600.0));
        assert_eq!((sound.silent_concealed_samples, sound.concealment_events), (Some(960.0), Some(10.0)));
        assert_eq!((sound.inserted_samples, sound.removed_samples), (Some(1000.0), Some(2000.0)));
        assert_eq!(sound.jitter_buffer_delay_s, Some(0.05));
        let [burst] = sound.bursts.as_slice() else { panic!("{:?}", sound.bursts) };
        assert_eq!((burst.duration_s, burst.concealed_s, burst.cause.as_str()), (1.0, 0.2, "loss"));
        let first_s = side.playout.as_ref().unwrap().first_frame_at_s;
        assert!((burst.start_s - first_s - 5.96).abs() < 0.001, "{burst:?}");
        let points: Vec<_> = side.column("concealed_ratio").filter(|(_, ratio)| *ratio > Some(0.0)).collect();
        assert_eq!(points, [(burst.start_s + 1.0, Some(0.18))]);
        // 8640 of the 912,000 samples after the first report are 0.9 %.
        let terms = &side.playout.as_ref().unwrap().score.as_ref().unwrap().terms;
        let term = terms.iter().find(|term| term.kind == "sound").unwrap();
        assert_eq!((term.points, term.figure), (0.1, 0.9));
    }
}

#[test]
fn sound_is_absent_if_the_browser_does_not_report_it() {
    let [report, _] = reports();
    let silent = report.sides.iter().find(|side| side.observer.name == "ada").unwrap();
    assert_eq!(silent.sound, None);
    assert!(silent.column("concealed_samples").all(|(_, value)| value.is_none()));
}

#[test]
fn a_report_written_before_sound_was_added_is_readable() {
    let [report, _] = reports();
    let mut older: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    for side in older["sides"].as_array_mut().unwrap() {
        side.as_object_mut().unwrap().remove("sound");
    }
    let older = Report::parse(&older.to_string()).unwrap();
    assert_eq!(watching(&older).sound, None);
    assert_eq!(watching(&older).total(sightline_core::measure::Metric::ConcealedRatio), None);
}

#[test]
fn a_saved_report_reads_back_equal() {
    for report in reports() {
        assert_eq!(Report::parse(&report.to_json()).as_ref(), Ok(&report));
    }
}

#[test]
fn an_invalid_file_is_refused_with_its_reason() {
    let [report, _] = reports();
    let json = report.to_json();
    let damaged = json.replacen("[\"time\",", "[\"tim\",", 1);
    for (text, invalid) in [
        ("", ReportInvalid::NotJson),
        ("hello", ReportInvalid::NotJson),
        (&json[..json.len() / 2], ReportInvalid::NotJson),
        ("{}", ReportInvalid::Foreign),
        ("[1, 2]", ReportInvalid::Foreign),
        (r#"{"format": "other", "version": 1}"#, ReportInvalid::Foreign),
        (r#"{"format": "sightline-report", "version": 2}"#, ReportInvalid::TooNew),
        (r#"{"format": "sightline-report", "version": 1}"#, ReportInvalid::Damaged),
        (&damaged, ReportInvalid::Damaged),
    ] {
        assert_eq!(Report::parse(text), Err(invalid), "{}", &text[..text.len().min(60)]);
    }
}
