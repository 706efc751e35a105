//! Each failure is a sentence with a stable code, and an exit code.

use std::process::Stdio;

use futures_util::{SinkExt, StreamExt};
use sightline_server::TlsIdentity;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpListener,
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::harness::{Member, TestServer, piped, program, run};

/// Runs `chat --once` on a room and returns the exit code and the last line of the standard error.
async fn chat(room: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let (code, stderr) = run(&[&["chat", room, "--once", "hi", "--wait", "2"], arguments].concat()).await;
    (code, stderr.lines().last().unwrap_or_default().to_owned())
}

fn self_signed() -> TestServer {
    TestServer::start_with(|config| config.tls = Some(TlsIdentity::SelfSigned))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_room_is_a_usage_error() {
    for address in
        ["team-7", "https://example.org", "ftp://example.org/room/team-7", "https://example.org/room/a"]
    {
        let (code, line) = chat(address, &[]).await;
        assert_eq!(code, Some(2), "{address}: {line}");
        assert!(
            line.starts_with("error: This is no room: ") && line.ends_with(" (address-invalid)"),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_cannot_be_reached() {
    let (code, line) = chat("https://host.invalid/room/team-7", &[]).await;
    assert_eq!(
        (code, line.as_str()),
        (Some(3), "error: There is no server of the name host.invalid. (host-unknown)")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_cannot_be_reached() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (code, line) = chat(&format!("http://{free}/room/team-7"), &[]).await;
    assert_eq!(code, Some(3));
    assert!(line.starts_with(&format!("error: The server {free} cannot be reached: ")), "{line}");
    assert!(line.ends_with(" (server-unreachable)"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_a_trusted_issuer_is_refused() {
    let server = self_signed();
    let (code, line) = chat(&server.room("team-7"), &[]).await;
    assert_eq!(code, Some(7), "{line}");
    assert!(
        line.contains("is not trusted") && line.ends_with("--cert FILE. (certificate-refused)"),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_another_server_is_refused_and_its_own_is_trusted() {
    let (server, other) = (self_signed(), self_signed());
    let room = server.room("team-7");
    let (code, line) = chat(&room, &["--cert", &other.certificate()]).await;
    assert_eq!(code, Some(7), "{line}");
    // Trusted, so that only company is missing.
    for trusted in [&["--cert", &server.certificate()] as &[&str], &["--insecure"]] {
        assert_eq!(chat(&room, trusted).await.0, Some(5), "{trusted:?}");
    }
    let (code, line) = chat(&room, &["--cert", "/nowhere.pem"]).await;
    assert_eq!(code, Some(2), "{line}");
    assert!(line.ends_with("(certificate-file)"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_room_is_refused() {
    let server = TestServer::start_with(|config| config.rooms.room_limit = 1);
    let room = server.room("full");
    let mut first = Member::start("chat", &room, "Ada", &["--stay"]);
    first.event("entered").await;
    assert_eq!(chat(&room, &[]).await, (Some(4), "error: The room is full. (room-full)".to_owned()));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_command_leaves_the_room() {
    let server = TestServer::start();
    let room = server.room("interrupted");
    let mut ada = Member::start("chat", &room, "Ada", &["--stay"]);
    ada.event("entered").await;
    let mut ben = Member::start("chat", &room, "Ben", &["--stay"]);
    ben.event("member_connected").await;
    ben.interrupt();
    let (status, stderr) = ben.end().await;
    assert_eq!(status.code(), Some(130));
    assert!(stderr.ends_with("error: Interrupted. (interrupted)\n"), "{stderr}");
    assert_eq!(ada.event("member_left").await["name"], "Ben");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_a_sentence_and_not_a_panic() {
    let server = TestServer::start();
    let room = server.room("pipe");
    let mut child = piped(program().args(["chat", &room, "--name", "Ada", "--stay"])).spawn().unwrap();
    drop(child.stdout.take());
    run(&["chat", &room, "--name", "Ben", "--once", "hi", "--wait", "2"]).await;
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(1), "{stderr}");
    assert!(stderr.ends_with("so there is nobody to write to. (output-closed)\n"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_whose_reader_went_away_keeps_what_arrived_for_another_process() {
    let server = TestServer::start();
    let room = server.room("reader");
    let folder = server.directories.path();
    let (from, into) = (folder.join("data.bin"), folder.join("into"));
    let file: Vec<u8> = (0..40_u32 << 20 >> 2).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&from, &file).unwrap();
    let arguments = ["--into", into.to_str().unwrap(), "--accept", "all", "--once"];
    let mut command = program();
    command.args(["receive", &room, "--name", "Ada", "--json"]).args(arguments);
    let mut child = piped(&mut command).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ben = Member::start_in("send", &room, "Ben", &[from.to_str().unwrap()], folder);
    let is_under_way = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["bytes"].as_u64() > Some(12 << 20)
    };
    while !is_under_way(&lines.next_line().await.unwrap().expect("the file is under way")) {}
    drop(lines);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(1), "{stderr}");
    assert!(stderr.ends_with("so there is nobody to write to. (output-closed)\n"), "{stderr}");

    let mut ada = Member::start("receive", &room, "Ada", &arguments);
    let goes_on = |event: &serde_json::Value| event["state"] == "running" && event["bytes"] != 0;
    let first = ada.event_where("file", goes_on).await;
    assert!(first["bytes"].as_u64() > Some(4 << 20), "it goes on: {first}");
    ada.event_where("file", |event| event["state"] == "done").await;
    assert_eq!(ben.end().await.0.code(), Some(0));
    assert!(std::fs::read(into.join("data.bin")).unwrap() == file);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_ice_server_is_named() {
    let (code, line) = chat("http://127.0.0.1:9/room/team-7", &["--ice-server", "turn:a.example"]).await;
    assert_eq!(code, Some(2));
    assert!(
        line.contains("\"turn:a.example\" is no ICE server") && line.ends_with("(ice-server-invalid)"),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_input_that_cannot_be_read_is_an_error_and_not_its_end() {
    let server = TestServer::start();
    // To read a directory fails.
    let unreadable = std::fs::File::open(server.directories.path()).unwrap();
    let output = program()
        .args(["chat", &server.room("unreadable"), "--name", "Ada", "--json"])
        .stdin(unreadable)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: The standard input cannot be read: "), "{stderr}");
    assert!(stderr.ends_with(" (input-failed)\n"), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!((last["event"].as_str(), last["code"].as_str()), (Some("failed"), Some("input-failed")));
}

/// A page that is host of a room, as raw frames.
struct Host(tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>);

impl Host {
    async fn enter(server: &TestServer, room: &str) -> Self {
        let address = server.room(room).replace("http://", "ws://").replace(&format!("/room/{room}"), "/ws");
        let mut host = Self(connect_async(address).await.unwrap().0);
        host.say(&format!(
            r#"{{"type":"join","protocol":1,"room":"{room}","name":"Ada","instance":"ada","attended":true}}"#
        ))
        .await;
        host.until("joined").await;
        host
    }

    async fn say(&mut self, frame: &str) {
        self.0.send(Message::text(frame)).await.unwrap();
    }

    /// The next message of this type.
    async fn until(&mut self, kind: &str) -> serde_json::Value {
        loop {
            let message = self.0.next().await.unwrap().unwrap();
            let value: serde_json::Value =
                message.to_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            if value["type"] == kind {
                return value;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_room_refuses_a_program_with_a_sentence_and_never_asks_its_host() {
    let server = TestServer::start();
    let mut host = Host::enter(&server, "locked").await;
    host.say(r#"{"type":"lock","locked":true}"#).await;
    host.until("room_state").await;
    let (code, line) = chat(&server.room("locked"), &[]).await;
    assert_eq!(
        (code, line.as_str()),
        (Some(4), "error: The room is locked: a host has to open it. (room-locked)")
    );
    host.say(r#"{"type":"ping","nonce":1}"#).await;
    host.until("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_removed_or_whose_room_ends_exits_with_a_sentence() {
    let server = TestServer::start();
    for (room, code) in [("removed", "removed"), ("ended", "room-ended")] {
        let mut host = Host::enter(&server, room).await;
        let mut member = Member::start::<&str>("chat", &server.room(room), "Ben", &[]);
        let id = host.until("peer_joined").await["member"]["id"].as_str().unwrap().to_owned();
        let action = match room {
            "removed" => format!(r#"{{"type":"remove","id":"{id}"}}"#),
            _ => r#"{"type":"end"}"#.to_owned(),
        };
        host.say(&action).await;
        member.event("entered").await;
        let (status, stderr) = member.end_by_itself().await;
        assert_eq!(status.code(), Some(4), "{stderr}");
        assert!(stderr.contains(&format!("({code})")), "{stderr}");
    }
}
