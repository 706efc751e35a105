//! `watch`: what a member shows arrives in another process, is measured, recorded and reported.

use std::path::Path;

use serde_json::Value;
use sightline_core::measure::report::Report;

use crate::{
    harness::{Member, TestServer, program, run, run_to_end, without_numbers},
    provide::{DELTA, KEY, ivf, sample},
    report_schema::check,
};

/// Parameter sets of H.264 and the begin of a keyframe, and the begin of another frame.
const H264_KEY: &[u8] = &[
    0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x40, 0, 0, 0, 1, 0x68, 0xce, 0x3c,
    0x80, 0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21,
];
const H264_DELTA: &[u8] = &[0, 0, 0, 1, 0x41, 0x9a, 0x21, 0x6c];

/// Two seconds of 25 pictures each, every one different, with a keyframe every second.
fn pictures() -> Vec<Vec<u8>> {
    let picture = |number: usize| {
        let mut picture = if number.is_multiple_of(25) { KEY.to_vec() } else { DELTA.to_vec() };
        picture.extend((0..2500).map(|at| (number * 7 + at) as u8));
        picture
    };
    (0..50).map(picture).collect()
}

/// The frames of an IVF file, each with its time in milliseconds.
fn frames_of(ivf: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let number = |at: usize| u32::from_le_bytes(ivf[at..at + 4].try_into().unwrap());
    let (rate, scale) = (u64::from(number(16)), u64::from(number(20)));
    let (mut at, mut frames) = (32, Vec::new());
    while at < ivf.len() {
        let length = number(at) as usize;
        let time = u64::from_le_bytes(ivf[at + 4..at + 12].try_into().unwrap());
        frames.push((time * scale * 1000 / rate, ivf[at + 12..at + 12 + length].to_vec()));
        at += 12 + length;
    }
    assert_eq!(number(24) as usize, frames.len());
    frames
}

/// Reads a report as the page does, and checks it against the schema.
fn report_in(path: &Path) -> Report {
    let bytes = std::fs::read(path).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap();
    check(&serde_json::from_slice(&bytes).unwrap(), &schema, &schema, "report");
    Report::read(&bytes).expect("a report that the page opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_of_h264_is_recorded_as_it_was_shown() {
    let server = TestServer::start();
    let room = server.room("h264");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let shown: Vec<Vec<u8>> = pictures()
        .into_iter()
        .map(|picture| {
            let begin: &[u8] = if picture.starts_with(KEY) { H264_KEY } else { H264_DELTA };
            // No byte of the rest is part of a start code.
            [begin, &picture[10..].iter().map(|byte| byte | 4).collect::<Vec<_>>()].concat()
        })
        .collect();
    let mut clip = ivf(&shown.iter().map(Vec::as_slice).collect::<Vec<_>>());
    clip[8..12].copy_from_slice(b"H264");
    std::fs::write(at("clip.ivf"), clip).unwrap();
    let mut ben = Member::start("watch", &room, "Ben", &["--record".as_ref(), at("seen.ivf").as_os_str()]);
    ben.event("entered").await;
    let ada = Member::start("provide", &room, "Ada", &[at("clip.ivf")]);
    ben.event("measured").await;
    let (status, stderr) = ben.end().await;
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert_eq!(ada.end_by_itself().await.0.code(), Some(0));
    // The measurement ends when the end of the file is declared, the recording with the last frame.
    let recorded = frames_of(&std::fs::read(at("seen.ivf")).unwrap());
    assert_eq!(recorded.len(), 50);
    for (number, ((_, frame), shown)) in recorded.iter().zip(&shown).enumerate() {
        assert!(frame == shown, "frame {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_in_webm_has_the_sound_beside_the_pictures() {
    let server = TestServer::start();
    let room = server.room("sound");
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen.webm");
    let arguments = ["--run".as_ref(), "4".as_ref(), "--record".as_ref(), seen.as_os_str()];
    let mut ben = Member::start("watch", &room, "Ben", &arguments);
    ben.event("entered").await;
    let ada = Member::start("provide", &room, "Ada", &[sample().as_os_str(), "--loop".as_ref()]);
    let (status, stderr) = ben.end_by_itself().await;
    assert_eq!(status.code(), Some(0), "{stderr}");
    drop(ada);
    let summary = sightline_cli::media::examine(std::fs::File::open(&seen).unwrap()).unwrap();
    assert!(summary.frames > 60 && summary.duration.as_secs() >= 3, "{summary:?}");
    // A member without a browser shows it again.
    let (code, stderr) = run(&["provide", &room, seen.to_str().unwrap(), "--wait", "1"]).await;
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("seen.webm: VP8 and Opus, "), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_measured_and_recorded_as_it_was_shown() {
    let server = TestServer::start();
    let room = server.room("clip");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let shown = pictures();
    std::fs::write(at("clip.ivf"), ivf(&shown.iter().map(Vec::as_slice).collect::<Vec<_>>())).unwrap();
    let mut ben = Member::start(
        "watch",
        &room,
        "Ben",
        &["--report".as_ref(), at("run.json").as_os_str(), "--record".as_ref(), at("seen.ivf").as_os_str()],
    );
    ben.event("entered").await;
    let ada = Member::start("provide", &room, "Ada", &[at("clip.ivf")]);
    assert_eq!(ben.event("picture").await["name"], "Ada");
    let measured = ben.event("measured").await;
    assert_eq!((&measured["name"], &measured["stall_count"]), (&"Ada".into(), &0.into()), "{measured}");
    let (status, stderr) = ben.end().await;
    assert_eq!(status.code(), Some(0), "{stderr}");
    let (status, stderr) = ada.end_by_itself().await;
    assert_eq!(status.code(), Some(0), "{stderr}");

    let recorded = frames_of(&std::fs::read(at("seen.ivf")).unwrap());
    assert_eq!(recorded.len(), 50);
    for (number, ((time, frame), shown)) in recorded.iter().zip(&shown).enumerate() {
        assert!(frame == shown, "frame {number}");
        assert!(time.abs_diff(40 * number as u64) <= 100, "frame {number} at {time} ms");
    }

    let report = report_in(&at("run.json"));
    assert_eq!(serde_json::to_value(report.ended_by).unwrap(), "file_ended");
    let side = &report.sides[0];
    assert_eq!((side.observer.name.as_str(), side.observed.name.as_str()), ("Ben", "Ada"));
    assert!(side.observer.browser.starts_with("sightline-peer/"), "{:?}", side.observer);
    let condition =
        |name: &str| side.conditions.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
    assert_eq!((condition("frames"), condition("codec")), (Some("received"), Some("VP8")));
    assert_eq!(condition("path"), Some("direct"));
    let playout = side.playout.as_ref().unwrap();
    // The end is declared over another channel than the pictures, so the last ones may come after it.
    let frames = playout.frames_presented.unwrap();
    assert!((46..=50).contains(&frames), "{frames}");
    let rate = playout.frames_per_second.unwrap();
    assert!((23.0..27.0).contains(&rate), "{rate}");
    assert_eq!((playout.frame_width, playout.frame_height), (Some(16), Some(16)));
    assert_eq!((playout.frames_decoded, playout.freeze_count), (None, None), "nothing is decoded");
    assert_eq!(playout.loss_ratio, Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_after_its_time_and_counts_pictures_and_sound() {
    let server = TestServer::start();
    let room = server.room("sound");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    let sample = sample();
    let _ada = Member::start("provide", &room, "Ada", &[sample.as_os_str(), "--loop".as_ref()]);
    let mut command = program();
    command.args(["watch", &room, "--name", "Ben", "--run", "4", "--report"]).arg(&file);
    let ended = run_to_end(&mut command).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = report_in(&file);
    assert_eq!(serde_json::to_value(report.ended_by).unwrap(), "time_limit");
    assert!((3.9..4.2).contains(&report.duration_s), "{}", report.duration_s);
    let side = &report.sides[0];
    let playout = side.playout.as_ref().unwrap();
    // The clip has 489 pictures in 16 seconds.
    let rate = playout.frames_per_second.unwrap();
    assert!((29.0..32.5).contains(&rate), "{rate}");
    let frames = f64::from(playout.frames_presented.unwrap());
    assert!((frames - 4.0 * 30.6).abs() < 12.0, "{frames}");
    let samples = side.sound.as_ref().unwrap().samples_received.unwrap();
    assert!((150_000.0..240_000.0).contains(&samples), "{samples}");

    // The transcript of the documentation, whose numbers depend on the computer.
    let shown =
        without_numbers(&format!("{}{}", ended.stderr, ended.stdout).replace("room sound", "room demo"));
    let document = without_numbers(include_str!("../../../../docs/cli.md"));
    assert!(document.contains(&format!("--report call.json\n{shown}```")), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_option_an_empty_room_and_a_member_without_pictures_each_have_an_exit_code() {
    let room = "http://localhost:1/room/none";
    assert_eq!(run(&["watch", room, "--run", "0"]).await.0, Some(2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("there.json");
    std::fs::write(&file, "mine").unwrap();
    for option in ["--report", "--record"] {
        let (code, stderr) = run(&["watch", room, option, file.to_str().unwrap()]).await;
        assert!(code == Some(2) && stderr.ends_with("(file-exists)\n"), "{code:?} {stderr}");
    }
    let unused = folder.path().join("unused.json");
    let both = ["watch", room, "--report", unused.to_str().unwrap(), "--record", file.to_str().unwrap()];
    assert_eq!(run(&both).await.0, Some(2));
    assert!(!unused.exists(), "the report is not left behind empty");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let missing = folder.path().join("missing/run.json");
    let (code, stderr) = run(&["watch", room, "--report", missing.to_str().unwrap()]).await;
    assert!(code == Some(1) && stderr.ends_with("(file-unwritable)\n"), "{code:?} {stderr}");

    let server = TestServer::start();
    let room = server.room("empty");
    let (code, stderr) = run(&["watch", &room, "--wait", "1", "--report", unused.to_str().unwrap()]).await;
    assert!(code == Some(5) && stderr.ends_with("(nobody-came)\n"), "{code:?} {stderr}");
    assert!(!unused.exists(), "an empty file is no report");
    let none: [&str; 0] = [];
    let mut ada = Member::start("chat", &room, "Ada", &none);
    ada.event("entered").await;
    let (code, stderr) = run(&["watch", &room, "--wait", "5"]).await;
    assert!(code == Some(5) && stderr.ends_with("(no-picture)\n"), "{code:?} {stderr}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_ends_the_run_and_keeps_its_report() {
    let server = TestServer::start();
    let room = server.room("stop");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    let sample = sample();
    let _ada = Member::start("provide", &room, "Ada", &[sample.as_os_str(), "--loop".as_ref()]);
    let mut ben = Member::start("watch", &room, "Ben", &["--report".as_ref(), file.as_os_str()]);
    ben.event("picture").await;
    ben.event("figures").await;
    ben.interrupt();
    let (status, stderr) = ben.end().await;
    assert_eq!(status.code(), Some(130), "{stderr}");
    let report = report_in(&file);
    assert_eq!(serde_json::to_value(report.ended_by).unwrap(), "stopped");
}
