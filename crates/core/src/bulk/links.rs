//! Peer connections to one member for the bytes of files alone.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{ConnectionId, signalling::SignalPayload, transfer::MAX_BULK_CONNECTIONS};

use crate::{
    Timestamp,
    link::{LinkId, LinkNames},
    negotiation::{Negotiator, NegotiatorOutput, Operation, OperationFailure, OperationId, Role},
};

/// Until when one must have come up; then what can be sent goes over the others.
const DEADLINE: Duration = Duration::from_secs(20);
/// After one that failed no other is tried for so long.
const FAILURE_PAUSE: Duration = Duration::from_secs(30);
/// How many may be coming up at once: those that are up carry bytes meanwhile, which sixteen handshakes together would hold up.
const MAX_OPENING: usize = 4;
/// How long they are kept when nothing is sent any more: the next file is often near.
const IDLE: Duration = Duration::from_secs(10);

/// From here on a connection's congestion window is what holds it back.
const LONG_ROUND_TRIP: Duration = Duration::from_millis(8);
/// Less is through before others would be up.
const LARGE_BYTES: u64 = 4 * 1024 * 1024;
/// And on a short path, where there is less to gain.
const LARGE_BYTES_NEARBY: u64 = 32 * 1024 * 1024;
/// Nearby a few are faster than one, and more are slower.
const NEARBY: usize = 3;

/// See [`buffer_bytes`].
const MAX_BUFFER_BYTES: u64 = 1024 * 1024;
const MIN_BUFFER_BYTES: u64 = 128 * 1024;
const ALL_BUFFERS_BYTES: u64 = 2 * 1024 * 1024;

/// How many connections beside the member's own are worth having for so much on a path of this round trip, where so many members
/// are sent to at once: what one of them could have is shared.
#[must_use]
pub fn links_for(remaining_bytes: u64, round_trip: Option<Duration>, receivers: usize) -> usize {
    match round_trip {
        Some(round_trip) if round_trip >= LONG_ROUND_TRIP && remaining_bytes >= LARGE_BYTES => {
            MAX_BULK_CONNECTIONS / receivers.max(1)
        }
        Some(_) if remaining_bytes >= LARGE_BYTES_NEARBY => NEARBY / receivers.max(1),
        _ => 0,
    }
}

/// How much each of so many channels may be given to send: enough that none idles, and little enough together that a frame on
/// the slowest arrives before the window of what is unverified is full behind it.
#[must_use]
pub fn buffer_bytes(channels: usize) -> u64 {
    (ALL_BUFFERS_BYTES / channels.max(1) as u64).clamp(MIN_BUFFER_BYTES, MAX_BUFFER_BYTES)
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkOutput {
    /// Make a peer connection under this id, with the `bulk` channel and nothing else.
    Open(LinkId),
    /// Close and forget it.
    Close(LinkId),
    /// Nothing can be negotiated on it any more, because of this; its close follows.
    Broken(LinkId, OperationFailure),
    /// Perform an operation on it and report its end.
    Perform(LinkId, OperationId, Operation),
    /// Say this to the member about it.
    Send(ConnectionId, SignalPayload),
}

#[derive(Debug)]
struct BulkLink {
    id: LinkId,
    connection: ConnectionId,
    role: Role,
    negotiator: Negotiator,
    /// Until when it must have come up; `None` once it has.
    deadline: Option<Timestamp>,
}

/// The peer connections for bytes to one member: those that this side opened, and those of the other.
#[derive(Debug, Default)]
pub struct BulkLinks {
    links: Vec<BulkLink>,
    /// Since when none is wanted any more.
    idle_since: Option<Timestamp>,
    not_before: Timestamp,
    outputs: VecDeque<BulkOutput>,
}

impl BulkLinks {
    /// Wants so many open, by whichever side, a few after the other. None is closed before a while has passed in which none was wanted.
    pub fn want(&mut self, count: usize, names: &mut LinkNames, now: Timestamp) {
        if count == 0 {
            if self.opened_here() > 0 {
                self.idle_since.get_or_insert(now);
            }
            return;
        }
        self.idle_since = None;
        while now >= self.not_before
            && self.links.len() < count
            && self.opened_here() < MAX_BULK_CONNECTIONS
            && self.opening() < MAX_OPENING
        {
            let connection = names.connection();
            self.open(names.id(), connection, Role::Offerer, now);
        }
    }

    /// The connection that they were opened over is gone: so are they.
    pub fn close_all(&mut self) {
        for link in self.links.drain(..) {
            self.outputs.push_back(BulkOutput::Close(link.id));
        }
        self.idle_since = None;
    }

    /// Whether one has this id.
    #[must_use]
    pub fn has(&self, id: LinkId) -> bool {
        self.links.iter().any(|link| link.id == id)
    }

    fn knows(&self, connection: &ConnectionId) -> bool {
        self.links.iter().any(|link| link.connection == *connection)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.links.len()
    }

    /// Whether a signal would open another one.
    #[must_use]
    pub fn opens(&self, connection: &ConnectionId, payload: &SignalPayload) -> bool {
        payload.is_offer() && !self.knows(connection)
    }

    /// The member said something about one. Only a first offer opens another.
    pub fn handle_signal(
        &mut self,
        connection: ConnectionId,
        payload: SignalPayload,
        names: &mut LinkNames,
        now: Timestamp,
    ) {
        if !self.knows(&connection) {
            let theirs = self.links.iter().filter(|link| link.role == Role::Answerer).count();
            if !payload.is_offer() || theirs >= MAX_BULK_CONNECTIONS {
                return;
            }
            self.open(names.id(), connection.clone(), Role::Answerer, now);
        }
        if let Some(link) = self.links.iter_mut().find(|link| link.connection == connection) {
            link.negotiator.handle_signal(payload, now);
        }
    }

    /// The negotiation of one, for what its browser object says.
    pub fn negotiator_mut(&mut self, id: LinkId) -> Option<&mut Negotiator> {
        self.links.iter_mut().find(|link| link.id == id).map(|link| &mut link.negotiator)
    }

    /// Its channel opened.
    pub fn handle_opened(&mut self, id: LinkId) {
        if let Some(link) = self.links.iter_mut().find(|link| link.id == id) {
            link.deadline = None;
        }
    }

    /// Its channel closed, or its connection failed.
    pub fn handle_closed(&mut self, id: LinkId, now: Timestamp) {
        if let Some(at) = self.links.iter().position(|link| link.id == id) {
            let link = self.links.remove(at);
            if link.role == Role::Offerer {
                self.not_before = now + FAILURE_PAUSE;
            }
            self.outputs.push_back(BulkOutput::Close(id));
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for link in &mut self.links {
            link.negotiator.handle_timeout(now);
        }
        let late = |link: &BulkLink| link.deadline.is_some_and(|deadline| deadline <= now);
        let late: Vec<_> = self.links.iter().filter(|link| late(link)).map(|link| link.id).collect();
        for id in late {
            self.handle_closed(id, now);
        }
        if self.idle_since.is_some_and(|since| since + IDLE <= now) {
            self.idle_since = None;
            let (mine, theirs) = self.links.drain(..).partition(|link| link.role == Role::Offerer);
            self.links = theirs;
            let mine: Vec<BulkLink> = mine;
            self.outputs.extend(mine.iter().map(|link| BulkOutput::Close(link.id)));
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let of_links = self.links.iter().flat_map(|link| [link.deadline, link.negotiator.poll_timeout()]);
        of_links.chain([self.idle_since.map(|since| since + IDLE)]).flatten().min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<BulkOutput> {
        let mut broken = Vec::new();
        for link in &mut self.links {
            while let Some(output) = link.negotiator.poll_output() {
                match output {
                    NegotiatorOutput::Perform(id, operation) => {
                        self.outputs.push_back(BulkOutput::Perform(link.id, id, operation));
                    }
                    NegotiatorOutput::Send(payload) => {
                        self.outputs.push_back(BulkOutput::Send(link.connection.clone(), payload));
                    }
                    NegotiatorOutput::Broken(failure) => broken.push((link.id, failure)),
                }
            }
        }
        for (id, failure) in broken {
            self.links.retain(|link| link.id != id);
            self.outputs.extend([BulkOutput::Broken(id, failure), BulkOutput::Close(id)]);
        }
        self.outputs.pop_front()
    }

    fn open(&mut self, id: LinkId, connection: ConnectionId, role: Role, now: Timestamp) {
        let negotiator = Negotiator::new(role);
        self.links.push(BulkLink { id, connection, role, negotiator, deadline: Some(now + DEADLINE) });
        self.outputs.push_back(BulkOutput::Open(id));
    }

    /// How many of this side's are not up yet.
    fn opening(&self) -> usize {
        let is_opening = |link: &&BulkLink| link.role == Role::Offerer && link.deadline.is_some();
        self.links.iter().filter(is_opening).count()
    }

    fn opened_here(&self) -> usize {
        self.links.iter().filter(|link| link.role == Role::Offerer).count()
    }
}
