//! The data channel for the bytes of files: it sends and receives frames without copying them into this module's memory.

use js_sys::ArrayBuffer;
use sightline_protocol::transfer::{BULK_CHANNEL_ID, BULK_CHANNEL_LABEL};
use wasm_bindgen::JsCast;
use web_sys::{Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use super::{data_channel::MAX_BINARY_MESSAGE_BYTES, peer_connection::PeerConnection};
use crate::js::{
    array_buffer, dictionary::dictionary, error::BrowserError, event::Listener, queue::EventSink,
};

/// An event of a bulk channel.
#[derive(Debug)]
pub enum BulkChannelEvent {
    /// Frames can be sent.
    Open,
    /// A received frame.
    Frame(ArrayBuffer),
    /// A message was discarded because it is not binary or too long.
    Unreadable,
    /// The amount of data that waits to be sent fell to the threshold.
    BufferedAmountLow,
    /// The channel is closed.
    Closed,
}

/// A pre-negotiated, reliable channel. It is unordered, so that a lost frame does not delay others. Dropping it closes it.
#[derive(Debug)]
pub struct BulkChannel {
    listeners: Vec<Listener>,
    channel: RtcDataChannel,
}

impl BulkChannel {
    /// Makes the channel of a connection. `low_bytes` is the threshold for [`BulkChannelEvent::BufferedAmountLow`].
    ///
    /// # Errors
    /// [`BrowserError`] where the connection is closed.
    pub fn new(
        connection: &PeerConnection,
        low_bytes: u32,
        sink: &EventSink<BulkChannelEvent>,
    ) -> Result<Self, BrowserError> {
        let init = dictionary(&[
            ("negotiated", true.into()),
            ("id", BULK_CHANNEL_ID.into()),
            ("ordered", false.into()),
        ]);
        let channel = connection.shim().create_data_channel(BULK_CHANNEL_LABEL, &init)?;
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        channel.set_buffered_amount_low_threshold(low_bytes);
        Ok(Self { listeners: listen(&channel, sink), channel })
    }

    /// Sends a frame and releases its memory.
    ///
    /// # Errors
    /// [`BrowserError`] where the channel is not open or its queue is full.
    pub fn send(&self, frame: &ArrayBuffer) -> Result<(), BrowserError> {
        if !self.is_open() {
            return Err(BrowserError::of("InvalidStateError", "the channel is not open"));
        }
        self.channel.send_with_array_buffer(frame)?;
        // The browser has its own copy now.
        array_buffer::release(frame);
        Ok(())
    }

    /// Whether frames can be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.channel.ready_state() == RtcDataChannelState::Open
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn buffered_bytes(&self) -> u32 {
        self.channel.buffered_amount()
    }
}

impl Drop for BulkChannel {
    fn drop(&mut self) {
        self.listeners.clear();
        self.channel.close();
    }
}

fn listen(channel: &RtcDataChannel, sink: &EventSink<BulkChannelEvent>) -> Vec<Listener> {
    let on_message = {
        let sink = sink.clone();
        Listener::new(channel, "message", move |event: MessageEvent| {
            if !sink.has_room() {
                return sink.note_lost();
            }
            let frame = event.data().dyn_into::<ArrayBuffer>().ok();
            let is_frame = |frame: &ArrayBuffer| frame.byte_length() as usize <= MAX_BINARY_MESSAGE_BYTES;
            sink.push(match frame.filter(is_frame) {
                Some(frame) => BulkChannelEvent::Frame(frame),
                None => BulkChannelEvent::Unreadable,
            });
        })
    };
    let on = |name: &'static str, report: fn() -> BulkChannelEvent| {
        let sink = sink.clone();
        Listener::new(channel, name, move |_: Event| sink.push(report()))
    };
    vec![
        on_message,
        on("open", || BulkChannelEvent::Open),
        on("bufferedamountlow", || BulkChannelEvent::BufferedAmountLow),
        on("close", || BulkChannelEvent::Closed),
    ]
}
