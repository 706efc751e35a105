//! Sends the bytes of files to one member: see [`bulk`](crate::bulk).
//!
//! Owns the bulk links, the round-trip time during transfers, and the pace during a call. It never sees a file: the room says how
//! much is to be sent ([`FileLoad`]).
//!
//! Invariant: everything here ends with the link in use that it was opened over, since the path of the next one may be another.

use sightline_protocol::{ConnectionId, signaling::SignalPayload, telemetry::TelemetryMessage};

use crate::{
    Timestamp,
    bulk::{BulkLinks, BulkOutput, Pacer, RoundTrips, buffer_bytes, links_for},
    link::{Link, LinkEvent, LinkId, LinkNames},
    ping::Pong,
    recovery::PeerConnectionState,
    transfer::{CHUNK_BYTES, MIN_CHUNK_BYTES},
};

/// A pacer rate below which one connection is enough during a call.
const SEVERAL_FROM_BYTES_PER_SECOND: u64 = 600_000;

/// The amount of file bytes for a member, and the circumstances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileLoad {
    /// Bytes that remain of the transfers under way.
    pub remaining_bytes: u64,
    /// Whether a file is on its way, even if all of it was sent.
    pub is_sending: bool,
    /// Number of members that files are being sent to.
    pub receivers: usize,
    /// Whether anybody in the room is seen or heard.
    pub is_call: bool,
}

/// How much may be handed to the channels now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Limit in bytes.
    pub bytes: u64,
    /// Size of each chunk, in bytes.
    pub chunk_bytes: usize,
}

/// The bulk links to one member, and their pace.
#[derive(Debug, Default)]
pub(super) struct FilePath {
    links: BulkLinks,
    /// The link in use that `links` were opened over.
    over: Option<LinkId>,
    round_trips: RoundTrips,
    /// Limits the rate; present during a call.
    pacer: Option<Pacer>,
    /// When the pacer allows more; `None` unless the pacer holds files back.
    held_until: Option<Timestamp>,
}

impl FilePath {
    pub(super) fn has(&self, id: LinkId) -> bool {
        self.links.has(id)
    }

    pub(super) fn count(&self) -> usize {
        self.links.count()
    }

    /// Whether a signal makes this side open another bulk link.
    pub(super) fn opens(&self, connection: &ConnectionId, payload: &SignalPayload) -> bool {
        self.links.opens(connection, payload)
    }

    /// Takes the link in use.
    pub(super) fn handle_current(&mut self, current: Option<LinkId>) {
        if self.over != current {
            self.close_all();
            self.over = current;
        }
    }

    pub(super) fn close_all(&mut self) {
        self.links.close_all();
        self.round_trips = RoundTrips::default();
        self.pacer = None;
    }

    pub(super) fn handle_signal(
        &mut self,
        connection: ConnectionId,
        payload: SignalPayload,
        names: &mut LinkNames,
        now: Timestamp,
    ) {
        self.links.handle_signal(connection, payload, names, now);
    }

    /// Takes an event of the peer connection of a bulk link. Returns whether the link ended.
    pub(super) fn handle_link(&mut self, id: LinkId, event: LinkEvent, now: Timestamp) -> bool {
        let Some(negotiator) = self.links.negotiator_mut(id) else { return false };
        match event {
            LinkEvent::NegotiationNeeded => negotiator.handle_negotiation_needed(now),
            LinkEvent::LocalCandidate(candidate) => negotiator.handle_local_candidate(candidate, now),
            LinkEvent::Completed(operation, result) => negotiator.handle_completed(operation, result, now),
            LinkEvent::BulkOpened => self.links.handle_opened(id),
            LinkEvent::BulkClosed
            | LinkEvent::State(PeerConnectionState::Failed | PeerConnectionState::Closed) => {
                self.links.handle_closed(id, now);
                return true;
            }
            LinkEvent::State(_) | LinkEvent::ChannelOpened | LinkEvent::ChannelClosed => {}
        }
        false
    }

    /// Takes the answer to a ping on the link in use. Returns whether it was the first measurement of the path.
    pub(super) fn handle_pong(&mut self, pong: Pong, now: Timestamp) -> bool {
        let is_first = self.round_trips.shortest().is_none();
        let Some(round_trip) = self.round_trips.handle_pong(pong) else { return false };
        if let Some(pacer) = &mut self.pacer {
            pacer.handle_round_trip(round_trip, now);
        }
        is_first
    }

    /// The part of `free_bytes`, the room in the channels, that may be used now.
    pub(super) fn allow(&mut self, free_bytes: u64, is_call: bool, now: Timestamp) -> Allowance {
        self.follow_call(is_call, now);
        self.held_until = None;
        match &mut self.pacer {
            None => Allowance { bytes: free_bytes, chunk_bytes: CHUNK_BYTES },
            Some(pacer) => Allowance { bytes: pacer.allowance(now), chunk_bytes: pacer.chunk_bytes() },
        }
    }

    /// Notes that `sent_bytes` of an allowance were sent.
    pub(super) fn handle_sent(&mut self, allowed: Allowance, sent_bytes: u64) {
        let Some(pacer) = &mut self.pacer else { return };
        pacer.handle_sent(sent_bytes);
        let is_held = allowed.bytes < allowed.chunk_bytes as u64;
        self.held_until = (is_held || sent_bytes > 0).then(|| pacer.due());
    }

    /// Send buffer for each of `channels` channels, in bytes.
    pub(super) fn buffer_bytes(&self, channels: usize) -> u64 {
        let alone_bytes = buffer_bytes(channels);
        self.pacer.as_ref().map_or(alone_bytes, |pacer| {
            (2 * pacer.chunk_bytes() as u64).max(pacer.rate() / 20).min(alone_bytes)
        })
    }

    /// Opens bulk links as needed, measures the path, and closes idle links.
    pub(super) fn tend(
        &mut self,
        load: FileLoad,
        current: Option<&mut Link>,
        names: &mut LinkNames,
        now: Timestamp,
    ) {
        self.follow_call(load.is_call, now);
        // The caller wakes up at this time and calls `allow`.
        self.held_until.take_if(|until| *until <= now);
        let current = current.filter(|link| link.is_carrying());
        let is_carrying = current.is_some();
        if let Some(link) = current.filter(|_| load.remaining_bytes > 0) {
            if let Some(nonce) = self.round_trips.poll_ping(link.pings_mut(), self.pacer.is_some(), now) {
                link.send_telemetry(TelemetryMessage::Ping { nonce });
            }
            if let Some(pacer) = &mut self.pacer {
                pacer.handle_silence(self.round_trips.waiting(link.pings(), now), now);
            }
        }
        let is_slow = self.pacer.as_ref().is_some_and(|pacer| pacer.rate() < SEVERAL_FROM_BYTES_PER_SECOND);
        let count = if is_carrying && !is_slow {
            links_for(load.remaining_bytes, self.round_trips.shortest(), load.receivers)
        } else {
            0
        };
        // The links are idle only after the bytes on their way arrived.
        if count > 0 || !load.is_sending {
            self.links.want(count, names, now);
        }
        self.links.handle_timeout(now);
    }

    /// The time at which [`Self::tend`] is to be called. `flows` says whether files can be sent now.
    pub(super) fn poll_timeout(&self, flows: bool) -> Option<Timestamp> {
        let ping = flows.then(|| self.round_trips.due(self.pacer.is_some()));
        let held = self.held_until.filter(|_| flows);
        [self.links.poll_timeout(), ping, held].into_iter().flatten().min()
    }

    pub(super) fn poll_output(&mut self) -> Option<BulkOutput> {
        self.links.poll_output()
    }

    /// Starts or stops the pacer with the call.
    fn follow_call(&mut self, is_call: bool, now: Timestamp) {
        if !is_call {
            self.pacer = None;
        } else if self.pacer.is_none() {
            self.pacer = Some(Pacer::new(MIN_CHUNK_BYTES, CHUNK_BYTES, now));
        }
    }
}
