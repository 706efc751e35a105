//! What a member may ask of this page, and what happens to one that asks for more: see [`budget`](crate::budget).

use sightline_protocol::{
    MemberId,
    control::ControlMessage,
    signalling::{DescriptionKind, SignalPayload},
};

use super::{link::LinkId, output::RoomEvent, session::RoomSession};
use crate::{
    Timestamp,
    budget::{Accounts, Change, MessageKind, ROOM_CONNECTIONS, Standing, Verdict},
    notice::NoticeCode,
    transfer::Reach,
};

impl RoomSession {
    /// Messages of a member were lost because they came faster than they could be taken.
    pub fn handle_lost_messages(&mut self, member: &MemberId, count: u64, now: Timestamp) {
        if let Some(at) = self.index_of(member) {
            let verdict = self.accounts.handle_lost(member, count, now);
            self.follow(at, verdict, now);
        }
        self.drain(now);
    }

    /// Something came on a channel of a member that is no message, or longer than a message may be.
    pub fn handle_unreadable(&mut self, link: LinkId, now: Timestamp) {
        if let Some(at) = self.index_of_link(link).or_else(|| self.index_of_bulk(link)) {
            self.admit(at, MessageKind::Unreadable, 1, now);
        }
        self.drain(now);
    }

    /// Whether a frame of a member on a `bulk` channel is passed on to whoever stores files.
    pub fn handle_bulk_frame(&mut self, member: &MemberId, now: Timestamp) -> bool {
        let Some(at) = self.index_of(member) else { return false };
        let is_wanted = self.transfers.expects_bytes_from(member);
        let kind = if is_wanted { MessageKind::BulkFrame } else { MessageKind::UnwantedFrame };
        let is_taken = self.admit(at, kind, 1, now);
        self.drain(now);
        is_taken
    }

    /// The budgets of everybody, for tests and figures.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Whether a message of a member counts.
    pub(super) fn admit(&mut self, at: usize, kind: MessageKind, amount: u64, now: Timestamp) -> bool {
        let verdict = self.accounts.admit(&self.peers[at].member.id, kind, amount, now);
        self.follow(at, verdict, now);
        verdict == Verdict::Taken
    }

    /// Whether a message that was read counts, by what it is about.
    pub(super) fn admit_control(&mut self, at: usize, message: &ControlMessage, now: Timestamp) -> bool {
        let kind = match message {
            ControlMessage::State(_) => MessageKind::State,
            ControlMessage::Chat { text, .. } => {
                if !self.admit(at, MessageKind::ChatByte, text.len() as u64, now) {
                    return false;
                }
                MessageKind::Chat
            }
            ControlMessage::ChatAck { .. } => MessageKind::ChatAck,
            ControlMessage::Use => MessageKind::Use,
            ControlMessage::TransferOffer(offer) if !self.transfers.is_offered(&offer.transfer) => {
                MessageKind::Offer
            }
            ControlMessage::TransferEnd { transfer, .. } if self.transfers.is_only_offered(transfer) => {
                MessageKind::Withdrawal
            }
            ControlMessage::TransferOffer(_)
            | ControlMessage::TransferProgress(_)
            | ControlMessage::TransferDone { .. }
            | ControlMessage::TransferEnd { .. } => MessageKind::TransferNews,
            ControlMessage::BulkSignal { connection, payload } => {
                let opens = is_offer(payload) && !self.peers[at].bulk.knows(connection);
                if opens && !self.admit_connection(at, MessageKind::BulkConnection, now) {
                    return false;
                }
                match payload {
                    SignalPayload::Description(_) => MessageKind::BulkDescription,
                    SignalPayload::Candidate(_) => MessageKind::BulkCandidate,
                }
            }
            ControlMessage::RunStart { .. } | ControlMessage::RunStop { .. } => MessageKind::Run,
            ControlMessage::RunLog { .. } => MessageKind::RunLog,
            // Their number is that of messages on `control`.
            ControlMessage::Bye | ControlMessage::Unknown => return true,
        };
        self.admit(at, kind, 1, now)
    }

    /// Whether a peer connection is made for a member's offer.
    pub(super) fn admit_connection(&mut self, at: usize, kind: MessageKind, now: Timestamp) -> bool {
        // What all members together may have is no member's fault: the offer comes again.
        self.admit(at, kind, 1, now) && self.room_connections.take(ROOM_CONNECTIONS, 1, now)
    }

    pub(super) fn is_cut_off(&self, at: usize) -> bool {
        self.peers[at].standing == Standing::CutOff
    }

    /// Time passed.
    pub(super) fn review_accounts(&mut self, now: Timestamp) {
        while let Some((member, change)) = self.accounts.poll_change(now) {
            let Some(at) = self.index_of(&member) else { continue };
            match change {
                Change::Unmuted => {
                    if let Some(published) = self.peers[at].held_state.take() {
                        self.peers[at].published = Some(published);
                    }
                    self.set_standing(at, Standing::Heard);
                }
                Change::Returned => {
                    let member = self.peers[at].member.clone();
                    self.set_standing(at, Standing::Heard);
                    self.handle_member(member, now);
                }
            }
        }
    }

    pub(super) fn cut_off(&mut self, at: usize, now: Timestamp) {
        let peer = &mut self.peers[at];
        let (id, instance) = (peer.member.id.clone(), peer.member.instance.clone());
        (peer.published, peer.held_state) = (None, None);
        self.accounts.cut_off(&id, &instance, now);
        self.drop_links(at);
        self.transfers.forget_offers_of(&id);
        self.transfers.handle_reach(&id, Reach::Gone);
        self.conversation.handle_member_gone(&id);
        self.set_standing(at, Standing::CutOff);
    }

    pub(super) fn set_standing(&mut self, at: usize, standing: Standing) {
        if std::mem::replace(&mut self.peers[at].standing, standing) != standing {
            let id = self.peers[at].id().clone();
            self.event(RoomEvent::PeerChanged(id));
            self.tell_standings();
        }
    }

    /// Says whether there is anybody who is muted, or cut off.
    pub(super) fn tell_standings(&mut self) {
        for (standing, code) in
            [(Standing::Muted, NoticeCode::MemberMuted), (Standing::CutOff, NoticeCode::MemberCutOff)]
        {
            let is_there = self.peers.iter().any(|peer| peer.standing == standing);
            match (is_there, self.told_standings.contains(&code)) {
                (true, false) => {
                    self.told_standings.push(code);
                    self.event(RoomEvent::Raised(code));
                }
                (false, true) => {
                    self.told_standings.retain(|told| *told != code);
                    self.event(RoomEvent::Cleared(code));
                }
                _ => {}
            }
        }
    }

    fn follow(&mut self, at: usize, verdict: Verdict, now: Timestamp) {
        match verdict {
            Verdict::Taken | Verdict::Dropped => {}
            Verdict::Muted => self.set_standing(at, Standing::Muted),
            Verdict::CutOff => self.cut_off(at, now),
        }
    }
}

pub(super) fn is_offer(payload: &SignalPayload) -> bool {
    matches!(payload, SignalPayload::Description(description) if description.kind == DescriptionKind::Offer)
}
