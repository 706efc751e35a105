use crate::harness::{Member, TestServer, program, run};
use std::process::Stdio;
use tokio::io::AsyncReadExt;

const NONE: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn two_members_talk_both_ways() {
    let server = TestServer::start();
    let room = server.room("talk");
    let mut ada = Member::start("chat", &room, "Ada", &NONE);
    ada.event("entered").await;
    let mut ben = Member::start("chat", &room, "Ben", &NONE);
    assert_eq!(ben.event("member_came").await["name"], "Ada");
    assert_eq!(ada.event("member_came").await["name"], "Ben");
    // A line that is written before anybody is connected waits.
    ben.say("hello from Ben").await;
    let heard = ada.event("message").await;
    assert_eq!((heard["name"].as_str(), heard["text"].as_str()), (Some("Ben"), Some("hello from Ben")));
    assert_eq!(ben.event("delivery").await["state"], "delivered");
    ada.say("你好 from Ada").await;
    assert_eq!(ben.event("message").await["text"], "你好 from Ada");

    let (status, stderr) = ben.end().await;
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert_eq!(ada.event("member_left").await["name"], "Ben");
    assert_eq!(ada.end().await.0.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_protected_room_talk_and_a_guessed_name_meets_nobody() {
    let server = TestServer::start();
    let room = format!("{}#c2VjcmV0c2VjcmV0c2Vjcg", server.room("sealed"));
    let mut ada = Member::start("chat", &room, "Ada", &NONE);
    ada.event("entered").await;
    let (code, stderr) = run(&["chat", &room, "--name", "Ben", "--once", "behind the seal", "--quiet"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(ada.event("member_came").await["name"], "Ben");
    assert_eq!(ada.event("message").await["text"], "behind the seal");
    let (code, stderr) = run(&["chat", &server.room("sealed"), "--once", "let me in", "--wait", "1"]).await;
    assert_eq!(code, Some(5), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_have_one_code_to_compare_and_a_third_has_another_with_each() {
    let server = TestServer::start();
    let room = format!("{}#c2VjcmV0c2VjcmV0c2Vjcg", server.room("codes"));
    let mut ada = Member::start("chat", &room, "Ada", &NONE);
    ada.event("entered").await;
    let mut ben = Member::start("chat", &room, "Ben", &NONE);
    let (at_ada, at_ben) = (ada.event("code").await, ben.event("code").await);
    assert_eq!((at_ada["name"].as_str(), at_ben["name"].as_str()), (Some("Ben"), Some("Ada")));
    assert_eq!((&at_ada["words"], at_ada["words"].as_array().map(Vec::len)), (&at_ben["words"], Some(4)));
    let mut cy = Member::start("chat", &room, "Cy", &NONE);
    let (first, second) = (cy.event("code").await, cy.event("code").await);
    let others = [&first["words"], &second["words"]];
    assert!(others[0] != others[1] && !others.contains(&&at_ada["words"]), "{first} {second} {at_ada}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_is_delivered_and_the_command_ends() {
    let server = TestServer::start();
    let room = server.room("once");
    let mut ada = Member::start("chat", &room, "Ada", &NONE);
    ada.event("entered").await;
    let (code, stderr) =
        run(&["chat", &room, "--name", "Ben", "--once", "the build is done", "--quiet"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(ada.event("message").await["text"], "the build is done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_without_a_receiver_ends_with_its_own_exit_code() {
    let server = TestServer::start();
    let (code, stderr) = run(&["chat", &server.room("empty"), "--once", "anybody?", "--wait", "1"]).await;
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.ends_with("error: Nobody came to the room in time. (nobody-came)\n"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_lines_and_not_json() {
    let server = TestServer::start();
    let room = server.room("plain");
    let mut ada = program()
        .args(["chat", &room, "--name", "Ada"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (code, _) = run(&["chat", &room, "--name", "Ben", "--once", "good\u{1b}[2J morning"]).await;
    assert_eq!(code, Some(0));
    drop(ada.stdin.take());
    let mut text = String::new();
    ada.stdout.take().unwrap().read_to_string(&mut text).await.unwrap();
    assert!(ada.wait().await.unwrap().success());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "* Ben is here");
    assert!(lines[1].starts_with("Ben: good") && !text.contains('\u{1b}'), "{text:?}");
}
