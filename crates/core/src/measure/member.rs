//! The measurements of one other member while it is in the room.

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

/// Maximum number of connections per member: one in use and one that replaces it, while older ones are being closed.
const MAX_CONNECTIONS: usize = 4;

/// The measurements of one other member.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// The member's name; `None` until the member is known to be in the room.
    pub(super) name: Option<String>,
    pub(super) published: Option<PublishedState>,
    pub(super) history: History,
    pub(super) receiver: Option<Receiver>,
    connections: Vec<Connection>,
    in_use: Option<LinkId>,
}

/// The measurements of one peer connection.
#[derive(Debug)]
pub(super) struct Connection {
    id: LinkId,
    pub(super) meter: ConnectionMeter,
    pub(super) clock: ClockSync,
}

impl Member {
    /// The connection with this id, which is added if it is new.
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

    /// Makes the connection with this id the one in use.
    pub(super) fn use_connection(&mut self, id: LinkId) -> &mut Connection {
        self.in_use = Some(id);
        self.connection(id)
    }

    pub(super) fn used(&self) -> Option<&Connection> {
        let used = self.connections.iter().find(|connection| Some(connection.id) == self.in_use);
        used.or(self.connections.first())
    }

    /// The estimate of the member's clock.
    pub(super) fn clock(&self, now: Timestamp) -> Option<ClockEstimate> {
        self.used()?.clock.estimate(now)
    }
}

impl Connection {
    /// Takes a telemetry message of the member. Returns the part about the sent picture, which playout needs.
    pub(super) fn handle_telemetry(&mut self, message: TelemetryMessage, now: Timestamp) -> Option<Sending> {
        match message {
            TelemetryMessage::Reception(reception) => self.meter.handle_reception(reception, now),
            TelemetryMessage::ClockPong { sent_us, received_us, answered_us } => {
                self.clock.handle_pong(sent_us, received_us, answered_us, now);
            }
            TelemetryMessage::Sending(sending) => {
                self.meter.handle_sending(sending);
                return Some(sending);
            }
            // Handled by the caller, by the pings of the connection, or unknown to this version.
            TelemetryMessage::SourceFrames(_)
            | TelemetryMessage::ClockPing { .. }
            | TelemetryMessage::Ping { .. }
            | TelemetryMessage::Pong { .. }
            | TelemetryMessage::Unknown => {}
        }
        None
    }
}

/// The members in the order in which this page learned of them.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(MemberId, Member)>);

impl Members {
    pub(super) fn get(&self, id: &MemberId) -> Option<&Member> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, member)| member)
    }

    /// The member with this id, which is added if it is new.
    pub(super) fn entry(&mut self, id: &MemberId) -> &mut Member {
        let known = self.0.iter().position(|(known, _)| known == id);
        let at = known.unwrap_or_else(|| {
            self.0.push((id.clone(), Member::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Notes that a connection of a member, who may have left, was closed.
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
