//! The sockets behind the engine's numbers, and what the engine sends through them.

use std::{
    net::{IpAddr, SocketAddr},
    rc::Rc,
};

use quinn_udp::EcnCodepoint;
use tokio::task::AbortHandle;

use super::{
    burst::{Burst, Route},
    outbox::StreamOutbox,
    table::Table,
    udp::UdpPort,
};
use crate::turn::engine::{
    client::{Client, ClientPath, ListenerId, PortId, StreamId},
    network::Network,
};

/// All sockets of the relay.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    listeners: Vec<Rc<UdpPort>>,
    ports: Table<Port>,
    streams: Table<Rc<StreamOutbox>>,
    /// Ports that were opened and are not read yet.
    opened: Vec<PortId>,
}

/// A socket that peers send to, and the task that reads it.
#[derive(Debug)]
struct Port {
    socket: Rc<UdpPort>,
    reader: Option<AbortHandle>,
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

impl Sockets {
    pub(super) fn add_listener(&mut self, socket: Rc<UdpPort>) -> ListenerId {
        self.listeners.push(socket);
        ListenerId(self.listeners.len() - 1)
    }

    pub(super) fn add_stream(&mut self, outbox: Rc<StreamOutbox>) -> StreamId {
        StreamId(self.streams.insert(outbox))
    }

    pub(super) fn remove_stream(&mut self, stream: StreamId) {
        self.streams.remove(stream.0);
    }

    /// Starts a reader for each port that was opened since the last call.
    pub(super) fn read_opened(&mut self, mut read: impl FnMut(PortId, Rc<UdpPort>) -> AbortHandle) {
        for id in std::mem::take(&mut self.opened) {
            // Ports that were closed since, or closed and opened again, are not listed twice.
            if let Some(port) = self.ports.get_mut(id.0)
                && port.reader.is_none()
            {
                port.reader = Some(read(id, Rc::clone(&port.socket)));
            }
        }
    }
}

/// The sockets while one packet is handled, whose ECN mark is copied to its data (RFC 8656 section 14).
pub(super) struct Wire<'a> {
    pub(super) sockets: &'a mut Sockets,
    pub(super) burst: &'a mut Burst,
    pub(super) ecn: Option<EcnCodepoint>,
}

impl Wire<'_> {
    fn send(&mut self, to: &Client, ecn: Option<EcnCodepoint>, head: &[u8], payload: &[u8]) -> bool {
        match to.path {
            ClientPath::Datagrams(ListenerId(listener)) => {
                let Some(port) = self.sockets.listeners.get(listener) else { return false };
                // Sent from the same address that the client sent to.
                let from = Some(to.five_tuple.server.ip()).filter(|ip: &IpAddr| !ip.is_unspecified());
                let route = Route { port: Rc::clone(port), to: to.five_tuple.client, from, ecn };
                self.burst.push(route, head, payload);
                true
            }
            ClientPath::Stream(StreamId(stream)) => {
                self.sockets.streams.get(stream).is_some_and(|outbox| outbox.push(head, payload))
            }
        }
    }
}

impl Network for Wire<'_> {
    fn open_port(&mut self, at: SocketAddr) -> Option<PortId> {
        match UdpPort::bind(at) {
            Ok(socket) => {
                let port = Port { socket: Rc::new(socket), reader: None };
                let id = PortId(self.sockets.ports.insert(port));
                self.sockets.opened.push(id);
                Some(id)
            }
            Err(error) => {
                // A low level, because any client with credentials can cause it at will. The refusal is counted.
                tracing::debug!(%error, %at, "no port to relay from");
                None
            }
        }
    }

    fn close_port(&mut self, PortId(port): PortId) {
        self.sockets.ports.remove(port);
    }

    fn send_to_peer(&mut self, PortId(from): PortId, to: SocketAddr, payload: &[u8]) {
        if let Some(port) = self.sockets.ports.get(from) {
            let route = Route { port: Rc::clone(&port.socket), to, from: None, ecn: self.ecn };
            self.burst.push(route, &[], payload);
        }
    }

    fn send_to_client(&mut self, to: &Client, head: &[u8], payload: &[u8]) -> bool {
        self.send(to, self.ecn, head, payload)
    }

    fn answer(&mut self, to: &Client, message: &[u8]) {
        self.send(to, None, message, &[]);
    }
}
