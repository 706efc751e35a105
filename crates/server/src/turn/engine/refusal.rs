//! Why a request is refused, by the error codes of RFC 8489 section 14.8 and RFC 8656 section 19.

use stun_types::attribute::AttributeType;

/// The error in the answer to a refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::turn) enum Refusal {
    BadRequest,
    Unauthorized,
    Forbidden,
    /// The attributes that the client requires this server to understand.
    UnknownAttributes(Vec<AttributeType>),
    AllocationMismatch,
    StaleNonce,
    AddressFamilyNotSupported,
    WrongCredentials,
    UnsupportedTransport,
    PeerAddressFamilyMismatch,
    AllocationQuotaReached,
    InsufficientCapacity,
}

impl Refusal {
    /// The number and the reason phrase on the wire.
    pub(in crate::turn) fn code(&self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::Forbidden => (403, "Forbidden"),
            Self::UnknownAttributes(_) => (420, "Unknown Attribute"),
            Self::AllocationMismatch => (437, "Allocation Mismatch"),
            Self::StaleNonce => (438, "Stale Nonce"),
            Self::AddressFamilyNotSupported => (440, "Address Family not Supported"),
            Self::WrongCredentials => (441, "Wrong Credentials"),
            Self::UnsupportedTransport => (442, "Unsupported Transport Protocol"),
            Self::PeerAddressFamilyMismatch => (443, "Peer Address Family Mismatch"),
            Self::AllocationQuotaReached => (486, "Allocation Quota Reached"),
            Self::InsufficientCapacity => (508, "Insufficient Capacity"),
        }
    }
}
