//! The state machine of one other member.

use std::collections::VecDeque;

use sightline_protocol::{
    ConnectionId, Member, MemberId,
    control::{ControlMessage, PublishedState},
    signaling::{FIRST_EXCHANGE, Signal, SignalPayload},
    telemetry::TelemetryMessage,
};

use super::{
    Allowance, FileLoad, LinkState, PeerOutput, PeerView,
    files::FilePath,
    links::PeerLinks,
    presence::{Departure, LocalMember, PeerPresence},
};
use crate::{
    Timestamp,
    budget::Standing,
    bulk::BulkOutput,
    link::{Link, LinkEvent, LinkId, LinkNames, TelemetryReading},
    negotiation::Role,
    recovery::Health,
    trust::{CodeBasis, EndFingerprints},
};

/// One other member, and all connections to it.
///
/// Contract: after every call that takes `now`, call [`Self::poll_output`] until it returns `None`. After [`PeerOutput::Gone`]
/// every call does nothing. [`Self::handle_timeout`] and then [`Self::tend_files`] are called when [`Self::poll_timeout`] has
/// passed. Late events of closed links are ignored.
#[derive(Debug)]
pub struct PeerSession {
    presence: PeerPresence,
    /// The published state of this page, to be announced on new links.
    announced: PublishedState,
    links: PeerLinks,
    files: FilePath,
    /// The last state that was reported with [`PeerOutput::StateChanged`].
    told_state: Option<LinkState>,
    is_gone: bool,
    outputs: VecDeque<PeerOutput>,
}

impl PeerSession {
    /// A member without a connection. `standing` is from before, if the page knew the member.
    #[must_use]
    pub fn new(
        member: Member,
        standing: Standing,
        local: LocalMember,
        announced: PublishedState,
        names: LinkNames,
    ) -> Self {
        Self {
            presence: PeerPresence::new(member, standing, local),
            announced,
            links: PeerLinks::new(names),
            files: FilePath::default(),
            told_state: None,
            is_gone: false,
            outputs: VecDeque::new(),
        }
    }

    // Queries of the room.

    /// The id of the member.
    #[must_use]
    pub fn id(&self) -> &MemberId {
        self.presence.id()
    }

    /// The member for display.
    #[must_use]
    pub fn view(&self) -> PeerView<'_> {
        self.presence.view(self.state())
    }

    /// Whether a link or a bulk link has this id.
    #[must_use]
    pub fn has_link(&self, id: LinkId) -> bool {
        self.links.has(id) || self.files.has(id)
    }

    /// Whether this is the link in use, and not its replacement.
    #[must_use]
    pub fn is_in_use(&self, id: LinkId) -> bool {
        self.links.is_current(id)
    }

    /// Whether connecting failed so often that a notice is raised.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.links.is_failing()
    }

    /// The link in use, if its `control` channel is open.
    #[must_use]
    pub fn open_link(&self) -> Option<LinkId> {
        self.links.current().filter(|link| link.is_channel_open()).map(Link::id)
    }

    /// What the code to compare is about: the link in use.
    #[must_use]
    pub fn code_basis(&self) -> Option<CodeBasis> {
        let link = self.links.current()?;
        Some(CodeBasis { leads: link.role() == Role::Offerer, fingerprints: link.fingerprints().clone() })
    }

    /// The fingerprints of all links, in use or not.
    pub fn fingerprints(&self) -> impl Iterator<Item = &EndFingerprints> {
        self.links.iter().map(Link::fingerprints)
    }

    /// Number of bulk links.
    #[must_use]
    pub fn bulk_links(&self) -> usize {
        self.files.count()
    }

    /// Send buffer for each of `channels` bulk channels, in bytes.
    #[must_use]
    pub fn buffer_bytes(&self, channels: usize) -> u64 {
        self.files.buffer_bytes(channels)
    }

    /// Whether [`Self::handle_signal`] would open a link.
    #[must_use]
    pub fn opens_link(&self, signal: &Signal) -> bool {
        self.links.opens(signal, self.presence.terms())
    }

    /// Whether [`Self::handle_control`] would open a bulk link for this signal.
    #[must_use]
    pub fn opens_bulk_link(&self, connection: &ConnectionId, payload: &SignalPayload) -> bool {
        self.files.opens(connection, payload)
    }

    // Events of the signaling server.

    /// Notes whether this page is in the room at the signaling server.
    pub fn handle_signaling(&mut self, is_up: bool) {
        self.presence.handle_signaling(is_up);
    }

    /// Takes the identity of this page after it entered the room, or entered it again. With another id this page is a new member
    /// to the others, who keep nothing of the old one: every link is closed.
    pub fn handle_local(&mut self, local: &LocalMember, now: Timestamp) {
        if self.presence.handle_local(local) {
            self.links.close_all();
        }
        self.settle(now);
    }

    /// Whether the server reports another page instance of the member than the one known here.
    #[must_use]
    pub fn is_new_page(&self, member: &Member) -> bool {
        self.view().member.instance != member.instance
    }

    /// Takes a new page instance of the member: everything about the old one is closed and forgotten.
    pub fn handle_new_page(&mut self, member: Member, standing: Standing) {
        if self.is_gone {
            return;
        }
        self.files.close_all();
        self.collect_files();
        self.files = FilePath::default();
        self.links.reset();
        self.collect_links();
        self.presence.handle_new_page(member, standing);
        self.told_state = None;
    }

    /// Notes that the server lists the member.
    pub fn handle_present(&mut self, member: Member, now: Timestamp) {
        self.presence.handle_present(member);
        self.links.handle_reachable(now);
        if self.presence.terms().leads && !self.links.was_connected() {
            self.links.begin(now);
        }
        self.push(PeerOutput::Changed);
        self.settle(now);
    }

    /// Notes that the member has no signaling connection for now.
    pub fn handle_away(&mut self, now: Timestamp) {
        self.presence.handle_away();
        self.push(PeerOutput::Changed);
        self.settle(now);
    }

    /// Notes that the server reported the member's departure. If the link works, only the server lost the member: a `bye` or the
    /// end of the link will decide.
    pub fn handle_left(&mut self, now: Timestamp) {
        if self.links.is_carrying() {
            self.presence.note_departure(Departure::Left);
            self.handle_away(now);
        } else {
            self.end();
        }
    }

    /// Notes that the member is missing in a new snapshot of the room.
    pub fn handle_missing(&mut self, now: Timestamp) {
        if self.links.was_connected() {
            self.presence.note_departure(Departure::Missing(now));
            self.handle_away(now);
        } else {
            self.end();
        }
    }

    /// Takes a signal of the member.
    pub fn handle_signal(&mut self, mut signal: Signal, now: Timestamp) {
        if !self.presence.is_cut_off() && !self.is_gone {
            if let SignalPayload::Description(description) = &mut signal.payload
                && let Some(published) = description.published.take()
                && self.presence.expect_published(published)
            {
                self.push(PeerOutput::Changed);
            }
            self.links.handle_signal(signal, self.presence.terms(), now);
            self.settle(now);
        }
    }

    // Actions of this page.

    /// Announces a new published state of this page.
    pub fn announce(&mut self, published: PublishedState) {
        self.announced = published;
        self.say_on_open_links(&ControlMessage::State(published));
    }

    /// Sets the standing of the member by its budget.
    pub fn set_standing(&mut self, standing: Standing, now: Timestamp) {
        if !self.presence.set_standing(standing) {
            return;
        }
        if standing == Standing::CutOff {
            self.links.close_all();
            self.push(PeerOutput::CutOff);
        }
        self.push(PeerOutput::Changed);
        self.settle(now);
    }

    /// Tells the member that this page leaves.
    pub fn say_bye(&mut self) {
        self.say_on_open_links(&ControlMessage::Bye);
    }

    /// Closes every link: the page no longer shows the call.
    pub fn end_call(&mut self, now: Timestamp) {
        self.links.close_all();
        self.settle(now);
    }

    /// Ends this machine: the member is gone or this page leaves.
    pub fn end(&mut self) {
        if self.is_gone {
            return;
        }
        self.files.close_all();
        self.collect_files();
        self.links.close_all();
        self.collect_links();
        self.push(PeerOutput::Gone);
        self.is_gone = true;
    }

    /// Replaces the link in use although it carries data, because the member's picture does not arrive on it.
    pub fn renew_link(&mut self, now: Timestamp) {
        self.links.renew(self.presence.terms(), now);
        self.settle(now);
    }

    /// Notes that the page woke up, or that the network is back.
    pub fn handle_wake(&mut self, now: Timestamp) {
        for link in self.links.iter_mut() {
            link.handle_wake(now);
        }
    }

    // Events of the peer connections.

    /// Takes an event of a peer connection.
    pub fn handle_link(&mut self, id: LinkId, event: LinkEvent, now: Timestamp) {
        if let Some(link) = self.links.get_mut(id) {
            match event {
                LinkEvent::NegotiationNeeded => link.handle_negotiation_needed(now),
                LinkEvent::LocalCandidate(candidate) => link.handle_local_candidate(candidate, now),
                LinkEvent::Completed(operation, result) => link.handle_completed(operation, result, now),
                LinkEvent::State(state) => link.handle_state(state),
                LinkEvent::ChannelOpened => {
                    link.handle_channel_opened(now);
                    let leads = link.role() == Role::Offerer;
                    self.push(PeerOutput::SendControl(id, ControlMessage::State(self.announced)));
                    if self.links.is_current(id) {
                        // This page may have begun anew because it heard that the member's page was loaded again. If that is wrong, the
                        // member still uses an older link and ignores the steps of the code on this one. Nobody repeats them.
                        if leads {
                            self.push(PeerOutput::SendControl(id, ControlMessage::Use));
                        }
                        self.push(PeerOutput::ChannelOpened);
                    }
                }
                LinkEvent::ChannelClosed => link.handle_channel_closed(),
                LinkEvent::BulkOpened | LinkEvent::BulkClosed => {}
            }
        } else if self.files.handle_link(id, event, now) {
            self.push(PeerOutput::BulkLinkLost);
        }
        self.settle(now);
    }

    /// Takes the total number of audio and video packets that arrived on a link so far.
    pub fn handle_inbound_packets(&mut self, id: LinkId, packets: u64) {
        if let Some(link) = self.links.get_mut(id) {
            link.handle_inbound_packets(packets);
        }
    }

    // Messages of the member.

    /// Notes that something arrived on a link, whatever it says: the member is alive.
    pub fn handle_heard(&mut self, id: LinkId, now: Timestamp) {
        self.links.handle_heard(id);
        self.settle(now);
    }

    /// Takes a message on the `control` channel of a link that the budget admitted.
    pub fn handle_control(&mut self, id: LinkId, message: ControlMessage, now: Timestamp) {
        if self.is_gone {
            return;
        }
        match message {
            ControlMessage::State(published) => {
                self.presence.handle_published(published);
                self.push(PeerOutput::Changed);
            }
            ControlMessage::Use => self.links.handle_use(id),
            ControlMessage::Renew => self.links.handle_renewal_wanted(self.presence.terms(), now),
            ControlMessage::BulkSignal { connection, payload } => {
                let (_, names) = self.links.current_and_names();
                self.files.handle_signal(connection, payload, names, now);
            }
            // The code and the tags are about the link in use, so they count on that link only.
            ControlMessage::Verify(_) | ControlMessage::Recognition(_) if !self.links.is_current(id) => {}
            ControlMessage::Bye => self.end(),
            ControlMessage::Unknown => {}
            message => self.push(PeerOutput::Received(message)),
        }
        self.settle(now);
    }

    /// Takes a published state beyond the member's budget: the latest is applied once the budget admits it.
    pub fn hold_state(&mut self, published: PublishedState) {
        self.presence.hold_published(published);
    }

    /// Takes a message on the `telemetry` channel of a link. Returns it unless it is about pings.
    pub fn handle_telemetry(
        &mut self,
        id: LinkId,
        message: TelemetryMessage,
        now: Timestamp,
    ) -> Option<TelemetryMessage> {
        let reading = self.links.get_mut(id)?.handle_telemetry(message, now);
        if let TelemetryReading::Pong(pong) = reading
            && self.links.is_current(id)
            && self.files.handle_pong(pong, now)
        {
            self.push(PeerOutput::RoundTripKnown);
        }
        self.settle(now);
        match reading {
            TelemetryReading::Other(message) => Some(message),
            TelemetryReading::Taken | TelemetryReading::Pong(_) => None,
        }
    }

    // Transfers of files.

    /// How much of `free_bytes`, the room in the bulk channels, may be used now. Report what was sent with
    /// [`Self::handle_files_sent`].
    pub fn allow_files(&mut self, free_bytes: u64, is_call: bool, now: Timestamp) -> Allowance {
        self.files.allow(free_bytes, is_call, now)
    }

    /// Notes that `sent_bytes` of an allowance were sent.
    pub fn handle_files_sent(&mut self, allowed: Allowance, sent_bytes: u64) {
        self.files.handle_sent(allowed, sent_bytes);
    }

    /// Opens bulk links as needed, and closes idle ones.
    pub fn tend_files(&mut self, load: FileLoad, now: Timestamp) {
        if !self.is_gone {
            let (current, names) = self.links.current_and_names();
            self.files.tend(load, current, names, now);
            self.settle(now);
        }
    }

    // Time and outputs.

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.links.handle_timeout(now);
        if self.presence.gone_at(self.links.in_trouble_since()).is_some_and(|at| at <= now) {
            self.end();
        }
        self.settle(now);
    }

    /// The time at which [`Self::handle_timeout`] and [`Self::tend_files`] are to be called, with this load.
    #[must_use]
    pub fn poll_timeout(&self, remaining_bytes: u64) -> Option<Timestamp> {
        if self.is_gone {
            return None;
        }
        let flows = remaining_bytes > 0 && self.links.is_carrying();
        [
            self.links.poll_timeout(self.presence.terms()),
            self.files.poll_timeout(flows),
            self.presence.gone_at(self.links.in_trouble_since()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<PeerOutput> {
        self.outputs.pop_front()
    }

    /// Whether [`Self::poll_output`] would return an output.
    #[must_use]
    pub fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    fn push(&mut self, output: PeerOutput) {
        if !self.is_gone {
            self.outputs.push_back(output);
        }
    }

    /// Applies all consequences of the last event, and collects the outputs of the parts.
    fn settle(&mut self, now: Timestamp) {
        while !self.is_gone {
            let is_dead = self.links.current().is_some_and(|link| link.health() == Health::Dead);
            if is_dead && self.presence.has_left() {
                return self.end();
            }
            self.links.review(self.presence.terms(), now);
            self.files.handle_current(self.links.current().map(Link::id));
            let is_one_broken = self.collect_links();
            self.collect_files();
            if !is_one_broken {
                return self.tell_state();
            }
        }
    }

    /// Collects the outputs of the links. Returns whether a negotiation failed, after which the links must be reviewed again.
    fn collect_links(&mut self) -> bool {
        let mut is_one_broken = false;
        while let Some(output) = self.links.poll_output() {
            is_one_broken |= matches!(output, PeerOutput::NegotiationBroken(..));
            self.push(match output {
                PeerOutput::SendSignal(signal) => PeerOutput::SendSignal(self.with_published(signal)),
                output => output,
            });
        }
        is_one_broken
    }

    fn collect_files(&mut self) {
        while let Some(output) = self.files.poll_output() {
            self.outputs.extend(match output {
                BulkOutput::Open(link) => Some(PeerOutput::OpenBulkLink(link)),
                BulkOutput::Close(link) => Some(PeerOutput::CloseLink(link)),
                BulkOutput::Perform(link, id, operation) => Some(PeerOutput::Perform(link, id, operation)),
                BulkOutput::Broken(link, failure) => Some(PeerOutput::NegotiationBroken(link, failure)),
                BulkOutput::Send(connection, payload) => self.open_link().map(|link| {
                    PeerOutput::SendControl(link, ControlMessage::BulkSignal { connection, payload })
                }),
            });
        }
    }

    /// The signal, with the published state of this page if it is the first description that it sends on a connection.
    fn with_published(&self, mut signal: Signal) -> Signal {
        if let SignalPayload::Description(description) = &mut signal.payload
            && description.exchange == FIRST_EXCHANGE
        {
            description.published = Some(self.announced);
        }
        signal
    }

    fn tell_state(&mut self) {
        let state = self.state();
        if self.told_state.replace(state) != Some(state) {
            self.push(PeerOutput::StateChanged(state));
        }
    }

    fn say_on_open_links(&mut self, message: &ControlMessage) {
        let open = self.links.iter().filter(|link| link.is_channel_open()).map(Link::id);
        self.outputs.extend(open.map(|id| PeerOutput::SendControl(id, message.clone())));
    }

    fn state(&self) -> LinkState {
        if self.presence.is_cut_off() {
            LinkState::Failed
        } else if self.links.is_carrying() {
            LinkState::Connected
        } else if self.presence.is_away() {
            LinkState::Away
        } else if self.links.is_failing() {
            LinkState::Failed
        } else if self.links.was_connected() {
            LinkState::Recovering
        } else {
            LinkState::Connecting
        }
    }
}
