//! The signaling WebSocket: one task for each socket of the core.

use std::{io, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use rustls::{ClientConfig, pki_types::ServerName};
use sightline_core::signaling::SocketId;
use sightline_protocol::limits::MAX_FRAME_BYTES;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    address::RoomAddress,
    failure::{Exit, Failure},
    input::Input,
};

/// Frames that may wait to be sent; more means that the server has stopped reading.
const MAX_WAITING: usize = 256;

/// In the range for applications, as the page closes a socket whose frames make no sense.
const REFUSED: u16 = 4008;

/// How long the last frames may take to leave.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Where signaling goes.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: RoomAddress,
    pub(crate) tls: Arc<ClientConfig>,
}

/// An event of the socket.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    Open,
    Frame(String),
    /// A frame that is not text, or too long.
    Unreadable,
    /// The socket closed, or could not be opened for this reason.
    Closed(Option<Failure>),
}

/// One attempt at a WebSocket. Dropping it closes the socket, after the frames that wait.
#[derive(Debug)]
pub(crate) struct Socket {
    frames: mpsc::Sender<Message>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Begins to open the socket. Its events arrive as [`Input::Socket`].
    pub(crate) fn open(id: SocketId, endpoint: Endpoint, inputs: mpsc::Sender<Input>) -> Self {
        let (frames, waiting) = mpsc::channel(MAX_WAITING);
        let task = tokio::spawn(run(id, endpoint, waiting, inputs));
        Self { frames, task }
    }

    /// Sends a text frame. A frame that does not fit is lost; a missing pong then reveals that the server has stopped reading.
    pub(crate) fn send(&self, frame: String) {
        let _ = self.frames.try_send(Message::text(frame));
    }

    /// Closes the socket and tells the server what was wrong with its frame.
    pub(crate) fn refuse(self, reason: &'static str) {
        let frame = CloseFrame { code: CloseCode::from(REFUSED), reason: reason.into() };
        let _ = self.frames.try_send(Message::Close(Some(frame)));
    }

    /// Closes the socket and waits until its last frames have left.
    pub(crate) async fn close(self) {
        drop(self.frames);
        let _ = tokio::time::timeout(LAST_WORDS, self.task).await;
    }
}

/// Where the task of one socket reports to.
struct Report {
    id: SocketId,
    inputs: mpsc::Sender<Input>,
}

impl Report {
    async fn send(&self, event: SocketEvent) {
        let _ = self.inputs.send(Input::Socket(self.id, event)).await;
    }
}

async fn run(id: SocketId, endpoint: Endpoint, frames: mpsc::Receiver<Message>, inputs: mpsc::Sender<Input>) {
    let report = Report { id, inputs };
    let closed = match connect(&endpoint).await {
        Ok(stream) => {
            carry(stream, frames, &report).await;
            None
        }
        Err(failure) => Some(failure),
    };
    report.send(SocketEvent::Closed(closed)).await;
}

/// Carries frames until either side closes the socket.
async fn carry(
    mut stream: WebSocketStream<Box<dyn Stream>>,
    mut frames: mpsc::Receiver<Message>,
    report: &Report,
) {
    report.send(SocketEvent::Open).await;
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => {
                    if stream.send(frame).await.is_err() {
                        return;
                    }
                }
                None => {
                    let _ = tokio::time::timeout(LAST_WORDS, stream.close(None)).await;
                    return;
                }
            },
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) if text.len() <= MAX_FRAME_BYTES => {
                    report.send(SocketEvent::Frame(text.as_str().to_owned())).await;
                }
                Some(Ok(Message::Text(_) | Message::Binary(_)) | Err(tungstenite::Error::Capacity(_))) => {
                    report.send(SocketEvent::Unreadable).await;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            },
        }
    }
}

/// What a WebSocket runs over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(endpoint: &Endpoint) -> Result<WebSocketStream<Box<dyn Stream>>, Failure> {
    let address = &endpoint.address;
    let (host, server) = (address.host(), address.server());
    let resolved = tokio::net::lookup_host((host.as_str(), address.port())).await;
    let resolved: Vec<_> = resolved.map(Iterator::collect).unwrap_or_default();
    if resolved.is_empty() {
        let sentence = format!("There is no server of the name {host}.");
        return Err(Failure::new(Exit::Unreachable, "host-unknown", sentence));
    }
    let unreachable = |error: io::Error| {
        let sentence = format!("The server {server} cannot be reached: {error}.");
        Failure::new(Exit::Unreachable, "server-unreachable", sentence)
    };
    let tcp = TcpStream::connect(resolved.as_slice()).await.map_err(unreachable)?;
    // Small messages that wait for each other: the delay of Nagle's algorithm would add to each.
    let _ = tcp.set_nodelay(true);
    let stream: Box<dyn Stream> = if address.is_encrypted() {
        let name = ServerName::try_from(host).map_err(|_| unreachable(io::ErrorKind::InvalidInput.into()))?;
        let connecting = TlsConnector::from(Arc::clone(&endpoint.tls)).connect(name, tcp);
        Box::new(connecting.await.map_err(|error| of_handshake(&server, &error))?)
    } else {
        Box::new(tcp)
    };
    let mut config = WebSocketConfig::default();
    (config.max_message_size, config.max_frame_size) = (Some(4 * MAX_FRAME_BYTES), Some(4 * MAX_FRAME_BYTES));
    let opening = client_async_with_config(address.signaling(), stream, Some(config));
    opening.await.map(|(socket, _)| socket).map_err(|error| of_upgrade(&server, &error))
}

/// The failure of a TLS handshake.
fn of_handshake(server: &str, error: &io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => Failure::new(
            Exit::VerificationFailed,
            "certificate-refused",
            format!(
                "The certificate of {server} is not trusted: {reason:?}. If the server made its certificate itself, name it \
                 with --cert FILE.",
            ),
        ),
        _ => Failure::new(
            Exit::Unreachable,
            "server-unreachable",
            format!("No encrypted connection to {server} could be made: {error}."),
        ),
    }
}

/// The failure of the request for a WebSocket.
fn of_upgrade(server: &str, error: &tungstenite::Error) -> Failure {
    match error {
        tungstenite::Error::Http(response) if response.status().as_u16() == 403 => {
            Failure::new(Exit::Refused, "host-refused", format!("The server {server} refuses this client."))
        }
        tungstenite::Error::Http(response) => Failure::new(
            Exit::Unreachable,
            "no-sightline-server",
            format!("{server} answers {}, so it is no Sightline server.", response.status().as_u16()),
        ),
        other => Failure::new(
            Exit::Unreachable,
            "server-unreachable",
            format!("The server {server} opens no WebSocket: {other}."),
        ),
    }
}
