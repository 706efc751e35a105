//! A server on a free port with temporary directories.

use std::{net::SocketAddr, path::Path, time::Duration};

use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sightline_server::{
    Config, ConnectionLimits, RateLimits, Server, SocketLimits, rooms::RoomSettings, turn::RelaySource,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::client::Stream;

/// A test that waits this long for one thing has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct TestServer {
    pub(crate) addr: SocketAddr,
    /// The address where http is redirected.
    pub(crate) http_addr: Option<SocketAddr>,
    pub(crate) fingerprint: Option<String>,
    /// The ports of STUN and TURN, and of TURN over TLS.
    pub(crate) turn_ports: Option<(u16, u16)>,
    /// The address of the metrics, where they have their own port.
    pub(crate) metrics_addr: Option<SocketAddr>,
    directories: TempDir,
    stop: oneshot::Sender<()>,
    reload: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A server with settings that `adapt` changes.
    pub(crate) fn start_with(adapt: impl FnOnce(&mut Config)) -> Self {
        let directories = tempfile::tempdir().unwrap();
        std::fs::create_dir(directories.path().join("dist")).unwrap();
        Self::start_in(directories, adapt)
    }

    /// Stops the server and starts it again with the same directories.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// Restarts the server with settings that `adapt` changes.
    pub(crate) async fn restart_with(self, adapt: impl FnOnce(&mut Config)) -> Self {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap();
        Self::start_in(self.directories, adapt)
    }

    /// Asks the server to read its certificate again.
    pub(crate) async fn reload(&self) {
        within(self.reload.send(())).await.unwrap();
    }

    /// Stops the server and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap();
    }

    /// The directory of the client's files, which is empty at first.
    pub(crate) fn dist(&self) -> std::path::PathBuf {
        self.directories.path().join("dist")
    }

    /// The directory of what survives a restart.
    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.directories.path().join("data")
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let mut request = Request::builder().uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", self.addr.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Empty::new()).unwrap()).await
    }

    pub(crate) async fn ask(&self, request: Request<Empty<Bytes>>) -> Response<Bytes> {
        ask_over(TcpStream::connect(self.addr).await.unwrap(), request).await
    }

    fn start_in(directories: TempDir, adapt: impl FnOnce(&mut Config)) -> Self {
        let mut config = config_in(directories.path());
        adapt(&mut config);
        let server = Server::bind(config).unwrap();
        let addr = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            // A test that ends drops the sender, which stops the server too.
            let _ = stopped.await;
        };
        let (reload, mut reloads) = mpsc::channel(1);
        let next_reload = async move || {
            if reloads.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        };
        let (http_addr, metrics_addr) = (server.http_addr(), server.metrics_addr());
        let fingerprint = server.certificate_fingerprint();
        let turn_ports = server.turn_ports();
        let task = tokio::spawn(server.run(shutdown, next_reload));
        Self { addr, http_addr, fingerprint, turn_ports, metrics_addr, directories, stop, reload, task }
    }
}

pub(crate) async fn get_from(addr: SocketAddr, path: &str) -> Response<Bytes> {
    let request = Request::builder().uri(path).header("host", addr.to_string());
    ask_over(TcpStream::connect(addr).await.unwrap(), request.body(Empty::new()).unwrap()).await
}

/// Makes a request over a stream that is open already.
pub(crate) async fn ask_over(
    stream: impl Stream + 'static,
    request: Request<Empty<Bytes>>,
) -> Response<Bytes> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    hyper::rt::Executor::execute(&TokioExecutor::new(), async {
        connection.await.unwrap();
    });
    let response: Response<Incoming> = within(sender.send_request(request)).await.unwrap();
    let (head, body) = response.into_parts();
    Response::from_parts(head, within(body.collect()).await.unwrap().to_bytes())
}

pub(crate) fn config_in(directory: &Path) -> Config {
    Config {
        bind: Some("127.0.0.1".parse().unwrap()),
        port: 0,
        tls: None,
        http_port: None,
        dist: Some(directory.join("dist")),
        client: None,
        data_dir: directory.join("data"),
        create_token_file: None,
        allowed_origins: Vec::new(),
        allowed_hosts: Vec::new(),
        trusted_proxies: Vec::new(),
        metrics_bind: None,
        has_open_metrics: false,
        turn: RelaySource::Off,
        rooms: RoomSettings::default(),
        sockets: SocketLimits::default(),
        connections: ConnectionLimits::default(),
    }
}

/// For a test that sends more than any member would.
pub(crate) fn no_rate() -> RateLimits {
    RateLimits { burst_frames: u32::MAX, frames_per_s: 1, burst_bytes: u32::MAX, bytes_per_s: 1 }
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("nothing came")
}
