//! All allocations, and the way of a packet through them.

use std::{
    collections::HashMap,
    hash::Hash,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use quinn_udp::EcnCodepoint;
use stun_types::message::{
    Message, MessageClass, MessageType, MessageWrite, MessageWriteExt, MessageWriteVec, TransactionId,
};
use tokio::{
    task::yield_now,
    time::{Instant, interval, sleep_until},
};
use tokio_util::task::TaskTracker;
use turn_types::{
    attribute::{Data, XorPeerAddress},
    message::DATA,
};

use super::{
    allocation::{Allocation, AllocationState, Direction, counted_bytes},
    bandwidth::TotalBandwidth,
    client::{Client, FiveTuple},
    credentials::RestCredentials,
    decode::{self, Decoded, Undecodable},
    limiters::{AnswerLimiter, ConnectionLimiter, RequestLimiter},
    metrics::{DropReason, TurnMetrics},
    nonce::Nonces,
    peers::{PeerClass, PeerPolicy},
    ports::RelayPorts,
    quotas::Quotas,
    relayed_addresses::RelayedAddresses,
    request,
    reservations::Reservations,
    stream::OutboxBudget,
    udp::{Burst, Datagram, Route, UdpPort},
};
use crate::time::Clock;

/// How often ports that were kept for nobody are given back.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(5);
/// Times in a row that a socket is read before others have a turn on the relay's thread.
const READS_PER_TURN: u32 = 4;

/// The relay: what every listener and every allocation's socket work on.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) clock: Clock,
    pub(super) credentials: RestCredentials,
    pub(super) nonces: Nonces,
    pub(super) answers: AnswerLimiter,
    pub(super) requests: RequestLimiter,
    pub(super) new_connections: ConnectionLimiter,
    pub(super) policy: PeerPolicy,
    pub(super) ports: RelayPorts,
    pub(super) addresses: RelayedAddresses,
    pub(super) reservations: Reservations,
    pub(super) quotas: Arc<Quotas>,
    pub(super) bytes_per_s: f64,
    pub(super) total_bandwidth: Option<TotalBandwidth>,
    pub(super) outbox_bytes: Arc<OutboxBudget>,
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
    /// A message came from a client. Answers, and what is relayed, go out through `burst`. Returns whether it was data for a
    /// peer that the client may reach: of anything else a client has a limited number.
    pub(super) fn receive(
        self: &Arc<Self>,
        client: &Client,
        ecn: Option<EcnCodepoint>,
        bytes: &[u8],
        now: Instant,
        burst: &mut Burst,
    ) -> bool {
        if client.is_datagram()
            && decode::is_request(bytes)
            && self.requests.is_exhausted(&client.five_tuple, now)
        {
            return self.refuse(DropReason::RequestLimit);
        }
        match decode::decode(bytes) {
            Ok(Decoded::ChannelData { number, data }) => {
                self.receive_channel_data(client, number, &Packet { ecn, payload: data, now }, burst)
            }
            Ok(Decoded::Send { peer, data }) => {
                self.receive_send_indication(client, peer, &Packet { ecn, payload: data, now }, burst)
            }
            Ok(Decoded::Request(message)) => {
                if let Some(answer) = request::answer(self, client, &message, now) {
                    client.send(None, &answer, &[], burst);
                }
                false
            }
            Ok(Decoded::Idle) => false,
            Err(Undecodable::Malformed) => self.refuse(DropReason::Malformed),
            Err(Undecodable::TooLong) => self.refuse(DropReason::TooLong),
        }
    }

    fn refuse(&self, reason: DropReason) -> bool {
        self.metrics.count_dropped(reason);
        false
    }

    /// `ChannelData` (RFC 8656 section 12.4).
    fn receive_channel_data(
        &self,
        client: &Client,
        number: u16,
        packet: &Packet<'_>,
        burst: &mut Burst,
    ) -> bool {
        let Some(allocation) = self.of_client(&client.five_tuple) else {
            return self.refuse(DropReason::Malformed);
        };
        let (peer, may_pass) = {
            let mut state = allocation.state();
            let Some(peer) = state.peer_of(number, packet.now) else {
                drop(state);
                return self.refuse(DropReason::Malformed);
            };
            (peer, state.take(Direction::ToPeer, packet.payload.len(), packet.now))
        };
        self.send_to_peer(&allocation, peer, may_pass, packet, burst);
        true
    }

    /// A Send indication (RFC 8656 section 11.2).
    fn receive_send_indication(
        &self,
        client: &Client,
        peer: SocketAddr,
        packet: &Packet<'_>,
        burst: &mut Burst,
    ) -> bool {
        let Some(allocation) = self.of_client(&client.five_tuple) else {
            return self.refuse(DropReason::Malformed);
        };
        let may_pass = {
            let mut state = allocation.state();
            if !state.permits(peer.ip(), packet.now) {
                drop(state);
                return self.refuse(DropReason::NoPermission);
            }
            state.take(Direction::ToPeer, packet.payload.len(), packet.now)
        };
        self.send_to_peer(&allocation, peer, may_pass, packet, burst);
        true
    }

    fn send_to_peer(
        &self,
        from: &Allocation,
        peer: SocketAddr,
        may_pass: bool,
        packet: &Packet<'_>,
        burst: &mut Burst,
    ) {
        if !may_pass {
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
                if self.total_bandwidth.is_some() && !self.may_leave(&mut from.state(), packet) {
                    return self.metrics.count_dropped(DropReason::TotalBandwidth);
                }
                let route = Route { port: Arc::clone(&from.port), to: peer, from: None, ecn: packet.ecn };
                burst.push(route, &[], packet.payload);
            }
        }
        self.metrics.count_relayed(Direction::ToPeer, packet.payload.len());
    }

    /// Whether the whole relay's bandwidth allows for one more packet of this allocation.
    fn may_leave(&self, of: &mut AllocationState, packet: &Packet<'_>) -> bool {
        self.total_bandwidth.as_ref().is_none_or(|total| {
            let allocations = usize::try_from(self.metrics.allocations.get()).unwrap_or_default();
            total.take(of.share(), allocations, counted_bytes(packet.payload.len()), packet.now)
        })
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
            if !self.may_leave(&mut state, packet) {
                return self.metrics.count_dropped(DropReason::TotalBandwidth);
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
        let mut reads = 0;
        let mut ended = std::pin::pin!(allocation.ended.cancelled());
        let mut expiry = std::pin::pin!(sleep_until(allocation.state().expires_at()));
        loop {
            tokio::select! {
                biased;
                () = &mut ended => break,
                readable = allocation.port.readable() => {
                    match readable.and_then(|()| self.receive_from_peers(&allocation)) {
                        Ok(true) => end_turn_after(&mut reads).await,
                        // It waits now, and others have their turn.
                        Ok(false) => reads = 0,
                        Err(error) => {
                            // Of one datagram that was sent earlier (ICMP), for instance.
                            tracing::trace!(%error, relayed = %allocation.relayed, "not received");
                            end_turn_after(&mut reads).await;
                        }
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

    fn receive_from_peers(&self, allocation: &Allocation) -> std::io::Result<bool> {
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
    let mut reads = 0;
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
        match received {
            Ok(true) => end_turn_after(&mut reads).await,
            // It waits now, and others have their turn.
            Ok(false) => reads = 0,
            Err(error) => {
                tracing::trace!(%error, "not received");
                // Not in a circle should the socket be broken for good.
                yield_now().await;
            }
        }
    }
}

/// Lets others have their turn after some reads. A socket into which more comes than is read would never wait otherwise.
async fn end_turn_after(reads: &mut u32) {
    *reads += 1;
    if *reads >= READS_PER_TURN {
        *reads = 0;
        yield_now().await;
    }
}

/// Does what has to be done now and then, for as long as it is polled.
pub(super) async fn keep_house(relay: Arc<Relay>) {
    let mut ticks = interval(HOUSEKEEPING_INTERVAL);
    loop {
        ticks.tick().await;
        relay.reservations.forget_expired(Instant::now());
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
