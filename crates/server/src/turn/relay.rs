//! All allocations, and the way of a packet through them.

use std::{
    collections::HashMap,
    hash::Hash,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use quinn_udp::EcnCodepoint;
use stun_types::{
    attribute::AttributeStaticType,
    message::{
        Message, MessageClass, MessageType, MessageWrite, MessageWriteExt, MessageWriteVec, TransactionId,
    },
};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;
use turn_types::{
    attribute::{Data, DontFragment, XorPeerAddress},
    message::{DATA, SEND},
};

use super::{
    allocation::{Allocation, Direction},
    answers::AnswerLimiter,
    client::{Client, FiveTuple},
    credentials::RestCredentials,
    metrics::{DropReason, TurnMetrics},
    nonce::Nonces,
    peers::{PeerClass, PeerPolicy},
    ports::RelayPorts,
    quotas::Quotas,
    relayed_addresses::RelayedAddresses,
    request,
    reservations::Reservations,
    udp::{Burst, Datagram, Route, UdpPort},
};
use crate::time::Clock;

/// The relay: what every listener and every allocation's socket work on.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) clock: Clock,
    pub(super) credentials: RestCredentials,
    pub(super) nonces: Nonces,
    pub(super) answers: AnswerLimiter,
    pub(super) policy: PeerPolicy,
    pub(super) ports: RelayPorts,
    pub(super) addresses: RelayedAddresses,
    pub(super) reservations: Reservations,
    pub(super) quotas: Arc<Quotas>,
    pub(super) bytes_per_s: f64,
    pub(super) metrics: TurnMetrics,
    pub(super) tasks: TaskTracker,
    pub(super) tables: Tables,
}

/// The allocations by what they are looked up by.
#[derive(Debug, Default)]
pub(super) struct Tables {
    by_client: RwLock<HashMap<FiveTuple, Arc<Allocation>>>,
    by_relayed: RwLock<HashMap<SocketAddr, Arc<Allocation>>>,
}

/// Bytes from a client, or from a peer: who would get what is in them.
struct Packet<'a> {
    ecn: Option<EcnCodepoint>,
    payload: &'a [u8],
    now: Instant,
}

impl Relay {
    /// A message came from a client. Answers, and what is relayed, go out through `burst`.
    pub(super) fn receive(
        self: &Arc<Self>,
        client: &Client,
        ecn: Option<EcnCodepoint>,
        bytes: &[u8],
        now: Instant,
        burst: &mut Burst,
    ) {
        match bytes {
            [0x40..=0x7f, _, _, _, ..] => self.receive_channel_data(client, ecn, bytes, now, burst),
            [0x00..=0x3f, ..] => self.receive_stun(client, ecn, bytes, now, burst),
            _ => self.metrics.count_dropped(DropReason::Malformed),
        }
    }

    /// `ChannelData` (RFC 8656 section 12.4).
    fn receive_channel_data(
        &self,
        client: &Client,
        ecn: Option<EcnCodepoint>,
        bytes: &[u8],
        now: Instant,
        burst: &mut Burst,
    ) {
        let [number_high, number_low, length_high, length_low, rest @ ..] = bytes else { return };
        let number = u16::from_be_bytes([*number_high, *number_low]);
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let allocation = self.of_client(&client.five_tuple);
        let peer = allocation.as_ref().and_then(|allocation| allocation.state().peer_of(number, now));
        let (Some(allocation), Some(peer), Some(payload)) = (allocation, peer, rest.get(..length)) else {
            return self.metrics.count_dropped(DropReason::Malformed);
        };
        self.send_to_peer(&allocation, peer, &Packet { ecn, payload, now }, burst);
    }

    fn receive_stun(
        self: &Arc<Self>,
        client: &Client,
        ecn: Option<EcnCodepoint>,
        bytes: &[u8],
        now: Instant,
        burst: &mut Burst,
    ) {
        let Ok(message) = Message::from_bytes(bytes) else {
            return self.metrics.count_dropped(DropReason::Malformed);
        };
        match message.class() {
            MessageClass::Request => {
                if let Some(answer) = request::answer(self, client, &message, now) {
                    client.send(None, &answer, &[], burst);
                }
            }
            MessageClass::Indication if message.has_method(SEND) => {
                self.receive_send_indication(client, ecn, &message, now, burst);
            }
            // Indications of other kinds keep a path open and need nothing; nobody has been asked anything.
            MessageClass::Indication | MessageClass::Success | MessageClass::Error => {}
        }
    }

    /// A Send indication (RFC 8656 section 11.2).
    fn receive_send_indication(
        &self,
        client: &Client,
        ecn: Option<EcnCodepoint>,
        message: &Message<'_>,
        now: Instant,
        burst: &mut Burst,
    ) {
        let is_understood = message.iter_attributes().all(|(_, attribute)| {
            let kind = attribute.header.get_type();
            !kind.comprehension_required()
                || [XorPeerAddress::TYPE, Data::TYPE, DontFragment::TYPE].contains(&kind)
        });
        let peer = message.attribute::<XorPeerAddress>().map(|peer| peer.addr(message.transaction_id()));
        let data = message.raw_attribute(Data::TYPE);
        let (true, Ok(peer), Some(data), Some(allocation)) =
            (is_understood, peer, data, self.of_client(&client.five_tuple))
        else {
            return self.metrics.count_dropped(DropReason::Malformed);
        };
        if !allocation.state().permits(peer.ip(), now) {
            return self.metrics.count_dropped(DropReason::NoPermission);
        }
        self.send_to_peer(&allocation, peer, &Packet { ecn, payload: &data.value, now }, burst);
    }

    fn send_to_peer(&self, from: &Allocation, peer: SocketAddr, packet: &Packet<'_>, burst: &mut Burst) {
        let bytes = packet.payload.len();
        if !from.state().take(Direction::ToPeer, bytes, packet.now) {
            return self.metrics.count_dropped(DropReason::Bandwidth);
        }
        if peer.is_ipv4() != from.relayed.is_ipv4() || peer.port() == 0 {
            return self.metrics.count_dropped(DropReason::PeerDenied);
        }
        match (self.policy.class(peer.ip(), packet.now), self.of_relayed(peer)) {
            (PeerClass::Denied, _) => return self.metrics.count_dropped(DropReason::PeerDenied),
            // Both ends are here: nothing has to leave.
            (_, Some(other)) => self.send_to_client(&other, from.relayed, packet, burst),
            (PeerClass::Own, None) => return self.metrics.count_dropped(DropReason::NoAllocation),
            (PeerClass::Outside, None) => {
                let route = Route { port: Arc::clone(&from.port), to: peer, from: None, ecn: packet.ecn };
                burst.push(route, &[], packet.payload);
            }
        }
        self.metrics.count_relayed(Direction::ToPeer, bytes);
    }

    /// A peer's packet came to a relayed address (RFC 8656 sections 11.3 and 12.6).
    fn send_to_client(&self, to: &Allocation, peer: SocketAddr, packet: &Packet<'_>, burst: &mut Burst) {
        let &Packet { ecn, payload, now } = packet;
        let channel = {
            let mut state = to.state();
            if !state.permits(peer.ip(), now) {
                return self.metrics.count_dropped(DropReason::NoPermission);
            }
            if !state.take(Direction::ToClient, payload.len(), now) {
                return self.metrics.count_dropped(DropReason::Bandwidth);
            }
            state.channel_of(peer, now)
        };
        let is_taken = match (channel, u16::try_from(payload.len())) {
            (Some(number), Ok(length)) => {
                let [a, b] = number.to_be_bytes();
                let [c, d] = length.to_be_bytes();
                to.client.send(ecn, &[a, b, c, d], payload, burst)
            }
            _ => match data_indication(peer, payload) {
                Some(message) => to.client.send(ecn, &message, &[], burst),
                None => false,
            },
        };
        if is_taken {
            self.metrics.count_relayed(Direction::ToClient, payload.len());
        } else {
            self.metrics.count_dropped(DropReason::Full);
        }
    }

    /// Takes an allocation in and serves its socket until it ends.
    pub(super) fn insert(self: &Arc<Self>, allocation: Allocation) {
        let allocation = Arc::new(allocation);
        let five_tuple = allocation.client.five_tuple;
        self.metrics.count_created(five_tuple.transport.name());
        self.metrics.allocations.inc();
        write(&self.tables.by_relayed).insert(allocation.relayed, Arc::clone(&allocation));
        write(&self.tables.by_client).insert(five_tuple, Arc::clone(&allocation));
        tracing::debug!(client = %five_tuple.client, relayed = %allocation.relayed, "an allocation");
        self.tasks.spawn(Arc::clone(self).serve(allocation));
    }

    /// Whether this client has an allocation.
    pub(super) fn has_client(&self, five_tuple: &FiveTuple) -> bool {
        self.of_client(five_tuple).is_some()
    }

    /// A client is gone, and its allocation with it.
    pub(super) fn end_of_client(&self, five_tuple: &FiveTuple) {
        if let Some(allocation) = self.of_client(five_tuple) {
            self.remove(&allocation);
        }
    }

    /// Ends an allocation: nothing goes through it from now on.
    pub(super) fn remove(&self, allocation: &Allocation) {
        let was_there = take_out(&self.tables.by_client, &allocation.client.five_tuple, allocation);
        take_out(&self.tables.by_relayed, &allocation.relayed, allocation);
        allocation.ended.cancel();
        if was_there {
            self.metrics.allocations.dec();
            tracing::debug!(client = %allocation.client.five_tuple.client, "an allocation ended");
        }
    }

    /// Ends everything.
    pub(super) fn shut_down(&self) {
        let all: Vec<_> = read(&self.tables.by_client).values().cloned().collect();
        for allocation in all {
            self.remove(&allocation);
        }
    }

    pub(super) fn of_client(&self, five_tuple: &FiveTuple) -> Option<Arc<Allocation>> {
        read(&self.tables.by_client).get(five_tuple).cloned()
    }

    pub(super) fn of_relayed(&self, relayed: SocketAddr) -> Option<Arc<Allocation>> {
        read(&self.tables.by_relayed).get(&relayed).cloned()
    }

    /// Takes what peers send, until the allocation ends.
    async fn serve(self: Arc<Self>, allocation: Arc<Allocation>) {
        let mut ended = std::pin::pin!(allocation.ended.cancelled());
        let mut expiry = std::pin::pin!(sleep_until(allocation.state().expires_at()));
        loop {
            tokio::select! {
                biased;
                () = &mut ended => break,
                readable = allocation.port.readable() => {
                    let received = readable.and_then(|()| self.receive_from_peers(&allocation));
                    if let Err(error) = received {
                        // Of one datagram that was sent earlier (ICMP), for instance.
                        tracing::trace!(%error, relayed = %allocation.relayed, "not received");
                    }
                }
                () = &mut expiry => {
                    let expires_at = allocation.state().expires_at();
                    if expires_at <= Instant::now() {
                        break;
                    }
                    expiry.as_mut().reset(expires_at);
                }
            }
        }
        self.remove(&allocation);
    }

    fn receive_from_peers(&self, allocation: &Allocation) -> std::io::Result<()> {
        let now = Instant::now();
        let mut burst = Burst::new();
        let received = allocation.port.receive(|Datagram { from, ecn, payload, .. }| {
            self.send_to_client(allocation, from, &Packet { ecn, payload, now }, &mut burst);
        });
        self.metrics.count_lost(burst.finish());
        received
    }
}

/// Takes what clients send to a listening socket, for as long as it is polled.
pub(super) async fn listen(relay: Arc<Relay>, port: Arc<UdpPort>) {
    loop {
        let received = port.readable().await.and_then(|()| {
            let now = Instant::now();
            let mut burst = Burst::new();
            let received = port.receive(|Datagram { from, to, ecn, payload }| {
                let client = Client::of_datagram(&port, from, to);
                relay.receive(&client, ecn, payload, now, &mut burst);
            });
            relay.metrics.count_lost(burst.finish());
            received
        });
        if let Err(error) = received {
            tracing::trace!(%error, "not received");
            // Not in a circle should the socket be broken for good.
            tokio::task::yield_now().await;
        }
    }
}

/// Data for a client that has bound no channel to the peer.
fn data_indication(peer: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
    let kind = MessageType::from_class_method(MessageClass::Indication, DATA);
    let transaction = TransactionId::generate();
    let mut message = Message::builder(kind, transaction, MessageWriteVec::with_capacity(payload.len() + 64));
    message.add_attribute(&XorPeerAddress::new(peer, transaction)).ok()?;
    message.add_attribute(&Data::new(payload)).ok()?;
    Some(message.finish())
}

/// Takes an allocation out, but not a later one in its place: its task notices its end when a client may have another already.
fn take_out<K: Eq + Hash>(
    table: &RwLock<HashMap<K, Arc<Allocation>>>,
    key: &K,
    allocation: &Allocation,
) -> bool {
    let mut table = write(table);
    let is_there = table.get(key).is_some_and(|there| std::ptr::eq(Arc::as_ptr(there), allocation));
    if is_there {
        table.remove(key);
    }
    is_there
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
