//! A pre-negotiated data channel.

use js_sys::{ArrayBuffer, Uint8Array};
use sightline_protocol::limits::MAX_FRAME_BYTES;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use super::peer_connection::PeerConnection;
use crate::{
    js::{
        bounded_text::{BoundedText, bounded_text},
        dictionary::{dictionary, set},
        error::BrowserError,
        event::Listener,
        queue::EventSink,
    },
    page::window::member,
};

/// Longest binary message that is accepted, in bytes: every browser can send that much in one message.
pub const MAX_BINARY_MESSAGE_BYTES: usize = 256 * 1024;

/// The parameters of a [`DataChannel`]. Both sides use the same values.
#[derive(Debug, Clone, Copy)]
pub struct DataChannelConfig<'a> {
    /// The id of the SCTP stream.
    pub id: u16,
    /// The label of the channel.
    pub label: &'a str,
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// Number of retransmissions of a lost message; `None` for no limit.
    pub max_retransmits: Option<u16>,
}

/// An event of a data channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataChannelEvent {
    /// Event `open`: messages can be sent.
    Open,
    /// Event `message`: a message within the length limits.
    Message(DataChannelMessage),
    /// A message was discarded because it is too long ([`MAX_FRAME_BYTES`], [`MAX_BINARY_MESSAGE_BYTES`]).
    Oversized,
    /// Event `bufferedamountlow`: the buffered amount fell to the threshold.
    BufferedAmountLow,
    /// Event `error`: the channel failed; `close` follows.
    Error(BrowserError),
    /// Event `close`: the other side closed the channel, or the connection is gone.
    Closed,
}

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataChannelMessage {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

/// The state of a data channel (`RTCDataChannel.readyState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataChannelState {
    /// The channel is not open yet.
    Connecting,
    /// Messages can be sent.
    Open,
    /// The channel is closing; no more messages can be sent.
    Closing,
    /// The channel is closed.
    Closed,
}

/// An `RTCDataChannel` and its listeners. Dropping it closes the channel, which then reports nothing more.
#[derive(Debug)]
pub struct DataChannel {
    listeners: Vec<Listener>,
    channel: RtcDataChannel,
}

impl DataChannel {
    /// Makes a channel that reports to `sink`. If it is made before the first offer or answer, it needs no further negotiation.
    ///
    /// # Errors
    /// [`BrowserError`] where the connection is closed or the id is taken.
    pub fn new(
        connection: &PeerConnection,
        config: &DataChannelConfig<'_>,
        sink: &EventSink<DataChannelEvent>,
    ) -> Result<Self, BrowserError> {
        let init = dictionary(&[
            ("negotiated", JsValue::TRUE),
            ("id", config.id.into()),
            ("ordered", config.ordered.into()),
        ]);
        if let Some(max_retransmits) = config.max_retransmits {
            set(&init, "maxRetransmits", &max_retransmits.into());
        }
        let channel = connection.shim().create_data_channel(config.label, &init)?;
        // Otherwise messages are blobs in some browsers, whose bytes arrive only asynchronously.
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        Ok(Self { listeners: listen(&channel, sink), channel })
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// [`BrowserError`] where the channel is not open, the text is longer than [`MAX_FRAME_BYTES`], or the browser's
    /// queue is full.
    pub fn send_text(&self, text: &str) -> Result<(), BrowserError> {
        self.expect_sendable(text.len(), MAX_FRAME_BYTES)?;
        Ok(self.channel.send_with_str(text)?)
    }

    /// Sends a binary message.
    ///
    /// # Errors
    /// [`BrowserError`] where the channel is not open, there are more than [`MAX_BINARY_MESSAGE_BYTES`], or the
    /// browser's queue is full.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), BrowserError> {
        self.expect_sendable(bytes.len(), MAX_BINARY_MESSAGE_BYTES)?;
        Ok(self.channel.send_with_u8_array(bytes)?)
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn buffered_amount(&self) -> u32 {
        self.channel.buffered_amount()
    }

    /// Sets the threshold of [`Self::buffered_amount`] for [`DataChannelEvent::BufferedAmountLow`], in bytes; 0 at first.
    pub fn set_low_threshold(&self, threshold_bytes: u32) {
        self.channel.set_buffered_amount_low_threshold(threshold_bytes);
    }

    /// The present `readyState`.
    #[must_use]
    pub fn state(&self) -> DataChannelState {
        match self.channel.ready_state() {
            RtcDataChannelState::Connecting => DataChannelState::Connecting,
            RtcDataChannelState::Open => DataChannelState::Open,
            RtcDataChannelState::Closing => DataChannelState::Closing,
            _ => DataChannelState::Closed,
        }
    }

    /// Firefox silently accepts messages for a closed channel.
    fn expect_sendable(&self, length_bytes: usize, max_bytes: usize) -> Result<(), BrowserError> {
        if self.channel.ready_state() != RtcDataChannelState::Open {
            return Err(BrowserError::of("InvalidStateError", "the channel is not open"));
        }
        if length_bytes > max_bytes {
            return Err(BrowserError::of("TypeError", "the message is too long"));
        }
        Ok(())
    }
}

impl Drop for DataChannel {
    fn drop(&mut self) {
        self.listeners.clear();
        self.channel.close();
    }
}

fn listen(channel: &RtcDataChannel, sink: &EventSink<DataChannelEvent>) -> Vec<Listener> {
    let on_message = {
        let sink = sink.clone();
        Listener::new(channel, "message", move |event: MessageEvent| {
            if sink.has_room() {
                sink.push(read(&event.data()));
            } else {
                sink.note_lost();
            }
        })
    };
    let on_error = {
        let sink = sink.clone();
        Listener::new(channel, "error", move |event: Event| {
            let error = member(&event, "error").unwrap_or(JsValue::UNDEFINED);
            sink.push(DataChannelEvent::Error(error.into()));
        })
    };
    let on = |name: &'static str, report: DataChannelEvent| {
        let sink = sink.clone();
        Listener::new(channel, name, move |_: Event| sink.push(report.clone()))
    };
    vec![
        on_message,
        on_error,
        on("open", DataChannelEvent::Open),
        on("close", DataChannelEvent::Closed),
        on("bufferedamountlow", DataChannelEvent::BufferedAmountLow),
    ]
}

/// Reads a message; checks its length before copying it.
fn read(data: &JsValue) -> DataChannelEvent {
    match bounded_text(data) {
        BoundedText::Text(text) => DataChannelEvent::Message(DataChannelMessage::Text(text)),
        BoundedText::TooLong => DataChannelEvent::Oversized,
        BoundedText::NotText => {
            let buffer: &ArrayBuffer = data.unchecked_ref();
            if buffer.byte_length() as usize > MAX_BINARY_MESSAGE_BYTES {
                return DataChannelEvent::Oversized;
            }
            DataChannelEvent::Message(DataChannelMessage::Binary(Uint8Array::new(buffer).to_vec()))
        }
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::*;

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    fn a_message_longer_than_the_limit_is_oversized() {
        let bytes = |length: usize| JsValue::from(ArrayBuffer::new(length as u32));
        assert_eq!(read(&bytes(MAX_BINARY_MESSAGE_BYTES + 1)), DataChannelEvent::Oversized);
        let longest = DataChannelMessage::Binary(vec![0; MAX_BINARY_MESSAGE_BYTES]);
        assert_eq!(read(&bytes(MAX_BINARY_MESSAGE_BYTES)), DataChannelEvent::Message(longest));
        let text = JsValue::from_str(&"x".repeat(MAX_FRAME_BYTES + 1));
        assert_eq!(read(&text), DataChannelEvent::Oversized);
    }
}
