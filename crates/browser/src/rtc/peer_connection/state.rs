//! The four states of a peer connection (W3C WebRTC, section 4.3).

use web_sys::{RtcIceConnectionState, RtcIceGatheringState, RtcPeerConnectionState, RtcSignalingState};

macro_rules! state {
    ($(#[$docs:meta])* $name:ident from $browser:ident { $($(#[$state_docs:meta])* $state:ident = $word:literal),+ $(,)? } else $other:ident) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$state_docs])* $state),+
        }

        impl $name {
            /// The word of the specification.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$state => $word),+
                }
            }
        }

        impl From<$browser> for $name {
            fn from(state: $browser) -> Self {
                match state {
                    $($browser::$state => Self::$state,)+
                    _ => Self::$other,
                }
            }
        }
    };
}

state! {
    /// `RTCPeerConnection.connectionState`: the whole connection, ICE and DTLS.
    ConnectionState from RtcPeerConnectionState {
        /// Neither ICE nor DTLS has begun.
        New = "new",
        /// ICE or DTLS is connecting.
        Connecting = "connecting",
        /// The connection works.
        Connected = "connected",
        /// Nothing arrives; the connection may return by itself.
        Disconnected = "disconnected",
        /// The connection does not return without an ICE restart.
        Failed = "failed",
        /// The connection is closed.
        Closed = "closed",
    } else Closed
}

state! {
    /// `RTCPeerConnection.iceConnectionState`: the state of ICE alone.
    IceConnectionState from RtcIceConnectionState {
        /// No checks have begun.
        New = "new",
        /// Candidate pairs are being checked.
        Checking = "checking",
        /// There is a usable pair, and checks continue.
        Connected = "connected",
        /// There is a usable pair, and all checks are done.
        Completed = "completed",
        /// No pair is usable.
        Failed = "failed",
        /// A check of the selected pair failed; the pair may return by itself.
        Disconnected = "disconnected",
        /// The connection is closed.
        Closed = "closed",
    } else Closed
}

state! {
    /// `RTCPeerConnection.iceGatheringState`: the gathering of local candidates.
    IceGatheringState from RtcIceGatheringState {
        /// Gathering has not begun.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// All candidates are gathered.
        Complete = "complete",
    } else New
}

state! {
    /// `RTCPeerConnection.signalingState`: the state of the offer/answer exchange.
    SignalingState from RtcSignalingState {
        /// No exchange is under way.
        Stable = "stable",
        /// A local offer waits for an answer.
        HaveLocalOffer = "have-local-offer",
        /// A remote offer waits for an answer.
        HaveRemoteOffer = "have-remote-offer",
        /// A provisional answer was sent.
        HaveLocalPranswer = "have-local-pranswer",
        /// A provisional answer was received.
        HaveRemotePranswer = "have-remote-pranswer",
        /// The connection is closed.
        Closed = "closed",
    } else Closed
}
