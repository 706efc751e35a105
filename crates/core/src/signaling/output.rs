//! What the [`SignalingClient`](super::SignalingClient) asks of its caller, and the events that it reports.

use std::time::Duration;

use sightline_protocol::{
    AdmissionDigest, Arrival, ErrorCode, Member, MemberId, Visitor,
    signaling::{IceServer, Signal},
};

use super::SignalingStatus;
use crate::notice::NoticeCode;

/// Identifies one socket: late events of a closed socket are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalingOutput {
    /// Open a socket under this id.
    Connect(SocketId),
    /// Send this text frame.
    Send(SocketId, String),
    /// Close and forget this socket; with a code if the server sent something wrong.
    Close(SocketId, Option<ErrorCode>),
    /// Pass this event to the session.
    Event(SignalingEvent),
}

/// An event in the room as reported by the server, or a change of the connection to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the server's messages")]
pub enum SignalingEvent {
    Status(SignalingStatus),
    /// A problem arose.
    Raised(NoticeCode),
    /// The problem is over.
    Cleared(NoticeCode),
    /// The whole state of the room, at the first join and after each return.
    Joined {
        you: MemberId,
        arrival: Arrival,
        members: Vec<Member>,
        resume: String,
        hosts: Vec<MemberId>,
        is_locked: bool,
        admission_sha256: Option<AdmissionDigest>,
    },
    /// The hosts or the lock changed, and with them the resume token.
    RoomState {
        hosts: Vec<MemberId>,
        is_locked: bool,
        resume: String,
        admission_sha256: Option<AdmissionDigest>,
    },
    /// Somebody waits to be let in.
    Knock(Visitor),
    /// A visitor does not wait any longer.
    KnockEnded(MemberId),
    /// A host removed this member.
    PeerRemoved(MemberId),
    /// The ICE servers with their credentials: before each [`Self::Joined`], and when the earlier credentials are about to expire.
    IceServers(Vec<IceServer>),
    PeerJoined(Member),
    PeerAway(MemberId),
    PeerLeft(MemberId),
    Signal {
        from: MemberId,
        signal: Signal,
    },
    /// A member sent a signal that cannot be read.
    UnreadableSignal {
        from: MemberId,
    },
    /// The round-trip time of a ping.
    RoundTrip(Duration),
}
