//! One peer connection as the session sees it, with its negotiation.

use std::time::Duration;

use sightline_protocol::{
    ConnectionId, Generation,
    signalling::{Signal, SignalPayload},
};

pub use crate::link::LinkId;
use crate::{
    Timestamp,
    negotiation::{Negotiator, Role},
    recovery::{ATTEMPT_DEADLINE, Health, LinkWatch},
};

/// How long the first connection to a member may take to come up before it is given up for a new one.
const FIRST_DEADLINE: Duration = Duration::from_secs(20);
/// How much longer the following side waits for one that is built beside another: its leader gives it up first.
const FOLLOWING_GRACE: Duration = Duration::from_secs(5);

/// A peer connection under way or up.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) connection: ConnectionId,
    pub(super) generation: Generation,
    pub(super) role: Role,
    pub(super) negotiator: Negotiator,
    pub(super) watch: LinkWatch,
    /// Until when it must have come up; `None` once it has.
    pub(super) deadline: Option<Timestamp>,
    /// Nothing can be negotiated on it any more, whatever it carries.
    pub(super) is_broken: bool,
}

impl Link {
    pub(super) fn new(
        id: LinkId,
        (connection, generation): (ConnectionId, Generation),
        role: Role,
        deadline: Timestamp,
    ) -> Self {
        Self {
            id,
            connection,
            generation,
            role,
            negotiator: Negotiator::new(role),
            watch: LinkWatch::default(),
            deadline: Some(deadline),
            is_broken: false,
        }
    }

    /// Whether media and data can flow.
    pub(super) fn is_healthy(&self) -> bool {
        self.watch.health() == Health::Carrying
    }

    /// What its repair goes by.
    pub(super) fn health(&self) -> Health {
        if self.is_broken { Health::Dead } else { self.watch.health() }
    }

    /// Whether it ever came up.
    pub(super) fn came_up(&self) -> bool {
        self.deadline.is_none()
    }

    pub(super) fn stamp(&self, payload: SignalPayload) -> Signal {
        Signal { connection: self.connection.clone(), generation: self.generation, payload }
    }
}

/// How long a link may take to come up; `recovers` where it replaces one that did.
pub(super) fn time_to_come_up(role: Role, recovers: bool) -> Duration {
    match (recovers, role) {
        (false, _) => FIRST_DEADLINE,
        (true, Role::Offerer) => ATTEMPT_DEADLINE,
        (true, Role::Answerer) => ATTEMPT_DEADLINE + FOLLOWING_GRACE,
    }
}
