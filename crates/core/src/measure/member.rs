//! What is kept of one other member, for as long as it is in the room.

use sightline_protocol::{
    MemberId,
    control::PublishedState,
    telemetry::{Sending, TelemetryMessage},
};

use super::{
    clock::{ClockEstimate, ClockSync},
    connection::{ConnectionMeter, History},
    observation::Receiver,
};
use crate::{Timestamp, link::LinkId};

/// A member has a connection in use and one that is built beside it; older ones are closed.
const MAX_CONNECTIONS: usize = 4;

/// One other member.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// `None` before it is known to be in the room.
    pub(super) name: Option<String>,
    pub(super) published: Option<PublishedState>,
    pub(super) history: History,
    pub(super) receiver: Option<Receiver>,
    connections: Vec<Connection>,
    in_use: Option<LinkId>,
}

/// What is measured of one peer connection.
#[derive(Debug)]
pub(super) struct Connection {
    id: LinkId,
    pub(super) meter: ConnectionMeter,
    pub(super) clock: ClockSync,
}

impl Member {
    /// The connection of that name, made where it is new.
    pub(super) fn connection(&mut self, id: LinkId) -> &mut Connection {
        let known = self.connections.iter().position(|connection| connection.id == id);
        let at = known.unwrap_or_else(|| {
            if self.connections.len() == MAX_CONNECTIONS {
                self.connections.remove(0);
            }
            let (meter, clock) = (ConnectionMeter::default(), ClockSync::default());
            self.connections.push(Connection { id, meter, clock });
            self.connections.len() - 1
        });
        &mut self.connections[at]
    }

    /// The one whose reports come.
    pub(super) fn use_connection(&mut self, id: LinkId) -> &mut Connection {
        self.in_use = Some(id);
        self.connection(id)
    }

    pub(super) fn used(&self) -> Option<&Connection> {
        let used = self.connections.iter().find(|connection| Some(connection.id) == self.in_use);
        used.or(self.connections.first())
    }

    /// How its clock stands to this page's.
    pub(super) fn clock(&self, now: Timestamp) -> Option<ClockEstimate> {
        self.used()?.clock.estimate(now)
    }
}

impl Connection {
    /// Takes a message of the other side; what it says of the picture that is sent is for the playout.
    pub(super) fn handle_telemetry(&mut self, message: TelemetryMessage, now: Timestamp) -> Option<Sending> {
        match message {
            TelemetryMessage::Reception(reception) => self.meter.handle_reception(reception, now),
            TelemetryMessage::ClockPong { sent_us, received_us, answered_us } => {
                self.clock.handle_pong(sent_us, received_us, answered_us, now);
            }
            TelemetryMessage::Sending(sending) => return Some(sending),
            // Those are for the pings of the connection, or of a later version.
            TelemetryMessage::ClockPing { .. }
            | TelemetryMessage::Ping { .. }
            | TelemetryMessage::Pong { .. }
            | TelemetryMessage::Unknown => {}
        }
        None
    }
}

/// The members, in the order in which they came to this page's knowledge.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(MemberId, Member)>);

impl Members {
    pub(super) fn get(&self, id: &MemberId) -> Option<&Member> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, member)| member)
    }

    /// The member of that id, made where it is new.
    pub(super) fn entry(&mut self, id: &MemberId) -> &mut Member {
        let known = self.0.iter().position(|(known, _)| known == id);
        let at = known.unwrap_or_else(|| {
            self.0.push((id.clone(), Member::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// A connection of a member, which may be gone already, is closed.
    pub(super) fn close(&mut self, id: &MemberId, link: LinkId) {
        if let Some((_, member)) = self.0.iter_mut().find(|(known, _)| known == id) {
            member.connections.retain(|connection| connection.id != link);
        }
    }

    pub(super) fn remove(&mut self, id: &MemberId) {
        self.0.retain(|(known, _)| known != id);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.0.iter().map(|(id, member)| (id, member))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.0.iter_mut().map(|(_, member)| member)
    }
}
