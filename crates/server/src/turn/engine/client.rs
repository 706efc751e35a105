//! Identifies the ends of a packet's path: a client, and the sockets to clients and peers.
//!
//! Sockets are numbers here. The caller of the engine assigns the numbers and knows the socket of each.

use std::{
    hash::{Hash, Hasher},
    net::SocketAddr,
};

/// A client, and the socket to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::turn) struct Client {
    pub(in crate::turn) five_tuple: FiveTuple,
    pub(in crate::turn) path: ClientPath,
}

/// Identifies a client, and with it its allocation (RFC 8656 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::turn) struct FiveTuple {
    pub(in crate::turn) transport: Transport,
    pub(in crate::turn) client: SocketAddr,
    pub(in crate::turn) server: SocketAddr,
}

/// The protocol between a client and this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::turn) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// The socket by which a client is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::turn) enum ClientPath {
    Datagrams(ListenerId),
    Stream(StreamId),
}

/// A UDP socket that clients send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::turn) struct ListenerId(pub(in crate::turn) usize);

/// A connection of a client. Not reused while the connection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::turn) struct StreamId(pub(in crate::turn) usize);

/// A UDP socket that peers send to: a relayed address. Not reused while the socket is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::turn) struct PortId(pub(in crate::turn) usize);

impl Client {
    /// Whether packets of this client may be lost on the way: then it repeats a request that gets no answer (RFC 8489
    /// section 6.2.1).
    pub(in crate::turn) fn is_datagram(&self) -> bool {
        matches!(self.path, ClientPath::Datagrams(_))
    }
}

impl Transport {
    pub(in crate::turn) fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl Hash for FiveTuple {
    /// Hashes few long words, because the keyed hash of the standard library, which every packet of a client costs, is expensive for
    /// each word.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let word = |high: u32, port: u16| {
            u64::from(high) << 24 | u64::from(port) << 8 | u64::from(self.transport as u8)
        };
        for end in [self.client, self.server] {
            match end {
                SocketAddr::V4(end) => hasher.write_u64(word(end.ip().to_bits(), end.port())),
                SocketAddr::V6(end) => {
                    hasher.write_u128(end.ip().to_bits());
                    hasher.write_u64(word(0, end.port()));
                }
            }
        }
    }
}
