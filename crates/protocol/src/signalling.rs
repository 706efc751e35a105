//! The messages of the signalling WebSocket: one JSON object a text frame, tagged by `type`.

use serde::{Deserialize, Serialize};

use crate::{
    error::ErrorCode,
    id::{ConnectionId, Generation, InstanceId, MemberId},
    member::{Arrival, DisplayName, Member},
    room::RoomName,
};

/// What a client says to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message on a socket: take or take back a place in a room.
    Join {
        /// [`crate::PROTOCOL_VERSION`] of the client.
        protocol: u32,
        /// The room.
        room: RoomName,
        /// The name shown to the others.
        name: DisplayName,
        /// This life of the page.
        instance: InstanceId,
        /// The token of an earlier `joined`, to have the same place again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<String>,
    },
    /// Something for one other member.
    Signal {
        /// Whom it is for.
        to: MemberId,
        /// What it says.
        #[serde(flatten)]
        signal: Signal,
    },
    /// The member goes and does not come back; the server closes the socket.
    Leave,
    /// Asks for the ICE servers, without taking a place in a room, or for fresh credentials with one.
    IceServers,
    /// Asks for a `pong`: notices a half-open socket and measures its round trip.
    Ping {
        /// Comes back in the `pong`.
        nonce: u32,
    },
}

/// What the server says to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `join`: the whole state of the room.
    Joined {
        /// The place that this socket now has.
        you: MemberId,
        /// When this page instance arrived.
        arrival: Arrival,
        /// The room, with capitals folded.
        room: RoomName,
        /// Everyone else, away ones included.
        members: Vec<Member>,
        /// Takes the place back after the socket closed.
        resume: String,
        /// For `RTCConfiguration.iceServers`.
        #[serde(default)]
        ice_servers: Vec<IceServer>,
        /// How many seconds the credentials among them are valid. The client then asks anew (`ice_servers`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ice_servers_life_s: Option<u32>,
        /// How many members the room takes.
        room_limit: usize,
    },
    /// The answer to `ice_servers`: they replace those of `joined`.
    IceServers {
        /// For `RTCConfiguration.iceServers`.
        ice_servers: Vec<IceServer>,
        /// As in `joined`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ice_servers_life_s: Option<u32>,
        /// `stun:` addresses of the same STUN server at other ports: for finding out how a NAT maps (RFC 4787 section
        /// 4.1), not for calls.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        alternate_stun_urls: Vec<String>,
    },
    /// Someone came, came back, or came back as another page instance.
    PeerJoined {
        /// Who.
        member: Member,
    },
    /// Something from one other member.
    Signal {
        /// Who said it, stamped by the server.
        from: MemberId,
        /// What it says.
        #[serde(flatten)]
        signal: Signal,
    },
    /// Someone's socket closed; the place is held.
    PeerAway {
        /// Who.
        id: MemberId,
    },
    /// Someone is gone for good.
    PeerLeft {
        /// Who.
        id: MemberId,
    },
    /// The room has no place left. The socket is closed.
    Full {
        /// How many members the room takes.
        room_limit: usize,
    },
    /// The same token was used by a later socket; this one is closed and must not come back by itself.
    Replaced,
    /// The answer to `ping`.
    Pong {
        /// That of the `ping`.
        nonce: u32,
    },
    /// Something was wrong; [`ErrorCode::closes`] says whether the socket is closed.
    Error {
        /// What, for a machine.
        code: ErrorCode,
        /// What, in English, for a log. Never shown to a person.
        message: String,
    },
}

/// What two members' browsers say to each other through the server, which does not look into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Which relation between the two it belongs to.
    pub connection: ConnectionId,
    /// Which peer connection of that relation.
    pub generation: Generation,
    /// A description or a candidate.
    pub payload: SignalPayload,
}

/// The content of a [`Signal`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalPayload {
    /// A session description.
    Description(SignalDescription),
    /// An ICE candidate of the sender.
    Candidate(SignalCandidate),
}

impl SignalPayload {
    /// Whether it is an offer.
    #[must_use]
    pub fn is_offer(&self) -> bool {
        matches!(self, Self::Description(description) if description.kind == DescriptionKind::Offer)
    }
}

/// A session description (JSEP, RFC 9429) with what is needed to tell a fresh one from a stale one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalDescription {
    /// Offer or answer.
    pub kind: DescriptionKind,
    /// Numbers the offer/answer exchanges of this peer connection, for both sides together, from 1: an offer has one
    /// more than the last exchange that its sender saw completed; an answer repeats the number of its offer.
    pub exchange: u32,
    /// The SDP.
    pub sdp: String,
}

/// The two descriptions that are sent; `pranswer` and `rollback` never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DescriptionKind {
    /// `offer`
    Offer,
    /// `answer`
    Answer,
}

/// An ICE candidate (W3C `RTCIceCandidateInit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalCandidate {
    /// The candidate attribute; empty for the end of candidates.
    pub candidate: String,
    /// The media description it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The same by index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user name fragment of the description it was gathered for: one of an older ICE generation is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ufrag: Option<String>,
}

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}
