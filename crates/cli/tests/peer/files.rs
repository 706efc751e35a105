//! Files between two processes.

use std::{fs, path::Path, process::Stdio};

use crate::harness::{Member, TestServer, program, run};

/// Bytes that do not repeat.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The sorted names of everything in a folder, hidden files too.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A member that has entered the room and receives files into this folder.
async fn receiver(room: &str, into: &Path, arguments: &[&str]) -> Member {
    let arguments = [&["--into", text(into)][..], arguments].concat();
    let mut ada = Member::start("receive", room, "Ada", &arguments);
    ada.event("entered").await;
    ada
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_arrives_with_its_hash_and_both_commands_end() {
    let server = TestServer::start();
    let room = server.room("file");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    let file = bytes(5_000_000, 1);
    fs::write(&from, &file).unwrap();
    let mut ada = receiver(&room, &into, &["--accept", "all", "--once"]).await;
    let mut ben = Member::start("send", &room, "Ben", &[text(&from)]);
    let sent = ben.event_where("file", |event| event["state"] == "done").await;
    let received = ada.event_where("file", |event| event["state"] == "done").await;
    assert_eq!(sent["sha256"], received["sha256"]);
    assert_eq!(
        (received["member_name"].as_str(), received["size_bytes"].as_u64()),
        (Some("Ben"), Some(5_000_000))
    );
    assert_eq!(received["path"], text(&into.join("data.bin")));
    assert_eq!(ben.end().await.0.code(), Some(0));
    assert_eq!(ada.end().await.0.code(), Some(0));
    assert!(fs::read(into.join("data.bin")).unwrap() == file);
    assert_eq!(names(&into), ["data.bin"], "part files, journals and seats are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_arrives_as_a_directory_and_no_file_is_replaced() {
    let server = TestServer::start();
    let room = server.room("directory");
    let folder = tempfile::tempdir().unwrap();
    let (tree, into) = (folder.path().join("tree"), folder.path().join("into"));
    fs::create_dir_all(tree.join("deep")).unwrap();
    fs::create_dir_all(into.join("tree")).unwrap();
    fs::write(into.join("tree/a.txt"), "mine").unwrap();
    let files = [("a.txt", bytes(10, 1)), ("deep/b.bin", bytes(300_000, 2)), ("empty", Vec::new())];
    for (name, content) in &files {
        fs::write(tree.join(name), content).unwrap();
    }
    let ada = receiver(&room, &into, &["--accept", "all", "--once"]).await;
    let (code, stderr) = run(&["send", &room, text(&tree)]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(ada.end().await.0.code(), Some(0));
    assert_eq!(fs::read(into.join("tree/a.txt")).unwrap(), b"mine");
    assert_eq!(fs::read(into.join("tree/a (2).txt")).unwrap(), files[0].1);
    assert!(fs::read(into.join("tree/deep/b.bin")).unwrap() == files[1].1);
    assert_eq!(fs::read(into.join("tree/empty")).unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_anybody_else_is_declined_and_does_not_end_the_command() {
    let server = TestServer::start();
    let room = server.room("from");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    fs::write(&from, bytes(1000, 1)).unwrap();
    let mut ada = receiver(&room, &into, &["--from", "Carl", "--once"]).await;
    let (code, stderr) = run(&["send", &room, "--name", "Ben", text(&from)]).await;
    assert_eq!(code, Some(6), "{stderr}");
    assert!(stderr.ends_with("error: data.bin did not reach Ada: it was declined. (declined)\n"), "{stderr}");
    let (code, stderr) = run(&["send", &room, "--name", "Carl", text(&from)]).await;
    assert_eq!(code, Some(0), "{stderr}");
    ada.event_where("file", |event| event["state"] == "done").await;
    assert_eq!(ada.end().await.0.code(), Some(0));
    assert!(into.join("data.bin").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn receive_asks_the_person_about_each_file() {
    let server = TestServer::start();
    let room = server.room("ask");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("tree"), folder.path().join("into"));
    fs::create_dir(&from).unwrap();
    for name in ["1.txt", "2.txt", "3.txt"] {
        fs::write(from.join(name), name).unwrap();
    }
    let mut ada = receiver(&room, &into, &["--accept", "ask"]).await;
    let ben = Member::start("send", &room, "Ben", &[text(&from)]);
    ada.say("n").await;
    ada.say("yes").await;
    ada.say("all").await;
    for _ in 0..2 {
        ada.event_where("file", |event| event["state"] == "done").await;
    }
    let (status, stderr) = ben.end().await;
    assert_eq!(status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("tree/1.txt did not reach Ada: it was declined. (declined)"), "{stderr}");
    assert_eq!(names(&into.join("tree")), ["2.txt", "3.txt"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn both_commands_go_on_after_an_interruption() {
    const LENGTH: usize = 96 * 1024 * 1024;
    let server = TestServer::start();
    let room = server.room("again");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    let file = bytes(LENGTH, 1);
    fs::write(&from, &file).unwrap();
    let receive = || receiver(&room, &into, &["--accept", "all", "--once"]);
    let states = folder.path().join("states");
    let send = || Member::start_in("send", &room, "Ben", &[text(&from)], &states);
    let is_under_way = |event: &serde_json::Value| event["bytes"].as_u64() > Some(8 * 1024 * 1024);

    let mut ada = receive().await;
    let mut ben = send();
    ben.event_where("file", is_under_way).await;
    ben.interrupt();
    assert_eq!(ben.end().await.0.code(), Some(130));
    let mut ben = send();
    // Before the first message of the receiver the sender does not know how much is there.
    let is_known = |event: &serde_json::Value| event["state"] == "running" && event["bytes"] != 0;
    let first = ben.event_where("file", is_known).await;
    assert!(first["bytes"].as_u64() > Some(4 * 1024 * 1024), "the sender goes on: {first}");

    ada.event_where("file", |event| event["bytes"].as_u64() > Some(24 * 1024 * 1024)).await;
    ada.interrupt();
    assert_eq!(ada.end().await.0.code(), Some(130));
    let mut ada = receive().await;
    let first = ada.event_where("file", is_known).await;
    assert!(first["bytes"].as_u64() > Some(16 * 1024 * 1024), "the receiver goes on: {first}");

    ada.event_where("file", |event| event["state"] == "done").await;
    assert_eq!(ben.end().await.0.code(), Some(0));
    assert_eq!(ada.end().await.0.code(), Some(0));
    assert!(fs::read(into.join("data.bin")).unwrap() == file);
    assert_eq!(names(&into), ["data.bin"]);
    assert_eq!(names(&states.join("sightline-peer")), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_hashes_can_be_checked_by_sha256sum() {
    let server = TestServer::start();
    let room = server.room("sums");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    fs::write(&from, "abc").unwrap();
    let ada = program()
        .args(["receive", &room, "--into", text(&into), "--accept", "all", "--once"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    assert_eq!(run(&["send", &room, text(&from)]).await.0, Some(0));
    let output = ada.wait_with_output().await.unwrap();
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("{sum}  {}\n", text(&into.join("data.bin")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_an_option_must_say_which_files_to_accept() {
    let (code, stderr) = run(&["receive", "http://127.0.0.1:9/room/team-7"]).await;
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.ends_with("give --accept all or --from NAME. (acceptance-needed)\n"), "{stderr}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_sender_hears_which_things_in_a_directory_are_not_sent() {
    let server = TestServer::start();
    let room = server.room("links");
    let folder = tempfile::tempdir().unwrap();
    let (tree, into) = (folder.path().join("tree"), folder.path().join("into"));
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("a.txt"), "a").unwrap();
    std::os::unix::fs::symlink("a.txt", tree.join("link")).unwrap();
    let ada = receiver(&room, &into, &["--accept", "all", "--once"]).await;
    let mut ben = Member::start("send", &room, "Ben", &[text(&tree)]);
    assert_eq!(ben.event("warning").await["code"], "left-out");
    assert_eq!(ben.end().await.0.code(), Some(0));
    assert_eq!(ada.end().await.0.code(), Some(0));
    assert_eq!(names(&into.join("tree")), ["a.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_chooses_the_name_of_a_seat_neither_replaces_it_nor_ends_the_command() {
    let server = TestServer::start();
    let room = server.room("seat");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join(".sightline-peer-seat.json"), folder.path().join("into"));
    fs::write(&from, "{}").unwrap();
    let mut ada = receiver(&room, &into, &["--accept", "all"]).await;
    for stored in ["_.sightline-peer-seat.json", "_.sightline-peer-seat (2).json"] {
        assert_eq!(run(&["send", &room, text(&from)]).await.0, Some(0));
        let received = ada.event_where("file", |event| event["state"] == "done").await;
        assert_eq!(received["path"], text(&into.join(stored)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_cannot_store_its_state_says_so_and_receives() {
    let server = TestServer::start();
    let room = server.room("state");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    fs::write(&from, bytes(1_000_000, 1)).unwrap();
    fs::create_dir_all(into.join(".sightline-peer-state.json")).unwrap();
    let mut ada = receiver(&room, &into, &["--accept", "all", "--once"]).await;
    assert_eq!(run(&["send", &room, text(&from)]).await.0, Some(0));
    assert_eq!(ada.event("warning").await["code"], "state-not-stored");
    assert_eq!(ada.end().await.0.code(), Some(0));
    assert!(into.join("data.bin").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_waits_for_its_server_and_takes_files_of_allowed_members_only() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    fs::write(&from, bytes(1_000_000, 1)).unwrap();
    let room = format!("http://127.0.0.1:{port}/room/daemon");
    let mut ada =
        Member::start("receive", &room, "Ada", &["--daemon", "--from", "Ben", "--into", text(&into), "-v"]);
    // Another command gives up there.
    assert_eq!(run(&["send", &room, text(&from)]).await.0, Some(3));
    let server = TestServer::start_with(|config| config.port = port);
    assert_eq!(server.room("daemon"), room);
    ada.event("entered").await;
    let (code, stderr) = run(&["send", &room, "--name", "Carl", text(&from)]).await;
    assert_eq!(code, Some(6), "{stderr}");
    let (code, stderr) = run(&["send", &room, "--name", "Ben", text(&from)]).await;
    assert_eq!(code, Some(0), "{stderr}");
    ada.event_where("file", |event| event["state"] == "done").await;
    ada.interrupt();
    assert_eq!(ada.end().await.0.code(), Some(130));
    for senders in [&["--accept", "all"][..], &["--from", ""]] {
        let (code, stderr) = run(&[&["receive", &room, "--daemon"], senders].concat()).await;
        assert_eq!(code, Some(2), "a daemon names its senders: {stderr}");
    }
}

/// `SIGHTLINE_TEST_MIB` sets another size.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the figure is what a person runs this for")]
#[ignore = "sends 4 GiB and a byte, which takes minutes and needs as much room on the disk"]
async fn four_gigabytes_take_a_hundred_megabytes_of_memory_at_most() {
    const LIMIT_MIB: u64 = 100;
    let mib = std::env::var("SIGHTLINE_TEST_MIB").map_or(4096, |text| text.parse().unwrap());
    let server = TestServer::start();
    let room = server.room("large");
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    let size_bytes = (mib << 20) + 1;
    // A sparse file.
    fs::File::create(&from).unwrap().set_len(size_bytes).unwrap();
    let mut ada = receiver(&room, &into, &["--accept", "all"]).await;
    let mut ben = Member::start_in("send", &room, "Ben", &[text(&from)], folder.path());
    let mut peaks = [0; 2];
    let sha256 = loop {
        let event = ben.event("file").await;
        for (peak, member) in peaks.iter_mut().zip([&ada, &ben]) {
            *peak = member.peak_memory_mib().unwrap_or_default().max(*peak);
        }
        if event["state"] == "done" {
            break event["sha256"].clone();
        }
    };
    let received = ada.event_where("file", |event| event["state"] == "done").await;
    assert_eq!(received["sha256"], sha256);
    assert_eq!(fs::metadata(into.join("data.bin")).unwrap().len(), size_bytes);
    println!("{mib} MiB: the receiver had {} MiB at most, the sender {} MiB", peaks[0], peaks[1]);
    assert!(peaks.iter().all(|peak| (1..=LIMIT_MIB).contains(peak)), "{peaks:?}");
}
