//! The whole server: binds every port, connects the parts, runs until it is stopped.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, middleware, routing::get};
use futures_util::future::join_all;
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use sightline_protocol::SIGNALING_PATH;
use tokio::{
    net::TcpListener,
    runtime::Handle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use crate::{
    access::Access,
    config::Config,
    connections::{self, Port},
    files::ClientFiles,
    front::{self, Front},
    hosts::HostRule,
    key_file::{self, KeyFileError},
    listener::listen,
    log::Throttle,
    metrics::Metrics,
    proxy::TrustedProxy,
    redirect,
    rooms::{Registry, RoomSettings},
    signaling::{Hub, SignalingState, SignalingThread, upgrade},
    slots::Slots,
    start_error::StartError,
    time::Clock,
    tls::{Tls, TlsIdentity},
    turn::{
        RelaySource, TurnServer,
        credentials::RestCredentials,
        ice_servers::{RelayDirectory, RelayUrls},
        metrics::TurnMetrics,
    },
};

/// How long shutting down may take: longer than a socket's grace time.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(1_800);

/// How often the certificate is checked: for its expiry, changed files, changed addresses of this machine.
const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    ports: Vec<Port>,
    local_addr: SocketAddr,
    http_addr: Option<SocketAddr>,
    metrics_addr: Option<SocketAddr>,
    tls: Option<Tls>,
    clock: Clock,
    hub: Arc<Hub>,
    sockets: TaskTracker,
    signaling: SignalingThread,
    slots: Arc<Slots>,
    turn: Option<TurnServer>,
    turn_tls: Option<Tls>,
}

impl Server {
    /// Listens, and reads or makes the key of the resume tokens and the certificate.
    ///
    /// # Errors
    /// [`StartError`] where one of them is not possible.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        let clock = Clock::start();
        let thread = SignalingThread::start()?;
        let listen = |address, port| -> Result<TcpListener, StartError> {
            let _of_thread = thread.runtime().enter();
            listen(address, port)
        };
        let listener = listen(config.bind, config.port)?;
        let local_addr = listener.local_addr()?;
        let key = key_file::resume_key(&config.data_dir)?;
        let is_trusted = matches!(config.tls, Some(TlsIdentity::Files { .. }));
        let tls = config
            .tls
            .map(|identity| Tls::new(identity, config.data_dir.clone(), clock.now()))
            .transpose()?;
        let mut metrics = Metrics::new();
        let Turn { server: turn, directory, tls: turn_tls } = Turn::bind(
            &config.turn,
            config.bind,
            (tls.as_ref(), is_trusted),
            config.data_dir,
            clock,
            &mut metrics,
        )?;
        let random = StdRng::try_from_rng(&mut SysRng).map_err(|_| KeyFileError::NoRandomness)?;
        let create_key = config.create_token_file.as_deref().map(key_file::create_key).transpose()?;
        let registry = Registry::new(RoomSettings { create_key, ..config.rooms }, key, random);
        let hub = Arc::new(Hub::new(registry, config.sockets, clock, Arc::new(metrics), directory));
        let sockets = TaskTracker::new();
        let trusted_proxies: Arc<[TrustedProxy]> = config.trusted_proxies.into();
        let access = Access {
            origins: config.allowed_origins.into(),
            hosts: HostRule::new(config.allowed_hosts, &gethostname::gethostname().to_string_lossy()),
            is_tls: tls.is_some(),
        };
        let signaling = SignalingState {
            hub: Arc::clone(&hub),
            access: access.clone(),
            trusted_proxies: Arc::clone(&trusted_proxies),
            tasks: sockets.clone(),
            runtime: thread.runtime().clone(),
            refusals: Arc::new(Throttle::new()),
        };
        let front = Front {
            access,
            is_certified: is_trusted,
            has_open_metrics: config.has_open_metrics,
            trusted_proxies: Arc::clone(&trusted_proxies),
        };
        let files = ClientFiles::new(config.dist, config.client);
        let counted = Arc::clone(&hub);
        let metrics = get(async move || counted.metrics().respond(counted.census()));
        let mut router = Router::new()
            .route(SIGNALING_PATH, get(upgrade).with_state(signaling))
            .route("/healthz", get(front::health).with_state(front.clone()))
            .fallback(async |request| files.respond(request).await);
        if config.metrics_bind.is_none() {
            let guard = middleware::from_fn_with_state(front.clone(), front::guard_metrics);
            router = router.route("/metrics", metrics.clone().layer(guard));
        }
        let router = router
            .layer(middleware::from_fn_with_state(front.clone(), front::guard_host))
            .layer(middleware::map_response_with_state(front, front::with_safe_headers));
        let slots = Slots::of(config.connections, trusted_proxies);
        let secured = tls.clone().map(|tls| (tls, redirect::router(None)));
        let mut ports = vec![Port { listener, router, tls: secured }];
        let mut http_addr = None;
        if let (Some(port), true) = (config.http_port, tls.is_some()) {
            let listener = listen(config.bind, port)?;
            http_addr = Some(listener.local_addr()?);
            ports.push(Port { listener, router: redirect::router(Some(local_addr.port())), tls: None });
        }
        let mut metrics_addr = None;
        if let Some(address) = config.metrics_bind {
            let listener = listen(Some(address.ip()), address.port())?;
            metrics_addr = Some(listener.local_addr()?);
            let router = Router::new().route("/metrics", metrics).route("/healthz", get(async || "ok"));
            ports.push(Port { listener, router, tls: None });
        }
        Ok(Self {
            ports,
            local_addr,
            http_addr,
            metrics_addr,
            tls,
            clock,
            hub,
            sockets,
            signaling: thread,
            slots: Arc::new(slots),
            turn,
            turn_tls,
        })
    }

    /// The address of the page and the signaling, with the port that the system chose.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The address of the second port, where http is redirected to https.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http_addr
    }

    /// The address of the metrics, if they have a separate port.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// The port of STUN and of TURN over UDP and TCP, and the port of TURN over TLS, where this server has them.
    #[must_use]
    pub fn turn_ports(&self) -> Option<(u16, u16)> {
        self.turn.as_ref().map(|turn| (turn.port(), turn.tls_port()))
    }

    /// SHA-256 of the certificate as browsers show it, where the server speaks https.
    #[must_use]
    pub fn certificate_fingerprint(&self) -> Option<String> {
        self.tls.as_ref().map(Tls::fingerprint)
    }

    /// Serves until `shutdown` completes, then tells every member and ends within two seconds. Each time `reload` completes the
    /// certificate is read again.
    pub async fn run(self, shutdown: impl Future<Output = ()>, reload: impl AsyncFnMut()) {
        let stop = CancellationToken::new();
        let turn = self.turn.map(|turn| tokio::spawn(turn.run(stop.clone())));
        let page = Handle::current();
        let mut serving = std::pin::pin!(join_all(self.ports.into_iter().map(|port| {
            let serving = connections::serve(port, Arc::clone(&self.slots), page.clone(), stop.clone());
            AbortOnDropHandle::new(self.signaling.runtime().spawn(serving))
        })));
        tokio::select! {
            _ = serving.as_mut() => {}
            () = self.hub.run_timeouts() => {}
            () = keep_certificates([self.tls, self.turn_tls], self.clock, reload) => {}
            () = shutdown => {}
        }
        stop.cancel();
        self.hub.shut_down();
        self.sockets.close();
        let turn_ended = async {
            if let Some(turn) = turn {
                // The relay returns no result.
                let _ = turn.await;
            }
        };
        let ended = async { tokio::join!(serving, self.sockets.wait(), turn_ended) };
        if timeout(SHUTDOWN_TIMEOUT, ended).await.is_err() {
            tracing::debug!("connections were cut off");
        }
    }
}

/// The relay, and the data about it for members.
struct Turn {
    server: Option<TurnServer>,
    directory: Option<RelayDirectory>,
    /// A certificate for TURN only, if the page has none.
    tls: Option<Tls>,
}

impl Turn {
    /// `tls` is the page's certificate, and whether browsers trust it.
    fn bind(
        source: &RelaySource,
        bind: Option<IpAddr>,
        (tls, is_trusted): (Option<&Tls>, bool),
        data_dir: PathBuf,
        clock: Clock,
        metrics: &mut Metrics,
    ) -> Result<Self, StartError> {
        match source {
            RelaySource::Off => Ok(Self { server: None, directory: None, tls: None }),
            RelaySource::Elsewhere { urls, secret, credential_life } => {
                let credentials = RestCredentials::new(secret.as_bytes(), *credential_life);
                let directory = RelayDirectory { credentials, urls: RelayUrls::Given(urls.clone()) };
                Ok(Self { server: None, directory: Some(directory), tls: None })
            }
            RelaySource::Own(settings) => {
                let own_tls = match tls {
                    Some(_) => None,
                    None => Some(Tls::new(TlsIdentity::SelfSigned, data_dir, clock.now())?),
                };
                let in_use = tls.or(own_tls.as_ref()).cloned();
                let Some(in_use) = in_use else {
                    return Ok(Self { server: None, directory: None, tls: None });
                };
                let turn_metrics = TurnMetrics::registered(metrics.registry_mut());
                let server = TurnServer::bind(settings, bind, in_use, clock, turn_metrics)?;
                let urls = RelayUrls::Own {
                    host: settings.host.clone(),
                    port: server.port(),
                    // Browsers refuse an unknown certificate of a TURN server without asking.
                    tls_port: is_trusted.then_some(server.tls_port()),
                    // STUN answers over UDP on both ports.
                    alternate_stun_port: server.tls_port(),
                };
                let directory = RelayDirectory { credentials: server.credentials().clone(), urls };
                Ok(Self { server: Some(server), directory: Some(directory), tls: own_tls })
            }
        }
    }
}

/// Checks the certificates every hour and on each `reload`.
async fn keep_certificates(all: [Option<Tls>; 2], clock: Clock, mut reload: impl AsyncFnMut()) {
    let mut looks = interval(CERTIFICATE_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.tick().await;
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = reload() => tracing::info!("asked to read the certificate again"),
        }
        for tls in all.iter().flatten() {
            tls.refresh(clock.now());
        }
    }
}
