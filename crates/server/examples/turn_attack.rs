//! Attacks a TURN server and prints what a bystander still gets: one line of JSON for each attack. `cargo xtask bench turn --attack`
//! runs it.
//!
//! The bystander's packets are counted in turns without and with the attack, in the same run.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a tool at a terminal")]

mod turn_client;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::json;
use stun_types::{
    attribute::AttributeWrite,
    message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UdpSocket,
    runtime::Builder,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use turn_types::{
    attribute::{RequestedTransport, XorPeerAddress},
    message::{ALLOCATE, CREATE_PERMISSION, REFRESH},
};

use self::turn_client::{CHANNEL, Client, HEADER_BYTES, Signer, allocated_stream};

/// Addresses of one CreatePermission request: as many as 64 KiB hold.
const ADDRESSES: u32 = 5_400;
const UNKNOWN_ATTRIBUTES: usize = 10_000;
const STREAMS: usize = 4;
/// The bystander sends packets of voice in both directions.
const PACKET_BYTES: usize = 160;
const PACKET_INTERVAL: Duration = Duration::from_millis(5);
const LAST_WAIT: Duration = Duration::from_millis(500);

#[derive(Debug, Parser)]
struct Arguments {
    /// The TURN server's port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// The secret of the server's credentials.
    #[arg(long)]
    secret: String,
    /// Without an attack, and with it, in each round.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Rounds of each attack.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    Addresses,
    LongestRequests,
    UnknownAttributes,
    WrongPassword,
    DataOnNoChannel,
    RefreshOverUdp,
}

impl Attack {
    const ALL: [Self; 6] = [
        Self::Addresses,
        Self::LongestRequests,
        Self::UnknownAttributes,
        Self::WrongPassword,
        Self::DataOnNoChannel,
        Self::RefreshOverUdp,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Addresses => "4 streams: 5,400 addresses in a request",
            Self::LongestRequests => "4 streams: 64 addresses in a request",
            Self::UnknownAttributes => "4 streams: 10,000 unknown attributes",
            Self::WrongPassword => "4 streams: Allocate, wrong password",
            Self::DataOnNoChannel => "4 streams: data on no channel",
            Self::RefreshOverUdp => "4 sockets: Refresh, right password",
        }
    }

    /// What is written again and again.
    fn bytes(self, signer: Signer) -> Vec<u8> {
        match self {
            Self::Addresses => signer.request(CREATE_PERMISSION, |request| addresses(request, ADDRESSES)),
            Self::LongestRequests => {
                signer.request(CREATE_PERMISSION, |request| addresses(request, 64)).repeat(40)
            }
            Self::UnknownAttributes => {
                let mut bytes = Message::builder_request(REFRESH, MessageWriteVec::new()).finish();
                bytes.extend([0x77, 0x77, 0, 0].repeat(UNKNOWN_ATTRIBUTES));
                let length = u16::try_from(bytes.len() - 20).unwrap();
                bytes[2..4].copy_from_slice(&length.to_be_bytes());
                bytes
            }
            Self::WrongPassword => signer
                .with_wrong_password()
                .request(ALLOCATE, |_| vec![Box::new(RequestedTransport::new(17))])
                .repeat(200),
            Self::DataOnNoChannel => [0x5f, 0xff, 0, 0].repeat(16_000),
            Self::RefreshOverUdp => signer.request(REFRESH, |_| Vec::new()),
        }
    }
}

fn addresses(request: &MessageWriteVec, count: u32) -> Vec<Box<dyn AttributeWrite>> {
    let address = |n: u32| SocketAddr::new(Ipv4Addr::from_bits(0x7f01_0000 + n).into(), 1);
    (0..count)
        .map(|n| {
            Box::new(XorPeerAddress::new(address(n), request.transaction_id())) as Box<dyn AttributeWrite>
        })
        .collect()
}

fn main() {
    let arguments = Arc::new(Arguments::parse());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for attack in Attack::ALL {
        let (mut without, mut with) = (Counted::default(), Counted::default());
        for _ in 0..arguments.rounds {
            // Each time one that has its allocation before the attack begins.
            let bystander = runtime.block_on(Bystander::new(&arguments));
            without.add(&runtime.block_on(bystander.talk(arguments.seconds)));
            let attackers = Attackers::start(attack, &arguments);
            with.add(&runtime.block_on(bystander.talk(arguments.seconds)));
            attackers.stop();
        }
        println!(
            "{}",
            json!({
                "attack": attack.name(),
                "sent_without": without.sent,
                "delivered_without": without.delivered,
                "sent_with": with.sent,
                "delivered_with": with.delivered,
                "share": with.delivered as f64 / without.delivered.max(1) as f64,
            })
        );
    }
}

/// Four clients on one thread that write as fast as they can.
struct Attackers {
    stop: tokio::sync::oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Attackers {
    fn start(attack: Attack, arguments: &Arc<Arguments>) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let arguments = Arc::clone(arguments);
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut attackers = JoinSet::new();
                for _ in 0..STREAMS {
                    let arguments = Arc::clone(&arguments);
                    match attack {
                        Attack::RefreshOverUdp => drop(attackers.spawn(attack_by_udp(attack, arguments))),
                        _ => drop(attackers.spawn(attack_by_stream(attack, arguments))),
                    }
                }
                let _ = stopped.await;
                attackers.shutdown().await;
            });
        });
        // Until they have their allocations.
        thread::sleep(Duration::from_millis(300));
        Self { stop, thread }
    }

    fn stop(self) {
        drop(self.stop);
        self.thread.join().unwrap();
    }
}

async fn attack_by_stream(attack: Attack, arguments: Arc<Arguments>) {
    loop {
        let Some((stream, signer)) = allocated_stream(arguments.port, "attacker", &arguments.secret).await
        else {
            sleep(Duration::from_millis(1)).await;
            continue;
        };
        let bytes = attack.bytes(signer);
        let (mut reader, mut writer) = stream.into_split();
        // What is answered is read, so that the server goes on.
        let reading = tokio::spawn(async move {
            let mut answers = vec![0; 65_536];
            while reader.read(&mut answers).await.is_ok_and(|length| length > 0) {}
        });
        while writer.write_all(&bytes).await.is_ok() {
            tokio::task::yield_now().await;
        }
        reading.abort();
    }
}

async fn attack_by_udp(attack: Attack, arguments: Arc<Arguments>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::new(&socket, arguments.port, "attacker", &arguments.secret).await;
    client.allocate().await;
    let bytes = attack.bytes(client.signer);
    loop {
        let _ = socket.send(&bytes).await;
        let _ = socket.try_recv(&mut [0; 2_048]);
        tokio::task::yield_now().await;
    }
}

#[derive(Debug, Default)]
struct Counted {
    sent: u64,
    delivered: u64,
}

impl Counted {
    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
    }
}

/// A client and a peer that talk on a channel.
struct Bystander {
    near: Arc<UdpSocket>,
    far: Arc<UdpSocket>,
}

impl Bystander {
    async fn new(arguments: &Arguments) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut client = Client::new(&near, arguments.port, "bystander", &arguments.secret).await;
        far.connect(client.allocate().await).await.unwrap();
        client.bind(far.local_addr().unwrap()).await;
        Self { near: Arc::new(near), far: Arc::new(far) }
    }

    async fn talk(&self, seconds: u64) -> Counted {
        let delivered = Arc::new(AtomicU64::new(0));
        let mut receivers = JoinSet::new();
        for socket in [&self.near, &self.far] {
            let (socket, delivered) = (Arc::clone(socket), Arc::clone(&delivered));
            receivers.spawn(async move {
                let mut bytes = [0; 2_048];
                loop {
                    if socket.recv(&mut bytes).await.is_ok_and(|length| length >= PACKET_BYTES) {
                        delivered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let payload = [7; PACKET_BYTES];
        let mut on_channel = Vec::with_capacity(HEADER_BYTES + PACKET_BYTES);
        on_channel.extend(CHANNEL.to_be_bytes());
        on_channel.extend(u16::try_from(PACKET_BYTES).unwrap().to_be_bytes());
        on_channel.extend(payload);
        let until = now() + Duration::from_secs(seconds);
        let mut ticks = interval(PACKET_INTERVAL);
        // What could not be sent in time is sent later: the attackers' load on this machine is no loss of the relay's.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut sent = 0;
        while now() < until {
            ticks.tick().await;
            self.near.send(&on_channel).await.unwrap();
            self.far.send(&payload).await.unwrap();
            sent += 2;
        }
        sleep(LAST_WAIT).await;
        receivers.shutdown().await;
        Counted { sent, delivered: delivered.load(Ordering::Relaxed) }
    }
}

#[allow(clippy::disallowed_methods, reason = "measuring time is its purpose")]
fn now() -> Instant {
    Instant::now()
}
