//! TURN by TCP and TLS, for a peer connection whose TURN client speaks UDP only (the crate `webrtc` 0.21).
//!
//! Each TURN server over a stream is replaced by a UDP port of this computer. What the TURN client sends there goes to the server in
//! one connection for each socket of the client, and back. TURN itself is unchanged, because a message is the same over UDP and over a
//! stream, except for the padding of ChannelData.
//!
//! A browser gives relays over streams a lower priority; the crate gives all relays the same. So a connection to a server is not made
//! before those with a better transport had some time, and not at all if one of them gave a relayed address.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use rustls::ClientConfig;
use sightline_core::ice::{IceTransport, IceUrl};
use sightline_protocol::signaling::IceServer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UdpSocket,
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::{
    failure::Failure,
    stream::{Stream, Target},
    turn_frame::Frame,
};

/// How long a transport has the first turn before the next one. The TURN client gives up after eight seconds.
const HEAD_START: Duration = Duration::from_secs(1);
/// Sockets of the client, one for each address of this computer, and again after each ICE restart.
const MAX_SOCKETS: usize = 16;
/// Datagrams that wait for a connection; more are lost, as on a full network.
const MAX_WAITING: usize = 256;
/// Servers over streams; more are left out.
const MAX_SERVERS: usize = 16;
/// Larger than any datagram.
const MAX_DATAGRAM_BYTES: usize = 65_536;

/// The local ports that stand for TURN servers over streams. Dropping it closes their connections.
pub(super) struct StreamRelays {
    tls: Arc<ClientConfig>,
    /// By the address of the server.
    ports: Mutex<HashMap<String, Port>>,
    /// Number of relayed addresses that the connection was given.
    found: Arc<AtomicUsize>,
}

struct Port {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StreamRelays {
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls, ports: Mutex::default(), found: Arc::default() }
    }

    /// The connection was given a relayed address.
    pub(super) fn relay_was_found(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
    }

    /// The servers, with a local port in place of each TURN server over a stream. The same server has the same port each time. A
    /// server for which there is no port is left out.
    pub(super) fn replace_in(&self, servers: &[IceServer]) -> Vec<IceServer> {
        let transports = transports_in(servers);
        let replaced = |server: &IceServer| {
            let urls = server.urls.iter().filter_map(|url| match IceUrl::parse(url) {
                Ok(parsed) if parsed.is_turn && parsed.transport != IceTransport::Udp => {
                    let before = transports.iter().position(|transport| *transport == parsed.transport);
                    let address = self.port_of(parsed, HEAD_START * before.unwrap_or_default() as u32)?;
                    Some(format!("turn:{address}?transport=udp"))
                }
                _ => Some(url.clone()),
            });
            IceServer { urls: urls.collect(), ..server.clone() }
        };
        servers.iter().map(replaced).filter(|server| !server.urls.is_empty()).collect()
    }

    fn port_of(&self, url: IceUrl, delay: Duration) -> Option<SocketAddr> {
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        let name = url.to_string();
        if let Some(port) = ports.get(&name) {
            return Some(port.address);
        }
        if ports.len() >= MAX_SERVERS {
            return None;
        }
        let (socket, address) = bind().ok()?;
        let relay = Relay { url, tls: Arc::clone(&self.tls), delay, found: Arc::clone(&self.found) };
        let task = tokio::spawn(relay.serve(socket));
        ports.insert(name, Port { address, task });
        Some(address)
    }
}

fn bind() -> io::Result<(Arc<UdpSocket>, SocketAddr)> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    Ok((Arc::new(UdpSocket::from_std(socket)?), address))
}

/// The transports of the TURN servers, the best one first.
fn transports_in(servers: &[IceServer]) -> Vec<IceTransport> {
    let urls = servers.iter().flat_map(|server| &server.urls).filter_map(|url| IceUrl::parse(url).ok());
    let relays: Vec<_> = urls.filter(|url| url.is_turn).map(|url| url.transport).collect();
    let all = [IceTransport::Udp, IceTransport::Tcp, IceTransport::Tls];
    all.into_iter().filter(|transport| relays.contains(transport)).collect()
}

/// One server.
#[derive(Clone)]
struct Relay {
    url: IceUrl,
    tls: Arc<ClientConfig>,
    delay: Duration,
    found: Arc<AtomicUsize>,
}

impl Relay {
    /// Carries the datagrams of the client's sockets.
    async fn serve(self, socket: Arc<UdpSocket>) {
        let mut datagram = vec![0; MAX_DATAGRAM_BYTES];
        let mut connections: HashMap<SocketAddr, mpsc::Sender<Bytes>> = HashMap::new();
        let mut tasks = JoinSet::new();
        loop {
            let (length, from) = match socket.recv_from(&mut datagram).await {
                Ok(received) => received,
                // A socket of the client that is closed answers with ICMP, which Windows reports here.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
                Err(_) => return,
            };
            while tasks.try_join_next().is_some() {}
            if connections.len() >= MAX_SOCKETS && !connections.contains_key(&from) {
                connections.retain(|_, waiting| !waiting.is_closed());
                if connections.len() >= MAX_SOCKETS {
                    continue;
                }
            }
            let to_server = connections.entry(from).or_insert_with(|| {
                let (to_server, waiting) = mpsc::channel(MAX_WAITING);
                let (relay, socket) = (self.clone(), Arc::clone(&socket));
                tasks.spawn(async move {
                    // The client learns of a failure by the silence, as over UDP.
                    let _ = relay.carry(&socket, from, waiting).await;
                });
                to_server
            });
            let _ = to_server.try_send(Bytes::copy_from_slice(&datagram[..length]));
        }
    }

    /// Carries the datagrams of one socket of the client, until its connection ends.
    async fn carry(
        &self,
        socket: &UdpSocket,
        client: SocketAddr,
        mut waiting: mpsc::Receiver<Bytes>,
    ) -> io::Result<()> {
        let found = self.found.load(Ordering::Relaxed);
        sleep(self.delay).await;
        if self.found.load(Ordering::Relaxed) != found {
            return Ok(());
        }
        let stream = self.connect().await.map_err(|failure| io::Error::other(failure.sentence))?;
        let (mut from_server, mut to_server) = tokio::io::split(stream);
        let up = async {
            let (mut datagrams, mut out) = (Vec::new(), BytesMut::new());
            while waiting.recv_many(&mut datagrams, MAX_WAITING).await > 0 {
                datagrams.drain(..).for_each(|datagram| put(&mut out, &datagram));
                to_server.write_all_buf(&mut out).await?;
                to_server.flush().await?;
            }
            Ok(())
        };
        let down = async {
            let mut received = BytesMut::new();
            loop {
                while let Some(frame) = Frame::at_start_of(&received).map_err(io::Error::other)? {
                    if received.len() < frame.padded {
                        break;
                    }
                    // A datagram that does not leave is lost, as over UDP.
                    let _ = socket.send_to(&received[..frame.length], client).await;
                    received.advance(frame.padded);
                }
                if from_server.read_buf(&mut received).await? == 0 {
                    return Ok(());
                }
            }
        };
        tokio::select! {
            ended = up => ended,
            ended = down => ended,
        }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        let shown = self.url.to_string();
        let target = Target { host: &self.url.host, port: self.url.port, shown: &shown };
        Ok(match self.url.transport {
            IceTransport::Tls => Box::new(target.connect_encrypted(&self.tls).await?),
            IceTransport::Udp | IceTransport::Tcp => Box::new(target.connect().await?),
        })
    }
}

/// Appends a datagram of the client as the stream has it. The client may have padded it already. Something else than TURN, which
/// would end the stream, is left out.
fn put(out: &mut BytesMut, datagram: &[u8]) {
    if let Ok(Some(frame)) = Frame::at_start_of(datagram)
        && (frame.length..=frame.padded).contains(&datagram.len())
    {
        out.extend_from_slice(&datagram[..frame.length]);
        out.resize(out.len() + frame.padded - frame.length, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::TrustedCertificates;

    fn server(urls: &[&str]) -> IceServer {
        let urls = urls.iter().map(|url| (*url).to_owned()).collect();
        IceServer { urls, username: Some("ada".to_owned()), credential: Some("love".to_owned()) }
    }

    fn relays() -> StreamRelays {
        StreamRelays::new(TrustedCertificates::Any.client_config().unwrap())
    }

    #[tokio::test]
    async fn a_server_over_a_stream_has_a_local_port_and_keeps_it() {
        let relays = relays();
        let servers = [server(&[
            "stun:a.example",
            "turn:a.example?transport=udp",
            "turn:a.example?transport=tcp",
            "turns:a.example?transport=tcp",
        ])];
        let replaced = relays.replace_in(&servers);
        let [local] = &replaced[..] else { panic!("{replaced:?}") };
        assert_eq!(local.urls[..2], servers[0].urls[..2]);
        assert!(local.urls[2..].iter().all(|url| url.starts_with("turn:127.0.0.1:")), "{local:?}");
        assert_ne!(local.urls[2], local.urls[3]);
        assert_eq!(relays.replace_in(&servers), replaced);
    }

    #[test]
    fn a_transport_waits_for_each_better_one_that_there_is() {
        use IceTransport::{Tcp, Tls, Udp};
        let all =
            server(&["turns:a.example", "turn:a.example?transport=tcp", "turn:a.example", "stun:a.example"]);
        assert_eq!(transports_in(&[all]), [Udp, Tcp, Tls]);
        assert_eq!(transports_in(&[server(&["stun:a.example", "turns:a.example"])]), [Tls]);
        assert_eq!(transports_in(&[]), []);
    }

    #[test]
    fn a_stream_has_padding_and_only_messages_of_turn() {
        let mut out = BytesMut::new();
        put(&mut out, &[0x40, 0, 0, 1, 7]);
        put(&mut out, &[0x40, 1, 0, 2, 8, 9, 0, 0]);
        put(&mut out, b"something else");
        put(&mut out, &[0x40, 0, 0, 9, 7]);
        put(&mut out, &[]);
        assert_eq!(out[..], [0x40, 0, 0, 1, 7, 0, 0, 0, 0x40, 1, 0, 2, 8, 9, 0, 0]);
    }
}
