//! The events of a peer connection.

use std::rc::Rc;

use sightline_protocol::signaling::SignalCandidate;
use web_sys::{
    Event, RtcIceCandidate, RtcPeerConnection, RtcPeerConnectionIceErrorEvent, RtcPeerConnectionIceEvent,
    RtcTrackEvent,
};

use super::{
    slot::{MediaSlot, Slots},
    state::{ConnectionState, IceConnectionState, IceGatheringState, SignalingState},
};
use crate::{
    js::{event::Listener, queue::EventSink},
    media::track::MediaTrack,
    page::window::member,
};

/// An event of a peer connection.
#[derive(Debug, Clone)]
pub enum PeerConnectionEvent {
    /// Event `negotiationneeded`: the browser wants an exchange.
    NegotiationNeeded,
    /// Event `icecandidate`: a candidate for the other side. An empty candidate ends the candidates of its ICE generation.
    LocalCandidate(SignalCandidate),
    /// Event `track`: media of the other side arrives here from now on.
    Track {
        /// The slot of the track; `None` if the other side offered more media than there are slots.
        slot: Option<MediaSlot>,
        /// The id of its m-line (RFC 8843).
        mid: Option<String>,
        /// The received track. It stays the same whatever the other side sends in its slot.
        track: MediaTrack,
    },
    /// Event `connectionstatechange`, with the new state.
    ConnectionState(ConnectionState),
    /// Event `iceconnectionstatechange`, with the new state.
    IceConnectionState(IceConnectionState),
    /// Event `icegatheringstatechange`, with the new state.
    IceGatheringState(IceGatheringState),
    /// Event `signalingstatechange`, with the new state.
    SignalingState(SignalingState),
    /// Event `icecandidateerror`: a STUN or TURN server failed.
    CandidateError {
        /// The address of the server.
        url: String,
        /// The STUN error code, or 701 if the server was not reached.
        code: u16,
        /// The error text of the server or the browser, for a log.
        text: String,
    },
}

/// Listens to all events of `connection`. A listener references the connection, so the owner of the connection must drop the
/// listeners.
pub(super) fn listen(
    connection: &RtcPeerConnection,
    slots: &Rc<Slots>,
    sink: &EventSink<PeerConnectionEvent>,
) -> Vec<Listener> {
    let on_track = {
        let (slots, sink) = (Rc::clone(slots), sink.clone());
        Listener::new(connection, "track", move |event: RtcTrackEvent| {
            let transceiver = event.transceiver();
            sink.push(PeerConnectionEvent::Track {
                slot: slots.slot_for(&transceiver),
                mid: transceiver.mid(),
                track: event.track().into(),
            });
        })
    };
    let on_candidate = {
        let (connection_, sink) = (connection.clone(), sink.clone());
        Listener::new(connection, "icecandidate", move |event: RtcPeerConnectionIceEvent| {
            let candidate = match event.candidate() {
                Some(candidate) => to_signal(&candidate),
                None => end_of_candidates(&connection_),
            };
            sink.push(PeerConnectionEvent::LocalCandidate(candidate));
        })
    };
    let on_candidate_error = {
        let sink = sink.clone();
        Listener::new(connection, "icecandidateerror", move |event: RtcPeerConnectionIceErrorEvent| {
            sink.push(PeerConnectionEvent::CandidateError {
                url: event.url(),
                code: event.error_code(),
                text: event.error_text(),
            });
        })
    };
    let on = |name: &'static str, read: fn(&RtcPeerConnection) -> PeerConnectionEvent| {
        let (connection_, sink) = (connection.clone(), sink.clone());
        Listener::new(connection, name, move |_: Event| sink.push(read(&connection_)))
    };
    vec![
        on_track,
        on_candidate,
        on_candidate_error,
        on("negotiationneeded", |_| PeerConnectionEvent::NegotiationNeeded),
        on("connectionstatechange", |connection| {
            PeerConnectionEvent::ConnectionState(connection.connection_state().into())
        }),
        on("iceconnectionstatechange", |connection| {
            PeerConnectionEvent::IceConnectionState(connection.ice_connection_state().into())
        }),
        on("icegatheringstatechange", |connection| {
            PeerConnectionEvent::IceGatheringState(connection.ice_gathering_state().into())
        }),
        on("signalingstatechange", |connection| {
            PeerConnectionEvent::SignalingState(connection.signaling_state().into())
        }),
    ]
}

fn to_signal(candidate: &RtcIceCandidate) -> SignalCandidate {
    SignalCandidate {
        candidate: candidate.candidate(),
        sdp_mid: candidate.sdp_mid(),
        sdp_m_line_index: candidate.sdp_m_line_index(),
        ufrag: member(candidate, "usernameFragment").and_then(|ufrag| ufrag.as_string()),
    }
}

/// The meaning of a `null` candidate: no more candidates for any m-line of the present ICE generation.
fn end_of_candidates(connection: &RtcPeerConnection) -> SignalCandidate {
    let ufrag = connection.local_description().and_then(|description| {
        let sdp = description.sdp();
        let (_, after) = sdp.split_once("a=ice-ufrag:")?;
        after.lines().next().map(str::to_owned)
    });
    SignalCandidate { candidate: String::new(), sdp_mid: None, sdp_m_line_index: None, ufrag }
}
