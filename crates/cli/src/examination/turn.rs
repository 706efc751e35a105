//! A small STUN and TURN client over UDP, TCP and TLS (RFC 8489, RFC 8656): enough to test a server with.
//!
//! The TURN client of the crate `webrtc` speaks UDP only, and does not say with which error a server refused.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use futures_util::future::{FutureExt, select_ok};
use rustls::ClientConfig;
use sightline_core::ice::{IceTransport, IceUrl};
use sightline_protocol::signaling::IceServer;
use stun_types::{
    attribute::{ErrorCode, Nonce, Realm, Username, XorMappedAddress},
    message::{
        BINDING, IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageWrite,
        MessageWriteExt, MessageWriteVec, Method, StunWriteError,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UdpSocket,
    time::timeout,
};
use turn_types::{
    attribute::{Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CREATE_PERMISSION, DATA, REFRESH, SEND},
};

use crate::{
    failure::Failure,
    stream::{Stream, Target},
    turn_frame::Frame,
};

/// The code that browsers give to a server that was not reached.
const NOT_REACHED: u16 = 701;
/// When a request over UDP is repeated first, and the longest pause (RFC 8489, section 6.2.1).
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// More than any packet that a relay sends here.
const MAX_DATAGRAM_BYTES: usize = 4096;
/// The number of UDP in RFC 8656, section 18.5.
const UDP: u8 = 17;

/// Why a server gave no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StunFailure {
    /// The error code of the server, or [`NOT_REACHED`].
    pub(super) code: u16,
    pub(super) text: String,
    /// Realm and nonce for another attempt.
    challenge: Option<(String, String)>,
}

impl StunFailure {
    /// The failure in an error response.
    fn of(response: &Message<'_>) -> Self {
        let error = response.attribute::<ErrorCode>().ok();
        let realm = response.attribute::<Realm>().map(|realm| realm.realm().to_owned());
        let nonce = response.attribute::<Nonce>().map(|nonce| nonce.nonce().to_owned());
        Self {
            code: error.as_ref().map_or(NOT_REACHED, ErrorCode::code),
            text: error.map(|error| error.reason().to_owned()).unwrap_or_default(),
            challenge: realm.ok().zip(nonce.ok()),
        }
    }

    /// The failure where the server cannot be asked from the socket that asked the one before.
    pub(super) fn other_family() -> Self {
        Self::not_reached("the server has no address of the same family as the one before")
    }

    pub(super) fn no_relay() -> Self {
        Self::not_reached("there is no relay")
    }

    fn not_reached(reason: impl fmt::Display) -> Self {
        Self { code: NOT_REACHED, text: reason.to_string(), challenge: None }
    }
}

impl From<io::Error> for StunFailure {
    fn from(error: io::Error) -> Self {
        Self::not_reached(error)
    }
}

impl From<StunWriteError> for StunFailure {
    fn from(error: StunWriteError) -> Self {
        Self::not_reached(error)
    }
}

/// What the server answers to a client that it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allocation {
    /// The address at which peers reach the client.
    pub(super) relayed: SocketAddr,
    /// The address that the server sees of the client.
    pub(super) mapped: Option<SocketAddr>,
}

/// The addresses to try: the first of each family.
pub(super) async fn resolve(url: &IceUrl) -> Result<Vec<SocketAddr>, StunFailure> {
    let shown = url.to_string();
    let target = Target { host: &url.host, port: url.port, shown: &shown };
    let all = target.resolve().await.map_err(|failure| StunFailure::not_reached(failure.sentence))?;
    let first = |is_v4: bool| all.iter().copied().find(|address| address.is_ipv4() == is_v4);
    Ok([first(true), first(false)].into_iter().flatten().collect())
}

/// The socket or connection to a STUN or TURN server.
pub(super) enum Transport {
    /// A socket that is connected to the server.
    Datagrams(UdpSocket),
    Stream {
        stream: Box<dyn Stream>,
        /// Bytes that were received and not read yet.
        received: BytesMut,
    },
}

impl Transport {
    /// A socket that receives from this server only.
    pub(super) async fn datagrams(server: SocketAddr) -> io::Result<Self> {
        let any: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(server).await?;
        Ok(Self::Datagrams(socket))
    }

    fn stream(stream: impl Stream + 'static) -> Self {
        Self::Stream { stream: Box::new(stream), received: BytesMut::new() }
    }

    /// The local address of a socket.
    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Datagrams(socket) => socket.local_addr().ok(),
            Self::Stream { .. } => None,
        }
    }

    /// Connects a socket to another server of the same family.
    pub(super) async fn reconnect_to(&mut self, server: SocketAddr) -> io::Result<()> {
        match self {
            Self::Datagrams(socket) => socket.connect(server).await,
            Self::Stream { .. } => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Asks a STUN server which address it sees of this computer.
    pub(super) async fn mapped_address(&mut self) -> Result<SocketAddr, StunFailure> {
        let answer = self.ask(Message::builder_request(BINDING, MessageWriteVec::new()).finish()).await?;
        let message = message_of(&answer)?;
        let mapped = message.attribute::<XorMappedAddress>().map_err(StunFailure::not_reached)?;
        Ok(mapped.addr(message.transaction_id()))
    }

    /// Sends a request and returns its success response. Repeats a request over UDP until then.
    async fn ask(&mut self, request: Vec<u8>) -> Result<Vec<u8>, StunFailure> {
        let transaction = message_of(&request)?.transaction_id();
        let mut pause = FIRST_PAUSE;
        self.send(&request).await?;
        loop {
            let is_datagram = matches!(self, Self::Datagrams(_));
            let received = if is_datagram {
                match timeout(pause, self.receive()).await {
                    Ok(received) => received?,
                    Err(_) => {
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        self.send(&request).await?;
                        continue;
                    }
                }
            } else {
                self.receive().await?
            };
            let Ok(message) = Message::from_bytes(&received) else { continue };
            if message.transaction_id() != transaction || !message.is_response() {
                continue;
            }
            if message.has_class(MessageClass::Error) {
                return Err(StunFailure::of(&message));
            }
            return Ok(received);
        }
    }

    async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Datagrams(socket) => socket.send(message).await.map(drop),
            Self::Stream { stream, .. } => {
                stream.write_all(message).await?;
                stream.flush().await
            }
        }
    }

    /// The next message. May be dropped and called again at any time.
    async fn receive(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Datagrams(socket) => {
                let mut message = vec![0; MAX_DATAGRAM_BYTES];
                let length = socket.recv(&mut message).await?;
                message.truncate(length);
                Ok(message)
            }
            Self::Stream { stream, received } => loop {
                if let Some(frame) = Frame::at_start_of(received).map_err(io::Error::other)?
                    && received.len() >= frame.padded
                {
                    return Ok(received.split_to(frame.padded).to_vec());
                }
                if stream.read_buf(received).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }
}

/// A client of a TURN server.
pub(super) struct TurnClient {
    transport: Transport,
    username: String,
    password: String,
    realm: String,
    nonce: String,
}

impl TurnClient {
    /// Connects to the server and allocates a relayed address.
    pub(super) async fn allocate(
        url: &IceUrl,
        server: &IceServer,
        tls: &Arc<ClientConfig>,
    ) -> Result<(Self, Allocation), StunFailure> {
        let shown = url.to_string();
        let target = Target { host: &url.host, port: url.port, shown: &shown };
        let not_reached = |failure: Failure| StunFailure::not_reached(failure.sentence);
        match url.transport {
            IceTransport::Udp => {
                // Where a name has addresses of both families, one may be dead.
                let attempts = resolve(url).await?.into_iter().map(|address| {
                    async move { Self::allocate_over(Transport::datagrams(address).await?, server).await }
                        .boxed()
                });
                select_ok(attempts).await.map(|(client, _)| client)
            }
            IceTransport::Tcp => {
                let stream = target.connect().await.map_err(not_reached)?;
                Self::allocate_over(Transport::stream(stream), server).await
            }
            IceTransport::Tls => {
                let stream = target.connect_encrypted(tls).await.map_err(not_reached)?;
                Self::allocate_over(Transport::stream(stream), server).await
            }
        }
    }

    async fn allocate_over(
        transport: Transport,
        server: &IceServer,
    ) -> Result<(Self, Allocation), StunFailure> {
        let mut client = Self {
            transport,
            username: server.username.clone().unwrap_or_default(),
            password: server.credential.clone().unwrap_or_default(),
            realm: String::new(),
            nonce: String::new(),
        };
        // The first request gets realm and nonce.
        let question = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
        if let Err(failure) = client.transport.ask(question).await {
            client.take_challenge(failure)?;
        }
        let udp = RequestedTransport::new(UDP);
        let answer = client.ask(ALLOCATE, |request| request.add_attribute(&udp)).await?;
        let message = message_of(&answer)?;
        let transaction = message.transaction_id();
        let relayed = message.attribute::<XorRelayedAddress>().map_err(StunFailure::not_reached)?;
        let mapped = message.attribute::<XorMappedAddress>().ok();
        let allocation = Allocation {
            relayed: relayed.addr(transaction),
            mapped: mapped.map(|mapped| mapped.addr(transaction)),
        };
        Ok((client, allocation))
    }

    /// The local address, where the server is spoken to by UDP.
    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        self.transport.local_address()
    }

    /// Lets this peer send to the relayed address.
    pub(super) async fn permit(&mut self, peer: SocketAddr) -> Result<(), StunFailure> {
        let add = |request: &mut MessageWriteVec| {
            request.add_attribute(&XorPeerAddress::new(peer, request.transaction_id()))
        };
        self.ask(CREATE_PERMISSION, add).await.map(drop)
    }

    /// Sends data to a peer, from the relayed address.
    pub(super) async fn send(&mut self, peer: SocketAddr, payload: &[u8]) -> Result<(), StunFailure> {
        let mut message = Message::builder_indication(SEND, MessageWriteVec::new());
        let peer = XorPeerAddress::new(peer, message.transaction_id());
        message.add_attribute(&peer)?;
        message.add_attribute(&Data::new(payload))?;
        self.transport.send(&message.finish()).await?;
        Ok(())
    }

    /// The payload of the next packet of a peer. May be dropped and called again at any time.
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, StunFailure> {
        loop {
            let bytes = self.transport.receive().await?;
            let Ok(message) = Message::from_bytes(&bytes) else { continue };
            if message.has_method(DATA)
                && message.has_class(MessageClass::Indication)
                && let Ok(data) = message.attribute::<Data>()
            {
                return Ok(data.data().to_vec());
            }
        }
    }

    /// Gives the relayed address back. A server that does not answer frees it later.
    pub(super) async fn release(mut self) {
        let none = Lifetime::new(0);
        let released = self.ask(REFRESH, |request| request.add_attribute(&none));
        let _ = timeout(FIRST_PAUSE, released).await;
    }

    /// Makes a request with the credentials, once more if the nonce has become stale.
    async fn ask(
        &mut self,
        method: Method,
        add: impl Fn(&mut MessageWriteVec) -> Result<(), StunWriteError>,
    ) -> Result<Vec<u8>, StunFailure> {
        let request = self.signed(method, &add)?;
        match self.transport.ask(request).await {
            Err(failure) if failure.code == ErrorCode::STALE_NONCE => {
                self.take_challenge(failure)?;
                let request = self.signed(method, &add)?;
                self.transport.ask(request).await
            }
            result => result,
        }
    }

    fn signed(
        &self,
        method: Method,
        add: impl Fn(&mut MessageWriteVec) -> Result<(), StunWriteError>,
    ) -> Result<Vec<u8>, StunFailure> {
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        add(&mut request)?;
        request.add_attribute(&Username::new(&self.username).map_err(StunFailure::not_reached)?)?;
        request.add_attribute(&Realm::new(&self.realm).map_err(StunFailure::not_reached)?)?;
        request.add_attribute(&Nonce::new(&self.nonce).map_err(StunFailure::not_reached)?)?;
        let key =
            LongTermKeyCredentials::new(self.username.clone(), self.password.clone(), self.realm.clone());
        request.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1)?;
        Ok(request.finish())
    }

    /// Takes realm and nonce of a refusal that has them; any other failure is returned.
    fn take_challenge(&mut self, failure: StunFailure) -> Result<(), StunFailure> {
        let is_challenge = matches!(failure.code, ErrorCode::UNAUTHORIZED | ErrorCode::STALE_NONCE);
        match failure.challenge.clone().filter(|_| is_challenge) {
            Some((realm, nonce)) => {
                (self.realm, self.nonce) = (realm, nonce);
                Ok(())
            }
            None => Err(failure),
        }
    }
}

fn message_of(bytes: &[u8]) -> Result<Message<'_>, StunFailure> {
    Message::from_bytes(bytes).map_err(StunFailure::not_reached)
}
