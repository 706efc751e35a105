//! `bots`: several members in one process.

use serde_json::Value;

use crate::{
    harness::{Ended, Member, TestServer, program, run, run_to_end, without_numbers},
    provide::sample,
};

#[cfg(unix)]
const NONE: [&str; 0] = [];

/// The last event of this kind in the output.
fn last(kind: &str, ended: &Ended) -> Value {
    let events = ended.stdout.lines().rev().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut latest_first = events.filter(|event| event["event"] == kind);
    latest_first.next().unwrap_or_else(|| panic!("no {kind}: {}", ended.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bot_is_connected_to_each_and_hears_what_the_others_write() {
    let server = TestServer::start();
    let room = server.room("busy");
    let mut ada = Member::start("chat", &room, "Ada", &["--stay"]);
    ada.event("entered").await;
    let mut command = program();
    command.args(["bots", "4", &room, "--name", "Bot", "--every", "1", "--for", "4", "--json"]);
    let ended = run_to_end(&mut command).await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    let summary = last("summary", &ended);
    for (field, count) in
        [("bots", 4), ("joined", 4), ("connected_pairs", 6), ("pairs", 6), ("other_connections", 4)]
    {
        assert_eq!(summary[field], count, "{field}: {summary}");
    }
    let count = |field: &str| summary[field].as_u64().unwrap();
    assert!(count("messages_sent") >= 8, "{summary}");
    assert_eq!(count("messages_delivered"), count("messages_sent"), "{summary}");
    // Those that were written before all were connected reached fewer.
    assert!(count("messages_received") <= 3 * count("messages_sent"), "{summary}");
    assert!(count("messages_received") >= 2 * count("messages_sent"), "{summary}");
    assert_eq!((count("server_reconnections"), count("peer_reconnections")), (0, 0), "{summary}");
    let heard = ada.event("message").await;
    let name = heard["name"].as_str().unwrap();
    assert!(["Bot 1", "Bot 2", "Bot 3", "Bot 4"].contains(&name), "{heard}");
    for _ in 0..4 {
        ada.event("member_left").await;
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_open_files_is_raised_and_where_that_is_not_enough_a_warning_says_so() {
    for (allowed, is_enough) in [(200, false), (400, true)] {
        let limited = format!("ulimit -S -n 64 && ulimit -H -n {allowed} && exec \"$0\" \"$@\"");
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_sightline-peer")]);
        let ended = run_to_end(command.args(["bots", "8", "http://127.0.0.1:9/room/few"])).await;
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let warning = "8 bots need about 320 open files, and this process may have 200: not all will connect. (few-files)";
        assert_eq!(!ended.stderr.contains(warning), is_enough, "{}", ended.stderr);
        assert_eq!(!ended.stderr.contains("few-files"), is_enough, "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_full_admits_as_many_bots_as_it_takes() {
    let server = TestServer::start_with(|config| config.rooms.room_limit = 3);
    let room = server.room("full");
    let ended =
        run_to_end(program().args(["bots", "5", &room, "--every", "0", "--for", "2", "--json"])).await;
    assert_eq!(ended.code, Some(4), "{} {}", ended.stdout, ended.stderr);
    let summary = last("summary", &ended);
    assert_eq!((&summary["joined"], &summary["messages_sent"]), (&3.into(), &0.into()), "{summary}");
    assert_eq!(last("failed", &ended)["code"], "room-full");
    assert_eq!(last("bot", &ended), serde_json::json!({ "event": "bot", "bot": 4, "state": "failed" }));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn bots_stay_until_they_are_interrupted_and_say_what_they_did() {
    let server = TestServer::start();
    let room = server.room("until");
    let mut ada = Member::start("chat", &room, "Ada", &NONE);
    ada.event("entered").await;
    let mut bots = Member::start_bots(2, &room, &["--every", "1"]);
    ada.event("message").await;
    bots.event_where("totals", |totals| totals["connected_pairs"] == 1).await;
    bots.interrupt();
    let summary = bots.event("summary").await;
    assert_eq!(summary["joined"], 2);
    let (status, stderr) = bots.end().await;
    assert_eq!(status.code(), Some(130), "{stderr}");
    assert_eq!(ada.event("member_left").await["event"], "member_left");
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_with_a_video_say_what_it_contains_and_send_it_to_nobody_without_a_screen() {
    let server = TestServer::start();
    let mut command = program();
    command
        .args(["bots", "2", &server.room("film"), "--every", "0", "--for", "2", "--provide"])
        .arg(sample());
    let ended = run_to_end(&mut command).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("sample.webm: VP8 and Opus, 16 s"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("viewers"), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_options_and_a_room_without_company_have_a_sentence_and_an_exit_code() {
    let room = "http://localhost:1/room/none";
    for arguments in [["bots", "0", room], ["bots", "101", room], ["bots", "many", room]] {
        assert_eq!(run(&arguments).await.0, Some(2), "{arguments:?}");
    }
    let (code, stderr) = run(&["bots", "2", room, "--provide", "missing.webm"]).await;
    assert!(code == Some(1) && stderr.ends_with("(file-unreadable)\n"), "{code:?} {stderr}");
    let (code, stderr) = run(&["bots", "2", room]).await;
    assert!(code == Some(3) && stderr.ends_with("(server-unreachable)\n"), "{code:?} {stderr}");
    let server = TestServer::start();
    let (code, stderr) = run(&["bots", "1", &server.room("alone"), "--wait", "1"]).await;
    assert!(code == Some(5) && stderr.ends_with("(nobody-came)\n"), "{code:?} {stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transcript_of_the_documentation_is_what_a_terminal_shows() {
    let server = TestServer::start();
    let mut command = program();
    command.args(["bots", "4", &server.room("demo"), "--every", "1", "--for", "4"]);
    let ended = run_to_end(&mut command).await;
    // How many messages there are depends on the time that connecting takes.
    let shown = without_numbers(&format!("{}{}", ended.stderr, ended.stdout));
    let document = without_numbers(include_str!("../../../../docs/cli.md"));
    assert!(document.contains(&format!("--every # --for #\n{shown}```")), "{shown}");
}
