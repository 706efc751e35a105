//! The data channels of a link: when they are created, and what they report.

use std::sync::Arc;

use bytes::BytesMut;
use sightline_core::link::LinkId;
use sightline_protocol::{
    control::{CONTROL_CHANNEL_ID, CONTROL_CHANNEL_LABEL},
    limits::MAX_FRAME_BYTES,
    telemetry::{TELEMETRY_CHANNEL_ID, TELEMETRY_CHANNEL_LABEL},
    transfer::{BULK_CHANNEL_ID, BULK_CHANNEL_LABEL},
};
use tokio::sync::{mpsc, watch};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit},
    error::Error as RtcError,
    peer_connection::PeerConnection,
};

use super::{LinkKind, connection::Shared};
use crate::input::{Channel, ChannelEvent, ChannelInput};

/// The stream id of a channel that carries nothing, see [`Channels`]. Those of the protocol begin at 1.
const FIRST_CHANNEL_ID: u16 = 0;

/// Longest text message: the same that the page accepts.
const MAX_TEXT_BYTES: usize = MAX_FRAME_BYTES;

/// The data channels of the protocol.
///
/// The crate `rtc` 0.21 makes a channel able to receive when it handles the event that the SCTP association is up, or at once if the
/// channel is created while there is an association. Datagrams that it takes in one go with the last one of the SCTP handshake come
/// before that event, and it drops their messages as those of an unknown channel although SCTP has acknowledged them. So these
/// channels are created once DTLS is connected: the DTLS client, which is the side that the last datagram goes to, then has an
/// association that is not up yet. (The DTLS server has none, but the other side sends only after the last datagram of the server.)
/// Until then the channel with [`FIRST_CHANNEL_ID`] makes the offer contain a section for data; its `OnOpen` tells that all are open.
pub(super) struct Channels {
    control: Option<Arc<dyn DataChannel>>,
    telemetry: Option<Arc<dyn DataChannel>>,
    bulk: Arc<dyn DataChannel>,
}

impl Channels {
    pub(super) async fn open(connection: &dyn PeerConnection, kind: LinkKind) -> Result<Self, RtcError> {
        let (mut control, mut telemetry) = (None, None);
        if let LinkKind::Member(_) = kind {
            control =
                Some(open_channel(connection, CONTROL_CHANNEL_LABEL, CONTROL_CHANNEL_ID, true, None).await?);
            telemetry = Some(
                open_channel(connection, TELEMETRY_CHANNEL_LABEL, TELEMETRY_CHANNEL_ID, false, Some(0))
                    .await?,
            );
        }
        let bulk = open_channel(connection, BULK_CHANNEL_LABEL, BULK_CHANNEL_ID, false, None).await?;
        Ok(Self { control, telemetry, bulk })
    }

    pub(super) fn get(&self, channel: Channel) -> Option<&Arc<dyn DataChannel>> {
        match channel {
            Channel::Control => self.control.as_ref(),
            Channel::Telemetry => self.telemetry.as_ref(),
            Channel::Bulk => Some(&self.bulk),
        }
    }
}

/// Opens the channel that the first offer needs.
pub(super) async fn open_first(connection: &dyn PeerConnection) -> Result<Arc<dyn DataChannel>, RtcError> {
    open_channel(connection, "", FIRST_CHANNEL_ID, true, None).await
}

async fn open_channel(
    connection: &dyn PeerConnection,
    label: &str,
    number: u16,
    ordered: bool,
    max_retransmits: Option<u16>,
) -> Result<Arc<dyn DataChannel>, RtcError> {
    let init = RTCDataChannelInit {
        ordered,
        max_retransmits,
        negotiated: Some(number),
        ..RTCDataChannelInit::default()
    };
    connection.create_data_channel(label, Some(init)).await
}

/// Tells when the channels of the protocol are open, and drops `open` if they will not be.
pub(super) async fn await_opening(
    first: Arc<dyn DataChannel>,
    shared: Arc<Shared>,
    open: watch::Sender<bool>,
) {
    while let Some(event) = first.poll().await {
        match event {
            // They exist already unless ICE was lost while DTLS connected.
            DataChannelEvent::OnOpen if shared.open_channels().await.is_ok() => drop(open.send(true)),
            DataChannelEvent::OnOpen | DataChannelEvent::OnClose => break,
            _ => {}
        }
    }
}

/// Reports the events of a data channel. It waits where the owner does not keep up, so that the other side slows down.
pub(super) async fn listen(
    link: LinkId,
    channel: Channel,
    shared: Arc<Shared>,
    mut is_open: watch::Receiver<bool>,
    messages: mpsc::Sender<ChannelInput>,
) {
    let report = async |event| messages.send(ChannelInput { link, channel, event }).await.is_ok();
    let is_opened = is_open.wait_for(|is_open| *is_open).await.is_ok();
    let Some(data_channel) = shared.channel(channel).filter(|_| is_opened) else {
        report(ChannelEvent::Closed).await;
        return;
    };
    if !report(ChannelEvent::Open).await {
        return;
    }
    while let Some(event) = data_channel.poll().await {
        let is_heard = match event {
            DataChannelEvent::OnMessage(message) => report(read(message.is_string, message.data)).await,
            DataChannelEvent::OnClose => break,
            _ => true,
        };
        if !is_heard {
            return;
        }
    }
    report(ChannelEvent::Closed).await;
}

fn read(is_text: bool, data: BytesMut) -> ChannelEvent {
    if !is_text {
        return ChannelEvent::Binary(data.freeze());
    }
    if data.len() > MAX_TEXT_BYTES {
        return ChannelEvent::Unreadable;
    }
    String::from_utf8(data.into()).map_or(ChannelEvent::Unreadable, ChannelEvent::Text)
}
