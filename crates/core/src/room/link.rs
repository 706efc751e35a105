//! One peer connection as the session sees it, with its negotiation.

use std::time::Duration;

use sightline_protocol::{
    ConnectionId, Generation,
    signalling::{Signal, SignalPayload},
};

use crate::{
    Timestamp,
    negotiation::{Negotiator, Politeness, Role},
};

/// How long a connection may take to come up before it is given up for a new one.
const CONNECT_DEADLINE: Duration = Duration::from_secs(20);

/// Names one peer connection of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// W3C `RTCPeerConnectionState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "names of the specification")]
pub enum PeerConnectionState {
    New,
    Connecting,
    Connected,
    Disconnected,
    Failed,
    Closed,
}

impl PeerConnectionState {
    /// Reads the browser's word; an unknown one is taken for `new`.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "connecting" => Self::Connecting,
            "connected" => Self::Connected,
            "disconnected" => Self::Disconnected,
            "failed" => Self::Failed,
            "closed" => Self::Closed,
            _ => Self::New,
        }
    }
}

/// A peer connection under way or up.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) connection: ConnectionId,
    pub(super) generation: Generation,
    pub(super) role: Role,
    pub(super) negotiator: Negotiator,
    pub(super) state: PeerConnectionState,
    pub(super) is_channel_open: bool,
    /// Until when it must have come up; `None` once it has.
    pub(super) deadline: Option<Timestamp>,
}

impl Link {
    pub(super) fn new(
        id: LinkId,
        connection: ConnectionId,
        generation: Generation,
        role: Role,
        politeness: Politeness,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            connection,
            generation,
            role,
            negotiator: Negotiator::new(role, politeness),
            state: PeerConnectionState::New,
            is_channel_open: false,
            deadline: Some(now + CONNECT_DEADLINE),
        }
    }

    /// Whether media and data can flow.
    pub(super) fn is_healthy(&self) -> bool {
        self.state == PeerConnectionState::Connected && self.is_channel_open
    }

    pub(super) fn stamp(&self, payload: SignalPayload) -> Signal {
        Signal { connection: self.connection.clone(), generation: self.generation, payload }
    }
}
