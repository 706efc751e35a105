//! The other end of a TURN connection: how it is known, and how it is answered.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use quinn_udp::EcnCodepoint;

use super::{
    stream::StreamOutbox,
    udp::{Burst, Route, UdpPort},
};

/// How a client talks to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// The 5-tuple that an allocation belongs to (RFC 8656 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FiveTuple {
    pub(super) transport: Transport,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
}

/// A client and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) five_tuple: FiveTuple,
    pub(super) path: ClientPath,
}

/// The way to a client.
#[derive(Debug, Clone)]
pub(super) enum ClientPath {
    Udp(Arc<UdpPort>),
    Stream(Arc<StreamOutbox>),
}

impl Client {
    /// The sender of a datagram that came to a listening socket.
    pub(super) fn of_datagram(port: &Arc<UdpPort>, from: SocketAddr, to: Option<IpAddr>) -> Self {
        let local = port.local_addr();
        let server = SocketAddr::new(to.unwrap_or(local.ip()), local.port());
        let five_tuple = FiveTuple { transport: Transport::Udp, client: from, server };
        Self { five_tuple, path: ClientPath::Udp(Arc::clone(port)) }
    }

    /// Whether what it sends may be lost on the way, so that it repeats requests that are not answered.
    pub(super) fn is_datagram(&self) -> bool {
        matches!(self.path, ClientPath::Udp(_))
    }

    /// Sends a message of two parts; `false` where there is no room for it.
    pub(super) fn send(
        &self,
        ecn: Option<EcnCodepoint>,
        head: &[u8],
        payload: &[u8],
        burst: &mut Burst,
    ) -> bool {
        match &self.path {
            ClientPath::Udp(port) => {
                burst.push(self.route(port, ecn), head, payload);
                true
            }
            ClientPath::Stream(outbox) => outbox.push(head, payload),
        }
    }

    fn route(&self, port: &Arc<UdpPort>, ecn: Option<EcnCodepoint>) -> Route {
        let FiveTuple { client, server, .. } = self.five_tuple;
        // From the very address that the client sent to.
        let from = Some(server.ip()).filter(|ip: &IpAddr| !ip.is_unspecified());
        Route { port: Arc::clone(port), to: client, from, ecn }
    }
}
