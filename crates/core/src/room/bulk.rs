//! The way for the bytes of files to each member: see [`bulk`](crate::bulk).

use sightline_protocol::{
    ConnectionId, MemberId, control::ControlMessage, control::PublishedSource, signalling::SignalPayload,
    telemetry::TelemetryMessage,
};

use super::{
    connection::push_control, link::LinkId, output::RoomOutput, peer::Peer, repair::push_telemetry,
    session::RoomSession,
};
use crate::{
    Timestamp,
    bulk::{BulkLinks, BulkOutput, Naming, Pacer, RoundTrips, buffer_bytes, links_for},
    negotiation::Negotiator,
    ping::Pong,
    random::SeededRandom,
    transfer::{CHUNK_BYTES, MIN_CHUNK_BYTES},
};

/// Beside a call that leaves less, one connection is enough.
const SEVERAL_FROM_BYTES_PER_SECOND: u64 = 600_000;

/// What a member's files need beside its link.
#[derive(Debug, Default)]
pub(super) struct BulkWay {
    links: BulkLinks,
    round_trips: RoundTrips,
    /// While there is a call.
    pacer: Option<Pacer>,
    /// When the pacer lets more leave, where it is what holds files back.
    held_until: Option<Timestamp>,
}

impl BulkWay {
    pub(super) fn negotiator_mut(&mut self, link: LinkId) -> Option<&mut Negotiator> {
        self.links.negotiator_mut(link)
    }

    pub(super) fn knows(&self, connection: &ConnectionId) -> bool {
        self.links.knows(connection)
    }

    /// Gives up every connection; their ids.
    pub(super) fn take(&mut self) -> Vec<LinkId> {
        self.links.close_all();
        let mut closed = Vec::new();
        while let Some(output) = self.links.poll_output() {
            closed.extend(if let BulkOutput::Close(link) = output { Some(link) } else { None });
        }
        closed
    }
}

struct Names<'a> {
    next_link: &'a mut u64,
    random: &'a mut SeededRandom,
}

impl Naming for Names<'_> {
    fn link(&mut self) -> LinkId {
        let id = LinkId(*self.next_link);
        *self.next_link += 1;
        id
    }

    fn connection(&mut self) -> ConnectionId {
        ConnectionId::from_random(self.random.next_u128())
    }
}

impl RoomSession {
    /// The channels for bytes to a member, of all its connections, take so much more.
    pub fn handle_bulk_capacity(&mut self, member: &MemberId, free_bytes: u64, now: Timestamp) {
        let Some(at) = self.index_of(member) else { return };
        self.pace(at, now);
        let way = &mut self.peers[at].bulk;
        way.held_until = None;
        match &mut way.pacer {
            None => {
                self.transfers.handle_capacity(member, free_bytes, free_bytes, CHUNK_BYTES);
            }
            Some(pacer) => {
                let (allowance, chunk_bytes) = (pacer.allowance(now), pacer.chunk_bytes());
                let is_held = allowance < chunk_bytes as u64;
                // What was let go and did not leave yet is in front of the call: more would only be longer.
                let sent = self.transfers.handle_capacity(member, free_bytes, allowance, chunk_bytes);
                pacer.handle_sent(sent);
                way.held_until = (is_held || sent > 0).then(|| pacer.due());
            }
        }
        self.drain(now);
    }

    /// What each of so many channels for bytes to a member may be given.
    #[must_use]
    pub fn bulk_buffer_bytes(&self, member: &MemberId, channels: usize) -> u64 {
        let alone_bytes = buffer_bytes(channels);
        let pacer = self.index_of(member).and_then(|at| self.peers[at].bulk.pacer.as_ref());
        pacer.map_or(alone_bytes, |pacer| {
            (2 * pacer.chunk_bytes() as u64).max(pacer.rate() / 20).min(alone_bytes)
        })
    }

    /// The channel of a peer connection for bytes alone opened.
    pub fn handle_bulk_opened(&mut self, link: LinkId, now: Timestamp) {
        if let Some(at) = self.index_of_bulk(link) {
            self.peers[at].bulk.links.handle_opened(link);
        }
        // The next ones can be opened.
        self.tend_bulk(now);
        self.drain(now);
    }

    /// It closed, or the connection failed.
    pub fn handle_bulk_closed(&mut self, link: LinkId, now: Timestamp) {
        if let Some(at) = self.index_of_bulk(link) {
            self.peers[at].bulk.links.handle_closed(link, now);
            let member = self.peers[at].id().clone();
            self.transfers.handle_bulk_lost(&member, now);
        }
        self.drain(now);
    }

    /// How many peer connections for bytes alone there are to a member.
    #[must_use]
    pub fn bulk_links(&self, member: &MemberId) -> usize {
        self.index_of(member).map_or(0, |at| self.peers[at].bulk.links.count())
    }

    pub(super) fn index_of_bulk(&self, link: LinkId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.bulk.links.has(link))
    }

    pub(super) fn handle_bulk_signal(
        &mut self,
        at: usize,
        connection: ConnectionId,
        payload: SignalPayload,
        now: Timestamp,
    ) {
        let mut names = Names { next_link: &mut self.next_link, random: &mut self.random };
        self.peers[at].bulk.links.handle_signal(connection, payload, &mut names, now);
    }

    /// A ping on the link in use was answered.
    pub(super) fn handle_bulk_pong(&mut self, at: usize, pong: Pong, now: Timestamp) {
        let way = &mut self.peers[at].bulk;
        let is_first = way.round_trips.shortest().is_none();
        let Some(round_trip) = way.round_trips.handle_pong(pong) else { return };
        if let Some(pacer) = &mut way.pacer {
            pacer.handle_round_trip(round_trip, now);
        }
        if is_first {
            self.tend_bulk(now);
            self.drain(now);
        }
    }

    /// Opens what is worth having, asks how long the path is, and lets go of what is idle.
    pub(super) fn tend_bulk(&mut self, now: Timestamp) {
        let is_receiver = |peer: &&Peer| self.transfers.is_sending_to(peer.id());
        let receivers = self.peers.iter().filter(is_receiver).count();
        for at in 0..self.peers.len() {
            self.pace(at, now);
            let member = self.peers[at].id().clone();
            let remaining_bytes = self.transfers.remaining_bytes(&member);
            let peer = &mut self.peers[at];
            let (way, link) = (&mut peer.bulk, peer.link.as_mut().filter(|link| link.is_healthy()));
            let is_healthy = link.is_some();
            // Whoever is woken by it asks what may leave now.
            way.held_until.take_if(|until| *until <= now);
            if let Some(link) = link.filter(|_| remaining_bytes > 0) {
                let pings = link.watch.pings_mut();
                if let Some(nonce) = way.round_trips.poll_ping(pings, way.pacer.is_some(), now) {
                    push_telemetry(&mut self.outputs, link.id, &TelemetryMessage::Ping { nonce });
                }
                if let Some(pacer) = &mut way.pacer {
                    pacer.handle_silence(way.round_trips.waiting(link.watch.pings(), now), now);
                }
            }
            let is_slow =
                way.pacer.as_ref().is_some_and(|pacer| pacer.rate() < SEVERAL_FROM_BYTES_PER_SECOND);
            let count = if is_healthy && !is_slow {
                links_for(remaining_bytes, way.round_trips.shortest(), receivers)
            } else {
                0
            };
            // What is on its way on them has to arrive first.
            if count > 0 || !self.transfers.is_sending_to(&member) {
                let mut names = Names { next_link: &mut self.next_link, random: &mut self.random };
                way.links.want(count, &mut names, now);
            }
            way.links.handle_timeout(now);
        }
    }

    /// When [`Self::tend_bulk`] wants to be called.
    pub(super) fn bulk_timeout(&self, peer: &Peer) -> Option<Timestamp> {
        let way = &peer.bulk;
        let flows = self.transfers.remaining_bytes(peer.id()) > 0 && peer.is_healthy();
        let ping = flows.then(|| way.round_trips.due(way.pacer.is_some()));
        let held = way.held_until.filter(|_| flows);
        [way.links.poll_timeout(), ping, held].into_iter().flatten().min()
    }

    /// What was opened over a connection ends with it.
    pub(super) fn close_bulk(&mut self, at: usize) {
        let way = &mut self.peers[at].bulk;
        way.links.close_all();
        // The path may be another.
        way.round_trips = RoundTrips::default();
        way.pacer = None;
        self.drain_bulk(at);
    }

    pub(super) fn drain_bulk(&mut self, at: usize) -> bool {
        let peer = &mut self.peers[at];
        let mut moved = false;
        while let Some(output) = peer.bulk.links.poll_output() {
            moved = true;
            match output {
                BulkOutput::Open(link) => {
                    self.outputs.push_back(RoomOutput::OpenBulkLink { link, member: peer.member.id.clone() });
                }
                BulkOutput::Close(link) => self.outputs.push_back(RoomOutput::CloseLink(link)),
                BulkOutput::Perform(link, id, operation) => {
                    self.outputs.push_back(RoomOutput::Perform(link, id, operation));
                }
                BulkOutput::Send(connection, payload) => {
                    if let Some(link) = peer.link.as_ref().filter(|link| link.watch.is_channel_open()) {
                        let message = ControlMessage::BulkSignal { connection, payload };
                        push_control(&mut self.outputs, link.id, &message);
                    }
                }
            }
        }
        moved
    }

    /// Bytes are held back while anybody here is seen or heard.
    fn pace(&mut self, at: usize, now: Timestamp) {
        let is_media = |published: &sightline_protocol::control::PublishedState| {
            published.microphone || published.source != PublishedSource::None
        };
        let others = self.peers.iter().filter_map(|peer| peer.published.as_ref());
        let is_call = is_media(&self.published) || others.into_iter().any(is_media);
        let way = &mut self.peers[at].bulk;
        if !is_call {
            way.pacer = None;
        } else if way.pacer.is_none() {
            way.pacer = Some(Pacer::new(MIN_CHUNK_BYTES, CHUNK_BYTES, now));
        }
    }
}
