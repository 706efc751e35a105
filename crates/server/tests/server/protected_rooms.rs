//! Rooms that are named by an admission tag beside their name.

use sightline_protocol::{ErrorCode, signaling::ServerMessage};

use crate::{
    client::{Client, Seat},
    harness::TestServer,
};

fn tag(letter: char) -> String {
    letter.to_string().repeat(43)
}

fn join(room: &str, tag: Option<&str>, instance: &str, resume: Option<&str>) -> String {
    let field = |name: &str, value: Option<&str>| {
        value.map(|value| format!(r#","{name}":"{value}""#)).unwrap_or_default()
    };
    let (admission, resume) = (field("admission", tag), field("resume", resume));
    format!(
        r#"{{"type":"join","protocol":1,"room":"{room}","name":"","sealed_name":"of-{instance}","instance":"{instance}"{admission}{resume}}}"#
    )
}

async fn enter(
    server: &TestServer,
    tag: Option<&str>,
    instance: &str,
    resume: Option<&str>,
) -> (Client, Seat) {
    let mut client = Client::connect(server).await;
    client.send(join("team-7", tag, instance, resume)).await;
    let seat = client.joined().await;
    (client, seat)
}

#[tokio::test]
async fn a_client_with_only_the_room_name_is_in_another_room_and_takes_no_place() {
    let server = TestServer::start();
    let (a, b) = (tag('a'), tag('b'));
    let (mut ada, _) = enter(&server, Some(&a), "ada", None).await;
    let mut outside = Vec::new();
    for guess in 0..8 {
        let (client, seat) = enter(&server, None, &format!("guess{guess}"), None).await;
        assert!(seat.members.iter().all(|member| member.instance.as_str().starts_with("guess")));
        outside.push(client);
    }
    let (_other, other_seat) = enter(&server, Some(&b), "other", None).await;
    assert_eq!(other_seat.members, []);
    let (_bo, bo_seat) = enter(&server, Some(&a), "bo", None).await;
    assert_eq!(bo_seat.members.len(), 1, "a place is left, and only ada is there");
    let sealed = bo_seat.members[0].sealed_name.clone().map(String::from);
    assert_eq!(sealed.as_deref(), Some("of-ada"));
    let heard = ada.until_pong().await;
    assert!(
        matches!(&heard[..], [ServerMessage::PeerJoined { member }] if member.instance.as_str() == "bo"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_protected_room_is_full_by_itself() {
    let server = TestServer::start();
    let a = tag('a');
    let mut inside = Vec::new();
    for instance in 0..8 {
        inside.push(enter(&server, Some(&a), &format!("i{instance}"), None).await);
    }
    let mut ninth = Client::connect(&server).await;
    ninth.send(join("team-7", Some(&a), "i8", None)).await;
    assert!(matches!(ninth.next().await, ServerMessage::Full { .. }));
    let (_outside, seat) = enter(&server, None, "outside", None).await;
    assert_eq!(seat.members, []);
}

#[tokio::test]
async fn a_token_is_valid_only_in_its_room() {
    let server = TestServer::start();
    let (a, b) = (tag('a'), tag('b'));
    let (ada, before) = enter(&server, Some(&a), "ada", None).await;
    drop(ada);
    for other in [None, Some(b.as_str())] {
        let (_elsewhere, seat) = enter(&server, other, "ada", Some(&before.resume)).await;
        assert_ne!(seat.me, before.me, "{other:?}");
    }
    let (_ada, after) = enter(&server, Some(&a), "ada", Some(&before.resume)).await;
    assert_eq!((&after.me, after.arrival), (&before.me, before.arrival));
}

#[tokio::test]
async fn a_protected_room_is_found_again_after_a_restart_and_its_tag_is_in_no_token() {
    let server = TestServer::start();
    let a = tag('a');
    let (_ada, before) = enter(&server, Some(&a), "ada", None).await;
    assert!(!before.resume.contains(&a[..8]), "{}", before.resume);
    let server = server.restart().await;
    let (_guess, outside) = enter(&server, None, "guess", None).await;
    let (_bo, newcomer) = enter(&server, Some(&a), "bo", None).await;
    let (_ada, after) = enter(&server, Some(&a), "ada", Some(&before.resume)).await;
    assert_eq!((after.me, after.arrival), (before.me, before.arrival));
    assert_eq!((after.members.len(), newcomer.members.len(), outside.members.len()), (1, 0, 0));
}

#[tokio::test]
async fn a_sealed_signal_is_relayed_unchanged() {
    let server = TestServer::start();
    let a = tag('a');
    let (mut ada, _) = enter(&server, Some(&a), "ada", None).await;
    let (mut bo, bo_seat) = enter(&server, Some(&a), "bo", None).await;
    ada.until_pong().await;
    let signal = |text: &str| {
        format!(
            r#"{{"type":"signal","to":"{}","connection":"c1","generation":0,"payload":{{"sealed":"{text}"}}}}"#,
            bo_seat.me
        )
    };
    let longest = "a".repeat(65_000);
    ada.send(signal(&longest)).await;
    let ServerMessage::Signal { signal: heard, .. } = bo.next().await else { panic!("no signal") };
    let heard = serde_json::to_value(heard).unwrap();
    assert_eq!(heard["payload"]["sealed"].as_str(), Some(longest.as_str()));
    ada.send(signal("not base64url")).await;
    ada.is_told(ErrorCode::ProtocolError).await;
}

#[tokio::test]
async fn a_tag_of_another_length_is_a_protocol_error() {
    let server = TestServer::start();
    for tag in ["", "short", &"a".repeat(44), &"é".repeat(43)] {
        let mut client = Client::connect(&server).await;
        client.send(join("team-7", Some(tag), "i", None)).await;
        client.is_told(ErrorCode::ProtocolError).await;
    }
}
