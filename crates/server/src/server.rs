//! The server put together.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderValue, header},
    response::Response,
    routing::get,
};
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use sightline_protocol::SIGNALLING_PATH;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Config, KeyFileError,
    connections::{self, CONNECTIONS_FOR_FILES},
    files::ClientFiles,
    key_file,
    rooms::Registry,
    signalling::{Hub, SignallingState, upgrade},
    time::Clock,
};

/// How long the end may take: longer than a socket's grace time, shorter than anyone's patience.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(1_800);

/// Connections that wait to be taken.
const BACKLOG: i32 = 1_024;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something else listens there.
    #[error("Port {port} is already in use: end what uses it, or choose another with --port.")]
    PortInUse {
        /// Where.
        port: u16,
    },
    /// The address is not one of this machine, or the port is not for everyone.
    #[error("Cannot listen on {address}: {source}.")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The key of the resume tokens.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// Where to keep that key.
    #[error(transparent)]
    NoDataDir(#[from] crate::config::NoDataDir),
    /// The asynchronous runtime or its signal handlers.
    #[error("The system does not let the server start: {0}.")]
    System(#[from] io::Error),
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    hub: Arc<Hub>,
    router: Router,
    sockets: TaskTracker,
    max_connections: usize,
}

impl Server {
    /// Listens, and reads or makes the key of the resume tokens.
    ///
    /// # Errors
    /// [`StartError`] where one of them is not possible.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        let listener = TcpListener::from_std(listen(config.bind, config.port)?)?;
        let local_addr = listener.local_addr()?;
        let key = key_file::load_or_create(&config.data_dir)?;
        let random = StdRng::try_from_rng(&mut SysRng).map_err(|_| KeyFileError::NoRandomness)?;
        let registry = Registry::new(config.rooms, key, random);
        let hub = Arc::new(Hub::new(registry, config.sockets, Clock::start()));
        let sockets = TaskTracker::new();
        let signalling = SignallingState {
            hub: Arc::clone(&hub),
            allowed_origins: config.allowed_origins.into(),
            tasks: sockets.clone(),
        };
        let files = ClientFiles::new(&config.dist);
        let router = Router::new()
            .route("/healthz", get(async || "ok"))
            .route(SIGNALLING_PATH, get(upgrade).with_state(signalling))
            .fallback(async |request| files.respond(request).await)
            .layer(axum::middleware::map_response(with_safe_headers));
        let max_connections = config.sockets.max_sockets.saturating_add(CONNECTIONS_FOR_FILES);
        Ok(Self { listener, local_addr, hub, router, sockets, max_connections })
    }

    /// Where it listens, with the port that the system chose.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is done, then says so to every member and ends within two seconds.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        let mut serving = std::pin::pin!(connections::serve(
            self.listener,
            self.router,
            self.max_connections,
            stop.clone()
        ));
        tokio::select! {
            () = serving.as_mut() => {}
            () = self.hub.run_timeouts() => {}
            () = shutdown => {}
        }
        stop.cancel();
        self.hub.shut_down();
        self.sockets.close();
        let ended = async { tokio::join!(serving, self.sockets.wait()) };
        if timeout(SHUTDOWN_TIMEOUT, ended).await.is_err() {
            tracing::debug!("connections were cut off");
        }
    }
}

async fn with_safe_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Listens on one address, or on all of both families, or on all of IPv4 where the system has no IPv6.
fn listen(bind: Option<IpAddr>, port: u16) -> Result<std::net::TcpListener, StartError> {
    let explained = |address: SocketAddr, source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse { port: address.port() },
        _ => StartError::Listen { address, source },
    };
    if let Some(ip) = bind {
        let address = SocketAddr::new(ip, port);
        return listen_on(address).map_err(|source| explained(address, source));
    }
    let both = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    match listen_on(both) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(explained(both, error)),
        Err(_) => {
            let ipv4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
            listen_on(ipv4).map_err(|source| explained(ipv4, source))
        }
    }
}

fn listen_on(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        socket.set_only_v6(false)?;
    }
    // On Windows this would let two servers have the same port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
