//! The messages of the signaling WebSocket: each text frame is one JSON object, tagged by `type`.

use serde::{Deserialize, Serialize};

use crate::{
    control::PublishedState,
    error::ErrorCode,
    hosting::{RefusalReason, Visitor},
    id::{ConnectionId, Generation, InstanceId, MemberId},
    member::{Arrival, DisplayName, Member},
    picture::VisitorPicture,
    rekey::AdmissionDigest,
    room::RoomName,
    sealed::{AdmissionTag, SealedName, SealedSignal},
};

/// Number of the first exchange on a peer connection: the `exchange` of a [`SignalDescription`].
pub const FIRST_EXCHANGE: u32 = 1;

/// A message from a client to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message on a socket: takes a seat in a room, or takes an earlier one again.
    Join {
        /// [`crate::PROTOCOL_VERSION`] of the client.
        protocol: u32,
        /// The room to join.
        room: RoomName,
        /// Together with `room` it names the room: without it the unprotected room of that name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admission: Option<AdmissionTag>,
        /// The name shown to the others; empty in a protected room.
        name: DisplayName,
        /// The encrypted name, in a protected room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed_name: Option<SealedName>,
        /// The id of this page instance.
        instance: InstanceId,
        /// The token of an earlier `joined`, to get the same seat again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<String>,
        /// Whether a person attends, who waits at a locked room and may be its host. A client without this field is of an earlier
        /// version, and is sent no message about hosts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attended: Option<bool>,
        /// A token of this server's operator. An operator can let only holders of a token open rooms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        create_token: Option<String>,
        /// Whether the client knows [`ClientMessage::Rekey`]; a client of an earlier version does not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rekeys: bool,
    },
    /// A signal for one other member.
    Signal {
        /// The receiving member.
        to: MemberId,
        /// The signal, with its fields beside `to` in the JSON object.
        #[serde(flatten)]
        signal: Signal,
    },
    /// The member leaves for good; the server closes the socket.
    Leave,
    /// A host locks the room, or opens it again.
    Lock {
        /// Whether nobody is to be admitted without a host's yes.
        locked: bool,
    },
    /// A visitor that waits shows a picture to the hosts. Only to a server that offers it in [`ServerMessage::Waiting`].
    KnockPicture {
        /// The picture.
        picture: VisitorPicture,
    },
    /// A host answers a [`ServerMessage::Knock`].
    AnswerKnock {
        /// The id of the visitor.
        id: MemberId,
        /// Whether to let the visitor in.
        admit: bool,
    },
    /// A host removes a member, which locks the room.
    Remove {
        /// The id of the member.
        id: MemberId,
    },
    /// A host makes another member a host, too.
    MakeHost {
        /// The id of the member.
        id: MemberId,
    },
    /// A host ends the room for everyone.
    End,
    /// The sender uses another secret of its protected room from now on. From a host it makes this tag the one that admits to the room.
    Rekey {
        /// The tag of the new secret.
        admission: AdmissionTag,
        /// The name of the sender, encrypted with the new secret.
        sealed_name: SealedName,
    },
    /// Asks for the ICE servers without joining a room, or for fresh credentials in a room.
    IceServers,
    /// Asks for a `pong`, to detect a half-open socket and to measure the round trip.
    Ping {
        /// Repeated in the `pong`.
        nonce: u32,
    },
}

/// A message from the server to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `join`, with the whole state of the room.
    Joined {
        /// The member id that belongs to this socket.
        you: MemberId,
        /// The arrival of this page instance.
        arrival: Arrival,
        /// The name of the room, in lower case.
        room: RoomName,
        /// All other members, including those that are away.
        members: Vec<Member>,
        /// The resume token, with which the seat can be taken again after the socket closed.
        resume: String,
        /// ICE servers for `RTCConfiguration.iceServers`.
        #[serde(default)]
        ice_servers: Vec<IceServer>,
        /// Lifetime of the credentials in `ice_servers`, in seconds. The client asks for fresh ones in time (`ice_servers`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ice_servers_life_s: Option<u32>,
        /// Most members of the room.
        room_limit: usize,
        /// The members that are hosts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<MemberId>,
        /// Whether the room is locked.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        locked: bool,
        /// SHA-256 of the tag that admits to a protected room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admission_sha256: Option<AdmissionDigest>,
    },
    /// The hosts, the lock, or the tag that admits to the room changed.
    RoomState {
        /// The members that are hosts.
        hosts: Vec<MemberId>,
        /// Whether the room is locked.
        locked: bool,
        /// The resume token from now on.
        resume: String,
        /// SHA-256 of the tag that admits to a protected room from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admission_sha256: Option<AdmissionDigest>,
    },
    /// The room is locked, and its hosts are asked. Followed by `joined` or `refused`.
    Waiting {
        /// Whether the server passes on a [`ClientMessage::KnockPicture`].
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pictures: bool,
    },
    /// To a host: somebody waits to be let in. Sent again when the visitor shows a picture.
    Knock {
        /// The visitor.
        visitor: Visitor,
    },
    /// To a host: a visitor does not wait any longer.
    KnockEnded {
        /// The id of the visitor.
        id: MemberId,
    },
    /// The locked room does not admit this client. The socket is closed.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
    /// A host removed this member. The socket is closed.
    Removed,
    /// A host ended the room for everyone. The socket is closed.
    Ended,
    /// The answer to `ice_servers`; replaces the ICE servers of `joined`.
    IceServers {
        /// ICE servers for `RTCConfiguration.iceServers`.
        ice_servers: Vec<IceServer>,
        /// Lifetime of the credentials, as in `joined`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ice_servers_life_s: Option<u32>,
        /// `stun:` addresses of the same STUN server at other ports, to detect the kind of NAT (RFC 4787 section 4.1); not for
        /// calls.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        alternate_stun_urls: Vec<String>,
    },
    /// A member joined, returned, or returned as another page instance.
    PeerJoined {
        /// The member with its present data.
        member: Member,
    },
    /// A signal of one other member.
    Signal {
        /// The sender; set by the server.
        from: MemberId,
        /// The signal, with its fields beside `from` in the JSON object.
        #[serde(flatten)]
        signal: Signal,
    },
    /// The socket of a member closed; its seat is held.
    PeerAway {
        /// The id of that member.
        id: MemberId,
    },
    /// A member left for good.
    PeerLeft {
        /// The id of that member.
        id: MemberId,
    },
    /// A host removed a member: nothing more is to be accepted from its page.
    PeerRemoved {
        /// The id of that member.
        id: MemberId,
    },
    /// The room is full. The socket is closed.
    Full {
        /// Most members of the room.
        room_limit: usize,
    },
    /// A later socket used the same token; this one is closed and must not reconnect by itself.
    Replaced,
    /// The answer to `ping`.
    Pong {
        /// The nonce of the `ping`.
        nonce: u32,
    },
    /// An error; [`ErrorCode::closes`] says whether the socket is closed.
    Error {
        /// The machine-readable code.
        code: ErrorCode,
        /// An English sentence for a log. Never shown to a person.
        message: String,
    },
}

/// A message of one member's page to another's about a peer connection. The server forwards it without interpreting it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The connection that the signal belongs to.
    pub connection: ConnectionId,
    /// The generation of that connection.
    pub generation: Generation,
    /// A description or a candidate, encrypted in a protected room.
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
    /// One of the other two, encrypted; never on a data channel.
    Sealed(SealedSignal),
}

impl SignalPayload {
    /// Whether it begins a peer connection: it is the offer of the first exchange. A later offer is about a connection that its sender
    /// has, so who does not know that connection cannot answer with one that fits.
    #[must_use]
    pub fn begins_connection(&self) -> bool {
        let is_first = |description: &SignalDescription| {
            description.kind == DescriptionKind::Offer && description.exchange == FIRST_EXCHANGE
        };
        matches!(self, Self::Description(description) if is_first(description))
    }
}

/// A session description (JSEP, RFC 9429) with what is needed to tell a fresh one from a stale one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalDescription {
    /// Offer or answer.
    pub kind: DescriptionKind,
    /// Number of the offer/answer exchange on this peer connection, counted by both sides together, from 1: an offer has one more
    /// than the last exchange that its sender saw completed; an answer repeats the number of its offer.
    pub exchange: u32,
    /// The description in SDP format.
    pub sdp: String,
    /// What the sender publishes, in the first exchange: the receiver plays what arrives before the `control` channel opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedState>,
}

/// The two kinds of descriptions that are sent; `pranswer` and `rollback` are never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DescriptionKind {
    /// The JSON word `offer`.
    Offer,
    /// The JSON word `answer`.
    Answer,
}

/// An ICE candidate (W3C `RTCIceCandidateInit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalCandidate {
    /// The candidate attribute; empty for the end of candidates.
    pub candidate: String,
    /// The `mid` of the media description that the candidate belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The index of the same media description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user name fragment of its description: a candidate of an older ICE generation is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ufrag: Option<String>,
}

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` addresses.
    pub urls: Vec<String>,
    /// User name, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}
