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
        /// Nothing was begun.
        New = "new",
        /// It is being made.
        Connecting = "connecting",
        /// It works.
        Connected = "connected",
        /// Nothing arrives; it may come back by itself.
        Disconnected = "disconnected",
        /// It does not come back without an ICE restart.
        Failed = "failed",
        /// It is closed.
        Closed = "closed",
    } else Closed
}

state! {
    /// `RTCPeerConnection.iceConnectionState`.
    IceConnectionState from RtcIceConnectionState {
        /// Nothing was begun.
        New = "new",
        /// Pairs are being checked.
        Checking = "checking",
        /// There is a usable pair.
        Connected = "connected",
        /// There is a usable pair and nothing more to check.
        Completed = "completed",
        /// No pair is usable.
        Failed = "failed",
        /// A check of what is in use failed; it may come back by itself.
        Disconnected = "disconnected",
        /// It is closed.
        Closed = "closed",
    } else Closed
}

state! {
    /// `RTCPeerConnection.iceGatheringState`.
    IceGatheringState from RtcIceGatheringState {
        /// Nothing was begun.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// There will be no more.
        Complete = "complete",
    } else New
}

state! {
    /// `RTCPeerConnection.signalingState`.
    SignalingState from RtcSignalingState {
        /// No exchange is under way.
        Stable = "stable",
        /// The own offer waits for an answer.
        HaveLocalOffer = "have-local-offer",
        /// The other's offer waits for an answer.
        HaveRemoteOffer = "have-remote-offer",
        /// A provisional answer was given.
        HaveLocalPranswer = "have-local-pranswer",
        /// A provisional answer was received.
        HaveRemotePranswer = "have-remote-pranswer",
        /// It is closed.
        Closed = "closed",
    } else Closed
}
