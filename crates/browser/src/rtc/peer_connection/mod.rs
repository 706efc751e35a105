//! An `RTCPeerConnection` with its fixed media slots.

mod closed;
mod codec;
mod event;
mod sending;
pub(crate) mod shim;
mod slot;
mod state;
mod stats;

use std::rc::Rc;

use js_sys::{Array, Promise};
use sightline_core::{
    measure::StatsEntry,
    media::SendLimits,
    negotiation::{Completed, Operation, OperationFailure},
};
use sightline_protocol::signaling::{DescriptionKind, IceServer, SignalCandidate, SignalDescription};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{RtcPeerConnection, RtcSessionDescription};

pub use codec::video_codecs;
pub use event::PeerConnectionEvent;
pub use sending::has_jitter_buffer_target;
pub use slot::MediaSlot;
pub use state::{ConnectionState, IceConnectionState, IceGatheringState, SignalingState};

use self::{closed::Closed, shim::PeerConnectionShim, slot::Slots};
use super::certificate::Certificate;
use crate::{
    js::{
        dictionary::{dictionary, set},
        error::BrowserError,
        event::Listener,
        promise::settled,
        queue::EventSink,
    },
    media::track::MediaTrack,
};

/// The parameters of a [`PeerConnection`]. All media use one transport (`max-bundle`, RTCP multiplexed).
#[derive(Debug, Clone, Copy, Default)]
pub struct PeerConnectionConfig<'a> {
    /// The STUN and TURN servers.
    pub ice_servers: &'a [IceServer],
    /// Whether only relayed candidates are used.
    pub relay_only: bool,
    /// A certificate that was made ahead of time; without one the browser makes it for the first description.
    pub certificate: Option<&'a Certificate>,
}

/// An `RTCPeerConnection` and its listeners. Dropping it closes the connection, which then reports nothing more; waiting futures
/// end with an `InvalidStateError`.
#[derive(Debug)]
pub struct PeerConnection {
    listeners: Vec<Listener>,
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: RtcPeerConnection,
    slots: Rc<Slots>,
    closed: Closed,
}

impl PeerConnection {
    /// Makes a connection that reports to `sink`.
    ///
    /// # Errors
    /// [`BrowserError`] where there is no WebRTC, an ICE server's address or credential is malformed, or the
    /// certificate has expired.
    pub fn new(
        config: &PeerConnectionConfig<'_>,
        sink: &EventSink<PeerConnectionEvent>,
    ) -> Result<Self, BrowserError> {
        let connection = RtcPeerConnection::new_with_configuration(&to_js(config))?;
        let slots = Rc::new(Slots::new()?);
        let listeners = event::listen(&connection, &slots, sink);
        Ok(Self { listeners, inner: Rc::new(Inner { connection, slots, closed: Closed::default() }) })
    }

    /// Adds the transceivers of all slots, `sendrecv`, in the order of [`MediaSlot::ALL`]. Only the side that offers first calls
    /// this; the other one adopts them.
    ///
    /// # Errors
    /// [`BrowserError`] where a track does not fit its slot.
    pub fn add_transceivers(&self) -> Result<(), BrowserError> {
        self.inner.slots.add_transceivers(&self.inner.connection)
    }

    /// Performs an operation of a negotiator. One at a time; nothing happens before the first poll.
    ///
    /// # Errors
    /// The `DOMException` of the browser, or an `InvalidStateError` where the connection is closed meanwhile.
    pub fn perform(
        &self,
        operation: Operation,
    ) -> impl Future<Output = Result<Completed, OperationFailure>> + use<> {
        let inner = Rc::clone(&self.inner);
        async move { inner.closed.or(inner.perform(operation)).await.map_err(OperationFailure::from) }
    }

    /// Sets or removes the track of a slot, at once and without negotiation. If the slot has no transceiver yet, its transceiver
    /// will be made with the track. The future only returns the result.
    ///
    /// # Errors
    /// [`BrowserError`] where the track does not fit the slot or the connection is closed.
    pub fn set_track(
        &self,
        slot: MediaSlot,
        track: Option<&MediaTrack>,
    ) -> impl Future<Output = Result<(), BrowserError>> + use<> {
        let replacing = self.inner.slots.set_track(slot, track);
        self.awaiting(replacing)
    }

    /// Whether a slot has a sender.
    #[must_use]
    pub fn has_sender(&self, slot: MediaSlot) -> bool {
        self.inner.slots.transceiver(slot).is_some()
    }

    /// Sets the limits of a slot's sender. Does nothing if the slot has no transceiver yet.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn set_send_limits(
        &self,
        slot: MediaSlot,
        limits: &SendLimits,
    ) -> impl Future<Output = Result<(), BrowserError>> + use<> {
        let transceiver = self.inner.slots.transceiver(slot);
        self.awaiting(transceiver.map(|transceiver| sending::set_limits(&transceiver, limits)))
    }

    /// Sets the preferred video codec (a name of [`video_codecs`]), or the browser's own order. It takes effect with the next
    /// exchange, which the caller has to begin.
    pub fn prefer_codec(&self, codec: Option<&str>) {
        self.inner.slots.prefer_codec(codec);
    }

    /// Sets whether only relayed candidates are used. Candidates are gathered again, in an exchange that the browser requests
    /// with `negotiationneeded`.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn set_relay_only(&self, relay_only: bool) -> Result<(), BrowserError> {
        let configuration = self.shim().get_configuration();
        set(&configuration, "iceTransportPolicy", &JsValue::from_str(transport_policy(relay_only)));
        self.shim().set_configuration(&configuration)?;
        self.shim().restart_ice();
        Ok(())
    }

    /// Sets what a connection may use that has gathered nothing yet.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn configure(&self, ice_servers: &[IceServer], relay_only: bool) -> Result<(), BrowserError> {
        let configuration = self.shim().get_configuration();
        set(&configuration, "iceServers", &ice_servers_to_js(ice_servers));
        set(&configuration, "iceTransportPolicy", &JsValue::from_str(transport_policy(relay_only)));
        self.shim().set_configuration(&configuration)?;
        Ok(())
    }

    /// Sets the STUN and TURN servers for the next gathering of candidates. Existing paths remain.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn set_ice_servers(&self, ice_servers: &[IceServer]) -> Result<(), BrowserError> {
        let configuration = self.shim().get_configuration();
        set(&configuration, "iceServers", &ice_servers_to_js(ice_servers));
        self.shim().set_configuration(&configuration)?;
        Ok(())
    }

    /// Sets the least playback delay of a slot, in milliseconds; `None` for the browser's choice. Does nothing if the slot has no
    /// transceiver yet.
    pub fn set_jitter_buffer_target(&self, slot: MediaSlot, target_ms: Option<u32>) {
        if let Some(transceiver) = self.inner.slots.transceiver(slot) {
            sending::set_jitter_buffer_target(&transceiver, target_ms);
        }
    }

    /// Level of the played sound of a slot, from 0 to 1; `None` if nothing arrives.
    #[must_use]
    pub fn audio_level(&self, slot: MediaSlot) -> Option<f64> {
        self.inner.slots.transceiver(slot).and_then(|transceiver| sending::audio_level(&transceiver))
    }

    /// The received track of a slot, once it has a transceiver. The track is muted while the other side sends nothing.
    #[must_use]
    pub fn remote_track(&self, slot: MediaSlot) -> Option<MediaTrack> {
        self.inner.slots.transceiver(slot).map(|transceiver| transceiver.receiver().track().into())
    }

    /// The entries of `getStats()`.
    ///
    /// # Errors
    /// [`BrowserError`] where the connection is closed meanwhile.
    pub fn stats(&self) -> impl Future<Output = Result<Vec<StatsEntry>, BrowserError>> + use<> {
        let inner = Rc::clone(&self.inner);
        async move { inner.closed.or(stats::read(inner.connection.get_stats())).await }
    }

    /// The present `connectionState`.
    #[must_use]
    pub fn connection_state(&self) -> ConnectionState {
        self.inner.connection.connection_state().into()
    }

    /// The present `iceConnectionState`.
    #[must_use]
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.inner.connection.ice_connection_state().into()
    }

    /// The present `iceGatheringState`.
    #[must_use]
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.inner.connection.ice_gathering_state().into()
    }

    /// The present `signalingState`.
    #[must_use]
    pub fn signaling_state(&self) -> SignalingState {
        self.inner.connection.signaling_state().into()
    }

    /// The SDP of `localDescription`.
    #[must_use]
    pub fn local_description_sdp(&self) -> Option<String> {
        self.inner.connection.local_description().map(|description| description.sdp())
    }

    /// The SDP of `remoteDescription`.
    #[must_use]
    pub fn remote_description_sdp(&self) -> Option<String> {
        self.inner.connection.remote_description().map(|description| description.sdp())
    }

    pub(crate) fn shim(&self) -> &PeerConnectionShim {
        self.inner.shim()
    }

    fn awaiting(&self, promise: Option<Promise>) -> impl Future<Output = Result<(), BrowserError>> + use<> {
        let inner = Rc::clone(&self.inner);
        async move {
            let Some(promise) = promise else { return Ok(()) };
            inner.closed.or(settled(promise)).await.map(drop)
        }
    }
}

impl Drop for PeerConnection {
    fn drop(&mut self) {
        self.listeners.clear();
        self.inner.connection.close();
        self.inner.closed.set();
    }
}

impl Inner {
    async fn perform(&self, operation: Operation) -> Result<Completed, BrowserError> {
        match operation {
            Operation::SetLocalOffer { ice_restart } => {
                self.expect_state(&[SignalingState::Stable, SignalingState::HaveLocalOffer])?;
                if ice_restart {
                    self.shim().restart_ice();
                }
                self.set_local_description().await
            }
            Operation::SetRemoteDescription(description) => {
                settled(self.shim().set_remote_description(&description_to_js(&description))).await?;
                Ok(Completed::Done)
            }
            Operation::SetLocalAnswer => {
                self.expect_state(&[SignalingState::HaveRemoteOffer])?;
                let replacing = self.slots.adopt(&self.connection)?;
                // The answer does not depend on the tracks, so it does not wait until they are replaced.
                let described = self.set_local_description().await?;
                for replaced in replacing {
                    settled(replaced).await?;
                }
                Ok(described)
            }
            Operation::AddIceCandidate(candidate) => {
                settled(self.shim().add_ice_candidate(&candidate_to_js(&candidate))).await?;
                Ok(Completed::Done)
            }
        }
    }

    /// `setLocalDescription` without an argument makes an offer or an answer depending on the state, so the state is checked
    /// first.
    fn expect_state(&self, expected: &[SignalingState]) -> Result<(), BrowserError> {
        let state = SignalingState::from(self.connection.signaling_state());
        if expected.contains(&state) {
            Ok(())
        } else {
            Err(BrowserError::of("InvalidStateError", state.as_str()))
        }
    }

    async fn set_local_description(&self) -> Result<Completed, BrowserError> {
        settled(self.shim().set_local_description()).await?;
        let sdp = self.connection.local_description().as_ref().map(RtcSessionDescription::sdp);
        sdp.map(|sdp| Completed::LocalDescription { sdp })
            .ok_or_else(|| BrowserError::of("InvalidStateError", "no local description"))
    }

    fn shim(&self) -> &PeerConnectionShim {
        self.connection.unchecked_ref()
    }
}

/// Whether the browser accepts a server's address; some refuse more than the standard does, such as certain ports.
#[must_use]
pub fn takes_ice_server(server: &IceServer) -> bool {
    let config =
        PeerConnectionConfig { ice_servers: std::slice::from_ref(server), ..PeerConnectionConfig::default() };
    RtcPeerConnection::new_with_configuration(&to_js(&config)).map(|connection| connection.close()).is_ok()
}

fn to_js(config: &PeerConnectionConfig<'_>) -> web_sys::RtcConfiguration {
    let object = dictionary(&[
        ("iceServers", ice_servers_to_js(config.ice_servers).into()),
        ("iceTransportPolicy", JsValue::from_str(transport_policy(config.relay_only))),
        ("bundlePolicy", JsValue::from_str("max-bundle")),
        ("rtcpMuxPolicy", JsValue::from_str("require")),
    ]);
    if let Some(certificate) = config.certificate {
        set(&object, "certificates", &Array::of(&[JsValue::from(&certificate.0)]));
    }
    object.unchecked_into()
}

fn transport_policy(relay_only: bool) -> &'static str {
    if relay_only { "relay" } else { "all" }
}

fn ice_servers_to_js(ice_servers: &[IceServer]) -> Array {
    ice_servers.iter().map(ice_server_to_js).collect()
}

fn ice_server_to_js(server: &IceServer) -> JsValue {
    let urls: Array = server.urls.iter().map(|url| JsValue::from_str(url)).collect();
    let object = dictionary(&[("urls", urls.into())]);
    if let Some(username) = &server.username {
        set(&object, "username", &JsValue::from_str(username));
    }
    if let Some(credential) = &server.credential {
        set(&object, "credential", &JsValue::from_str(credential));
    }
    object.into()
}

fn description_to_js(description: &SignalDescription) -> js_sys::Object {
    let kind = match description.kind {
        DescriptionKind::Offer => "offer",
        DescriptionKind::Answer => "answer",
    };
    dictionary(&[("type", JsValue::from_str(kind)), ("sdp", JsValue::from_str(&description.sdp))])
}

fn candidate_to_js(candidate: &SignalCandidate) -> js_sys::Object {
    let text = |value: &Option<String>| value.as_deref().map_or(JsValue::NULL, JsValue::from_str);
    dictionary(&[
        ("candidate", JsValue::from_str(&candidate.candidate)),
        ("sdpMid", text(&candidate.sdp_mid)),
        ("sdpMLineIndex", candidate.sdp_m_line_index.map_or(JsValue::NULL, JsValue::from)),
        ("usernameFragment", text(&candidate.ufrag)),
    ])
}
