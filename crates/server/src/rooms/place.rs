//! The place of one member in a room.

use sightline_protocol::{Arrival, DisplayName, InstanceId, Member, MemberId, Presence, SealedName};

use super::socket_id::SocketId;
use crate::{time::UnixTime, token_bucket::Bucket};

/// A place with the data of its member.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: MemberId,
    pub(super) name: DisplayName,
    pub(super) sealed_name: Option<SealedName>,
    pub(super) instance: InstanceId,
    pub(super) arrival: Arrival,
    pub(super) occupancy: Occupancy,
    pub(super) client: ClientKind,
    pub(super) is_host: bool,
    /// Whether its client knows what a rekey is.
    pub(super) knows_rekey: bool,
    /// How many secrets the member may still name.
    pub(super) rekeys: Bucket<UnixTime>,
}

/// Secrets of one member: at once, and a second. As many as the hosts of a room may act.
const REKEYS: (f64, f64) = (20.0, 1.0);

/// Whether the member's socket is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occupancy {
    /// The socket is open.
    Present(SocketId),
    /// The socket closed without a `leave`.
    Away {
        /// When the place is given up.
        until: UnixTime,
    },
}

/// What a client knows of hosts, by the field `attended` of its `join`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientKind {
    /// It is of an earlier version, and is sent no message about hosts.
    Earlier,
    /// A program: it does not wait at a locked room, and the server never makes it host by itself.
    Unattended,
    /// A page with a person.
    Attended,
}

impl ClientKind {
    pub(super) fn of(attended: Option<bool>) -> Self {
        match attended {
            None => Self::Earlier,
            Some(false) => Self::Unattended,
            Some(true) => Self::Attended,
        }
    }
}

impl Place {
    pub(super) fn new_rekeys(now: UnixTime) -> Bucket<UnixTime> {
        Bucket::full(REKEYS.0, REKEYS.1, now)
    }

    /// The member data for the other members.
    pub(super) fn member(&self) -> Member {
        Member {
            id: self.id.clone(),
            name: self.name.clone(),
            sealed_name: self.sealed_name.clone(),
            instance: self.instance.clone(),
            arrival: self.arrival,
            presence: match self.occupancy {
                Occupancy::Present(_) => Presence::Present,
                Occupancy::Away { .. } => Presence::Away,
            },
        }
    }

    /// The socket, if it is open.
    pub(super) fn socket(&self) -> Option<SocketId> {
        match self.occupancy {
            Occupancy::Present(socket) => Some(socket),
            Occupancy::Away { .. } => None,
        }
    }
}
