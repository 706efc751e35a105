//! The browser objects of one link: a peer connection with its channels and its stream.

use std::{cell::Cell, rc::Rc};

use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError, MediaStream, MediaTrack,
    js::queue::{EventSink, FutureSink, sink_for_later},
    rtc::{
        bulk_channel::BulkChannel,
        data_channel::{DataChannel, DataChannelConfig},
        peer_connection::{MediaSlot, PeerConnection, PeerConnectionConfig, PeerConnectionEvent},
    },
};
use sightline_core::{
    Timestamp,
    measure::connection::ConnectionStates,
    media::{SendLimits, SpeakingDetector},
    negotiation::{Operation, OperationId, Role},
    room::{LinkId, PeerConnectionState},
};
use sightline_protocol::{
    MemberId,
    control::{CONTROL_CHANNEL_ID, CONTROL_CHANNEL_LABEL},
    signaling::IceServer,
    telemetry::{TELEMETRY_CHANNEL_ID, TELEMETRY_CHANNEL_LABEL},
};

use super::{files::LOW_BYTES, input::Input, media::LocalMedia};

/// The queues that a link reports to.
#[derive(Debug, Clone, Copy)]
pub struct LinkInputs<'a> {
    /// For events of the connection.
    pub first: &'a EventSink<Input>,
    /// For messages of the member.
    pub messages: &'a EventSink<Input>,
}

/// The id of a link that does not exist.
const NO_LINK: LinkId = LinkId(u64::MAX);

/// The browser objects of a link that has no member yet: a peer connection with its channels.
pub struct SpareLink {
    channel: DataChannel,
    telemetry: DataChannel,
    bulk: BulkChannel,
    connection: PeerConnection,
    /// The link that the objects become.
    id: Rc<Cell<LinkId>>,
    /// The queue for messages of its member.
    messages: FutureSink<Input>,
    /// Whether all transceivers are there.
    is_offering: bool,
    ice_servers: Vec<IceServer>,
    relay_only: bool,
}

impl SpareLink {
    /// Makes the connection and its channels.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn new(config: &PeerConnectionConfig<'_>, inputs: &EventSink<Input>) -> Result<Self, BrowserError> {
        let id = Rc::new(Cell::new(NO_LINK));
        let of_link = || Rc::clone(&id);
        let (sink, messages) = sink_for_later();
        let connection = {
            let id = of_link();
            PeerConnection::new(config, &inputs.map(move |event| Input::Connection(id.get(), event)))?
        };
        let channel = {
            let (id, config) = (
                of_link(),
                DataChannelConfig {
                    id: CONTROL_CHANNEL_ID,
                    label: CONTROL_CHANNEL_LABEL,
                    ordered: true,
                    max_retransmits: None,
                },
            );
            DataChannel::new(&connection, &config, &sink.map(move |event| Input::Channel(id.get(), event)))?
        };
        let telemetry = {
            let (id, config) = (
                of_link(),
                DataChannelConfig {
                    id: TELEMETRY_CHANNEL_ID,
                    label: TELEMETRY_CHANNEL_LABEL,
                    ordered: false,
                    max_retransmits: Some(0),
                },
            );
            DataChannel::new(&connection, &config, &sink.map(move |event| Input::Telemetry(id.get(), event)))?
        };
        let bulk = {
            let id = of_link();
            BulkChannel::new(&connection, LOW_BYTES, &sink.map(move |event| Input::Bulk(id.get(), event)))?
        };
        Ok(Self {
            channel,
            telemetry,
            bulk,
            connection,
            id,
            messages,
            is_offering: false,
            ice_servers: config.ice_servers.to_vec(),
            relay_only: config.relay_only,
        })
    }

    /// Adds all transceivers. The link can only be that of an offerer then.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn offering(mut self) -> Result<Self, BrowserError> {
        self.connection.add_transceivers()?;
        self.is_offering = true;
        Ok(self)
    }

    /// Whether the objects can be those of a link with this role.
    pub fn fits(&self, role: Role) -> bool {
        !self.is_offering || role == Role::Offerer
    }

    /// Sets what is known only now. Nothing was gathered before.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn configure(self, config: &PeerConnectionConfig<'_>) -> Result<Self, BrowserError> {
        if self.ice_servers != config.ice_servers || self.relay_only != config.relay_only {
            self.connection.configure(config.ice_servers, config.relay_only)?;
        }
        Ok(self)
    }

    /// Sets the present tracks of the devices ahead. The link reports a track that does not fit.
    pub fn set_tracks(&self, media: &LocalMedia) {
        for (slot, track) in tracks(media) {
            let setting = self.connection.set_track(slot, track.as_ref());
            spawn_local(async move { drop(setting.await) });
        }
    }
}

/// The browser objects of one link.
pub struct Link {
    // Declared before the connection, so that it is dropped first.
    pub channel: DataChannel,
    pub telemetry: DataChannel,
    pub bulk: BulkChannel,
    pub connection: PeerConnection,
    pub member: MemberId,
    /// Received audio and video, in one stream so that the browser keeps them in step.
    pub stream: MediaStream,
    id: LinkId,
    pub role: Role,
    /// Whether the other side has described what it sends.
    is_received: Cell<bool>,
    /// The present limits of the video sender.
    limited: Rc<Cell<Option<SendLimits>>>,
    voice: SpeakingDetector,
    inputs: EventSink<Input>,
}

impl Link {
    /// Makes a link of the objects; as the offerer with all transceivers, so that one exchange is enough.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn open(
        id: LinkId,
        member: MemberId,
        role: Role,
        spare: SpareLink,
        media: &LocalMedia,
        LinkInputs { first: inputs, messages }: LinkInputs<'_>,
    ) -> Result<Self, BrowserError> {
        let stream = MediaStream::new(&[])?;
        spare.id.set(id);
        spare.messages.set(messages.clone());
        let is_offering = spare.is_offering;
        let SpareLink { channel, telemetry, bulk, connection, .. } = spare;
        let link = Self {
            channel,
            telemetry,
            bulk,
            connection,
            member,
            stream,
            id,
            role,
            is_received: Cell::new(false),
            limited: Rc::default(),
            voice: SpeakingDetector::default(),
            inputs: inputs.clone(),
        };
        link.send_tracks(media);
        link.connection.prefer_codec(media.preferences().codec().as_deref());
        if is_offering {
            // The event came while the link had no member.
            inputs.push(Input::Connection(id, PeerConnectionEvent::NegotiationNeeded));
        } else if role == Role::Offerer {
            link.connection.add_transceivers()?;
        }
        Ok(link)
    }

    /// Sends the present tracks of the devices.
    pub fn send_tracks(&self, media: &LocalMedia) {
        for (slot, track) in tracks(media) {
            let setting = self.connection.set_track(slot, track.as_ref());
            let (id, inputs) = (self.id, self.inputs.clone());
            spawn_local(async move {
                if let Err(error) = setting.await {
                    inputs.push(Input::CallFailed(id, "replaceTrack", error));
                }
            });
        }
    }

    /// Sets the limits of the video sender, if they changed.
    pub fn limit_sending(&self, limits: SendLimits) {
        // Before the negotiation there is no sender to limit.
        if !self.connection.has_sender(MediaSlot::Video) || self.limited.replace(Some(limits)) == Some(limits)
        {
            return;
        }
        let (id, inputs, limited) = (self.id, self.inputs.clone(), Rc::clone(&self.limited));
        let setting = self.connection.set_send_limits(MediaSlot::Video, &limits);
        spawn_local(async move {
            if let Err(error) = setting.await {
                // The next call tries again.
                limited.set(None);
                inputs.push(Input::CallFailed(id, "setParameters", error));
            }
        });
    }

    /// Whether the member speaks now.
    pub fn is_speaking(&mut self, now: Timestamp) -> bool {
        // The browser answers only after the descriptions that it works on, and the first picture would wait for that.
        let state = PeerConnectionState::from_word(self.connection.connection_state().as_str());
        let is_connected = state == PeerConnectionState::Connected;
        let level = is_connected.then(|| self.connection.audio_level(MediaSlot::Microphone)).flatten();
        self.voice.handle_level(level, now)
    }

    /// Sets the least playback delay (`jitterBufferTarget`).
    pub fn set_jitter_buffer_target(&self, target_ms: Option<u32>) {
        for slot in MediaSlot::ALL {
            self.connection.set_jitter_buffer_target(slot, target_ms);
        }
    }

    /// Performs an operation; its result arrives as an [`Input`].
    pub fn perform(&self, operation_id: OperationId, operation: Operation) {
        let (id, inputs, method) = (self.id, self.inputs.clone(), operation.method());
        let performing = self.connection.perform(operation);
        spawn_local(async move {
            let result = performing.await;
            inputs.push(Input::Completed(id, operation_id, method, result));
        });
    }

    /// Whether there is a track to show.
    pub fn is_received(&self) -> bool {
        self.is_received.get()
    }

    /// Takes a received track. The sound of the main source waits until there is such a source.
    pub fn receive_track(&self, slot: MediaSlot, track: &MediaTrack) {
        self.is_received.set(true);
        if slot != MediaSlot::SourceAudio {
            self.stream.add_track(track);
        }
    }

    /// Adds the sound of the main source to the stream, or removes it.
    pub fn play_source_audio(&self, is_wanted: bool) {
        let Some(track) = self.connection.remote_track(MediaSlot::SourceAudio) else { return };
        if is_wanted {
            self.stream.add_track(&track);
        } else {
            self.stream.remove_track(&track);
        }
    }

    /// Reads the stats; they arrive as an [`Input`].
    pub fn read_stats(&self) {
        let (id, inputs) = (self.id, self.inputs.clone());
        let reading = self.connection.stats();
        spawn_local(async move {
            inputs.push(match reading.await {
                Ok(entries) => Input::Stats(id, entries),
                Err(error) => Input::CallFailed(id, "getStats", error),
            });
        });
    }

    /// The local and the remote description, in SDP format.
    pub fn descriptions(&self) -> (Option<String>, Option<String>) {
        (self.connection.local_description_sdp(), self.connection.remote_description_sdp())
    }

    /// The present states of the connection.
    pub fn states(&self) -> ConnectionStates {
        ConnectionStates {
            connection: Some(self.connection.connection_state().as_str().to_owned()),
            ice: Some(self.connection.ice_connection_state().as_str().to_owned()),
            signaling: Some(self.connection.signaling_state().as_str().to_owned()),
        }
    }
}

/// The present track of each slot.
fn tracks(media: &LocalMedia) -> [(MediaSlot, Option<MediaTrack>); 3] {
    [
        (MediaSlot::Microphone, media.microphone_track()),
        (MediaSlot::Video, media.main_track()),
        (MediaSlot::SourceAudio, media.source_audio_track()),
    ]
}
