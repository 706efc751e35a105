//! `provide`: a video file without a browser. What a page shows of it is in the end-to-end tests.

use std::path::{Path, PathBuf};

use crate::harness::{Member, TestServer, program, run, run_to_end};

pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sample/sample.webm")
}

/// An IVF file of VP8 with these frames, 25 a second.
pub(crate) fn ivf(frames: &[&[u8]]) -> Vec<u8> {
    let mut file = b"DKIF\0\0\x20\0VP80\x10\0\x10\0\x19\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    for (number, frame) in frames.iter().enumerate() {
        file.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
        file.extend((number as u64).to_le_bytes());
        file.extend(*frame);
    }
    file
}

pub(crate) const KEY: &[u8] = &[0x10, 0, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0];
pub(crate) const DELTA: &[u8] = &[0x11, 0, 0, 0];

#[tokio::test(flavor = "multi_thread")]
async fn a_file_plays_pauses_goes_on_and_ends() {
    let server = TestServer::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.ivf");
    let frames: Vec<_> = (0..25).map(|number| if number == 0 { KEY } else { DELTA }).collect();
    std::fs::write(&file, ivf(&frames)).unwrap();
    let file = file.to_str().unwrap();
    let mut ada = Member::start("provide", &server.room("play"), "Ada", &[file, "--paused"]);
    ada.event("entered").await;
    for (line, state) in [("play", "playing"), ("pause", "paused"), ("play", "playing")] {
        ada.say(line).await;
        assert_eq!(ada.event("playback").await["state"], state);
    }
    assert_eq!(ada.event("playback").await["state"], "ended");
    let (status, stderr) = ada.end().await;
    assert_eq!(status.code(), Some(0), "{stderr}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_jumps_while_it_plays_stands_and_after_its_end() {
    let server = TestServer::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.ivf");
    // 20 seconds with a keyframe every 4 seconds.
    let frames: Vec<_> = (0..500).map(|number| if number % 100 == 0 { KEY } else { DELTA }).collect();
    std::fs::write(&file, ivf(&frames)).unwrap();
    let mut ada = Member::start(
        "provide",
        &server.room("jump"),
        "Ada",
        &[file.to_str().unwrap(), "--paused", "--stay"],
    );
    ada.event("entered").await;
    let is = |state: &'static str, from_ms: u64| {
        move |event: &serde_json::Value| {
            event["state"] == state && event["position_ms"].as_u64() >= Some(from_ms)
        }
    };
    ada.say("seek 0:09").await;
    let stands = ada.event_where("playback", is("paused", 1)).await;
    assert_eq!(stands["position_ms"], 8000, "the keyframe before");
    ada.say("play").await;
    ada.event_where("playback", is("playing", 8000)).await;
    ada.say("seek +100").await;
    ada.event_where("playback", is("playing", 16_000)).await;
    ada.event_where("playback", is("ended", 0)).await;
    ada.say("play").await;
    let again = ada.event_where("playback", is("playing", 0)).await;
    assert!(again["position_ms"].as_u64() < Some(4000), "from the beginning: {again}");
    ada.say("seek nowhere").await;
    assert_eq!(ada.event("warning").await["code"], "command-unknown");
    ada.interrupt();
    assert_eq!(ada.end().await.0.code(), Some(130));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn two_files_are_shown_in_one_room_and_their_members_talk_and_send_files() {
    let server = TestServer::start();
    let room = server.room("both");
    let sample = sample();
    let mut ada = Member::start("provide", &room, "Ada", &[sample.as_os_str(), "--loop".as_ref()]);
    ada.event("entered").await;
    let mut ben = Member::start("provide", &room, "Ben", &[sample.as_os_str(), "--loop".as_ref()]);
    ben.event("member_connected").await;
    ada.event("member_connected").await;
    // Neither of them has a screen, so nothing is played. Messages arrive beside the slots for pictures.
    let (code, stderr) = run(&["chat", &room, "--name", "Carl", "--once", "hello", "--quiet"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    ada.interrupt();
    assert_eq!(ada.end().await.0.code(), Some(130));
    assert_eq!(ben.event_where("member_left", |event| event["name"] == "Ada").await["name"], "Ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_that_cannot_be_shown_has_a_sentence_and_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(sample()).unwrap();
    let files: [(&str, &[u8], &str); 5] = [
        ("cut.webm", &whole[..whole.len() / 3], "(file-truncated)"),
        ("without.ivf", &ivf(&[DELTA, DELTA]), "(no-keyframe)"),
        ("cut.ivf", &ivf(&[KEY])[..40], "(file-truncated)"),
        ("text.webm", b"this is a text", "(format-unknown)"),
        ("theora.mkv", &theora(&whole), "(codec-unknown)"),
    ];
    for (name, bytes, code) in files {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        let (exit, stderr) = run(&["provide", "http://localhost:1/room/none", file]).await;
        assert_eq!(exit, Some(1), "{name}: {stderr}");
        assert!(stderr.lines().count() == 1 && stderr.ends_with(&format!("{code}\n")), "{name}: {stderr}");
    }
    let (exit, stderr) = run(&["provide", "http://localhost:1/room/none", "missing.webm"]).await;
    assert!(exit == Some(1) && stderr.ends_with("(file-unreadable)\n"), "{stderr}");
    let (exit, stderr) = run(&["provide", "http://localhost:1/room/none"]).await;
    assert!(exit == Some(2) && stderr.ends_with("(no-files)\n"), "{stderr}");
}

/// The sample with the name of another codec.
fn theora(webm: &[u8]) -> Vec<u8> {
    let mut file = webm.to_vec();
    let at = file.windows(5).position(|window| window == b"V_VP8").unwrap();
    file[at..at + 5].copy_from_slice(b"V_THE");
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_viewer_ends_with_its_own_exit_code() {
    let server = TestServer::start();
    let sample = sample();
    let arguments = ["provide", &server.room("empty"), sample.to_str().unwrap(), "--wait", "1"];
    let (code, stderr) = run(&arguments).await;
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.ends_with("(nobody-came)\n"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_the_only_argument_if_the_address_is_in_the_environment() {
    let server = TestServer::start();
    let mut command = program();
    command.arg("provide").arg(sample()).args(["--wait", "1"]).env("SIGHTLINE_ROOM", server.room("variable"));
    let ended = run_to_end(&mut command).await;
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(ended.stderr.contains("VP8 and Opus, 16 s"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_no_command_is_a_warning() {
    let server = TestServer::start();
    let sample = sample();
    let mut ada = Member::start("provide", &server.room("lines"), "Ada", &[sample.as_os_str()]);
    ada.event("entered").await;
    ada.say("faster").await;
    assert_eq!(ada.event("warning").await["code"], "command-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transcript_of_the_documentation_begins_with_what_the_terminal_shows() {
    let server = TestServer::start();
    let mut command = program();
    command.args(["provide", &server.room("demo"), "sample.webm", "--name", "Ada", "--wait", "1"]);
    let ended = run_to_end(command.current_dir(sample().parent().unwrap())).await;
    let document = include_str!("../../../../docs/cli.md");
    let shown: Vec<_> = ended.stderr.lines().take(2).collect();
    assert!(document.contains(&format!("--loop\n{}\n", shown.join("\n"))), "{}", ended.stderr);
}
