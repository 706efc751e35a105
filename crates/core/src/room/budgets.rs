//! The budgets of a room: how much the members may ask of this page. See [`budget`](crate::budget).
//!
//! Owns the accounts of all members, and the budget that all members share. It never acts on a member: the session mutes a
//! member or cuts it off, as the [`Verdict`] says.
//!
//! Invariant: a message that is dropped because the shared budget is used up never mutes or cuts off its sender.

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

/// The cost of a message: a kind, and a number of messages or bytes.
pub(super) type Charge = (MessageKind, u64);

#[derive(Debug, Default)]
pub(super) struct Budgets {
    accounts: Accounts,
    /// Peer connections that this page makes in answer to offers, for all members together.
    room_connections: Bucket,
}

impl Budgets {
    pub(super) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub(super) fn standing(&self, member: &MemberId) -> Standing {
        self.accounts.standing(member)
    }

    /// Charges a member for a message and says whether to process the message.
    pub(super) fn admit(&mut self, member: &MemberId, (kind, amount): Charge, now: Timestamp) -> Verdict {
        let verdict = self.accounts.admit(member, kind, amount, now);
        let is_connection = matches!(kind, MessageKind::Connection | MessageKind::BulkConnection);
        if verdict == Verdict::Taken && is_connection && !self.room_connections.take(ROOM_CONNECTIONS, 1, now)
        {
            // The member repeats its offer.
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

/// The cost of a message on `control`, in addition to the cost that every message there has.
pub(super) fn charges_of_control(
    message: &ControlMessage,
    peer: &PeerSession,
    transfers: &Transfers,
) -> impl Iterator<Item = Charge> + use<> {
    let mut before = None;
    let kind = match message {
        ControlMessage::State(_) => Some(MessageKind::State),
        ControlMessage::Chat { text, .. } | ControlMessage::PrivateChat { text, .. } => {
            before = Some((MessageKind::ChatByte, text.len() as u64));
            Some(MessageKind::Chat)
        }
        ControlMessage::ChatAck { .. } => Some(MessageKind::ChatAck),
        ControlMessage::Reaction { .. } => Some(MessageKind::Reaction),
        ControlMessage::Use | ControlMessage::Renew => Some(MessageKind::Use),
        ControlMessage::Verify(_) => Some(MessageKind::Verify),
        ControlMessage::Recognition(_) => Some(MessageKind::Recognition),
        ControlMessage::Rekey(_) => Some(MessageKind::Rekey),
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
                SignalPayload::Sealed(_) => MessageKind::Unreadable,
            })
        }
        ControlMessage::RunStart { .. } | ControlMessage::RunStop { .. } => Some(MessageKind::Run),
        ControlMessage::RunLog { .. } => Some(MessageKind::RunLog),
        // The budget for messages on `control` limits their number.
        ControlMessage::Bye | ControlMessage::Unknown => None,
    };
    before.into_iter().chain(kind.map(|kind| (kind, 1)))
}

/// The cost of a signal. `opens_link`: this page makes a peer connection because of the signal.
pub(super) fn charges_of_signal(signal: &Signal, opens_link: bool) -> impl Iterator<Item = Charge> + use<> {
    let kind = match &signal.payload {
        SignalPayload::Description(_) => MessageKind::Description,
        SignalPayload::Candidate(_) => MessageKind::Candidate,
        SignalPayload::Sealed(_) => MessageKind::Unreadable,
    };
    [(kind, 1)].into_iter().chain(opens_link.then_some((MessageKind::Connection, 1)))
}
