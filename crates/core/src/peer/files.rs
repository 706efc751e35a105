//! How the bytes of files get to one member: see [`bulk`](crate::bulk).
//!
//! Owns the links for files alone, the round-trip time while files go, and the pace beside a call. It never sees a file: the room says how
//! much is to be sent ([`FileLoad`]).
//!
//! Invariant: everything here ends with the link in use that it was opened over, since the path of the next one may be another.

use sightline_protocol::{ConnectionId, signalling::SignalPayload, telemetry::TelemetryMessage};

use crate::{
    Timestamp,
    bulk::{BulkLinks, BulkOutput, Pacer, RoundTrips, buffer_bytes, links_for},
    link::{Link, LinkId, LinkNames},
    negotiation::Negotiator,
    ping::Pong,
    transfer::{CHUNK_BYTES, MIN_CHUNK_BYTES},
};

/// Beside a call that leaves less, one connection is enough.
const SEVERAL_FROM_BYTES_PER_SECOND: u64 = 600_000;

/// What is to be sent to a member, and beside what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileLoad {
    /// What is still to go, of the files that flow.
    pub remaining_bytes: u64,
    /// Whether a file is on its way, all of it sent or not.
    pub is_sending: bool,
    /// Number of members that files are sent to.
    pub receivers: usize,
    /// Whether anybody in the room is seen or heard.
    pub is_call: bool,
}

/// How much of a file may be given to the channels now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// At most so many bytes.
    pub bytes: u64,
    /// In chunks of this size.
    pub chunk_bytes: usize,
}

/// The links for files to one member, and their pace.
#[derive(Debug, Default)]
pub(super) struct FilePath {
    links: BulkLinks,
    /// The link in use that `links` were opened over.
    over: Option<LinkId>,
    round_trips: RoundTrips,
    /// While there is a call.
    pacer: Option<Pacer>,
    /// When the pacer lets more leave, where the pacer is what holds files back.
    held_until: Option<Timestamp>,
}

impl FilePath {
    pub(super) fn has(&self, id: LinkId) -> bool {
        self.links.has(id)
    }

    pub(super) fn count(&self) -> usize {
        self.links.count()
    }

    pub(super) fn negotiator_mut(&mut self, id: LinkId) -> Option<&mut Negotiator> {
        self.links.negotiator_mut(id)
    }

    /// Whether a signal makes this side open another link.
    pub(super) fn opens(&self, connection: &ConnectionId, payload: &SignalPayload) -> bool {
        self.links.opens(connection, payload)
    }

    /// This is the link in use now.
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

    pub(super) fn handle_opened(&mut self, id: LinkId) {
        self.links.handle_opened(id);
    }

    pub(super) fn handle_closed(&mut self, id: LinkId, now: Timestamp) {
        self.links.handle_closed(id, now);
    }

    /// A ping on the link in use was answered. Whether that was the first of the pings that measure the path.
    pub(super) fn handle_pong(&mut self, pong: Pong, now: Timestamp) -> bool {
        let is_first = self.round_trips.shortest().is_none();
        let Some(round_trip) = self.round_trips.handle_pong(pong) else { return false };
        if let Some(pacer) = &mut self.pacer {
            pacer.handle_round_trip(round_trip, now);
        }
        is_first
    }

    /// The channels take `free_bytes` more: how much of that they get.
    pub(super) fn allow(&mut self, free_bytes: u64, is_call: bool, now: Timestamp) -> Allowance {
        self.follow_call(is_call, now);
        self.held_until = None;
        match &mut self.pacer {
            None => Allowance { bytes: free_bytes, chunk_bytes: CHUNK_BYTES },
            Some(pacer) => Allowance { bytes: pacer.allowance(now), chunk_bytes: pacer.chunk_bytes() },
        }
    }

    /// Of what was allowed, so much leaves.
    pub(super) fn handle_sent(&mut self, allowed: Allowance, sent_bytes: u64) {
        let Some(pacer) = &mut self.pacer else { return };
        pacer.handle_sent(sent_bytes);
        let is_held = allowed.bytes < allowed.chunk_bytes as u64;
        self.held_until = (is_held || sent_bytes > 0).then(|| pacer.due());
    }

    /// How many bytes each of so many channels may hold.
    pub(super) fn buffer_bytes(&self, channels: usize) -> u64 {
        let alone_bytes = buffer_bytes(channels);
        self.pacer.as_ref().map_or(alone_bytes, |pacer| {
            (2 * pacer.chunk_bytes() as u64).max(pacer.rate() / 20).min(alone_bytes)
        })
    }

    /// Opens the links that are worth having, measures the path, and closes what is idle.
    pub(super) fn tend(
        &mut self,
        load: FileLoad,
        current: Option<&mut Link>,
        names: &mut LinkNames,
        now: Timestamp,
    ) {
        self.follow_call(load.is_call, now);
        // The caller wakes up at this time and asks with `allow` what may leave.
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
        // What is on its way on the links has to arrive before they are idle.
        if count > 0 || !load.is_sending {
            self.links.want(count, names, now);
        }
        self.links.handle_timeout(now);
    }

    /// When [`Self::tend`] wants to be called. `flows` says whether files can be sent now.
    pub(super) fn poll_timeout(&self, flows: bool) -> Option<Timestamp> {
        let ping = flows.then(|| self.round_trips.due(self.pacer.is_some()));
        let held = self.held_until.filter(|_| flows);
        [self.links.poll_timeout(), ping, held].into_iter().flatten().min()
    }

    pub(super) fn poll_output(&mut self) -> Option<BulkOutput> {
        self.links.poll_output()
    }

    /// Bytes are paced while there is a call.
    fn follow_call(&mut self, is_call: bool, now: Timestamp) {
        if !is_call {
            self.pacer = None;
        } else if self.pacer.is_none() {
            self.pacer = Some(Pacer::new(MIN_CHUNK_BYTES, CHUNK_BYTES, now));
        }
    }
}
