//! Bulk links: peer connections to one member that carry the bytes of files only.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{ConnectionId, signaling::SignalPayload, transfer::MAX_BULK_CONNECTIONS};

use crate::{
    Timestamp,
    link::{LinkId, LinkNames},
    negotiation::{Negotiator, NegotiatorOutput, Operation, OperationFailure, OperationId, Role},
};

/// How long a bulk link may take to come up. After that the bytes go over the other connections.
const DEADLINE: Duration = Duration::from_secs(20);
/// Pause after a bulk link failed, before another one is tried.
const FAILURE_PAUSE: Duration = Duration::from_secs(30);
/// Number of bulk links that may be coming up at once. The others carry bytes meanwhile, which sixteen handshakes at once would
/// delay.
const MAX_OPENING: usize = 4;
/// How long bulk links stay open without a transfer: the next file often follows soon.
const IDLE: Duration = Duration::from_secs(10);

/// From this round-trip time on, the congestion window limits a connection.
const LONG_ROUND_TRIP: Duration = Duration::from_millis(8);
/// A smaller transfer ends before further connections would be up.
const LARGE_BYTES: u64 = 4 * 1024 * 1024;
/// The same limit on a short path, where more connections gain less.
const LARGE_BYTES_NEARBY: u64 = 32 * 1024 * 1024;
/// On a short path three connections are faster than one, and more are slower.
const NEARBY: usize = 3;

/// Upper limit of [`buffer_bytes`].
const MAX_BUFFER_BYTES: u64 = 1024 * 1024;
const MIN_BUFFER_BYTES: u64 = 128 * 1024;
const ALL_BUFFERS_BYTES: u64 = 2 * 1024 * 1024;

/// Number of peer connections to open for a transfer of `remaining_bytes` at round-trip time `round_trip`, shared by `receivers`, in
/// addition to the member's own.
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

/// Send buffer for each of `channels` channels, in bytes: enough that none idles, and little enough in total that a frame on the
/// slowest channel arrives before the window of unverified bytes behind it is full.
#[must_use]
pub fn buffer_bytes(channels: usize) -> u64 {
    (ALL_BUFFERS_BYTES / channels.max(1) as u64).clamp(MIN_BUFFER_BYTES, MAX_BUFFER_BYTES)
}

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkOutput {
    /// Make a peer connection under this id, with the `bulk` channel only.
    Open(LinkId),
    /// Close and forget the peer connection.
    Close(LinkId),
    /// Negotiation on the peer connection failed with this error; [`Self::Close`] follows.
    Broken(LinkId, OperationFailure),
    /// Perform an operation on the peer connection and report its end.
    Perform(LinkId, OperationId, Operation),
    /// Send this signal about the peer connection to the member.
    Send(ConnectionId, SignalPayload),
}

#[derive(Debug)]
struct BulkLink {
    id: LinkId,
    connection: ConnectionId,
    role: Role,
    negotiator: Negotiator,
    /// Deadline for coming up; `None` once it is up.
    deadline: Option<Timestamp>,
}

/// The bulk links to one member, opened by either side.
#[derive(Debug, Default)]
pub struct BulkLinks {
    links: Vec<BulkLink>,
    /// Since when no bulk link is wanted; `None` while some are.
    idle_since: Option<Timestamp>,
    not_before: Timestamp,
    outputs: VecDeque<BulkOutput>,
}

impl BulkLinks {
    /// Asks for `count` open bulk links, counting those of both sides. They open a few at a time. They are closed after `IDLE`
    /// without a wish.
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

    /// Closes all bulk links, because the connection that they were opened over is gone.
    pub fn close_all(&mut self) {
        for link in self.links.drain(..) {
            self.outputs.push_back(BulkOutput::Close(link.id));
        }
        self.idle_since = None;
    }

    /// Whether a bulk link has this id.
    #[must_use]
    pub fn has(&self, id: LinkId) -> bool {
        self.links.iter().any(|link| link.id == id)
    }

    fn knows(&self, connection: &ConnectionId) -> bool {
        self.links.iter().any(|link| link.connection == *connection)
    }

    /// Number of bulk links.
    #[must_use]
    pub fn count(&self) -> usize {
        self.links.len()
    }

    /// Whether [`Self::handle_signal`] would open another bulk link.
    #[must_use]
    pub fn opens(&self, connection: &ConnectionId, payload: &SignalPayload) -> bool {
        payload.begins_connection() && !self.knows(connection)
    }

    /// Takes a signal of the member about a bulk link. Only a first offer opens another one.
    pub fn handle_signal(
        &mut self,
        connection: ConnectionId,
        payload: SignalPayload,
        names: &mut LinkNames,
        now: Timestamp,
    ) {
        if !self.knows(&connection) {
            let theirs = self.links.iter().filter(|link| link.role == Role::Answerer).count();
            if !payload.begins_connection() || theirs >= MAX_BULK_CONNECTIONS {
                return;
            }
            self.open(names.id(), connection.clone(), Role::Answerer, now);
        }
        if let Some(link) = self.links.iter_mut().find(|link| link.connection == connection) {
            link.negotiator.handle_signal(payload, now);
        }
    }

    /// The negotiator of a bulk link, for the events of its peer connection.
    pub fn negotiator_mut(&mut self, id: LinkId) -> Option<&mut Negotiator> {
        self.links.iter_mut().find(|link| link.id == id).map(|link| &mut link.negotiator)
    }

    /// Notes that the channel of a bulk link opened.
    pub fn handle_opened(&mut self, id: LinkId) {
        if let Some(link) = self.links.iter_mut().find(|link| link.id == id) {
            link.deadline = None;
        }
    }

    /// Notes that the channel of a bulk link closed, or that its connection failed.
    pub fn handle_closed(&mut self, id: LinkId, now: Timestamp) {
        if let Some(at) = self.links.iter().position(|link| link.id == id) {
            let link = self.links.remove(at);
            if link.role == Role::Offerer {
                self.not_before = now + FAILURE_PAUSE;
            }
            self.outputs.push_back(BulkOutput::Close(id));
        }
    }

    /// Handles the deadlines that have passed.
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

    /// The time at which [`Self::handle_timeout`] is to be called.
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

    /// Number of bulk links of this side that are not up yet.
    fn opening(&self) -> usize {
        let is_opening = |link: &&BulkLink| link.role == Role::Offerer && link.deadline.is_some();
        self.links.iter().filter(is_opening).count()
    }

    fn opened_here(&self) -> usize {
        self.links.iter().filter(|link| link.role == Role::Offerer).count()
    }
}
