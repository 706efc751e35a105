//! Frames that the app never sends: the sender gets an error and is closed, and no other member is affected.

use futures_util::{SinkExt, StreamExt};
use sightline_protocol::{ErrorCode, limits::MAX_FRAME_BYTES, signaling::ServerMessage};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    client::{Bystanders, Client},
    harness::{TestServer, within},
};

/// A member sends the frame, gets the error `code` and is closed with `close`. The others in the room are not affected.
async fn is_refused(frame: impl Into<Message>, code: ErrorCode, close: u16) {
    let server = TestServer::start();
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (mut hostile, _) = Client::join(&server, "team-7", "hostile").await;
    hostile.send(frame).await;
    hostile.is_told(code).await;
    assert_eq!(hostile.closed().await.0, close);
    bystanders.are_well().await;
}

#[tokio::test]
async fn text_that_is_not_a_message() {
    for text in ["", "{", "null", "[]", "{\"type\":\"dance\"}", "{\"type\":\"signal\",\"to\":\"x\"}", "\u{0}"]
    {
        is_refused(text, ErrorCode::ProtocolError, 1008).await;
    }
}

/// Parsers may disagree about a text, so the server must not pass on text that it did not parse.
#[tokio::test]
async fn a_signal_that_another_parser_may_refuse() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for unknown in ["1e999", "-1e400", "\"\\ud800\"", "{\"a\":1,\"a\":2}", "{\"\\udfff\":0}", &deep] {
        for place in ["top", "payload", "candidate"] {
            a_signal_is_refused(|signal| match place {
                "top" => format!("{{\"u\":{unknown},{}", &signal[1..]),
                "payload" => signal.replace("\"payload\":{", &format!("\"payload\":{{\"u\":{unknown},")),
                _ => signal.replace("\"candidate\":{", &format!("\"candidate\":{{\"u\":{unknown},")),
            })
            .await;
        }
    }
    for twice in ["\"generation\":0", "\"type\":\"signal\"", "\"connection\":\"c1\"", "\"u\":1,\"u\":1"] {
        a_signal_is_refused(|signal| format!("{{{twice},{}", &signal[1..])).await;
    }
    a_signal_is_refused(|signal| signal.replace("\"x\"", "\"x\",\"candidate\":\"y\"")).await;
}

/// A signal to a bystander, changed by `spoil`, gets an error for its sender and never arrives.
async fn a_signal_is_refused(spoil: impl FnOnce(&str) -> String) {
    let server = TestServer::start();
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let (mut hostile, _) = Client::join(&server, "team-7", "hostile").await;
    ada.until_pong().await;
    let signal = format!(
        "{{\"type\":\"signal\",\"to\":\"{}\",\"connection\":\"c1\",\"generation\":0,\
         \"payload\":{{\"candidate\":{{\"candidate\":\"x\"}}}}}}",
        ada_seat.me
    );
    hostile.send(spoil(&signal)).await;
    hostile.is_told(ErrorCode::ProtocolError).await;
    hostile.closed().await;
    let heard = ada.until_pong().await;
    assert!(matches!(heard[..], [ServerMessage::PeerAway { .. }]), "{heard:?}");
}

#[tokio::test]
async fn json_nested_as_deep_as_a_frame_allows() {
    is_refused("[".repeat(MAX_FRAME_BYTES), ErrorCode::ProtocolError, 1008).await;
}

#[tokio::test]
async fn an_unknown_type_of_great_length_is_not_repeated_in_full() {
    let server = TestServer::start();
    let mut hostile = Client::connect(&server).await;
    hostile.send(format!("{{\"type\":\"{}\"}}", "x".repeat(60_000))).await;
    let ServerMessage::Error { message, .. } = hostile.next().await else { panic!("no error") };
    assert!(message.len() <= 800, "{} bytes", message.len());
}

#[tokio::test]
async fn a_binary_frame() {
    is_refused(Message::binary(vec![0; 16]), ErrorCode::ProtocolError, 1008).await;
}

#[tokio::test]
async fn text_that_is_not_utf_8() {
    let frame = Frame::message(Bytes::from_static(b"\xff\xfe"), OpCode::Data(Data::Text), true);
    is_refused(Message::Frame(frame), ErrorCode::ProtocolError, 1008).await;
}

#[tokio::test]
async fn a_frame_too_long_by_one_byte() {
    is_refused(" ".repeat(MAX_FRAME_BYTES + 1), ErrorCode::FrameTooLarge, 1009).await;
    is_refused(Message::binary(vec![0; MAX_FRAME_BYTES + 1]), ErrorCode::FrameTooLarge, 1009).await;
}

#[tokio::test]
async fn a_frame_too_long_to_be_read_at_all() {
    is_refused(" ".repeat(3 * MAX_FRAME_BYTES), ErrorCode::FrameTooLarge, 1009).await;
}

#[tokio::test]
async fn a_frame_whose_sender_is_still_sending_when_the_error_arrives() {
    let server = TestServer::start();
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (hostile, _) = Client::join(&server, "team-7", "hostile").await;
    let (mut sink, mut stream) = hostile.socket.split();
    let sending = tokio::spawn(async move { sink.send(Message::text(" ".repeat(32 * 1024 * 1024))).await });
    let told = loop {
        match within(stream.next()).await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("{other:?} instead of an error"),
        }
    };
    assert!(told.contains("frame-too-large"), "{told}");
    bystanders.are_well().await;
    assert!(within(sending).await.unwrap().is_err(), "no server accepts 32 MiB");
}

#[tokio::test]
async fn a_frame_that_claims_to_be_longer_than_any_memory() {
    let length = [&[0x81, 0xff][..], &(1_u64 << 62).to_be_bytes(), &[0; 4]].concat();
    raw_bytes_are_refused(&length, ErrorCode::FrameTooLarge).await;
}

#[tokio::test]
async fn a_message_in_endless_pieces() {
    let server = TestServer::start();
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (mut hostile, _) = Client::join(&server, "team-7", "hostile").await;
    for piece in 0..5 {
        let kind = if piece == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(vec![b' '; MAX_FRAME_BYTES / 2], OpCode::Data(kind), false);
        hostile.send(Message::Frame(frame)).await;
    }
    hostile.is_told(ErrorCode::FrameTooLarge).await;
    bystanders.are_well().await;
}

/// The library that assembles messages would accept these frames for ever.
#[tokio::test]
async fn frames_that_do_not_form_a_message() {
    let ping = Frame::ping(Bytes::new());
    let pong = Frame::pong(Bytes::from_static(b"unasked"));
    let empty = Frame::message(Bytes::new(), OpCode::Data(Data::Continue), false);
    let tiny = Frame::message(Bytes::from_static(b" "), OpCode::Data(Data::Continue), false);
    for (name, flood) in [("ping", ping), ("pong", pong), ("empty", empty), ("tiny", tiny)] {
        let server = TestServer::start();
        let mut bystanders = Bystanders::in_room(&server, "team-7").await;
        let (hostile, _) = Client::join(&server, "team-7", "hostile").await;
        let (mut sink, mut stream) = hostile.socket.split();
        let sending = tokio::spawn(async move {
            if name == "empty" || name == "tiny" {
                let first = Frame::message(Bytes::new(), OpCode::Data(Data::Text), false);
                sink.send(Message::Frame(first)).await?;
            }
            for _ in 0..5_000 {
                sink.send(Message::Frame(flood.clone())).await?;
            }
            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
        });
        let told = loop {
            match within(stream.next()).await {
                Some(Ok(Message::Text(text))) => break text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?} instead of an error: {name}"),
            }
        };
        assert!(told.contains("rate-limited"), "{name}: {told}");
        bystanders.are_well().await;
        drop(stream);
        // The client may have sent everything before it got the error, or have been cut off.
        drop(within(sending).await.unwrap());
    }
}

#[tokio::test]
async fn a_frame_that_the_web_socket_protocol_does_not_know() {
    // A final frame of the reserved opcode 3, masked, empty.
    raw_bytes_are_refused(&[0x83, 0x80, 0, 0, 0, 0], ErrorCode::ProtocolError).await;
    // One with a reserved bit set.
    raw_bytes_are_refused(&[0xc1, 0x80, 0, 0, 0, 0], ErrorCode::ProtocolError).await;
    // One without the mask that clients must use.
    raw_bytes_are_refused(&[0x81, 0x01, b'x'], ErrorCode::ProtocolError).await;
}

#[tokio::test]
async fn half_a_frame_and_then_nothing() {
    let server = TestServer::start();
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (mut hostile, _) = Client::join(&server, "team-7", "hostile").await;
    write_raw(&mut hostile, &[0x81, 0xfe, 0x10]).await;
    drop(hostile);
    bystanders.are_well().await;
}

#[tokio::test]
async fn frames_after_a_refused_one_are_ignored() {
    let server = TestServer::start();
    let mut hostile = Client::connect(&server).await;
    hostile.send("nonsense").await;
    for _ in 0..100 {
        hostile.say(&crate::client::join("team-7", "hostile", None)).await;
    }
    hostile.is_told(ErrorCode::ProtocolError).await;
    hostile.closed().await;
    let (_ada, seat) = Client::join(&server, "team-7", "ada").await;
    assert_eq!(seat.members, []);
}

async fn raw_bytes_are_refused(bytes: &[u8], code: ErrorCode) {
    let server = TestServer::start();
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let (mut hostile, _) = Client::join(&server, "team-7", "hostile").await;
    write_raw(&mut hostile, bytes).await;
    hostile.is_told(code).await;
    hostile.closed().await;
    bystanders.are_well().await;
}

async fn write_raw(client: &mut Client, bytes: &[u8]) {
    client.socket.get_mut().write_all(bytes).await.unwrap();
}
