//! The signaling WebSocket: one task for each socket of the core.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use sightline_core::signaling::SocketId;
use sightline_protocol::limits::MAX_FRAME_BYTES;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    address::ServerAddress,
    failure::{Exit, Failure},
    input::Input,
    stream::{Stream, Target},
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
    pub(crate) server: ServerAddress,
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
    pub(crate) fn refuse(&self, reason: &'static str) {
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
    let closed = match connect(&endpoint.server, &endpoint.tls).await {
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

/// Opens a connection to the server, encrypted if its address says so.
pub(crate) async fn open(
    server: &ServerAddress,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, Failure> {
    let (host, shown) = (server.host(), server.shown());
    let target = Target { host: &host, port: server.port(), shown: &shown };
    Ok(if server.is_encrypted() {
        Box::new(target.connect_encrypted(tls).await?)
    } else {
        Box::new(target.connect().await?)
    })
}

/// Opens the signaling WebSocket.
pub(crate) async fn connect(
    server: &ServerAddress,
    tls: &Arc<ClientConfig>,
) -> Result<WebSocketStream<Box<dyn Stream>>, Failure> {
    let stream = open(server, tls).await?;
    let mut config = WebSocketConfig::default();
    (config.max_message_size, config.max_frame_size) = (Some(4 * MAX_FRAME_BYTES), Some(4 * MAX_FRAME_BYTES));
    let opening = client_async_with_config(server.signaling(), stream, Some(config));
    opening.await.map(|(socket, _)| socket).map_err(|error| of_upgrade(&server.shown(), &error))
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
