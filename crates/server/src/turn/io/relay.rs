//! The engine and its sockets, shared by the tasks of the relay's thread.
//!
//! A task takes a [`Batch`] to have packets handled, and holds it across no `await`. Whatever was sent leaves, and every port that
//! was opened is read, when the batch ends.

use std::{
    cell::{RefCell, RefMut},
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use quinn_udp::EcnCodepoint;
use tokio::{
    task::{AbortHandle, spawn_local, yield_now},
    time::interval,
};

use super::{
    burst::Burst,
    host::read_host_addresses,
    outbox::{OutboxBudget, StreamOutbox},
    sockets::{Sockets, Wire},
    udp::{Datagram, UdpPort},
};
use crate::{
    time::{Clock, UnixTime},
    turn::{
        engine::{
            Engine,
            client::{Client, ClientPath, FiveTuple, ListenerId, PortId, StreamId, Transport},
        },
        metrics::{DropReason, TurnMetrics},
    },
};

/// How long an expired port may stay open.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
/// How old the list of this machine's addresses may be.
const HOST_ADDRESSES_MAX_AGE: Duration = Duration::from_secs(10);
/// Times in a row that a socket is read before others have a turn on the relay's thread.
const READS_PER_TURN: u32 = 4;

/// What every task of the relay's thread works on.
#[derive(Debug)]
pub(super) struct Relay {
    clock: Clock,
    metrics: TurnMetrics,
    outbox_budget: Rc<OutboxBudget>,
    shared: RefCell<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Engine,
    sockets: Sockets,
}

/// A batch of packets that are handled at the same time.
pub(super) struct Batch<'a> {
    relay: &'a Rc<Relay>,
    shared: RefMut<'a, Shared>,
    burst: Burst,
    now: UnixTime,
}

impl Relay {
    pub(super) fn new(engine: Engine, clock: Clock, metrics: TurnMetrics) -> Rc<Self> {
        let shared = RefCell::new(Shared { engine, sockets: Sockets::default() });
        Rc::new(Self { clock, metrics, outbox_budget: Rc::default(), shared })
    }

    pub(super) fn metrics(&self) -> &TurnMetrics {
        &self.metrics
    }

    pub(super) fn batch(self: &Rc<Self>) -> Batch<'_> {
        Batch { relay: self, shared: self.shared.borrow_mut(), burst: Burst::new(), now: self.clock.now() }
    }

    /// Adds a connection, which has to be [closed](Self::close_stream), and returns what waits to be written to it.
    pub(super) fn open_stream(
        &self,
        transport: Transport,
        ends: [SocketAddr; 2],
    ) -> (Client, Rc<StreamOutbox>) {
        let outbox = Rc::new(StreamOutbox::new(Rc::clone(&self.outbox_budget)));
        let stream: StreamId = self.shared.borrow_mut().sockets.add_stream(Rc::clone(&outbox));
        let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let [client, server] = ends.map(canonical);
        let five_tuple = FiveTuple { transport, client, server };
        (Client { five_tuple, path: ClientPath::Stream(stream) }, outbox)
    }

    /// Ends a connection, and the allocation that its client has.
    pub(super) fn close_stream(self: &Rc<Self>, client: &Client) {
        self.batch().act(None, |engine, _, wire| engine.end_client(&client.five_tuple, wire));
        if let ClientPath::Stream(stream) = client.path {
            self.shared.borrow_mut().sockets.remove_stream(stream);
        }
    }

    pub(super) fn has_allocation(&self, client: &Client) -> bool {
        self.shared.borrow().engine.has_allocation(&client.five_tuple, self.clock.now())
    }

    /// Counts a message of a connection that was no data, or says how long the client has to wait.
    pub(super) fn take_request(&self, client: &Client) -> Result<(), Duration> {
        self.shared.borrow_mut().engine.take_request(&client.five_tuple, self.clock.now())
    }

    /// Handles the datagrams of clients that come to a socket, for as long as it is polled.
    pub(super) async fn serve_clients(self: Rc<Self>, socket: UdpPort) {
        let socket = Rc::new(socket);
        let listener = self.shared.borrow_mut().sockets.add_listener(Rc::clone(&socket));
        read_datagrams(&socket, || {
            let mut batch = self.batch();
            socket.receive(|Datagram { from, to, ecn, payload }| {
                batch.handle_message(&client_of(&socket, listener, from, to), ecn, payload);
            })
        })
        .await;
    }

    /// Handles what peers send to a port, until the port is closed.
    async fn serve_peers(self: Rc<Self>, port: PortId, socket: Rc<UdpPort>) {
        read_datagrams(&socket, || {
            let mut batch = self.batch();
            socket.receive(|Datagram { from, ecn, payload, .. }| {
                batch.act(ecn, |engine, now, wire| engine.handle_peer_packet(port, from, payload, now, wire));
            })
        })
        .await;
    }

    /// Ends what expired, and keeps the engine's list of this machine's addresses up to date, for as long as it is polled.
    pub(super) async fn keep_house(self: Rc<Self>) {
        let mut expiries = interval(EXPIRY_INTERVAL);
        let mut addresses = interval(HOST_ADDRESSES_MAX_AGE);
        loop {
            tokio::select! {
                _ = expiries.tick() => {
                    self.batch().act(None, |engine, now, wire| engine.handle_timeout(now, wire));
                }
                _ = addresses.tick() => {
                    self.shared.borrow_mut().engine.set_host_addresses(read_host_addresses());
                }
            }
        }
    }

    fn start_reading(self: &Rc<Self>, port: PortId, socket: Rc<UdpPort>) -> AbortHandle {
        spawn_local(Rc::clone(self).serve_peers(port, socket)).abort_handle()
    }
}

impl Batch<'_> {
    /// Handles one message of a client. Returns whether it was data for a peer that the client may reach.
    pub(super) fn handle_message(
        &mut self,
        client: &Client,
        ecn: Option<EcnCodepoint>,
        bytes: &[u8],
    ) -> bool {
        self.act(ecn, |engine, now, wire| engine.handle_message(client, bytes, now, wire))
    }

    /// Counts a message that was not read.
    pub(super) fn count_malformed(&self) {
        self.relay.metrics.count_dropped(DropReason::Malformed);
    }

    pub(super) fn take_request(&mut self, client: &Client) -> Result<(), Duration> {
        self.shared.engine.take_request(&client.five_tuple, self.now)
    }

    fn act<T>(
        &mut self,
        ecn: Option<EcnCodepoint>,
        act: impl FnOnce(&mut Engine, UnixTime, &mut Wire<'_>) -> T,
    ) -> T {
        let Shared { engine, sockets } = &mut *self.shared;
        act(engine, self.now, &mut Wire { sockets, burst: &mut self.burst, ecn })
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.relay.metrics.count_lost(self.burst.finish());
        let relay = self.relay;
        self.shared.sockets.read_opened(|port, socket| relay.start_reading(port, socket));
    }
}

/// The sender of a datagram.
fn client_of(socket: &UdpPort, listener: ListenerId, from: SocketAddr, to: Option<IpAddr>) -> Client {
    let local = socket.local_addr();
    let server = SocketAddr::new(to.unwrap_or(local.ip()), local.port());
    let five_tuple = FiveTuple { transport: Transport::Udp, client: from, server };
    Client { five_tuple, path: ClientPath::Datagrams(listener) }
}

/// Calls `receive` whenever the socket is readable; `receive` returns whether there may be more.
async fn read_datagrams(socket: &UdpPort, mut receive: impl FnMut() -> std::io::Result<bool>) {
    let mut reads = 0;
    loop {
        match socket.readable().await.and_then(|()| receive()) {
            Ok(false) => reads = 0,
            // A socket that fills faster than it is read never waits, so others get their turn here.
            Ok(true) => {
                reads += 1;
                if reads >= READS_PER_TURN {
                    reads = 0;
                    yield_now().await;
                }
            }
            Err(error) => {
                // For example the error (ICMP) for a datagram that was sent earlier.
                tracing::trace!(%error, socket = %socket.local_addr(), "not received");
                // A socket that is permanently broken must not occupy the thread.
                yield_now().await;
            }
        }
    }
}
