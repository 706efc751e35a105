//! Files from the standard input and to the standard output.

use std::{fs, path::Path, process::Stdio};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::timeout,
};

use crate::harness::{PATIENCE, TestServer, program, run_to_end};

/// Bytes that do not repeat within a frame.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

/// `send -` with its temporary files in this folder.
fn send(room: &str, arguments: &[&str], temporary: &Path) -> Command {
    let mut command = program();
    command.args(["send", room, "--name", "Ben"]).args(arguments).env("TMPDIR", temporary);
    command
}

fn receive(room: &str, arguments: &[&str]) -> Child {
    program()
        .args(["receive", room, "--name", "Ada", "--into", "-", "--accept", "all"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Runs a command with this standard input to its end.
async fn run_with(mut command: Command, input: &[u8]) -> (Option<i32>, String, String) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).await.unwrap();
    drop(stdin);
    ended(child).await
}

async fn ended(child: Child) -> (Option<i32>, String, String) {
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("the process did not end").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_arrives_in_another_pipe() {
    let server = TestServer::start();
    let room = server.room("pipe");
    let temporary = tempfile::tempdir().unwrap();
    let file = bytes(20_000_000);
    let mut ada = receive(&room, &[]);
    let mut arriving = ada.stdout.take().unwrap();
    let reader = tokio::spawn(async move {
        let mut arrived = Vec::new();
        arriving.read_to_end(&mut arrived).await.unwrap();
        arrived
    });
    let (code, stdout, stderr) =
        run_with(send(&room, &["-", "--as", "dump.sql"], temporary.path()), &file).await;
    assert_eq!(code, Some(0), "{stderr}");
    let sha256 = stdout.strip_suffix("  dump.sql -> Ada\n").unwrap();
    assert!(reader.await.unwrap() == file);
    let (code, _, stderr) = ended(ada).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.ends_with(&format!("\n{sha256}  -\n")), "{stderr}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "the temporary file is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_ends_early_is_told_on_both_sides() {
    let server = TestServer::start();
    let room = server.room("head");
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("data.bin");
    fs::write(&from, bytes(3_000_000)).unwrap();
    let mut ada = receive(&room, &[]);
    let mut arriving = ada.stdout.take().unwrap();
    let head = tokio::spawn(async move {
        let mut arrived = vec![0; 1000];
        arriving.read_exact(&mut arrived).await.unwrap();
    });
    let ben = run_to_end(&mut send(&room, &[from.to_str().unwrap()], folder.path())).await;
    assert_eq!(ben.code, Some(6), "{}", ben.stderr);
    assert!(
        ben.stderr.ends_with("data.bin did not reach Ada: the receiver cannot store it. (storage-refused)\n")
    );
    head.await.unwrap();
    let (code, _, stderr) = ended(ada).await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.ends_with("there is nobody to write to. (output-closed)\n"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standard_output_takes_the_first_file_only() {
    let server = TestServer::start();
    let room = server.room("one");
    let folder = tempfile::tempdir().unwrap();
    let files = ["1.txt", "2.txt"].map(|name| folder.path().join(name));
    for path in &files {
        fs::write(path, path.file_name().unwrap().as_encoded_bytes()).unwrap();
    }
    let ada = receive(&room, &["--json", "--quiet"]);
    let paths = files.each_ref().map(|path| path.to_str().unwrap());
    let ben = run_to_end(&mut send(&room, &paths, folder.path())).await;
    assert_eq!(ben.code, Some(6), "{}", ben.stderr);
    assert!(ben.stderr.ends_with("2.txt did not reach Ada: it was declined. (declined)\n"), "{}", ben.stderr);
    let (code, stdout, stderr) = ended(ada).await;
    assert_eq!((code, stdout.as_str()), (Some(0), "1.txt"));
    let events: Vec<serde_json::Value> =
        stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done = events.iter().find(|event| event["state"] == "done").unwrap();
    assert_eq!((done["name"].as_str(), done["path"].as_str()), (Some("1.txt"), Some("-")));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_is_interrupted_leaves_no_file_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = send("http://127.0.0.1:9/room/team-7", &["-"], temporary.path());
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(&bytes(300_000)).await.unwrap();
    // The pipe takes less than that, so the command reads.
    let stored = || fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(stored(), 1);
    let process = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let stdin = child.stdin.take();
    let (code, _, stderr) = ended(child).await;
    assert_eq!(code, Some(130), "{stderr}");
    drop(stdin);
    assert_eq!(stored(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pipe_cannot_do_is_said_before_the_room_is_entered() {
    const ROOM: &str = "http://127.0.0.1:9/room/team-7";
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let (code, _, stderr) = run_with(send(ROOM, &["-"], &missing), b"").await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.ends_with("TMPDIR names another directory. (file-unwritable)\n"), "{stderr}");
    let twice = run_to_end(&mut send(ROOM, &["-", "-"], folder.path())).await;
    assert_eq!(twice.code, Some(2), "{}", twice.stderr);
    assert!(twice.stderr.ends_with("(one-input-only)\n"), "{}", twice.stderr);
    let daemon =
        run_to_end(program().args(["receive", ROOM, "--into", "-", "--daemon", "--from", "Ben"])).await;
    assert_eq!(daemon.code, Some(2), "{}", daemon.stderr);
    assert!(daemon.stderr.ends_with("(one-file-only)\n"), "{}", daemon.stderr);
}
