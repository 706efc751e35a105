//! The peer connection of a link: what the core's operations are with the crate `webrtc`, and what the crate reports.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use rtc::{
    ice::mdns::MulticastDnsMode, mdns::MulticastSocket,
    peer_connection::configuration::setting_engine::SctpMaxMessageSize,
};
use sightline_core::{
    link::LinkId,
    negotiation::{Completed, Operation, OperationFailure, Role},
    recovery::PeerConnectionState,
};
use sightline_protocol::{
    signaling::{DescriptionKind, IceServer, SignalCandidate, SignalDescription},
    transfer::{BULK_HEADER_BYTES, MAX_CHUNK_BYTES},
};
use tokio::sync::{OnceCell, mpsc, watch};
use webrtc::{
    data_channel::DataChannel,
    error::Error as RtcError,
    media_stream::track_remote::TrackRemote,
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfiguration,
        RTCConfigurationBuilder, RTCIceCandidateInit, RTCIceServer, RTCIceTransportPolicy,
        RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSessionDescription, Registry,
        SettingEngineBuilder,
    },
    rtp_transceiver::RTCRtpTransceiverDirection,
};

use super::{
    BUFFER_INTERVAL, LinkConfig, LinkInputs, LinkKind,
    channels::{self, Channels},
    codecs,
    receiving::Receiving,
    runtime::LinkRuntime,
    sending::Sending,
    stream_relays::StreamRelays,
};
use crate::input::{Arrived, Channel, Input};

/// How long the last messages of a link may take to be acknowledged.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A peer connection with its data channels.
pub(super) struct Connection {
    connection: Arc<dyn PeerConnection>,
    relay_only: bool,
    shared: Arc<Shared>,
}

/// What the tasks of a connection share.
pub(super) struct Shared {
    kind: LinkKind,
    connection: OnceLock<Weak<dyn PeerConnection>>,
    channels: OnceCell<Channels>,
    /// The user name fragment of the local description, which each local candidate repeats.
    ufrag: Mutex<Option<String>>,
    is_closing: AtomicBool,
    /// What this member shows, if it shows anything.
    sending: Option<Arc<Sending>>,
    /// What this member receives, if it receives anything.
    receiving: Option<Arc<Receiving>>,
    relays: StreamRelays,
}

impl Shared {
    fn new(
        kind: LinkKind,
        sending: Option<Sending>,
        receiving: Option<Arc<Receiving>>,
        relays: StreamRelays,
    ) -> Self {
        Self {
            kind,
            connection: OnceLock::new(),
            channels: OnceCell::new(),
            ufrag: Mutex::default(),
            is_closing: AtomicBool::default(),
            sending: sending.map(Arc::new),
            receiving,
            relays,
        }
    }

    /// Creates the channels of the protocol, the first time that it is called.
    pub(super) async fn open_channels(&self) -> Result<(), RtcError> {
        let create = async || {
            let connection = self.connection.get().and_then(Weak::upgrade);
            Channels::open(&*connection.ok_or(RtcError::ErrConnectionClosed)?, self.kind).await
        };
        self.channels.get_or_try_init(create).await.map(drop)
    }

    pub(super) fn channel(&self, channel: Channel) -> Option<&Arc<dyn DataChannel>> {
        self.channels.get()?.get(channel)
    }
}

impl Connection {
    pub(super) async fn open(
        id: LinkId,
        kind: LinkKind,
        config: &LinkConfig,
        inputs: &LinkInputs,
        receiving: Option<Arc<Receiving>>,
    ) -> Result<Self, RtcError> {
        let max_message_bytes = (MAX_CHUNK_BYTES + BULK_HEADER_BYTES) as u32;
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(config.is_loopback)
            .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(max_message_bytes))
            .with_multicast_dns_mode(mdns_mode())
            .build();
        let source = config.source.clone().filter(|_| kind != LinkKind::Bulk);
        let sending = source.map(Sending::new).transpose()?;
        let (media, interceptors) = match (&sending, &receiving) {
            (Some(sending), _) => (codecs::sending_engine(sending.source())?, sending.interceptors()),
            (None, Some(_)) => Receiving::engine()?,
            (None, None) => {
                let mut media = MediaEngine::default();
                media.register_default_codecs()?;
                (media, Registry::new())
            }
        };
        let relays = StreamRelays::new(Arc::clone(&config.tls));
        let ice_servers = relays.replace_in(&config.ice_servers);
        let shared = Arc::new(Shared::new(kind, sending, receiving, relays));
        let handler = Handler { id, first: inputs.first.clone(), shared: Arc::downgrade(&shared) };
        let connection = PeerConnectionBuilder::new()
            .with_configuration(configuration(&ice_servers, config.relay_only))
            .with_media_engine(media)
            .with_setting_engine(settings)
            .with_interceptor_registry(interceptors)
            .with_handler(Arc::new(handler))
            .with_runtime(Arc::new(LinkRuntime))
            .with_udp_addrs(local_addresses(config.is_loopback))
            .build()
            .await?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let _ = shared.connection.set(Arc::downgrade(&connection));
        if kind == LinkKind::Member(Role::Offerer) {
            match &shared.sending {
                Some(sending) => sending.add_slots(&*connection).await?,
                None if shared.receiving.is_some() => Receiving::add_slots(&*connection).await?,
                None => {}
            }
        }
        let first = channels::open_first(&*connection).await?;
        let (open, is_open) = watch::channel(false);
        tokio::spawn(channels::await_opening(first, Arc::clone(&shared), open));
        let names = match kind {
            LinkKind::Member(_) => &[Channel::Control, Channel::Telemetry, Channel::Bulk][..],
            LinkKind::Bulk => &[Channel::Bulk],
        };
        for &channel in names {
            tokio::spawn(channels::listen(
                id,
                channel,
                Arc::clone(&shared),
                is_open.clone(),
                inputs.messages.clone(),
            ));
        }
        if let Some(sending) = &shared.sending {
            let (sending, watched) = (Arc::clone(sending), Arc::downgrade(&connection));
            tokio::spawn(sending.begin(watched, is_open, id, inputs.first.clone()));
        }
        Ok(Self { connection, relay_only: config.relay_only, shared })
    }

    pub(super) async fn perform(&self, operation: Operation) -> Result<Completed, OperationFailure> {
        let result = match operation {
            Operation::SetLocalOffer { ice_restart } => self.set_local_offer(ice_restart).await,
            Operation::SetRemoteDescription(description) => self.set_remote(description).await,
            Operation::SetLocalAnswer => self.set_local_answer().await,
            Operation::AddIceCandidate(candidate) => self.add_candidate(candidate).await,
        };
        result.map_err(|error| OperationFailure {
            name: failure_name(&error).to_owned(),
            message: error.to_string(),
        })
    }

    async fn set_local_offer(&self, ice_restart: bool) -> Result<Completed, RtcError> {
        if ice_restart {
            self.connection.restart_ice().await?;
        }
        let offer = self.connection.create_offer(None).await?;
        self.set_local(offer).await
    }

    async fn set_local_answer(&self) -> Result<Completed, RtcError> {
        match &self.shared.sending {
            Some(sending) => sending.adopt_slots(&*self.connection).await?,
            None if self.shared.receiving.is_some() => Receiving::adopt_slots(&*self.connection).await?,
            // The other commands of this crate play no media, so nobody is to send any.
            None => {
                for transceiver in self.connection.get_transceivers().await {
                    transceiver.set_direction(RTCRtpTransceiverDirection::Inactive).await?;
                }
            }
        }
        let answer = self.connection.create_answer(None).await?;
        self.set_local(answer).await
    }

    async fn set_local(&self, description: RTCSessionDescription) -> Result<Completed, RtcError> {
        *self.shared.ufrag.lock().unwrap_or_else(PoisonError::into_inner) = ufrag_of(&description.sdp);
        let made = description.sdp.clone();
        self.connection.set_local_description(description).await?;
        let sdp = self.connection.local_description().await.map_or(made, |local| local.sdp);
        Ok(Completed::LocalDescription { sdp })
    }

    async fn set_remote(&self, description: SignalDescription) -> Result<Completed, RtcError> {
        let description = match description.kind {
            DescriptionKind::Offer => {
                self.roll_back().await?;
                RTCSessionDescription::offer(description.sdp)?
            }
            DescriptionKind::Answer => RTCSessionDescription::answer(description.sdp)?,
        };
        self.connection.set_remote_description(description).await?;
        Ok(Completed::Done)
    }

    /// Takes a pending local offer back, as a browser does by itself when another offer is set.
    async fn roll_back(&self) -> Result<(), RtcError> {
        if self.connection.pending_local_description().await.is_none() {
            return Ok(());
        }
        let rollback = RTCSessionDescription::rollback(None)?;
        self.connection.set_local_description(rollback).await
    }

    async fn add_candidate(&self, candidate: SignalCandidate) -> Result<Completed, RtcError> {
        let candidate = RTCIceCandidateInit {
            candidate: candidate.candidate,
            sdp_mid: candidate.sdp_mid,
            sdp_mline_index: candidate.sdp_m_line_index,
            username_fragment: candidate.ufrag,
            url: None,
        };
        self.connection.add_ice_candidate(candidate).await?;
        Ok(Completed::Done)
    }

    pub(super) async fn send_text(&self, channel: Channel, text: &str) -> Result<(), RtcError> {
        let channel = self.shared.channel(channel).ok_or(RtcError::ErrDataChannelClosed)?;
        channel.send_text(text).await
    }

    pub(super) async fn send_frame(&self, frame: Bytes) {
        if let Some(bulk) = self.shared.channel(Channel::Bulk) {
            // The receiver asks again for a frame that is lost.
            let _ = bulk.send(BytesMut::from(frame)).await;
        }
    }

    pub(super) async fn outstanding_bytes(&self) -> u64 {
        match self.shared.channel(Channel::Bulk) {
            Some(bulk) => bulk.outstanding_bytes().await.unwrap_or(0) as u64,
            None => 0,
        }
    }

    /// What arrived since the call before; `None` if nothing is received.
    pub(super) async fn arrived(&self) -> Option<Arrived> {
        let receiving = self.shared.receiving.as_ref()?;
        Some(receiving.arrived(&*self.connection).await)
    }

    pub(super) async fn set_ice_servers(&self, servers: &[IceServer]) {
        // A connection that refuses goes on as it is, and the next one is made as it is wanted.
        let servers = self.shared.relays.replace_in(servers);
        let _ = self.connection.set_configuration(configuration(&servers, self.relay_only)).await;
    }

    /// Closes the connection once the other side has the last messages, or after [`LAST_WORDS`]. Returns whether it has them.
    pub(super) async fn close(self) -> bool {
        self.shared.is_closing.store(true, Ordering::Relaxed);
        let acknowledged = async {
            while self.unacknowledged_bytes().await.is_ok_and(|bytes| bytes > 0) {
                tokio::time::sleep(BUFFER_INTERVAL).await;
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, acknowledged).await;
        let is_acknowledged = self.is_acknowledged().await;
        let _ = self.connection.close().await;
        is_acknowledged
    }

    /// Whether the other side has every message of the control channel. It cannot be known of a channel that is closed.
    pub(super) async fn is_acknowledged(&self) -> bool {
        self.unacknowledged_bytes().await.is_ok_and(|bytes| bytes == 0)
    }

    /// Bytes on the control channel that the other side has not acknowledged. A channel that is still to be made has none.
    async fn unacknowledged_bytes(&self) -> Result<usize, RtcError> {
        match self.shared.channel(Channel::Control) {
            Some(control) => control.outstanding_bytes().await,
            None => Ok(0),
        }
    }
}

struct Handler {
    id: LinkId,
    first: mpsc::Sender<Input>,
    /// The channels keep the connection, which keeps this handler.
    shared: Weak<Shared>,
}

impl Handler {
    async fn report(&self, input: Input) {
        if self.shared.upgrade().is_some_and(|shared| !shared.is_closing.load(Ordering::Relaxed)) {
            let _ = self.first.send(input).await;
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let Ok(candidate) = event.candidate.to_json() else { return };
        let Some(shared) = self.shared.upgrade() else { return };
        if candidate.candidate.contains(" typ relay") {
            shared.relays.relay_was_found();
        }
        let ufrag = shared.ufrag.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let candidate = SignalCandidate {
            candidate: candidate.candidate,
            sdp_mid: None,
            // All media and channels share the first transport.
            sdp_m_line_index: Some(0),
            ufrag,
        };
        self.report(Input::LocalCandidate(self.id, candidate)).await;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let Some(shared) = self.shared.upgrade() else { return };
        if let (Some(receiving), Some(connection)) = (&shared.receiving, shared.connection.get()) {
            tokio::spawn(Arc::clone(receiving).receive(track, Weak::clone(connection)));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if let Some(shared) = self.shared.upgrade()
            && state == RTCPeerConnectionState::Connected
        {
            // What fails here is tried again when the channels open.
            let _ = shared.open_channels().await;
        }
        let state = PeerConnectionState::from_word(&state.to_string());
        self.report(Input::State(self.id, state)).await;
    }
}

fn configuration(servers: &[IceServer], relay_only: bool) -> RTCConfiguration {
    let policy = if relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
    let servers = servers.iter().map(|server| RTCIceServer {
        urls: server.urls.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_default(),
    });
    RTCConfigurationBuilder::new()
        .with_ice_servers(servers.collect())
        .with_ice_transport_policy(policy)
        .build()
}

/// The addresses to bind: a wildcard stands for every address of its family, except for loopback.
fn local_addresses(is_loopback: bool) -> Vec<SocketAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let is_usable = |interface: &&if_addrs::Interface| !interface.is_loopback() && !interface.is_link_local();
    let usable: Vec<_> = interfaces.iter().filter(is_usable).map(if_addrs::Interface::ip).collect();
    let mut addresses = Vec::new();
    if usable.iter().any(std::net::IpAddr::is_ipv4) {
        addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    }
    if usable.iter().any(std::net::IpAddr::is_ipv6) {
        addresses.push(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    }
    if is_loopback || addresses.is_empty() {
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    }
    addresses
}

/// Names in `.local`, which browsers give for their addresses, are looked up where this computer has multicast. A connection whose
/// socket for it cannot be opened would not start at all.
fn mdns_mode() -> MulticastDnsMode {
    match MulticastSocket::new().into_std() {
        Ok(_) => MulticastDnsMode::QueryOnly,
        Err(_) => MulticastDnsMode::Disabled,
    }
}

fn ufrag_of(sdp: &str) -> Option<String> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).map(|ufrag| ufrag.trim().to_owned())
}

/// The name that a browser gives to such an error.
fn failure_name(error: &RtcError) -> &'static str {
    match error {
        RtcError::ErrConnectionClosed | RtcError::ErrNoRemoteDescription => "InvalidStateError",
        _ => "OperationError",
    }
}
