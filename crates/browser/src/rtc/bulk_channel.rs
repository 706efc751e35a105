//! The data channel for the bytes of files: frames in and out, none of them copied into this module's memory.

use js_sys::ArrayBuffer;
use sightline_protocol::transfer::{BULK_CHANNEL_ID, BULK_CHANNEL_LABEL};
use wasm_bindgen::JsCast;
use web_sys::{Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use super::{data_channel::MAX_BINARY_MESSAGE_BYTES, peer_connection::PeerConnection};
use crate::js::{
    array_buffer, dictionary::dictionary, error::BrowserError, event::Listener, queue::EventSink,
};

/// Something happened on a bulk channel.
#[derive(Debug)]
pub enum BulkChannelEvent {
    /// Frames can be sent.
    Open,
    /// A frame.
    Frame(ArrayBuffer),
    /// What is no bytes, or too many, was thrown away.
    Unreadable,
    /// What waits to be sent has become little.
    BufferedAmountLow,
    /// No more.
    Closed,
}

/// A pre-negotiated, reliable channel. Order is not needed, so what is lost holds nothing else up. Dropping it closes
/// it.
#[derive(Debug)]
pub struct BulkChannel {
    listeners: Vec<Listener>,
    channel: RtcDataChannel,
}

impl BulkChannel {
    /// Makes the channel of a connection, which says when less than `low_bytes` wait to be sent.
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

    /// Sends a frame, which is gone then.
    ///
    /// # Errors
    /// [`BrowserError`] where the channel is not open or its queue is full.
    pub fn send(&self, frame: &ArrayBuffer) -> Result<(), BrowserError> {
        if !self.is_open() {
            return Err(BrowserError::of("InvalidStateError", "the channel is not open"));
        }
        self.channel.send_with_array_buffer(frame)?;
        // The browser has made its copy.
        array_buffer::release(frame);
        Ok(())
    }

    /// Whether frames can be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.channel.ready_state() == RtcDataChannelState::Open
    }

    /// Bytes given to the browser and not yet sent.
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
