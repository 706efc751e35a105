//! A single peer; the test plays the browser and the member.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    budget::Standing,
    link::{LinkEvent, LinkId, LinkNames},
    negotiation::{Completed, Operation, OperationFailure, OperationId, Role},
    peer::{FileLoad, LinkState, LocalMember, PeerOutput, PeerSession},
    recovery::PeerConnectionState,
};
use sightline_protocol::{
    Arrival, ConnectionId, DisplayName, Generation, InstanceId, Member, MemberId, Presence,
    control::{ControlMessage, PublishedState},
    signaling::{DescriptionKind, Signal, SignalDescription, SignalPayload},
    telemetry::TelemetryMessage,
};

/// The delay of the answer to a ping in these tests.
const ROUND_TRIP: Duration = Duration::from_millis(50);

pub(crate) struct Page {
    pub(crate) peer: PeerSession,
    pub(crate) now: Timestamp,
    /// The files to be sent to the member.
    pub(crate) load: FileLoad,
    /// The links on which the member answers pings.
    answering: Vec<LinkId>,
}

impl Page {
    /// A page that came after the member, and leads.
    pub(crate) fn leading() -> Self {
        Self::new(2)
    }

    /// A page that came before the member, and follows.
    pub(crate) fn following() -> Self {
        Self::new(0)
    }

    fn new(arrival: u64) -> Self {
        let local = LocalMember { id: MemberId::new("me").unwrap(), arrival: Arrival(arrival) };
        let names = LinkNames::new(3, 7);
        let announced = PublishedState::default();
        let mut peer = PeerSession::new(member(), Standing::Heard, local, announced, names);
        peer.handle_signaling(true);
        Self { peer, now: Timestamp::ZERO, load: FileLoad::default(), answering: Vec::new() }
    }

    /// The page with its first link, which is negotiated, up, and answered on.
    pub(crate) fn connected(mut self) -> (Self, LinkId) {
        self.peer.handle_present(member(), self.now);
        let offered = self.opened();
        let link = if let Some((link, _)) = offered.first() {
            self.peer.handle_link(*link, LinkEvent::NegotiationNeeded, self.now);
            let outputs = self.perform(*link);
            let signal = outputs.into_iter().find_map(|output| match output {
                PeerOutput::SendSignal(signal) => Some(signal),
                _ => None,
            });
            let answer = description(DescriptionKind::Answer, 1);
            self.peer.handle_signal(Signal { payload: answer, ..signal.expect("an offer") }, self.now);
            self.perform(*link);
            *link
        } else {
            let outputs = self.offer(0);
            let link = opened(&outputs)[0].0;
            let (id, operation) = operation_on(link, &outputs).expect("the offer is applied");
            self.complete(link, id, &operation);
            self.perform(link);
            link
        };
        self.bring_up(link);
        self.pass(Duration::from_millis(1_500));
        assert_eq!(self.state(), LinkState::Connected);
        (self, link)
    }

    /// Performs all operations on a link. Returns the other outputs.
    pub(crate) fn perform(&mut self, link: LinkId) -> Vec<PeerOutput> {
        let mut all = Vec::new();
        loop {
            let outputs = self.outputs();
            let operation = operation_on(link, &outputs);
            all.extend(outputs);
            let Some((id, operation)) = operation else { return all };
            self.complete(link, id, &operation);
        }
    }

    pub(crate) fn state(&self) -> LinkState {
        self.peer.view().state
    }

    /// The member offers the connection of this generation.
    pub(crate) fn offer(&mut self, generation: u32) -> Vec<PeerOutput> {
        self.offer_exchange(generation, 1)
    }

    /// The member offers an exchange with this number.
    pub(crate) fn offer_exchange(&mut self, generation: u32, exchange: u32) -> Vec<PeerOutput> {
        self.signal(generation, description(DescriptionKind::Offer, exchange))
    }

    /// The member sends a signal about the connection of this generation.
    pub(crate) fn signal(&mut self, generation: u32, payload: SignalPayload) -> Vec<PeerOutput> {
        let connection = ConnectionId::from_random(9);
        self.peer.handle_signal(Signal { connection, generation: Generation(generation), payload }, self.now);
        self.outputs()
    }

    /// The browser reports that a link is up, and the member answers pings on it.
    pub(crate) fn bring_up(&mut self, link: LinkId) -> Vec<PeerOutput> {
        self.peer.handle_link(link, LinkEvent::State(PeerConnectionState::Connected), self.now);
        self.peer.handle_link(link, LinkEvent::ChannelOpened, self.now);
        self.answering.push(link);
        self.outputs()
    }

    pub(crate) fn outputs(&mut self) -> Vec<PeerOutput> {
        std::iter::from_fn(|| self.peer.poll_output()).collect()
    }

    /// The links that the pending outputs open.
    pub(crate) fn opened(&mut self) -> Vec<(LinkId, Role)> {
        opened(&self.outputs())
    }

    /// No ping is answered from now on.
    pub(crate) fn lose_answers(&mut self) {
        self.answering.clear();
    }

    /// The member falls silent, and the browser reports that.
    pub(crate) fn cut(&mut self, link: LinkId) -> Vec<PeerOutput> {
        self.lose_answers();
        self.peer.handle_link(link, LinkEvent::State(PeerConnectionState::Disconnected), self.now);
        self.outputs()
    }

    /// Completes an operation successfully.
    pub(crate) fn complete(&mut self, link: LinkId, id: OperationId, operation: &Operation) {
        let completed = match operation {
            Operation::SetLocalOffer { .. } | Operation::SetLocalAnswer => {
                Completed::LocalDescription { sdp: "v=0\r\na=ice-ufrag:own\r\n".to_owned() }
            }
            Operation::SetRemoteDescription(_) | Operation::AddIceCandidate(_) => Completed::Done,
        };
        self.peer.handle_link(link, LinkEvent::Completed(id, Ok(completed)), self.now);
    }

    /// Lets an operation fail.
    pub(crate) fn fail(&mut self, link: LinkId, id: OperationId) -> Vec<PeerOutput> {
        self.peer.handle_link(link, LinkEvent::Completed(id, Err(failure())), self.now);
        self.outputs()
    }

    /// Begins an offer on a link. Returns the operation under way.
    pub(crate) fn begin_offer(&mut self, link: LinkId) -> OperationId {
        self.peer.handle_link(link, LinkEvent::NegotiationNeeded, self.now);
        operation_on(link, &self.outputs()).expect("an offer is begun").0
    }

    /// The member sends a message on a link.
    pub(crate) fn hear(&mut self, link: LinkId, message: ControlMessage) -> Vec<PeerOutput> {
        self.peer.handle_heard(link, self.now);
        self.peer.handle_control(link, message, self.now);
        self.outputs()
    }

    /// Lets time pass. Returns all outputs except answered pings.
    pub(crate) fn pass(&mut self, duration: Duration) -> Vec<PeerOutput> {
        let end = self.now + duration;
        let mut all = Vec::new();
        for _ in 0..100_000 {
            let due = self.peer.poll_timeout(self.load.remaining_bytes).filter(|due| *due <= end);
            let Some(due) = due else {
                self.now = end;
                return all;
            };
            self.now = self.now.max(due);
            self.peer.handle_timeout(self.now);
            self.peer.tend_files(self.load, self.now);
            for output in self.outputs() {
                match output {
                    PeerOutput::SendTelemetry(link, TelemetryMessage::Ping { nonce })
                        if self.answering.contains(&link) =>
                    {
                        let answer = TelemetryMessage::Pong { nonce };
                        self.peer.handle_telemetry(link, answer, self.now + ROUND_TRIP);
                        all.extend(self.outputs());
                    }
                    output => all.push(output),
                }
            }
        }
        panic!("the peer asks to be woken again and again");
    }
}

pub(crate) fn member() -> Member {
    Member {
        id: MemberId::new("other").unwrap(),
        name: DisplayName::cut("Bo"),
        sealed_name: None,
        instance: InstanceId::new("page1").unwrap(),
        arrival: Arrival(1),
        presence: Presence::Present,
    }
}

pub(crate) fn description(kind: DescriptionKind, exchange: u32) -> SignalPayload {
    let sdp = "v=0\r\na=ice-ufrag:other\r\n".to_owned();
    SignalPayload::Description(SignalDescription { kind, exchange, sdp, published: None })
}

pub(crate) fn failure() -> OperationFailure {
    OperationFailure { name: "InvalidStateError".to_owned(), message: "The connection is closed.".to_owned() }
}

pub(crate) fn opened(outputs: &[PeerOutput]) -> Vec<(LinkId, Role)> {
    let links = outputs.iter().filter_map(|output| match output {
        PeerOutput::OpenLink(link, role) => Some((*link, *role)),
        _ => None,
    });
    links.collect()
}

pub(crate) fn opened_for_files(outputs: &[PeerOutput]) -> Vec<LinkId> {
    let links = outputs.iter().filter_map(|output| match output {
        PeerOutput::OpenBulkLink(link) => Some(*link),
        _ => None,
    });
    links.collect()
}

pub(crate) fn closed(outputs: &[PeerOutput]) -> Vec<LinkId> {
    let links = outputs.iter().filter_map(|output| match output {
        PeerOutput::CloseLink(link) => Some(*link),
        _ => None,
    });
    links.collect()
}

/// The operation that the outputs ask for on a link.
pub(crate) fn operation_on(link: LinkId, outputs: &[PeerOutput]) -> Option<(OperationId, Operation)> {
    outputs.iter().find_map(|output| match output {
        PeerOutput::Perform(on, id, operation) if *on == link => Some((*id, operation.clone())),
        _ => None,
    })
}
