//! What the browser, or another implementation of WebRTC, reports of a peer connection.

use sightline_protocol::signaling::SignalCandidate;

use crate::{
    ice::{description_without_related_addresses, without_related_address},
    negotiation::{Completed, OperationFailure, OperationId},
    recovery::PeerConnectionState,
};

/// An event of a peer connection. Events of a closed link may arrive late and have no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// The event `negotiationneeded`.
    NegotiationNeeded,
    /// The local ICE agent found a candidate.
    LocalCandidate(SignalCandidate),
    /// An operation ended.
    Completed(OperationId, Result<Completed, OperationFailure>),
    /// `connectionState` changed.
    State(PeerConnectionState),
    /// The `control` channel opened.
    ChannelOpened,
    /// The `control` channel closed: the other page is gone, or the connection is.
    ChannelClosed,
    /// The channel of a peer connection for files opened.
    BulkOpened,
    /// The channel of a peer connection for files closed, or the connection failed.
    BulkClosed,
}

impl LinkEvent {
    /// The event, with a failure as it may be shown and kept, and with candidates and descriptions as they may be signaled.
    #[must_use]
    pub fn made_safe(self) -> Self {
        match self {
            Self::Completed(id, Err(failure)) => Self::Completed(id, Err(failure.made_safe())),
            Self::LocalCandidate(candidate) => {
                let text = without_related_address(&candidate.candidate);
                Self::LocalCandidate(SignalCandidate { candidate: text, ..candidate })
            }
            Self::Completed(id, Ok(Completed::LocalDescription { sdp })) => {
                let sdp = description_without_related_addresses(&sdp);
                Self::Completed(id, Ok(Completed::LocalDescription { sdp }))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signaled_of_a_relay_names_the_relay_only() {
        let candidate = |raddr: &str| SignalCandidate {
            candidate: format!("candidate:1 1 udp 1 198.51.100.1 5 typ relay raddr {raddr} rport 9"),
            sdp_mid: Some("0".to_owned()),
            sdp_m_line_index: None,
            ufrag: None,
        };
        let event = LinkEvent::LocalCandidate(candidate("192.168.1.7"));
        assert_eq!(event.made_safe(), LinkEvent::LocalCandidate(candidate("0.0.0.0")));
        let described = |raddr: &str| {
            let sdp = format!("v=0\r\na={}\r\n", candidate(raddr).candidate);
            LinkEvent::Completed(OperationId(1), Ok(Completed::LocalDescription { sdp }))
        };
        assert_eq!(described("192.168.1.7").made_safe(), described("0.0.0.0"));
    }
}
