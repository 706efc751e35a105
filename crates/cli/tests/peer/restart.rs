//! A server that ends and comes again, while members talk and send files.

use std::fs;

use crate::harness::{Member, TestServer};

const NONE: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_loses_no_message_and_no_byte_of_a_file() {
    let server = TestServer::start();
    let (talk, files) = (server.room("talk"), server.room("files"));
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("data.bin"), folder.path().join("into"));
    let file: Vec<u8> = (0..48_u32 << 20).map(|at| (at.wrapping_mul(0x9E37_79B1) >> 24) as u8).collect();
    fs::write(&from, &file).unwrap();
    let arguments = ["--into", into.to_str().unwrap(), "--accept", "all", "--once"];
    let mut receiver = Member::start("receive", &files, "Cy", &arguments);
    receiver.event("entered").await;
    let mut sender = Member::start_in("send", &files, "Dee", &[from.to_str().unwrap()], folder.path());
    let mut ada = Member::start("chat", &talk, "Ada", &NONE);
    ada.event("entered").await;
    let mut ben = Member::start("chat", &talk, "Ben", &NONE);
    ada.event("member_connected").await;
    sender.event_where("file", |event| event["bytes"].as_u64() > Some(4 << 20)).await;
    for number in 0..10 {
        ada.say(&number.to_string()).await;
    }
    let server = server.restart().await;
    for number in 10..20 {
        ada.say(&number.to_string()).await;
    }
    for number in 0..20 {
        assert_eq!(ben.event("message").await["text"], number.to_string(), "each once, and in order");
    }
    receiver.event_where("file", |event| event["state"] == "done").await;
    assert_eq!(sender.end().await.0.code(), Some(0));
    assert_eq!(receiver.end().await.0.code(), Some(0));
    assert!(fs::read(into.join("data.bin")).unwrap() == file);
    // The members are in the room of the new server, too.
    let mut eve = Member::start("chat", &server.room("talk"), "Eve", &NONE);
    for _ in 0..2 {
        eve.event("member_connected").await;
    }
}
