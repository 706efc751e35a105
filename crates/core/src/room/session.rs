//! The session of one member in one room.

use std::collections::VecDeque;

use sightline_protocol::{
    AdmissionTag, DisplayName, MemberId, MessageId, Reaction,
    control::{ControlMessage, PublishedState},
    signaling::IceServer,
    telemetry::TelemetryMessage,
    transfer::{OfferBatch, TransferEnd},
};

use super::{
    RoomEvent, RoomOutput,
    content::{Content, ContentOutput},
    defense::{Defense, DefenseOutput},
    hosting::{HostAction, Hosting},
    members::{Dropped, Members},
    notices::Notices,
    peer_trust::{PeerTrust, PeerTrustOutput},
    signal_path::{SignalPath, SignalPathOutput},
};
use crate::{
    Timestamp,
    budget::{Accounts, Standing},
    chat::{Addressee, Conversation, KeptMessage, TextRefused},
    link::{LinkEvent, LinkId},
    notice::NoticeCode,
    peer::{LinkState, LocalMember, PeerOutput, PeerSession, PeerView},
    picture::StillPicture,
    random::SeededRandom,
    signaling::{JoinRequest, SignalingEvent, SocketId},
    transfer::{FileDescription, Reach, TransferHandle, Transfers},
    trust::{Refusal, Rekeying, ShortCode},
};

/// One member's session in a room. It outlives all its sockets and peer connections.
///
/// Contract: after every call that takes `now` or sends something, call [`Self::poll_output`] until it returns `None`. Call
/// [`Self::handle_timeout`] when the time of [`Self::poll_timeout`] has come. Events of a closed link or socket may arrive late
/// and have no effect.
#[derive(Debug)]
pub struct RoomSession {
    signal_path: SignalPath,
    /// Generates the ids of messages.
    random: SeededRandom,
    members: Members,
    peer_trust: PeerTrust,
    notices: Notices,
    defense: Defense,
    content: Content,
    outputs: VecDeque<RoomOutput>,
}

impl RoomSession {
    /// A session that does nothing before [`Self::start`]. `seed` must be random.
    #[must_use]
    pub fn new(request: JoinRequest, published: PublishedState, seed: u128) -> Self {
        let mut random = SeededRandom::new(seed);
        let jitter = SeededRandom::new(random.next_u128());
        let transfer_ids = SeededRandom::new(random.next_u128());
        let link_names = SeededRandom::new(random.next_u128());
        let nonces = SeededRandom::new(random.next_u128());
        let rekeying = request
            .secret
            .map(|secret| Rekeying::new(request.room.clone(), secret, request.instance.clone()));
        Self {
            signal_path: SignalPath::new(request, jitter, nonces),
            random,
            members: Members::new(published, link_names),
            peer_trust: PeerTrust::default(),
            notices: Notices::default(),
            defense: Defense::new(rekeying),
            content: Content::new(transfer_ids),
            outputs: VecDeque::new(),
        }
    }

    /// Replaces the secret of a protected room when a host removes a member. `seed` must come from a cryptographic generator and serve
    /// nothing else. Must be called before [`Self::start`]; without it this page is like one of an earlier version.
    pub fn enable_rekeying(&mut self, seed: u128) {
        if self.defense.enable_rekeying(seed) {
            self.signal_path.enable_rekeys();
        }
    }

    /// Opens the way to the server for a person who may enter the room: see [`SignalingClient::prepare`](crate::signaling::SignalingClient::prepare).
    /// Until [`Self::start`] nobody knows of this page.
    pub fn prepare(&mut self, now: Timestamp) {
        self.signal_path.prepare();
        self.settle(now);
    }

    /// Sets the name with which [`Self::start`] enters.
    pub fn set_name(&mut self, name: DisplayName) {
        self.signal_path.set_name(name);
    }

    /// Enters the room, or tries again after signaling ended for good.
    pub fn start(&mut self, now: Timestamp) {
        self.signal_path.start(now);
        self.settle(now);
    }

    /// Called instead of [`Self::start`] if the server has already refused this page.
    pub fn handle_page_refused(&mut self, code: NoticeCode, now: Timestamp) {
        self.signal_path.handle_page_refused(code);
        self.settle(now);
    }

    /// Leaves for good: says goodbye to the members and the server, then closes everything.
    pub fn leave(&mut self, now: Timestamp) {
        self.content.transfers_mut().leave(now);
        self.send_content();
        for peer in self.members.iter_mut() {
            peer.say_bye();
            peer.end();
        }
        self.settle_peers(now);
        self.signal_path.leave();
        self.settle(now);
    }

    // Actions of the person.

    /// Sends a text to all members in the room.
    ///
    /// # Errors
    /// [`TextRefused`] where the text is empty or too long.
    pub fn send_chat(&mut self, text: &str, unix_ms: u64, now: Timestamp) -> Result<(), TextRefused> {
        let id = MessageId::from_random(self.random.next_u128());
        let heard = self.members.iter().filter(|peer| peer.view().standing != Standing::CutOff);
        let present: Vec<_> = heard.map(|peer| peer.id().clone()).collect();
        let members = &self.members;
        let is_open = |member: &MemberId| members.get(member).is_some_and(|peer| peer.open_link().is_some());
        self.content.conversation_mut().send(id, text, unix_ms, present, is_open)?;
        self.settle(now);
        Ok(())
    }

    /// Sends a text to one member, which gets it when it returns if it is not in the room now.
    ///
    /// # Errors
    /// As [`Self::send_chat`].
    pub fn send_private_chat(
        &mut self,
        to: &MemberId,
        text: &str,
        unix_ms: u64,
        now: Timestamp,
    ) -> Result<(), TextRefused> {
        let id = MessageId::from_random(self.random.next_u128());
        let peer = self.members.get(to);
        let addressee = Addressee {
            member: to.clone(),
            name: peer.map(|peer| peer.view().member.name.as_str().to_owned()).unwrap_or_default(),
            // A page that is cut off never gets it, but the member's next page does.
            is_in_room: peer.is_some_and(|peer| peer.view().standing != Standing::CutOff),
            is_open: peer.is_some_and(|peer| peer.open_link().is_some()),
        };
        self.content.conversation_mut().send_private(id, addressee, text, unix_ms)?;
        self.settle(now);
        Ok(())
    }

    /// Sends a reaction to all members that can be reached now. Nothing repeats it.
    pub fn send_reaction(&mut self, reaction: Reaction) {
        for member in self.members.ids() {
            self.send_control(&member, &ControlMessage::Reaction { reaction });
        }
    }

    /// Raises or lowers the hand of this member.
    pub fn raise_hand(&mut self, is_raised: bool, now: Timestamp) {
        self.members.raise_hand(is_raised);
        self.settle(now);
    }

    /// Takes a file that the person chose for one member or for everyone: see [`Transfers::choose`].
    ///
    /// # Errors
    /// [`TransferEnd::TooMany`] if too many files wait already.
    pub fn offer_file(
        &mut self,
        to: Option<&MemberId>,
        file: &FileDescription,
        now: Timestamp,
    ) -> Result<TransferHandle, TransferEnd> {
        let present = self.members.iter().map(|peer| peer.id().clone());
        let members: Vec<_> = present.filter(|member| to.is_none_or(|to| to == member)).collect();
        let chosen = self.content.transfers_mut().choose(file.clone(), &members, to, now);
        self.settle(now);
        chosen
    }

    /// The announcement of files that are chosen together: see [`Transfers::announce`].
    pub fn announce_files(&mut self, to: Option<&MemberId>, files: &[FileDescription]) -> Option<OfferBatch> {
        let members = self.members.iter().filter(|peer| to.is_none_or(|to| to == peer.id())).count();
        self.content.transfers_mut().announce(files, members)
    }

    /// Runs `act` on the transfers, and processes the resulting outputs.
    pub fn with_transfers<R>(&mut self, now: Timestamp, act: impl FnOnce(&mut Transfers) -> R) -> R {
        let result = act(self.content.transfers_mut());
        self.settle(now);
        result
    }

    /// Takes the new published state of this member.
    pub fn set_published(&mut self, published: PublishedState, now: Timestamp) {
        self.members.announce(published);
        self.settle(now);
    }

    /// Whether this page waits at a locked room whose hosts it can still show a picture.
    #[must_use]
    pub fn takes_picture(&self) -> bool {
        self.signal_path.takes_picture()
    }

    /// Shows the hosts of the locked room a picture, once while this page waits. Returns whether it was sent.
    pub fn show_picture(&mut self, picture: &StillPicture, now: Timestamp) -> bool {
        let is_sent = self.signal_path.show_picture(picture);
        self.settle(now);
        is_sent
    }

    /// Asks the server for something that only a host may do. Nothing changes before the server says so, except that a removal from a
    /// protected room closes the connections to the member at once and replaces the secret.
    pub fn act_as_host(&mut self, action: HostAction, now: Timestamp) {
        let removed = match &action {
            HostAction::Remove(member) if self.may_rekey() => self.members.get(member),
            _ => None,
        };
        let removed = removed.map(|peer| peer.view().member.instance.clone());
        self.defense.act(action, removed, now);
        self.settle(now);
    }

    /// Whether a removal by this member replaces the secret of the room.
    #[must_use]
    pub fn may_rekey(&self) -> bool {
        self.signal_path.is_up() && self.defense.can_rekey()
    }

    /// Notes that the person compared this code with a member, and whether it matches. Has no effect if the member has another code by
    /// now.
    pub fn set_code_matching(
        &mut self,
        member: &MemberId,
        code: ShortCode,
        is_matching: bool,
        now: Timestamp,
    ) {
        self.peer_trust.set_matching(member, code, is_matching, self.members.get(member), now);
        self.settle_trust();
    }

    /// Runs `act` on what the person knows of the members, and processes the resulting outputs.
    pub fn with_peer_trust<R>(&mut self, act: impl FnOnce(&mut PeerTrust) -> R) -> R {
        let result = act(&mut self.peer_trust);
        self.settle_trust();
        result
    }

    /// Replaces the link in use to a member although it carries data, because the member's picture does not arrive on it. A member has
    /// few replacements.
    pub fn renew_link(&mut self, member: &MemberId, now: Timestamp) {
        if let Some(peer) = self.members.get_mut(member) {
            peer.renew_link(now);
        }
        self.settle(now);
    }

    // Events of the signaling socket.

    /// Notes that the socket opened.
    pub fn handle_socket_opened(&mut self, socket: SocketId, now: Timestamp) {
        self.signal_path.handle_opened(socket);
        self.settle(now);
    }

    /// Notes that the socket closed, or could not be opened.
    pub fn handle_socket_closed(&mut self, socket: SocketId, now: Timestamp) {
        self.signal_path.handle_closed(socket, now);
        self.settle(now);
    }

    /// Takes a text frame from the socket.
    pub fn handle_frame(&mut self, socket: SocketId, frame: &str, now: Timestamp) {
        self.signal_path.handle_frame(socket, frame, now);
        self.settle(now);
    }

    /// Notes that the network is back, or that the page woke up.
    pub fn handle_wake(&mut self, now: Timestamp) {
        self.signal_path.handle_wake(now);
        self.members.iter_mut().for_each(|peer| peer.handle_wake(now));
        self.handle_timeout(now);
    }

    // Events of the peer connections.

    /// Takes an event of a peer connection.
    pub fn handle_link(&mut self, link: LinkId, event: LinkEvent, now: Timestamp) {
        let is_bulk_opened = event == LinkEvent::BulkOpened;
        if let Some(peer) = self.members.of_link_mut(link) {
            peer.handle_link(link, event.made_safe(), now);
        }
        self.settle(now);
        // Only a few links for files may be opening at a time: the next ones can start now.
        if is_bulk_opened {
            self.tend_files(now);
            self.settle(now);
        }
    }

    /// Takes the number of picture and sound packets that have arrived on a link so far.
    pub fn handle_inbound_packets(&mut self, link: LinkId, packets: u64) {
        if let Some(peer) = self.members.of_link_mut(link) {
            peer.handle_inbound_packets(link, packets);
        }
    }

    // Messages of the members.

    /// Takes a text message of the `control` channel. Drops it if it is unreadable or beyond the member's budget.
    pub fn handle_control(&mut self, link: LinkId, text: &str, now: Timestamp) {
        let taken = self.members.handle_control(link, text, self.content.transfers(), now);
        self.settle_taken(taken, now);
    }

    /// Takes a text message of the `telemetry` channel. Answers pings; returns any other message that is within the member's
    /// budget, for [`measure`](crate::measure).
    pub fn handle_telemetry(&mut self, link: LinkId, text: &str, now: Timestamp) -> Option<TelemetryMessage> {
        let taken = self.members.handle_telemetry(link, text, now);
        self.settle_taken(taken, now).flatten()
    }

    /// Notes that a member's channel delivered data that is no message, or is longer than a message may be.
    pub fn handle_unreadable(&mut self, link: LinkId, now: Timestamp) {
        self.members.handle_no_message(link, now);
        self.settle(now);
    }

    /// Notes that messages of a member were lost because they arrived faster than this page could process them.
    pub fn handle_lost_messages(&mut self, member: &MemberId, count: u64, now: Timestamp) {
        self.members.handle_lost(member, count, now);
        self.settle(now);
    }

    /// Whether the budget admits a member's frame on a `bulk` channel, which then goes to the worker that stores files.
    pub fn handle_bulk_frame(&mut self, member: &MemberId, now: Timestamp) -> bool {
        let is_wanted = self.content.transfers().expects_bytes_from(member);
        let is_admitted = self.members.admit_bulk_frame(member, is_wanted, now);
        self.settle(now);
        is_admitted
    }

    // Messages to the members.

    /// Sends a message to a member on the `control` channel of its link in use. The message is dropped if that channel is not
    /// open.
    pub fn send_control(&mut self, member: &MemberId, message: &ControlMessage) {
        if let Some(link) = self.members.get(member).and_then(PeerSession::open_link) {
            self.push_control(link, message);
        }
    }

    /// Sends a message on the `telemetry` channel of a link. Nothing repeats it.
    pub fn send_telemetry(&mut self, link: LinkId, message: &TelemetryMessage) {
        if let Ok(text) = serde_json::to_string(message) {
            self.outputs.push_back(RoomOutput::SendTelemetry(link, text));
        }
    }

    /// Notes that the `bulk` channels to a member, of all its connections together, can take `free_bytes` more.
    pub fn handle_bulk_capacity(&mut self, member: &MemberId, free_bytes: u64, now: Timestamp) {
        self.members.send_files(member, free_bytes, self.content.transfers_mut(), now);
        self.settle(now);
    }

    // Time and results.

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.signal_path.handle_timeout(now);
        self.members.handle_signaling(self.signal_path.is_up());
        self.members.handle_timeout(now);
        self.settle_peers(now);
        self.content.transfers_mut().handle_timeout(now);
        self.tend_files(now);
        self.peer_trust.handle_timeout(now);
        self.settle_trust();
        if self.signal_path.is_up() {
            self.defense.handle_timeout(now);
        }
        self.settle(now);
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let transfers = self.content.transfers();
        [
            self.members.poll_timeout(transfers),
            self.signal_path.poll_timeout(),
            transfers.poll_timeout(),
            self.peer_trust.poll_timeout(),
            self.defense.poll_timeout().filter(|_| self.signal_path.is_up()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The next action to perform.
    pub fn poll_output(&mut self) -> Option<RoomOutput> {
        self.outputs.pop_front()
    }

    // Queries.

    /// Whether the room is protected by its link.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.signal_path.is_protected()
    }

    /// The tag that names a protected room to the server and to other tabs.
    #[must_use]
    pub fn admission(&self) -> Option<&AdmissionTag> {
        self.signal_path.admission()
    }

    /// The other members.
    pub fn peers(&self) -> impl Iterator<Item = PeerView<'_>> {
        self.members.iter().map(PeerSession::view)
    }

    /// The other member with this id.
    #[must_use]
    pub fn peer(&self, id: &MemberId) -> Option<PeerView<'_>> {
        self.members.get(id).map(PeerSession::view)
    }

    /// The members with a raised hand, in the order in which they raised it; `None` is this member.
    #[must_use]
    pub fn raised_hands(&self) -> Vec<Option<MemberId>> {
        self.members.raised_hands()
    }

    /// What the person knows of the members.
    #[must_use]
    pub fn peer_trust(&self) -> &PeerTrust {
        &self.peer_trust
    }

    /// Restores the conversation that an earlier page of this tab kept. Must be called before [`Self::start`].
    pub fn restore_chat(&mut self, kept: impl IntoIterator<Item = KeptMessage>) {
        self.content.conversation_mut().restore(kept);
    }

    /// The conversation of the room.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        self.content.conversation()
    }

    /// The transfers of files in both directions.
    #[must_use]
    pub fn transfers(&self) -> &Transfers {
        self.content.transfers()
    }

    /// The budgets of all members, for tests and figures.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        self.members.accounts()
    }

    /// The hosts of the room, its lock, and who waits to be let in.
    #[must_use]
    pub fn hosting(&self) -> &Hosting {
        self.defense.hosting()
    }

    /// Whether a link is the one in use to its member, and not one that is built to replace it.
    #[must_use]
    pub fn is_in_use(&self, link: LinkId) -> bool {
        self.members.iter().any(|peer| peer.is_in_use(link))
    }

    /// Number of bytes that each of `channels` channels for files to a member may buffer.
    #[must_use]
    pub fn bulk_buffer_bytes(&self, member: &MemberId, channels: usize) -> u64 {
        self.members
            .get(member)
            .map_or_else(|| crate::bulk::buffer_bytes(channels), |peer| peer.buffer_bytes(channels))
    }

    /// The ICE servers for the configuration of the next peer connection.
    #[must_use]
    pub fn ice_servers(&self) -> &[IceServer] {
        self.signal_path.ice_servers()
    }

    // Events of the server.

    fn handle_signaling(&mut self, event: SignalingEvent, now: Timestamp) {
        match event {
            SignalingEvent::Status(status) => self.event(RoomEvent::Status(status)),
            SignalingEvent::Raised(code) => {
                if code.ends_the_room() {
                    self.end_calls(code, now);
                }
                self.event(RoomEvent::Raised(code));
            }
            SignalingEvent::Cleared(code) => self.event(RoomEvent::Cleared(code)),
            SignalingEvent::Joined { you, arrival, members, resume, hosts, is_locked, admission_sha256 } => {
                let local = LocalMember { id: you.clone(), arrival };
                self.members.handle_entered(local, &members, now);
                self.defense.handle_entered(you.clone(), hosts, is_locked);
                self.event(RoomEvent::Entered { you, resume });
                self.event(RoomEvent::HostingChanged);
                self.settle_peers(now);
                for member in members {
                    self.members.handle_present(member, now);
                }
                let members = &self.members;
                self.content.conversation_mut().handle_present(|member| members.get(member).is_some());
                self.defense.handle_tag(admission_sha256, now);
                self.settle_defense(now);
            }
            SignalingEvent::RoomState { hosts, is_locked, resume, admission_sha256 } => {
                self.defense.handle_state(hosts, is_locked, admission_sha256, now);
                // Before the token, which is kept with the link.
                self.settle_defense(now);
                self.event(RoomEvent::TokenChanged(resume));
                self.event(RoomEvent::HostingChanged);
            }
            SignalingEvent::Knock(visitor) => {
                let path = &self.signal_path;
                self.defense.handle_knock(visitor, |picture, instance| path.open_picture(picture, instance));
                self.event(RoomEvent::HostingChanged);
            }
            SignalingEvent::KnockEnded(id) => {
                self.defense.handle_knock_ended(&id);
                self.event(RoomEvent::HostingChanged);
            }
            SignalingEvent::PeerRemoved(id) => {
                let page = self.members.get(&id).map(|peer| peer.view().member.instance.clone());
                if let Some(page) = page {
                    self.defense.handle_removed(page, now);
                    self.settle_defense(now);
                }
            }
            SignalingEvent::PeerJoined(member) => self.members.handle_present(member, now),
            SignalingEvent::PeerAway(id) => {
                if let Some(peer) = self.members.get_mut(&id) {
                    peer.handle_away(now);
                }
            }
            SignalingEvent::PeerLeft(id) => {
                if let Some(peer) = self.members.get_mut(&id) {
                    peer.handle_left(now);
                }
            }
            SignalingEvent::Signal { from, signal } => {
                let taken = self.members.handle_signal(&from, signal, &mut self.signal_path, now);
                if let Err(refusal) = taken {
                    self.report_refusal(from, self.defense.explain(refusal));
                }
            }
            SignalingEvent::UnreadableSignal { from } => {
                let is_member = self.members.handle_unreadable_signal(&from, now);
                if let Some(refusal) = self.signal_path.refusal_of_unreadable().filter(|_| is_member) {
                    self.report_refusal(from, refusal);
                }
            }
            // The path keeps the servers, and nobody asks how long the server takes.
            SignalingEvent::IceServers(_) | SignalingEvent::RoundTrip(_) => {}
        }
    }

    fn report_refusal(&mut self, from: MemberId, refusal: Refusal) {
        self.event(RoomEvent::SignalRefused(from, refusal));
        if !matches!(refusal, Refusal::Stale | Refusal::OtherSecret) {
            let raised = self.notices.raise_signals_refused();
            self.outputs.extend(raised.map(RoomOutput::Event));
        }
    }

    /// Performs what the defense of the room requires.
    fn settle_defense(&mut self, now: Timestamp) {
        while let Some(output) = self.defense.poll_output() {
            match output {
                DefenseOutput::Ask(message) => self.signal_path.act_as_host(&message),
                DefenseOutput::ShutOut(page) => {
                    for member in self.members.shut_out(page) {
                        self.content.handle_shut_out(&member);
                    }
                }
                DefenseOutput::UseKeys(secret, keys) => {
                    self.signal_path.use_keys(keys, now);
                    self.event(RoomEvent::LinkChanged(secret));
                }
                DefenseOutput::Pass(to, message) => {
                    let to = to.map_or_else(|| self.members.ids(), |member| vec![member]);
                    let message = ControlMessage::Rekey(message);
                    to.iter().for_each(|member| self.send_control(member, &message));
                }
                DefenseOutput::TellServer => self.signal_path.send_rekey(),
                DefenseOutput::LinkLost => self.signal_path.handle_link_lost(),
            }
        }
    }

    /// Ends all calls, since the page no longer shows the room: nobody may be seen or heard in a call that is not shown.
    fn end_calls(&mut self, reason: NoticeCode, now: Timestamp) {
        for peer in self.members.iter_mut() {
            // The others see a page that replaced this one as the same member.
            if reason != NoticeCode::Replaced {
                peer.say_bye();
            }
            peer.end_call(now);
        }
    }

    fn tend_files(&mut self, now: Timestamp) {
        self.members.tend_files(self.content.transfers(), now);
    }

    // Routing of outputs.

    /// Handles the consequences of a message. Those of a dropped one are outputs of its member's peer, if there are any.
    fn settle_taken<T>(&mut self, taken: Result<T, Dropped>, now: Timestamp) -> Option<T> {
        if taken.is_ok() || self.members.has_outputs() {
            self.settle(now);
        }
        taken.ok()
    }

    /// Processes the outputs of all parts until there are none.
    fn settle(&mut self, now: Timestamp) {
        loop {
            self.settle_defense(now);
            self.members.handle_signaling(self.signal_path.is_up());
            // Peers first: a member that left may return with the next event of the server.
            self.settle_peers(now);
            let Some(output) = self.signal_path.poll_output() else { break };
            match output {
                SignalPathOutput::Perform(output) => self.outputs.push_back(output),
                SignalPathOutput::Event(event) => self.handle_signaling(event, now),
            }
        }
        self.send_content();
        self.outputs.extend(self.notices.review(self.members.iter()).into_iter().map(RoomOutput::Event));
    }

    fn settle_peers(&mut self, now: Timestamp) {
        while let Some((member, output)) = self.members.poll_output() {
            self.handle_peer_output(member, output, now);
        }
    }

    fn handle_peer_output(&mut self, member: MemberId, output: PeerOutput, now: Timestamp) {
        match output {
            PeerOutput::OpenLink(link, role) => {
                self.outputs.push_back(RoomOutput::OpenLink { link, member, role });
            }
            PeerOutput::OpenBulkLink(link) => {
                self.outputs.push_back(RoomOutput::OpenBulkLink { link, member });
            }
            PeerOutput::UseLink(link) => {
                self.review_code(&member, false, now);
                self.outputs.push_back(RoomOutput::UseLink(link));
            }
            PeerOutput::CloseLink(link) => self.outputs.push_back(RoomOutput::CloseLink(link)),
            PeerOutput::Perform(link, id, operation) => {
                self.outputs.push_back(RoomOutput::Perform(link, id, operation));
            }
            PeerOutput::SendControl(link, message) => self.push_control(link, &message),
            PeerOutput::SendTelemetry(link, message) => self.send_telemetry(link, &message),
            PeerOutput::SendSignal(signal) => {
                if let Some((local, peer)) = self.members.local_id().zip(self.members.get(&member)) {
                    self.signal_path.send(local, peer.view().member, signal, now);
                }
            }
            PeerOutput::Received(message) => self.handle_received(member, message, now),
            PeerOutput::FingerprintsChanged => self.review_code(&member, false, now),
            PeerOutput::ChannelOpened => {
                self.review_code(&member, true, now);
                self.defense.handle_channel_opened(&member);
                self.settle_defense(now);
                self.content.handle_channel_opened(&member, now);
                self.event(RoomEvent::WayOpen(member));
            }
            PeerOutput::LinksClosed => {
                self.review_code(&member, false, now);
                self.content.handle_links_closed(&member);
            }
            PeerOutput::BulkLinkLost => self.content.transfers_mut().handle_bulk_lost(&member, now),
            PeerOutput::RoundTripKnown => self.tend_files(now),
            // The trouble of the link may also affect the path to the server, where it would be noticed later.
            PeerOutput::TroubleBegan => self.signal_path.handle_wake(now),
            PeerOutput::NegotiationBroken(link, cause) => {
                self.event(RoomEvent::NegotiationBroken(member, link, cause));
            }
            PeerOutput::ConnectionFailed => {
                let event = self.notices.raise_connection_failed();
                self.event(event);
            }
            PeerOutput::StateChanged(state) => {
                let is_up = state == LinkState::Connected;
                let reach = if is_up { Reach::Connected } else { Reach::Waiting };
                self.content.transfers_mut().handle_reach(&member, reach);
                self.event(RoomEvent::PeerChanged(member));
            }
            PeerOutput::Changed => self.event(RoomEvent::PeerChanged(member)),
            PeerOutput::CutOff => self.content.handle_shut_out(&member),
            PeerOutput::Gone => {
                self.members.remove(&member);
                self.content.handle_gone(&member);
                self.defense.handle_gone(&member);
                self.event(RoomEvent::PeerGone(member));
            }
        }
    }

    /// Updates the code of a member for its connection in use, and whether all its connections have the keys that the person compared.
    /// `is_opened` says that the `control` channel has just opened.
    fn review_code(&mut self, member: &MemberId, is_opened: bool, now: Timestamp) {
        self.peer_trust.review(member, self.members.get(member), is_opened, now);
        self.settle_trust();
    }

    fn settle_trust(&mut self) {
        while let Some(output) = self.peer_trust.poll_output() {
            match output {
                PeerTrustOutput::Send(to, message) => self.send_control(&to, &message),
                PeerTrustOutput::Perform(output) => self.outputs.push_back(output),
            }
        }
    }

    fn handle_received(&mut self, from: MemberId, message: ControlMessage, now: Timestamp) {
        let message = match message {
            ControlMessage::Verify(step) => {
                self.peer_trust.handle_step(&from, step, now);
                return self.settle_trust();
            }
            ControlMessage::Recognition(message) => {
                self.peer_trust.handle_recognition(&from, message, now);
                return self.settle_trust();
            }
            ControlMessage::Rekey(message) => {
                self.defense.handle_message(&from, message, now);
                return self.settle_defense(now);
            }
            ControlMessage::Reaction { reaction } => {
                return self.event(RoomEvent::Reacted(from, reaction));
            }
            message => message,
        };
        let Some(peer) = self.members.get(&from) else { return };
        let name = peer.view().member.name.as_str();
        if let Some(message) = self.content.handle_message(&from, name, message, now) {
            self.event(RoomEvent::Run(from, message));
        }
    }

    /// Sends the messages of the conversation and the files, and reports what changed.
    fn send_content(&mut self) {
        while let Some(output) = self.content.poll_output() {
            match output {
                ContentOutput::Send(to, message) => self.send_control(&to, &message),
                ContentOutput::Transfer(output) => self.outputs.push_back(RoomOutput::Transfer(output)),
            }
        }
        while let Some(number) = self.content.conversation_mut().poll_changed() {
            self.event(RoomEvent::ChatChanged(number));
        }
        while let Some(number) = self.content.conversation_mut().poll_forgotten() {
            self.event(RoomEvent::ChatForgotten(number));
        }
    }

    fn push_control(&mut self, link: LinkId, message: &ControlMessage) {
        if let Ok(text) = serde_json::to_string(message) {
            self.outputs.push_back(RoomOutput::SendControl(link, text));
        }
    }

    fn event(&mut self, event: RoomEvent) {
        self.outputs.push_back(RoomOutput::Event(event));
    }
}
