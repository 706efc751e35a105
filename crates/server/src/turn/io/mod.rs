//! The relay's sockets: UDP, TCP and TLS, on a thread and a runtime that only the relay uses.
//!
//! Owns every socket of STUN and TURN and nothing of the protocol: what bytes mean is decided by the [engine](super::engine), which
//! is given them with the time. The engine and its sockets stay on one thread, so nothing here is locked.
//!
//! | file | subject |
//! |---|---|
//! | [`thread`] | the thread and its runtime |
//! | [`bind`], [`host`] | the ports to listen on; this machine's addresses |
//! | [`relay`] | the engine and its sockets, shared by all tasks of the thread; the tasks of UDP |
//! | [`sockets`], [`table`] | the sockets behind the engine's numbers |
//! | [`udp`], [`burst`] | many datagrams with one system call |
//! | [`connections`], [`stream`] | clients over TCP and TLS |
//! | [`framing`], [`outbox`] | messages in a stream; what waits to be written to one |

mod bind;
mod burst;
mod connections;
mod framing;
mod host;
mod outbox;
mod relay;
mod sockets;
mod stream;
mod table;
mod thread;
mod udp;

use std::{cell::RefCell, net::IpAddr, rc::Rc, sync::Arc};

use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::{runtime::Handle, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{
    bind::ListeningPort,
    connections::{Admission, Handshakes, serve_port},
    host::read_host_addresses,
    relay::Relay,
    thread::RelayThread,
};
use super::{
    engine::{Engine, credentials::RestCredentials, limiters::ConnectionLimiter, state::EngineSettings},
    metrics::TurnMetrics,
    settings::{DEFAULT_PORT, DEFAULT_TLS_PORT, TurnSettings},
};
use crate::{slots::Slots, start_error::StartError, time::Clock, tls::Tls};

/// A STUN and TURN server that listens and does not answer yet.
#[derive(Debug)]
pub(crate) struct TurnServer {
    thread: RelayThread,
    plain: ListeningPort,
    tls: (ListeningPort, Tls),
    credentials: RestCredentials,
    engine: Engine,
    new_connections: ConnectionLimiter,
    slots: Arc<Slots>,
    clock: Clock,
    metrics: TurnMetrics,
}

impl TurnServer {
    /// Listens on the address that the rest of the server does.
    ///
    /// # Errors
    /// [`StartError`] where a port that was asked for cannot be opened.
    pub(crate) fn bind(
        settings: &TurnSettings,
        bind: Option<IpAddr>,
        tls: Tls,
        clock: Clock,
        metrics: TurnMetrics,
    ) -> Result<Self, StartError> {
        let thread = RelayThread::start()?;
        let (plain, tls_port) = {
            let _of_thread = thread.enter();
            (
                ListeningPort::bind(bind, settings.port, DEFAULT_PORT, "--turn-port")?,
                ListeningPort::bind(bind, settings.tls_port, DEFAULT_TLS_PORT, "--turn-tls-port")?,
            )
        };
        let secret = match &settings.secret {
            Some(secret) => secret.as_bytes().to_vec(),
            None => random_bytes()?.to_vec(),
        };
        let credentials = RestCredentials::new(&secret, settings.credential_life);
        let limits = settings.limits;
        let slots = Slots::new(limits.connections, limits.connections_per_address, Arc::from([]));
        let mut engine =
            Engine::new(engine_settings(settings, bind, credentials.clone(), metrics.clone())?, clock.now());
        engine.set_host_addresses(read_host_addresses());
        Ok(Self {
            thread,
            plain,
            tls: (tls_port, tls),
            credentials,
            engine,
            new_connections: ConnectionLimiter::new(limits.new_connections_per_s, clock.now()),
            slots: Arc::new(slots),
            clock,
            metrics,
        })
    }

    /// The port of STUN, and of TURN over UDP and TCP.
    pub(crate) fn port(&self) -> u16 {
        self.plain.number
    }

    /// The port of TURN over TLS.
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls.0.number
    }

    /// Hands out credentials that this server accepts.
    pub(crate) fn credentials(&self) -> &RestCredentials {
        &self.credentials
    }

    /// Serves until `stop`, or until the future is dropped.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let Self { thread, plain, tls, engine, new_connections, slots, clock, metrics, .. } = self;
        let stop = stop.child_token();
        let _dropped = stop.clone().drop_guard();
        let (tls_port, tls) = tls;
        let handshakes = Handshakes { tls, runtime: Handle::current() };
        let job = async move || {
            let relay = Relay::new(engine, clock, metrics);
            let new_connections = Rc::new(RefCell::new(new_connections));
            let admission = Admission { slots, new_connections, clock };
            serve(relay, [(plain, None), (tls_port, Some(handshakes))], admission, stop).await;
        };
        thread.run(Box::new(|| Box::pin(job()))).await;
    }
}

/// Serves both ports on the relay's thread until `stop`.
async fn serve(
    relay: Rc<Relay>,
    ports: [(ListeningPort, Option<Handshakes>); 2],
    admission: Admission,
    stop: CancellationToken,
) {
    // Ends together with this future.
    let mut datagrams = JoinSet::new();
    let mut connections = JoinSet::new();
    for (ListeningPort { udp, tcp, .. }, tls) in ports {
        for socket in udp {
            datagrams.spawn_local(Rc::clone(&relay).serve_clients(socket));
        }
        connections.spawn_local(serve_port(tcp, tls, admission.clone(), Rc::clone(&relay), stop.clone()));
    }
    datagrams.spawn_local(relay.keep_house());
    while connections.join_next().await.is_some() {}
}

fn engine_settings(
    settings: &TurnSettings,
    bind: Option<IpAddr>,
    credentials: RestCredentials,
    metrics: TurnMetrics,
) -> Result<EngineSettings, StartError> {
    let limits = settings.limits;
    #[expect(clippy::cast_precision_loss, reason = "a bandwidth of petabits is exact enough")]
    let bytes_per_s = |bitrate_bps: u64| bitrate_bps as f64 / 8.0;
    Ok(EngineSettings {
        credentials,
        nonce_secret: random_bytes()?,
        random: StdRng::try_from_rng(&mut SysRng).map_err(|_| StartError::no_randomness())?,
        bind,
        external: settings.external.clone(),
        relay_ports: settings.relay_ports.clone(),
        allowed_peers: settings.allowed_peers.clone(),
        denied_peers: settings.denied_peers.clone(),
        allocations: limits.allocations,
        bytes_per_s: bytes_per_s(limits.bitrate_bps),
        total_bytes_per_s: limits.total_bitrate_bps.map(bytes_per_s),
        requests_per_s: limits.requests_per_s,
        unauthenticated_per_s: limits.unauthenticated_per_s,
        metrics,
    })
}

fn random_bytes() -> Result<[u8; 32], StartError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StartError::no_randomness())?;
    Ok(bytes)
}
