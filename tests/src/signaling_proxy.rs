//! A server operator who reads the signaling, and may change it: a proxy in front of the server that passes on everything else.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    accept_hdr_async, client_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        handshake::server::{Request, Response},
        http::HeaderMap,
    },
};

/// Changes a message; what is returned is sent instead.
type Change = Arc<dyn Fn(Value) -> Vec<Value> + Send + Sync>;

/// What a proxy changes: the messages of pages to the server, and those of the server to pages.
#[derive(Clone)]
struct Changes {
    to_server: Change,
    to_page: Change,
}

/// Longest request head, in bytes.
const HEAD_BYTES: usize = 8 * 1024;

/// A running proxy.
#[derive(Debug)]
pub struct SignalingProxy {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl SignalingProxy {
    /// Passes on what comes for `server_port` of this machine, and changes the messages of the server to pages.
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn start(
        server_port: u16,
        to_page: impl Fn(Value) -> Vec<Value> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::start_in_both_directions(server_port, |message| vec![message], to_page).await
    }

    /// The same, and changes the messages of pages, too.
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn start_in_both_directions(
        server_port: u16,
        to_server: impl Fn(Value) -> Vec<Value> + Send + Sync + 'static,
        to_page: impl Fn(Value) -> Vec<Value> + Send + Sync + 'static,
    ) -> Result<Self> {
        let changes = Changes { to_server: Arc::new(to_server), to_page: Arc::new(to_page) };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                let (record, changes) = (Arc::clone(&record), changes.clone());
                tokio::spawn(async move {
                    // Either side may end the connection.
                    let _ = pass_on(browser, server_port, &record, &changes).await;
                });
            }
        });
        Ok(Self { port, seen, task })
    }

    /// The URL of a path, as the browser knows it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// Everything that was read so far: request heads and frames in both directions.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for SignalingProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(
    mut browser: TcpStream,
    server_port: u16,
    seen: &Mutex<Vec<String>>,
    changes: &Changes,
) -> Result<()> {
    let note = |text: &str| seen.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    let mut head = vec![0; HEAD_BYTES];
    let length = browser.peek(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    note(&head);
    let mut server = TcpStream::connect(("127.0.0.1", server_port)).await?;
    if !head.starts_with("GET /ws ") {
        copy_bidirectional(&mut browser, &mut server).await?;
        return Ok(());
    }
    let mut headers = HeaderMap::new();
    #[allow(clippy::result_large_err, reason = "the type of the library's callback")]
    let keep = |request: &Request, response: Response| {
        headers = request.headers().clone();
        Ok(response)
    };
    let (mut to_browser, mut from_browser) = accept_hdr_async(browser, keep).await?.split();
    let mut request = format!("ws://localhost:{server_port}/ws").into_client_request()?;
    // A native peer sends no origin.
    for name in ["host", "origin"] {
        if let Some(value) = headers.get(name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let (mut to_server, mut from_server) = client_async(request, server).await?.0.split();
    let there = async {
        while let Some(Ok(message)) = from_browser.next().await {
            let Message::Text(text) = &message else {
                to_server.send(message).await?;
                continue;
            };
            note(text);
            for changed in (changes.to_server)(serde_json::from_str(text)?) {
                to_server.send(Message::text(changed.to_string())).await?;
            }
        }
        anyhow::Ok(())
    };
    let back = async {
        while let Some(Ok(message)) = from_server.next().await {
            let Message::Text(text) = &message else {
                to_browser.send(message).await?;
                continue;
            };
            note(text);
            for changed in (changes.to_page)(serde_json::from_str(text)?) {
                to_browser.send(Message::text(changed.to_string())).await?;
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = there => ended,
        ended = back => ended,
    }
}
