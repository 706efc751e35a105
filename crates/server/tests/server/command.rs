//! The server's command line.
#![cfg(unix)]

use std::{
    net::{SocketAddr, TcpListener},
    process::{ExitStatus, Output, Stdio},
};

use sightline_protocol::ErrorCode;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::{client::Client, harness::within};

fn command(directory: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline-server"));
    command
        .env("SIGHTLINE_DATA_DIR", directory.path())
        .kill_on_drop(true)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts the server and reads its address from its output.
async fn start(directory: &TempDir) -> (Child, u16) {
    start_with(directory, &[]).await
}

async fn start_with(directory: &TempDir, arguments: &[&str]) -> (Child, u16) {
    let mut child = command(directory).env("SIGHTLINE_PORT", "0").args(arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = within(async {
        loop {
            let line = lines.next_line().await.unwrap().expect("an address");
            if let Some(rest) = line.trim().strip_prefix("http://localhost:") {
                break rest.trim_end_matches('/').parse().unwrap();
            }
        }
    })
    .await;
    (child, port)
}

/// A server in its own process, which is killed on drop.
pub(crate) struct ServerProcess {
    child: Child,
    _directory: TempDir,
}

/// Starts a server with these arguments.
pub(crate) async fn server_process(arguments: &[&str]) -> (ServerProcess, SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    let (child, port) = start_with(&directory, arguments).await;
    (ServerProcess { child, _directory: directory }, SocketAddr::from(([127, 0, 0, 1], port)))
}

/// The resident memory of the process (`VmRSS`).
#[cfg(target_os = "linux")]
pub(crate) fn resident_bytes(process: &ServerProcess) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id().unwrap())).unwrap();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")).unwrap();
    kib.trim().parse::<u64>().unwrap() * 1024
}

async fn send(signal: &str, child: &Child) {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().await.unwrap().success());
}

async fn ended(mut child: Child) -> ExitStatus {
    within(child.wait()).await.unwrap()
}

#[tokio::test]
async fn the_server_prints_its_address_and_on_a_signal_tells_its_members_and_exits_cleanly() {
    for signal in ["TERM", "INT"] {
        let directory = tempfile::tempdir().unwrap();
        let (child, port) = start(&directory).await;
        let stream = within(TcpStream::connect(("127.0.0.1", port))).await.unwrap();
        let handshake = format!("ws://127.0.0.1:{port}/ws").into_client_request().unwrap();
        let mut client = Client::connect_over(stream, handshake).await;
        client.say(&crate::client::join("team-7", "ada", None)).await;
        client.joined().await;
        send(signal, &child).await;
        client.is_told(ErrorCode::ShuttingDown).await;
        client.closed().await;
        assert_eq!(ended(child).await.code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn a_port_in_use_gives_a_one_sentence_error_and_exit_code_1() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let Output { status, stdout, stderr } =
        within(command(&directory).args(["--port", &port]).output()).await.unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stdout.len()), (Some(1), 0));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(&port) && stderr.contains("--port"), "{stderr}");
}

#[tokio::test]
async fn every_option_has_an_environment_variable() {
    let directory = tempfile::tempdir().unwrap();
    let help = within(command(&directory).arg("--help").output()).await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let options: Vec<_> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--"))
        .map(|line| line.split([' ', '[']).next().unwrap())
        .collect();
    assert!(options.len() >= 9, "{options:?}");
    for option in options {
        let variable = format!("[env: SIGHTLINE_{}", option.replace('-', "_").to_uppercase());
        // A secret's value is not shown.
        let is_named = ["=", "]"].iter().any(|end| help.contains(&format!("{variable}{end}")));
        assert!(is_named, "{variable} in {help}");
    }
}

#[tokio::test]
async fn the_files_for_hosting_name_only_variables_that_the_server_reads() {
    const FILES: [&str; 5] = [
        include_str!("../../../../deploy/Containerfile"),
        include_str!("../../../../deploy/compose.yaml"),
        include_str!("../../../../deploy/compose.coturn.yaml"),
        include_str!("../../../../deploy/sightline.service"),
        include_str!("../../../../docs/hosting.md"),
    ];
    // A variable of `sightline-peer`.
    const OF_OTHERS: [&str; 1] = ["SIGHTLINE_CREATE_TOKEN"];
    let directory = tempfile::tempdir().unwrap();
    let help = within(command(&directory).arg("--help").output()).await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let is_part = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let names = FILES.into_iter().flat_map(|text| text.split(|letter| !is_part(letter)));
    let names: Vec<_> =
        names.filter(|name| name.starts_with("SIGHTLINE_") && !OF_OTHERS.contains(name)).collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        let is_read = ["=", "]"].iter().any(|end| help.contains(&format!("[env: {name}{end}")));
        assert!(is_read, "{name} in {help}");
    }
}

#[tokio::test]
async fn the_options_send_the_log_as_json_to_standard_output_and_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("logs/sightline.log");
    let mut child = command(&directory)
        .args(["--port", "0", "--no-turn", "--log-format", "json", "--log-file"])
        .arg(&file)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = within(lines.next_line()).await.unwrap().unwrap();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["level"], &event["message"]), (&"INFO".into(), &"listening".into()));
    assert!(event["urls"].as_str().unwrap().starts_with("http://localhost:"), "{line}");
    send("TERM", &child).await;
    assert_eq!(ended(child).await.code(), Some(0));
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"urls\":\"http://localhost:"));
}

#[tokio::test]
async fn an_unwritable_log_file_gives_a_one_sentence_error() {
    let directory = tempfile::tempdir().unwrap();
    let output = within(command(&directory).arg("--log-file").arg(directory.path()).output()).await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains("--log-file"), "{stderr}");
}

/// A stranger that can cause one log line can cause a million lines of any length.
#[tokio::test]
async fn strangers_do_not_fill_the_log() {
    const ORIGIN_BYTES: usize = 30_000;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("server.log");
    let (child, port) = start_with(&directory, &["--no-turn", "--log-file", log.to_str().unwrap()]).await;
    let long = "x".repeat(ORIGIN_BYTES);
    for n in 0..200 {
        let mut stream = within(TcpStream::connect(("127.0.0.1", port))).await.unwrap();
        let (origin, path, agent) = match n % 4 {
            0 => (&*long, "/ws".to_owned(), ""),
            1 => ("http://evil.example", "/ws".to_owned(), &*long),
            2 => ("http://\u{7}evil.example", "/ws".to_owned(), ""),
            _ => ("", format!("/room/{}", &long[..20_000]), ""),
        };
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: {origin}\r\n\
             user-agent: {agent}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        within(stream.readable()).await.unwrap();
    }
    send("TERM", &child).await;
    ended(child).await;
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.contains("a page was refused"), "{text}");
    assert!(text.len() < ORIGIN_BYTES, "{} bytes", text.len());
}

#[tokio::test]
async fn an_exposed_or_damaged_key_is_reported_in_a_sentence() {
    use std::os::unix::fs::PermissionsExt;

    for (content, mode, word) in
        [(vec![7; 32], 0o644, "mode 644"), (Vec::new(), 0o600, "damaged"), (vec![7; 31], 0o600, "damaged")]
    {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("resume.key");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let output = within(command(&directory).env("SIGHTLINE_PORT", "0").output()).await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(said.contains("resume.key") && said.contains(word) && said.contains("Delete it"), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
}
