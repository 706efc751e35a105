//! Loads a signaling server and prints what that cost the server, as one line of JSON. `cargo xtask bench signalling` runs it.
//!
//! Rooms of two. First all sockets are idle: memory. Then one of each room sends bursts of signals as trickled candidates
//! come, the next burst when the other has the last one: messages per second of the server's processor time. Then one
//! signal at a time, in one room after the other: latency. With `--spread` instead, in every room a few signals go back and forth all
//! the time, so that the frames of one socket seldom come together: both figures again.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a tool at a terminal")]

use std::{
    collections::VecDeque,
    fs,
    ops::Range,
    time::{Duration, Instant},
};

use clap::Parser;
use futures_util::{
    SinkExt, StreamExt,
    future::join_all,
    stream::{self, SplitSink},
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// Length of a signal as it is sent.
const SIGNAL_BYTES: usize = 600;
/// What a browser trickles at once.
const BURST: usize = 16;
/// Rooms that send at the same time. The others are idle.
const SENDING_ROOMS: usize = 64;
/// Signals that go back and forth in each room with `--spread`.
const SPREAD_SIGNALS: usize = 4;
/// Rooms that are there before anything is measured.
const FIRST_ROOMS: usize = 16;
/// Sockets that are opened at the same time.
const OPENING: usize = 64;
const IDLE_BEFORE_WEIGHING: Duration = Duration::from_secs(3);
const LATENCY_SIGNALS: usize = 2_000;
/// Between two signals of the latency measurement.
const LATENCY_PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug, Parser)]
struct Arguments {
    /// Where the server listens, on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// The id of the server's process.
    #[arg(long)]
    pid: u32,
    #[arg(long)]
    sockets: usize,
    /// Measure with signals that go back and forth in every room.
    #[arg(long)]
    spread: bool,
    /// The server is a `PeerServer`, with its protocol.
    #[arg(long)]
    peerjs: bool,
    /// Seconds of the throughput measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// Frames of one socket that wait to be looked at.
const WAITING_FRAMES: usize = 64;

/// A socket that is read all the time, so that the server's pings are answered.
struct Socket {
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    texts: mpsc::Receiver<String>,
}

/// Two members, the signal that the first sends to the second, and the one back.
struct Room {
    sender: Socket,
    receiver: Socket,
    signal: Message,
    back: Message,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    // A server that has never had a socket has not yet loaded the code for them.
    let _first = open_rooms(&arguments, 0..FIRST_ROOMS).await;
    tokio::time::sleep(IDLE_BEFORE_WEIGHING).await;
    let empty_bytes = memory_bytes(arguments.pid);
    let mut rooms = open_rooms(&arguments, FIRST_ROOMS..FIRST_ROOMS + arguments.sockets / 2).await;
    tokio::time::sleep(IDLE_BEFORE_WEIGHING).await;
    let bytes_per_socket = memory_bytes(arguments.pid).saturating_sub(empty_bytes) / arguments.sockets as u64;

    let cpu_before = cpu_time(arguments.pid);
    let started = now();
    let until = started + Duration::from_secs(arguments.seconds);
    let mut latencies: Vec<Duration>;
    let (relayed, elapsed, cpu);
    if arguments.spread {
        // A task for each, so that the load itself treats all rooms alike.
        let exchanges = rooms.into_iter().map(|room| tokio::spawn(exchange_until(room, until)));
        let all = join_all(exchanges.collect::<Vec<_>>()).await;
        (elapsed, cpu) = (started.elapsed(), cpu_time(arguments.pid) - cpu_before);
        latencies = all.into_iter().flat_map(Result::unwrap).collect();
        relayed = latencies.len();
    } else {
        let bursts = rooms.iter_mut().take(SENDING_ROOMS).map(|room| relay_until(room, until));
        relayed = join_all(bursts).await.into_iter().sum();
        (elapsed, cpu) = (started.elapsed(), cpu_time(arguments.pid) - cpu_before);
        latencies = one_by_one(&mut rooms).await;
    }
    latencies.sort_unstable();
    println!(
        "{}",
        json!({
            "sockets": arguments.sockets,
            "bytes_per_socket": bytes_per_socket,
            "relayed_per_cpu_s": relayed as f64 / cpu.as_secs_f64(),
            "relayed_per_s": relayed as f64 / elapsed.as_secs_f64(),
            "p50_us": latencies[latencies.len() / 2].as_micros() as u64,
            "p99_us": latencies[latencies.len() * 99 / 100].as_micros() as u64,
        })
    );
}

async fn open_rooms(arguments: &Arguments, numbers: Range<usize>) -> Vec<Room> {
    let open = |number| open_room(arguments.port, number, arguments.peerjs);
    stream::iter(numbers).map(open).buffer_unordered(OPENING).collect().await
}

async fn open_room(port: u16, number: usize, is_peerjs: bool) -> Room {
    let mut room = if is_peerjs {
        open_peerjs_room(port, number).await
    } else {
        open_sightline_room(port, number).await
    };
    // Once before anything is measured.
    room.sender.sink.send(room.signal.clone()).await.unwrap();
    let arrived: Value = serde_json::from_str(&next_text(&mut room.receiver).await).unwrap();
    let from = if is_peerjs { &arrived["src"] } else { &arrived["from"] };
    assert!(from.is_string() && arrived["payload"]["candidate"]["candidate"].is_string(), "{arrived}");
    room
}

async fn open_sightline_room(port: u16, number: usize) -> Room {
    let room = format!("load-{number}");
    let (mut sender, first) = join(port, &room, "sender").await;
    let (receiver, second) = join(port, &room, "receiver").await;
    // `peer_joined`
    next_text(&mut sender).await;
    let signal_to = |joined: &Value| {
        let to = joined["you"].as_str().unwrap();
        padded(|candidate| {
            json!({
                "type": "signal", "to": to, "connection": "c1", "generation": 0,
                "payload": {"candidate": {"candidate": candidate, "sdp_mid": "0", "sdp_m_line_index": 0, "ufrag": "abcd"}},
            })
        })
    };
    Room { sender, receiver, signal: signal_to(&second), back: signal_to(&first) }
}

/// Two clients of a `PeerServer`, which has no rooms.
async fn open_peerjs_room(port: u16, number: usize) -> Room {
    let ids = [format!("sender-{number}"), format!("receiver-{number}")];
    let open = async |id: &str| {
        let path = format!("peerjs/peerjs?key=peerjs&id={id}&token={id}&version=1.5.5");
        let mut socket = connect(port, &path).await;
        let opened: Value = serde_json::from_str(&next_text(&mut socket).await).unwrap();
        assert_eq!(opened["type"], "OPEN");
        socket
    };
    let (sender, receiver) = (open(&ids[0]).await, open(&ids[1]).await);
    let signal_to = |to: &str| {
        padded(|candidate| {
            json!({
                "type": "CANDIDATE", "dst": to,
                "payload": {
                    "candidate": {"candidate": candidate, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "abcd"},
                    "type": "media", "connectionId": "c1",
                },
            })
        })
    };
    Room { sender, receiver, signal: signal_to(&ids[1]), back: signal_to(&ids[0]) }
}

/// The frame that `signal` makes of a candidate, with a candidate of such a length that it has [`SIGNAL_BYTES`].
fn padded(signal: impl Fn(&str) -> Value) -> Message {
    let padding = SIGNAL_BYTES - signal("").to_string().len();
    let frame = signal(&"x".repeat(padding)).to_string();
    assert_eq!(frame.len(), SIGNAL_BYTES);
    Message::text(frame)
}

async fn join(port: u16, room: &str, name: &str) -> (Socket, Value) {
    let mut socket = connect(port, "ws").await;
    let join = json!({"type": "join", "protocol": 1, "room": room, "name": name, "instance": name});
    socket.sink.send(Message::text(join.to_string())).await.unwrap();
    let joined = serde_json::from_str(&next_text(&mut socket).await).unwrap();
    (socket, joined)
}

async fn connect(port: u16, path: &str) -> Socket {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (socket, _) = client_async(format!("ws://127.0.0.1:{port}/{path}"), stream).await.unwrap();
    let (sink, mut stream) = socket.split();
    let (sender, texts) = mpsc::channel(WAITING_FRAMES);
    tokio::spawn(async move {
        while let Some(Ok(frame)) = stream.next().await {
            if let Message::Text(text) = frame
                && sender.send(text.to_string()).await.is_err()
            {
                break;
            }
        }
    });
    Socket { sink, texts }
}

/// Lets signals go back and forth. Returns how long each took from one member to the other.
async fn exchange_until(room: Room, until: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    let Room { mut sender, mut receiver, signal, back } = room;
    let mut on_their_way = [VecDeque::new(), VecDeque::new()];
    for _ in 0..SPREAD_SIGNALS {
        on_their_way[0].push_back(now());
        sender.sink.send(signal.clone()).await.unwrap();
    }
    while now() < until {
        let there = tokio::select! {
            _ = next_text(&mut receiver) => true,
            _ = next_text(&mut sender) => false,
        };
        let (arriving, leaving) = if there { (0, 1) } else { (1, 0) };
        // Frames of one socket arrive in order.
        latencies.extend(on_their_way[arriving].pop_front().map(|sent: Instant| sent.elapsed()));
        on_their_way[leaving].push_back(now());
        if there {
            receiver.sink.send(back.clone()).await.unwrap();
        } else {
            sender.sink.send(signal.clone()).await.unwrap();
        }
    }
    latencies
}

/// Sends one signal at a time. Returns how long each took.
async fn one_by_one(rooms: &mut [Room]) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(LATENCY_SIGNALS);
    let count = rooms.len();
    for number in 0..LATENCY_SIGNALS {
        let room = &mut rooms[number % count];
        let sent = now();
        room.sender.sink.send(room.signal.clone()).await.unwrap();
        next_text(&mut room.receiver).await;
        latencies.push(sent.elapsed());
        tokio::time::sleep(LATENCY_PAUSE).await;
    }
    latencies
}

async fn relay_until(room: &mut Room, until: Instant) -> usize {
    let mut relayed = 0;
    while now() < until {
        for _ in 0..BURST {
            room.sender.sink.feed(room.signal.clone()).await.unwrap();
        }
        room.sender.sink.flush().await.unwrap();
        for _ in 0..BURST {
            next_text(&mut room.receiver).await;
        }
        relayed += BURST;
    }
    relayed
}

async fn next_text(socket: &mut Socket) -> String {
    socket.texts.recv().await.expect("the server closed")
}

fn memory_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// User and system time (`proc(5)`, fields 14 and 15 of `stat`), of which there are 100 ticks a second.
fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    let ticks = |at: usize| after_name.split_whitespace().nth(at).unwrap().parse::<u64>().unwrap();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

#[allow(clippy::disallowed_methods, reason = "measuring time is its purpose")]
fn now() -> Instant {
    Instant::now()
}
