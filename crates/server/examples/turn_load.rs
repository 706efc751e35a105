//! Loads a TURN server over UDP and prints what that cost the server: one line of JSON for each shape of traffic. `cargo xtask bench
//! turn` runs it against this server and against coturn.
//!
//! Every packet carries the time it was sent, so its delay is known where it arrives. The same traffic between the same sockets
//! without a relay is measured first; the difference is the relay's.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a tool at a terminal")]

mod turn_client;

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::json;
use tokio::{
    net::UdpSocket,
    sync::Semaphore,
    task::JoinSet,
    time::{MissedTickBehavior, interval_at, timeout},
};

use self::turn_client::{CHANNEL, Client, HEADER_BYTES};

const TIME_BYTES: usize = 8;
/// After the last packet was sent: whatever comes later counts as lost.
const LAST_WAIT: Duration = Duration::from_millis(500);

#[derive(Debug, Parser)]
struct Arguments {
    /// The TURN server's port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// The id of the server's process.
    #[arg(long)]
    pid: u32,
    /// The secret of the server's credentials.
    #[arg(long)]
    secret: String,
    /// Seconds of each shape.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// What is sent, in both directions of each stream.
struct Shape {
    name: &'static str,
    streams: usize,
    packet_bytes: usize,
    /// Packets in a row, and how often; `None` for as many as fit into the window.
    paced: Option<(usize, Duration)>,
    /// Whether both ends have an allocation.
    is_looped: bool,
}

const SHAPES: [Shape; 4] = [
    // Opus, 20 ms a packet.
    Shape {
        name: "voice",
        streams: 64,
        packet_bytes: 160,
        paced: Some((1, Duration::from_millis(20))),
        is_looped: false,
    },
    // 2 Mbit/s at 30 frames a second.
    Shape {
        name: "video",
        streams: 16,
        packet_bytes: 1_100,
        paced: Some((8, Duration::from_micros(33_333))),
        is_looped: false,
    },
    Shape {
        name: "video, two relayed",
        streams: 16,
        packet_bytes: 1_100,
        paced: Some((8, Duration::from_micros(33_333))),
        is_looped: true,
    },
    Shape { name: "flood", streams: 8, packet_bytes: 1_100, paced: None, is_looped: false },
];

/// Packets on their way of one direction of a stream that sends as many as it can.
const WINDOW: usize = 32;

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    for shape in SHAPES {
        let direct = measure(&shape, &arguments, direct).await;
        let relayed = measure(&shape, &arguments, relayed).await;
        println!(
            "{}",
            json!({
                "shape": shape.name,
                "sent": relayed.sent,
                "lost": relayed.sent - relayed.delays.len(),
                "relayed_per_cpu_s": relayed.delays.len() as f64 / relayed.cpu.as_secs_f64(),
                "relayed_per_s": relayed.delays.len() as f64 / relayed.elapsed.as_secs_f64(),
                "added_p50_us": relayed.percentile_us(50) - direct.percentile_us(50),
                "added_p99_us": relayed.percentile_us(99) - direct.percentile_us(99),
            })
        );
    }
}

/// One end of a stream.
struct End {
    socket: UdpSocket,
    /// Where there is an allocation.
    channel: Option<u16>,
    /// What the packets on their way to it are taken from.
    window: Semaphore,
}

#[derive(Default)]
struct Measured {
    sent: usize,
    delays: Vec<Duration>,
    cpu: Duration,
    elapsed: Duration,
}

impl Measured {
    fn percentile_us(&self, percent: usize) -> f64 {
        let at = (self.delays.len() * percent / 100).min(self.delays.len().saturating_sub(1));
        self.delays.get(at).map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e6)
    }
}

async fn measure(
    shape: &Shape,
    arguments: &Arguments,
    open: impl AsyncFn(&Shape, &Arguments) -> [End; 2],
) -> Measured {
    let began = now();
    let (sent, delays) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (mut senders, mut receivers) = (JoinSet::new(), JoinSet::new());
    let mut streams = Vec::new();
    for _ in 0..shape.streams {
        streams.push(open(shape, arguments).await.map(Arc::new));
    }
    let cpu_before = cpu_time(arguments.pid);
    let started = now();
    let until = started + Duration::from_secs(arguments.seconds);
    for (number, [near, far]) in streams.iter().enumerate() {
        for (from, to) in [(near, far), (far, near)] {
            receivers.spawn(receive(Arc::clone(to), began, Arc::clone(&delays)));
            let sender = Sender {
                from: Arc::clone(from),
                to: Arc::clone(to),
                packet_bytes: shape.packet_bytes,
                sent: Arc::clone(&sent),
                began,
                until,
            };
            match shape.paced {
                Some((count, period)) => {
                    // Not all at the same moment.
                    let offset =
                        period * u32::try_from(number).unwrap() / u32::try_from(shape.streams).unwrap();
                    senders.spawn(sender.send_paced(count, period, started + offset));
                }
                None => drop(senders.spawn(sender.send_all())),
            }
        }
    }
    senders.join_all().await;
    let elapsed = started.elapsed();
    tokio::time::sleep(LAST_WAIT).await;
    let cpu = cpu_time(arguments.pid) - cpu_before;
    receivers.shutdown().await;
    let mut delays = std::mem::take(&mut *delays.lock().unwrap());
    delays.sort_unstable();
    // Their allocations live on: another client at one of their ports would be refused (441).
    std::mem::forget(streams);
    Measured { sent: sent.load(Ordering::Relaxed), delays, cpu, elapsed }
}

struct Sender {
    from: Arc<End>,
    to: Arc<End>,
    packet_bytes: usize,
    sent: Arc<AtomicUsize>,
    began: Instant,
    until: Instant,
}

impl Sender {
    async fn send_paced(self, count: usize, period: Duration, first: Instant) {
        let mut ticks = interval_at(first.into(), period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while now() < self.until {
            ticks.tick().await;
            for _ in 0..count {
                self.send().await;
            }
        }
    }

    async fn send_all(self) {
        while now() < self.until {
            // A packet that was lost gives its place back after a while.
            if let Ok(place) = timeout(Duration::from_millis(100), self.to.window.acquire()).await {
                place.unwrap().forget();
            }
            self.send().await;
        }
    }

    async fn send(&self) {
        let mut packet = Vec::with_capacity(HEADER_BYTES + self.packet_bytes);
        if let Some(channel) = self.from.channel {
            packet.extend(channel.to_be_bytes());
            packet.extend(u16::try_from(self.packet_bytes).unwrap().to_be_bytes());
        }
        let time = u64::try_from(self.began.elapsed().as_nanos()).unwrap();
        packet.extend(time.to_be_bytes());
        packet.resize(packet.len() + self.packet_bytes - TIME_BYTES, 0);
        self.from.socket.send(&packet).await.unwrap();
        self.sent.fetch_add(1, Ordering::Relaxed);
    }
}

async fn receive(end: Arc<End>, began: Instant, delays: Arc<Mutex<Vec<Duration>>>) {
    let mut bytes = vec![0; 2_048];
    let skipped = if end.channel.is_some() { HEADER_BYTES } else { 0 };
    loop {
        // A refusal of something sent earlier (ICMP) is no packet.
        let Ok(length) = end.socket.recv(&mut bytes).await else { continue };
        let Some(time) = bytes[..length].get(skipped..skipped + TIME_BYTES) else { continue };
        let sent_at = Duration::from_nanos(u64::from_be_bytes(time.try_into().unwrap()));
        delays.lock().unwrap().push(began.elapsed().saturating_sub(sent_at));
        end.window.add_permits(1);
    }
}

/// Two sockets that talk to each other.
async fn direct(_: &Shape, _: &Arguments) -> [End; 2] {
    let (near, far) = (end(None).await, end(None).await);
    near.socket.connect(far.socket.local_addr().unwrap()).await.unwrap();
    far.socket.connect(near.socket.local_addr().unwrap()).await.unwrap();
    [near, far]
}

/// A client, and a peer or another client.
async fn relayed(shape: &Shape, arguments: &Arguments) -> [End; 2] {
    let (near, mut far) = (end(Some(CHANNEL)).await, end(None).await);
    let mut client = Client::new(&near.socket, arguments.port, "load", &arguments.secret).await;
    let relayed = client.allocate().await;
    if shape.is_looped {
        far.channel = near.channel;
        let mut other = Client::new(&far.socket, arguments.port, "load", &arguments.secret).await;
        let its_relayed = other.allocate().await;
        other.bind(relayed).await;
        client.bind(its_relayed).await;
    } else {
        client.bind(far.socket.local_addr().unwrap()).await;
        far.socket.connect(relayed).await.unwrap();
    }
    [near, far]
}

async fn end(channel: Option<u16>) -> End {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    End { socket, channel, window: Semaphore::new(WINDOW) }
}

/// What all threads of a process had of the processors, to the nanosecond (`schedstat`, its first field).
fn cpu_time(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of_task = |task: fs::DirEntry| {
        let schedstat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        schedstat.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.flatten().filter_map(of_task).sum())
}

#[allow(clippy::disallowed_methods, reason = "measuring time is its purpose")]
fn now() -> Instant {
    Instant::now()
}
