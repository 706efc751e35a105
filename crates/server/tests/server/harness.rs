//! A server on a free port, with directories of its own.

use std::{net::SocketAddr, path::Path, time::Duration};

use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sightline_server::{Config, RateLimits, Server, SocketLimits, rooms::RoomSettings};
use tempfile::TempDir;
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle, time::timeout};

/// After which a test has failed: nothing that is waited for takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct TestServer {
    pub(crate) addr: SocketAddr,
    directories: TempDir,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A server with something else than the defaults.
    pub(crate) fn start_with(adapt: impl FnOnce(&mut Config)) -> Self {
        let directories = tempfile::tempdir().unwrap();
        std::fs::create_dir(directories.path().join("dist")).unwrap();
        Self::start_in(directories, adapt)
    }

    /// The same server again, as after a restart of the machine.
    pub(crate) async fn restart(self) -> Self {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap();
        Self::start_in(self.directories, |_| {})
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap();
    }

    /// Where its client's files are. There are none yet.
    pub(crate) fn dist(&self) -> std::path::PathBuf {
        self.directories.path().join("dist")
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let mut request = Request::builder().uri(path).header("host", self.addr.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Empty::new()).unwrap()).await
    }

    pub(crate) async fn ask(&self, request: Request<Empty<Bytes>>) -> Response<Bytes> {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        hyper::rt::Executor::execute(&TokioExecutor::new(), async {
            connection.await.unwrap();
        });
        let response: Response<Incoming> = within(sender.send_request(request)).await.unwrap();
        let (head, body) = response.into_parts();
        Response::from_parts(head, within(body.collect()).await.unwrap().to_bytes())
    }

    fn start_in(directories: TempDir, adapt: impl FnOnce(&mut Config)) -> Self {
        let mut config = config_in(directories.path());
        adapt(&mut config);
        let server = Server::bind(config).unwrap();
        let addr = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async {
            // A test that ends drops the sender: that is as good as the word.
            let _ = stopped.await;
        }));
        Self { addr, directories, stop, task }
    }
}

pub(crate) fn config_in(directory: &Path) -> Config {
    Config {
        bind: Some("127.0.0.1".parse().unwrap()),
        port: 0,
        dist: directory.join("dist"),
        data_dir: directory.join("data"),
        allowed_origins: Vec::new(),
        rooms: RoomSettings::default(),
        sockets: SocketLimits::default(),
    }
}

/// For a test that sends more than any member would.
pub(crate) fn no_rate() -> RateLimits {
    RateLimits { burst_frames: u32::MAX, frames_per_s: 1, burst_bytes: u32::MAX, bytes_per_s: 1 }
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("nothing came")
}
