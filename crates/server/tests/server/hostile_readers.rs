//! Clients that make requests and never read: they are closed, their resources are freed, and others are answered meanwhile.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use hyper::StatusCode;
use sightline_protocol::signaling::{ClientMessage, ServerMessage};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Bytes, Message},
};

use crate::{
    client::{Bystanders, Client, Stream, join, signal},
    harness::{PATIENCE, TestServer, no_rate, within},
};

const LARGE_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// The places for files, and the reserved places.
const HOSTILE_READERS: usize = 640;

/// A server with a large file.
fn server_with(adapt: impl FnOnce(&mut sightline_server::Config)) -> TestServer {
    let server = TestServer::start_with(adapt);
    std::fs::write(server.dist().join("index.html"), "<p>the page").unwrap();
    std::fs::File::create(server.dist().join("large.bin")).unwrap().set_len(LARGE_FILE_BYTES).unwrap();
    server
}

/// A connection that requests the large file and does not read.
async fn never_reads(addr: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = within(socket.connect(addr)).await.unwrap();
    stream.write_all(b"GET /large.bin HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    stream
}

#[tokio::test]
async fn healthz_and_sockets_are_answered_while_all_slots_for_files_are_taken() {
    let server = server_with(|_| {});
    let mut bystanders = Bystanders::in_room(&server, "team-7").await;
    let mut readers = Vec::new();
    for _ in 0..HOSTILE_READERS {
        readers.push(never_reads(server.addr).await);
    }
    within(async { while server.get("/", &[]).await.status() != StatusCode::SERVICE_UNAVAILABLE {} }).await;
    for n in 0..20 {
        assert_eq!(server.get("/healthz", &[]).await.body(), "ok");
        assert_eq!(server.get("/metrics", &[]).await.status(), StatusCode::OK);
        Client::join(&server, &format!("room-{n}"), "ada").await;
    }
    bystanders.are_well().await;
    let told = server.get("/", &[]).await;
    assert_eq!(
        (told.status(), &told.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().unwrap())
    );
    drop(readers);
    within(async { while server.get("/", &[]).await.status() != StatusCode::OK {} }).await;
}

#[tokio::test]
async fn a_client_that_never_reads_a_file_is_closed() {
    let server = server_with(|config| {
        config.connections.max = 8;
        config.connections.write_window = Duration::from_millis(500);
    });
    let mut readers = Vec::new();
    for _ in 0..16 {
        readers.push(never_reads(server.addr).await);
    }
    within(async { while server.get("/", &[]).await.status() != StatusCode::OK {} }).await;
    assert_eq!(readers.len(), 16, "they are still here");
}

#[tokio::test]
async fn a_client_behind_a_proxy_has_as_many_requests_at_once_as_any_other() {
    let server = server_with(|config| config.connections.max_per_address = 2);
    let ask = async |address: &str| {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        let head =
            format!("GET /large.bin HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {address}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.readable().await.unwrap();
        stream
    };
    let held = [ask("2001:db8:1:2::3").await, ask("2001:db8:1:2::4").await];
    let status = async |address| server.get("/", &[("x-forwarded-for", address)]).await.status();
    assert_eq!(status("2001:db8:1:2::5").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status("2001:db8:1:3::5").await, StatusCode::OK);
    assert_eq!(server.get("/", &[]).await.status(), StatusCode::OK);
    drop(held);
    within(async { while status("2001:db8:1:2::5").await != StatusCode::OK {} }).await;
}

/// A member that answers pings, before they come, and reads nothing.
async fn pongs_and_never_reads(mut client: Client, room: &str, name: &str) -> JoinHandle<()> {
    client.say(&join(room, name, None)).await;
    client.joined().await;
    let (mut sink, stream) = client.socket.split();
    tokio::spawn(async move {
        let _unread = stream;
        while pong(&mut sink).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
}

async fn pong(
    sink: &mut SplitSink<WebSocketStream<Box<dyn Stream>>, Message>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    sink.send(Message::Pong(Bytes::new())).await
}

#[tokio::test]
async fn a_socket_that_answers_pings_and_reads_nothing_is_closed() {
    let server = TestServer::start_with(|config| {
        config.sockets.queue_age = Duration::from_secs(1);
        config.sockets.ping_interval = Duration::from_millis(200);
        config.sockets.silence_timeout = 2 * PATIENCE;
        config.sockets.queue_bytes = 1024 * 1024 * 1024;
        config.sockets.total_queue_bytes = 1024 * 1024 * 1024;
        config.sockets.rate = no_rate();
    });
    let mut bystanders = Bystanders::in_room(&server, "team-8").await;
    let slow = Client::connect_with_small_buffer(&server).await;
    let unread = pongs_and_never_reads(slow, "team-7", "slow").await;
    let (mut fast, seat) = Client::join(&server, "team-7", "fast").await;
    let slow_id = seat.members[0].id.clone();
    let away = ServerMessage::PeerAway { id: slow_id.clone() };
    within(async {
        while !fast.until_pong().await.contains(&away) {
            // More than the system takes, and far less than the queue.
            fast.say(&signal(&slow_id, &"x".repeat(60_000))).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let metrics = server.get("/metrics", &[]).await;
    let metrics = std::str::from_utf8(metrics.body()).unwrap();
    assert!(metrics.contains("sightline_closings_total{reason=\"too-slow\"} 1"), "{metrics}");
    bystanders.are_well().await;
    unread.abort();
}

#[tokio::test]
async fn when_all_queues_together_are_too_long_the_longest_is_closed() {
    let server = TestServer::start_with(|config| {
        config.sockets.total_queue_bytes = 1024 * 1024;
        config.sockets.queue_bytes = 64 * 1024 * 1024;
        config.sockets.queue_age = 10 * PATIENCE;
        config.sockets.silence_timeout = 10 * PATIENCE;
        config.sockets.rate = no_rate();
    });
    let mut bystanders = Bystanders::in_room(&server, "team-8").await;
    let slow = Client::connect_with_small_buffer(&server).await;
    let unread = pongs_and_never_reads(slow, "team-7", "slow").await;
    let (mut fast, seat) = Client::join(&server, "team-7", "fast").await;
    let slow_id = seat.members[0].id.clone();
    let away = ServerMessage::PeerAway { id: slow_id.clone() };
    within(async {
        loop {
            fast.say(&signal(&slow_id, &"x".repeat(60_000))).await;
            if fast.until_pong().await.contains(&away) {
                break;
            }
        }
    })
    .await;
    bystanders.are_well().await;
    fast.say(&ClientMessage::Leave).await;
    fast.closed().await;
    unread.abort();
}

/// In its own process, so that only the server's memory is measured.
#[cfg(target_os = "linux")]
mod memory {
    use super::*;
    use crate::command::{resident_bytes, server_process};

    const SOCKETS: usize = 256;
    const ALLOWED_BYTES: u64 = 60 * 1024 * 1024;
    const FRAMES_EACH: usize = 12;

    #[tokio::test]
    async fn the_memory_of_256_sockets_that_never_read_is_given_back() {
        let (process, addr) = server_process(&["--max-bytes-per-second", "100000000"]).await;
        // Memory that the first members need is needed only once.
        let (_ada, _) = Client::join_at(addr, "team-7", "ada").await;
        let before = resident_bytes(&process);
        let mut peak = before;
        let mut unread = Vec::new();
        let mut senders = Vec::new();
        for n in 0..SOCKETS {
            let room = format!("room-{n}");
            let slow = Client::connect_small_at(addr).await;
            unread.push(pongs_and_never_reads(slow, &room, "slow").await);
            let (fast, seat) = Client::join_at(addr, &room, "fast").await;
            senders.push((fast, seat.members[0].id.clone()));
        }
        let sdp = "x".repeat(60_000);
        for _ in 0..FRAMES_EACH {
            for (fast, slow_id) in &mut senders {
                fast.say(&signal(slow_id, &sdp)).await;
            }
            peak = peak.max(resident_bytes(&process));
        }
        // Until the age of the waiting frames closes the last socket.
        let all_away = async {
            for (fast, slow_id) in &mut senders {
                let away = ServerMessage::PeerAway { id: slow_id.clone() };
                while !fast.until_pong().await.contains(&away) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        };
        tokio::time::timeout(4 * PATIENCE, all_away).await.expect("all that never read are closed");
        let taken = resident_bytes(&process).saturating_sub(before);
        let mib = |bytes: u64| bytes / 1024 / 1024;
        println!(
            "resident: {} MiB before, {} MiB at most, {} MiB more after",
            mib(before),
            mib(peak),
            mib(taken)
        );
        assert!(taken <= ALLOWED_BYTES, "{} MiB more than before", mib(taken));
        for pongs in unread {
            pongs.abort();
        }
    }
}
