//! What the members of a room may ask of this page: see [`budget`](crate::budget).
//!
//! Owns the accounts of all members, and what all of them together may have. It never acts on a member: the session mutes and
//! cuts off, as the [`Verdict`] says.
//!
//! Invariant: what all members together used up is charged to nobody.

use sightline_protocol::{
    InstanceId, MemberId,
    control::ControlMessage,
    signaling::{Signal, SignalPayload},
};

use crate::{
    Timestamp,
    budget::{Accounts, Bucket, Change, MessageKind, ROOM_CONNECTIONS, Standing, Verdict},
    peer::PeerSession,
    transfer::Transfers,
};

/// What a message costs: a kind, and a number of messages or bytes.
pub(super) type Charge = (MessageKind, u64);

#[derive(Debug, Default)]
pub(super) struct Budgets {
    accounts: Accounts,
    /// Peer connections that this page makes because of offers, of all members together.
    room_connections: Bucket,
}

impl Budgets {
    pub(super) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub(super) fn standing(&self, member: &MemberId) -> Standing {
        self.accounts.standing(member)
    }

    /// Whether something of a member counts.
    pub(super) fn admit(&mut self, member: &MemberId, (kind, amount): Charge, now: Timestamp) -> Verdict {
        let verdict = self.accounts.admit(member, kind, amount, now);
        let is_connection = matches!(kind, MessageKind::Connection | MessageKind::BulkConnection);
        if verdict == Verdict::Taken && is_connection && !self.room_connections.take(ROOM_CONNECTIONS, 1, now)
        {
            // The offer comes again.
            return Verdict::Dropped;
        }
        verdict
    }

    pub(super) fn handle_lost(&mut self, member: &MemberId, count: u64, now: Timestamp) -> Verdict {
        self.accounts.handle_lost(member, count, now)
    }

    pub(super) fn handle_instance(&mut self, member: &MemberId, instance: &InstanceId) {
        self.accounts.handle_instance(member, instance);
    }

    pub(super) fn cut_off(&mut self, member: &MemberId, instance: &InstanceId, now: Timestamp) {
        self.accounts.cut_off(member, instance, now);
    }

    pub(super) fn poll_change(&mut self, now: Timestamp) -> Option<(MemberId, Change)> {
        self.accounts.poll_change(now)
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.accounts.poll_timeout()
    }
}

/// What a message on `control` costs, beside what every message costs there.
pub(super) fn charges_of_control(
    message: &ControlMessage,
    peer: &PeerSession,
    transfers: &Transfers,
) -> impl Iterator<Item = Charge> + use<> {
    let mut before = None;
    let kind = match message {
        ControlMessage::State(_) => Some(MessageKind::State),
        ControlMessage::Chat { text, .. } => {
            before = Some((MessageKind::ChatByte, text.len() as u64));
            Some(MessageKind::Chat)
        }
        ControlMessage::ChatAck { .. } => Some(MessageKind::ChatAck),
        ControlMessage::Use => Some(MessageKind::Use),
        ControlMessage::TransferOffer(offer) if !transfers.is_offered(&offer.transfer) => {
            Some(MessageKind::Offer)
        }
        ControlMessage::TransferEnd { transfer, .. } if transfers.is_only_offered(transfer) => {
            Some(MessageKind::Withdrawal)
        }
        ControlMessage::TransferOffer(_)
        | ControlMessage::TransferProgress(_)
        | ControlMessage::TransferDone { .. }
        | ControlMessage::TransferEnd { .. } => Some(MessageKind::TransferNews),
        ControlMessage::BulkSignal { connection, payload } => {
            before = peer.opens_bulk_link(connection, payload).then_some((MessageKind::BulkConnection, 1));
            Some(match payload {
                SignalPayload::Description(_) => MessageKind::BulkDescription,
                SignalPayload::Candidate(_) => MessageKind::BulkCandidate,
            })
        }
        ControlMessage::RunStart { .. } | ControlMessage::RunStop { .. } => Some(MessageKind::Run),
        ControlMessage::RunLog { .. } => Some(MessageKind::RunLog),
        // Their number is that of messages on `control`.
        ControlMessage::Bye | ControlMessage::Unknown => None,
    };
    before.into_iter().chain(kind.map(|kind| (kind, 1)))
}

/// What a signal costs; `opens_link` where this page makes a peer connection because of it.
pub(super) fn charges_of_signal(signal: &Signal, opens_link: bool) -> impl Iterator<Item = Charge> + use<> {
    let kind = match &signal.payload {
        SignalPayload::Description(_) => MessageKind::Description,
        SignalPayload::Candidate(_) => MessageKind::Candidate,
    };
    [(kind, 1)].into_iter().chain(opens_link.then_some((MessageKind::Connection, 1)))
}
