//! A misconfigured reverse proxy: it uses another host name for the server than the browser did, and does not pass on the
//! original.

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Longest request head, in bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Forwards requests to `server_port` of this machine, with `inside` as the `Host`.
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn start(server_port: u16, inside: &'static str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let outside = format!("localhost:{port}");
        let task = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                let outside = outside.clone();
                tokio::spawn(async move {
                    // Either side may end the connection.
                    let _ = pass_on(browser, server_port, &outside, inside).await;
                });
            }
        });
        Ok(Self { port, task })
    }

    /// The URL of a path, as the browser knows it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(browser: TcpStream, server_port: u16, outside: &str, inside: &str) -> Result<()> {
    let server = TcpStream::connect(("127.0.0.1", server_port)).await?;
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut buffer = vec![0; HEAD_BYTES];
        loop {
            let length = from_browser.read(&mut buffer).await?;
            if length == 0 {
                return to_server.shutdown().await;
            }
            let piece = &buffer[..length];
            // On loopback a head arrives in one piece; frames of a WebSocket are masked and contain no such line.
            let changed = match std::str::from_utf8(piece) {
                Ok(head) => {
                    head.replace(&format!("Host: {outside}"), &format!("Host: {inside}")).into_bytes()
                }
                Err(_) => piece.to_vec(),
            };
            to_server.write_all(&changed).await?;
        }
    };
    tokio::try_join!(there, async { copy(&mut from_server, &mut to_browser).await })?;
    Ok(())
}
