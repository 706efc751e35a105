//! STUN and TURN (RFC 8489, RFC 8656): members whose networks let nothing through meet here.
//!
//! A packet's way: a listening socket ([`udp`], [`stream`]) hands it to the [`relay`], which reads it ([`decode`]), answers a
//! [`request`] or passes data on to a peer, as the [`allocation`] permits and the table of [`peers`] allows. [`ice_servers`] is what
//! members are told. The choices are explained in `docs/turn.md`.

mod allocation;
mod bandwidth;
mod client;
mod connections;
pub mod credentials;
pub mod decode;
pub mod ice_servers;
mod limiters;
pub(crate) mod metrics;
mod nonce;
pub mod options;
mod own_runtime;
pub mod peers;
mod ports;
mod quotas;
mod relay;
mod relayed_addresses;
mod request;
mod reservations;
mod settings;
mod stream;
mod udp;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::{net::TcpListener, runtime::Handle, task::JoinSet, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use quotas::AllocationLimits;
pub use settings::{DEFAULT_PORT, DEFAULT_TLS_PORT, RelaySource, TurnLimits, TurnSettings};

use self::{
    bandwidth::TotalBandwidth,
    connections::Handshakes,
    credentials::RestCredentials,
    limiters::{AnswerLimiter, ConnectionLimiter, RequestLimiter},
    metrics::TurnMetrics,
    nonce::Nonces,
    own_runtime::OwnRuntime,
    peers::PeerPolicy,
    ports::RelayPorts,
    quotas::Quotas,
    relay::Relay,
    relayed_addresses::RelayedAddresses,
    reservations::Reservations,
    udp::UdpPort,
};
use crate::{StartError, connections::Slots, listener::listen, time::Clock, tls::Tls};

/// So often a free port is looked for that UDP and TCP both can have.
const PORT_TRIES: usize = 16;

/// STUN and TURN that listen.
#[derive(Debug)]
pub(crate) struct TurnServer {
    runtime: OwnRuntime,
    relay: Arc<Relay>,
    plain: Ports,
    tls: (Ports, Tls),
    slots: Arc<Slots>,
}

/// One port number, in both families over UDP and over TCP.
#[derive(Debug)]
struct Ports {
    number: u16,
    udp: Vec<Arc<UdpPort>>,
    tcp: TcpListener,
}

impl TurnServer {
    /// Listens on the address that the rest of the server does.
    ///
    /// # Errors
    /// [`StartError`] where a port that was asked for is not to be had.
    pub(crate) fn bind(
        settings: &TurnSettings,
        bind: Option<IpAddr>,
        tls: Tls,
        clock: Clock,
        metrics: TurnMetrics,
    ) -> Result<Self, StartError> {
        let runtime = OwnRuntime::new()?;
        let entered = runtime.enter();
        let now = Instant::now();
        let random = || StdRng::try_from_rng(&mut SysRng).map_err(|_| StartError::no_randomness());
        let plain = Ports::bind(bind, settings.port, DEFAULT_PORT, "--turn-port")?;
        let tls_ports = Ports::bind(bind, settings.tls_port, DEFAULT_TLS_PORT, "--turn-tls-port")?;
        let secret = match &settings.secret {
            Some(secret) => secret.as_bytes().to_vec(),
            None => {
                let mut secret = vec![0; 32];
                SystemRandom::new().fill(&mut secret).map_err(|_| StartError::no_randomness())?;
                secret
            }
        };
        let limits = settings.limits;
        #[expect(clippy::cast_precision_loss, reason = "a bandwidth of petabits is exact enough")]
        let bytes_per_s = |bitrate_bps: u64| bitrate_bps as f64 / 8.0;
        let mut own = settings.external.clone();
        own.extend(bind.filter(|bind| !bind.is_unspecified()));
        let relay = Relay {
            clock,
            credentials: RestCredentials::new(&secret, settings.credential_life),
            nonces: Nonces::new(now).map_err(|_| StartError::no_randomness())?,
            answers: AnswerLimiter::new(limits.unauthenticated_per_s, now),
            requests: RequestLimiter::new(limits.requests_per_s, now),
            new_connections: ConnectionLimiter::new(limits.new_connections_per_s, now),
            policy: PeerPolicy::new(settings.allowed_peers.clone(), settings.denied_peers.clone(), own, now),
            ports: RelayPorts::new(settings.relay_ports.clone(), random()?),
            addresses: RelayedAddresses::new(settings.external.clone(), bind),
            reservations: Reservations::new(random()?),
            quotas: Quotas::new(limits.allocations),
            bytes_per_s: bytes_per_s(limits.bitrate_bps),
            total_bandwidth: limits
                .total_bitrate_bps
                .map(|total| TotalBandwidth::new(bytes_per_s(total), now)),
            outbox_bytes: Arc::default(),
            metrics,
            tasks: TaskTracker::new(),
            tables: relay::Tables::default(),
        };
        let slots = Slots::new(limits.connections, limits.connections_per_address, Arc::from([]));
        drop(entered);
        Ok(Self { runtime, relay: Arc::new(relay), plain, tls: (tls_ports, tls), slots: Arc::new(slots) })
    }

    /// The port of UDP and TCP.
    pub(crate) fn port(&self) -> u16 {
        self.plain.number
    }

    /// The port of TLS.
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls.0.number
    }

    /// What hands out credentials that this server takes.
    pub(crate) fn credentials(&self) -> &RestCredentials {
        &self.relay.credentials
    }

    /// Serves until `stop`, or until this is dropped.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let Self { runtime, relay, plain, tls, slots } = self;
        let stop = stop.child_token();
        let _dropped = stop.clone().drop_guard();
        let (tls_ports, tls) = tls;
        let handshakes = Handshakes { tls, runtime: Handle::current() };
        runtime.run(serve(relay, plain, (tls_ports, handshakes), slots, stop)).await;
    }
}

async fn serve(
    relay: Arc<Relay>,
    plain: Ports,
    (tls_ports, tls): (Ports, Handshakes),
    slots: Arc<Slots>,
    stop: CancellationToken,
) {
    let mut listening = JoinSet::new();
    for (ports, tls) in [(plain, None), (tls_ports, Some(tls))] {
        for udp in ports.udp {
            listening.spawn(relay::listen(Arc::clone(&relay), udp));
        }
        let accepting =
            connections::accept(ports.tcp, tls, Arc::clone(&relay), Arc::clone(&slots), stop.clone());
        listening.spawn(accepting);
    }
    listening.spawn(relay::keep_house(Arc::clone(&relay)));
    stop.cancelled().await;
    listening.shutdown().await;
    relay.shut_down();
    relay.tasks.close();
    relay.tasks.wait().await;
}

impl Ports {
    /// The port that was asked for; or else the usual one, or any that is free.
    fn bind(
        bind: Option<IpAddr>,
        wanted: Option<u16>,
        usual: u16,
        option: &'static str,
    ) -> Result<Self, StartError> {
        match wanted {
            Some(port) => Self::bind_one(bind, port, option),
            None => Self::bind_one(bind, usual, option).or_else(|error| {
                tracing::warn!("{error} Taking a free one.");
                Self::bind_one(bind, 0, option)
            }),
        }
    }

    fn bind_one(bind: Option<IpAddr>, port: u16, option: &'static str) -> Result<Self, StartError> {
        let mut tries = 0..PORT_TRIES;
        loop {
            let tcp = listen(bind, port).map_err(|error| error.of_option(option))?;
            let number = tcp.local_addr()?.port();
            match bind_udp(bind, number) {
                Ok(udp) => return Ok(Self { number, udp, tcp }),
                // Free over TCP only.
                Err(error)
                    if port == 0 && error.kind() == io::ErrorKind::AddrInUse && tries.next().is_some() => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    return Err(StartError::PortInUse { port: number, option });
                }
                Err(source) => {
                    let address = SocketAddr::new(bind.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), number);
                    return Err(StartError::Listen { address, source });
                }
            }
        }
    }
}

/// One socket for each family: only so a datagram's own address is known as it was sent to.
fn bind_udp(bind: Option<IpAddr>, port: u16) -> io::Result<Vec<Arc<UdpPort>>> {
    let open = |ip: IpAddr| UdpPort::bind(SocketAddr::new(ip, port)).map(Arc::new);
    match bind {
        Some(IpAddr::V6(ip)) if ip.is_unspecified() => bind_udp(None, port),
        Some(ip) => Ok(vec![open(ip)?]),
        None => {
            let ipv4 = open(Ipv4Addr::UNSPECIFIED.into())?;
            match open(Ipv6Addr::UNSPECIFIED.into()) {
                Ok(ipv6) => Ok(vec![ipv4, ipv6]),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
                Err(error) => {
                    tracing::debug!(%error, "no IPv6");
                    Ok(vec![ipv4])
                }
            }
        }
    }
}
