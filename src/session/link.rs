//! One peer connection with its control channel, its stream and its meter, as the core's outputs want it.

use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError, MediaStream, MediaTrack,
    data_channel::{DataChannel, DataChannelConfig},
    peer_connection::{MediaSlot, PeerConnection, PeerConnectionConfig},
    queue::EventSink,
};
use sightline_core::{
    negotiation::{Operation, OperationId, Role},
    room::LinkId,
    stats::{ConnectionMeter, ConnectionStates},
};
use sightline_protocol::{
    MemberId,
    control::{CONTROL_CHANNEL_ID, CONTROL_CHANNEL_LABEL},
};

use super::{input::Input, local_media::LocalMedia};

/// The browser's side of one link.
pub struct Link {
    // Before the connection, so that it is dropped first.
    pub channel: DataChannel,
    pub connection: PeerConnection,
    pub member: MemberId,
    /// What arrives, both kinds in one stream so that they are played in step.
    pub stream: MediaStream,
    pub meter: ConnectionMeter,
    id: LinkId,
    inputs: EventSink<Input>,
}

impl Link {
    /// Makes the connection and its channel; the offerer's with all transceivers, so that one exchange is enough.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn open(
        id: LinkId,
        member: MemberId,
        role: Role,
        config: &PeerConnectionConfig<'_>,
        media: &LocalMedia,
        inputs: &EventSink<Input>,
    ) -> Result<Self, BrowserError> {
        let stream = MediaStream::new(&[])?;
        let connection = PeerConnection::new(config, &inputs.map(move |event| Input::Connection(id, event)))?;
        let channel = DataChannel::new(
            &connection,
            &DataChannelConfig {
                id: CONTROL_CHANNEL_ID,
                label: CONTROL_CHANNEL_LABEL,
                ordered: true,
                max_retransmits: None,
            },
            &inputs.map(move |event| Input::Channel(id, event)),
        )?;
        let link = Self {
            channel,
            connection,
            member,
            stream,
            meter: ConnectionMeter::default(),
            id,
            inputs: inputs.clone(),
        };
        link.send_tracks(media);
        if role == Role::Offerer {
            link.connection.add_transceivers()?;
        }
        Ok(link)
    }

    /// Sends what the devices give now.
    pub fn send_tracks(&self, media: &LocalMedia) {
        for (slot, track) in
            [(MediaSlot::Microphone, media.microphone_track()), (MediaSlot::Video, media.camera_track())]
        {
            let setting = self.connection.set_track(slot, track.as_ref());
            // It fails only where the connection is closed meanwhile, and then nothing is to be sent.
            spawn_local(async move { drop(setting.await) });
        }
    }

    /// Performs an operation; its end comes back as an [`Input`].
    pub fn perform(&self, operation_id: OperationId, operation: Operation) {
        let (id, inputs) = (self.id, self.inputs.clone());
        let performing = self.connection.perform(operation);
        spawn_local(async move {
            let result = performing.await;
            inputs.push(Input::Completed(id, operation_id, result));
        });
    }

    /// Takes up a track that arrives.
    pub fn receive_track(&self, track: &MediaTrack) {
        self.stream.add_track(track);
    }

    /// Reads the stats; they come back as an [`Input`].
    pub fn read_stats(&self) {
        let (id, inputs) = (self.id, self.inputs.clone());
        let reading = self.connection.stats();
        spawn_local(async move {
            if let Ok(entries) = reading.await {
                inputs.push(Input::Stats(id, entries));
            }
        });
    }

    /// The states of this moment.
    pub fn states(&self) -> ConnectionStates {
        ConnectionStates {
            connection: Some(self.connection.connection_state().as_str().to_owned()),
            ice: Some(self.connection.ice_connection_state().as_str().to_owned()),
            signaling: Some(self.connection.signaling_state().as_str().to_owned()),
        }
    }
}
