//! One pre-negotiated data channel.

use js_sys::{ArrayBuffer, JsString, Uint8Array};
use sightline_protocol::limits::MAX_FRAME_BYTES;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use crate::{
    dictionary::{dictionary, set},
    error::BrowserError,
    event::Listener,
    peer_connection::PeerConnection,
    queue::EventSink,
    window::member,
};

/// Longest binary message that is taken, in bytes: what every browser can send in one.
pub const MAX_BINARY_MESSAGE_BYTES: u32 = 256 * 1024;

/// How a [`DataChannel`] is made. Both sides make it with the same values.
#[derive(Debug, Clone, Copy)]
pub struct DataChannelConfig<'a> {
    /// The SCTP stream.
    pub id: u16,
    /// What it is for.
    pub label: &'a str,
    /// Whether messages arrive in the order they were sent.
    pub ordered: bool,
    /// How often a lost message is sent again; `None` until it arrives.
    pub max_retransmits: Option<u16>,
}

/// Something happened on a data channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataChannelEvent {
    /// `open`: messages can be sent.
    Open,
    /// `message`
    Message(DataChannelMessage),
    /// A message that is longer than it may be ([`MAX_FRAME_BYTES`], [`MAX_BINARY_MESSAGE_BYTES`]) was thrown away.
    Oversized,
    /// `bufferedamountlow`
    BufferedAmountLow,
    /// `error`
    Error(BrowserError),
    /// `close`: by the other side, or because the connection is gone.
    Closed,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataChannelMessage {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// `RTCDataChannel.readyState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataChannelState {
    /// Not yet.
    Connecting,
    /// Messages can be sent.
    Open,
    /// No more.
    Closing,
    /// No more.
    Closed,
}

/// An `RTCDataChannel` and its listeners. Dropping it closes the channel, which reports nothing after that.
#[derive(Debug)]
pub struct DataChannel {
    listeners: Vec<Listener>,
    channel: RtcDataChannel,
}

impl DataChannel {
    /// Makes a channel that reports to `sink`. Before the first offer or answer, it needs no negotiation of its own.
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
        // Otherwise messages are blobs in some browsers, and a blob has to be awaited.
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        Ok(Self { listeners: listen(&channel, sink), channel })
    }

    /// Sends text.
    ///
    /// # Errors
    /// [`BrowserError`] where the channel is not open, the text is longer than [`MAX_FRAME_BYTES`], or the browser's
    /// queue is full.
    pub fn send_text(&self, text: &str) -> Result<(), BrowserError> {
        if text.len() > MAX_FRAME_BYTES {
            return Err(BrowserError::of("TypeError", "the message is too long"));
        }
        Ok(self.channel.send_with_str(text)?)
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// [`BrowserError`] where the channel is not open, there are more than the other side takes, or the browser's
    /// queue is full.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), BrowserError> {
        Ok(self.channel.send_with_u8_array(bytes)?)
    }

    /// Bytes given to the browser and not yet sent.
    #[must_use]
    pub fn buffered_amount(&self) -> u32 {
        self.channel.buffered_amount()
    }

    /// When [`Self::buffered_amount`] falls to this, [`DataChannelEvent::BufferedAmountLow`] says so. 0 at first.
    pub fn set_low_threshold(&self, threshold_bytes: u32) {
        self.channel.set_buffered_amount_low_threshold(threshold_bytes);
    }

    /// `readyState` now.
    #[must_use]
    pub fn state(&self) -> DataChannelState {
        match self.channel.ready_state() {
            RtcDataChannelState::Connecting => DataChannelState::Connecting,
            RtcDataChannelState::Open => DataChannelState::Open,
            RtcDataChannelState::Closing => DataChannelState::Closing,
            _ => DataChannelState::Closed,
        }
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
        Listener::new(channel, "message", move |event: MessageEvent| sink.push(read(&event.data())))
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

/// Looks at the length before anything is copied.
fn read(data: &JsValue) -> DataChannelEvent {
    if let Some(text) = bounded_text(data) {
        return text.map_or(DataChannelEvent::Oversized, |text| {
            DataChannelEvent::Message(DataChannelMessage::Text(text))
        });
    }
    let buffer: &ArrayBuffer = data.unchecked_ref();
    if buffer.byte_length() > MAX_BINARY_MESSAGE_BYTES {
        return DataChannelEvent::Oversized;
    }
    DataChannelEvent::Message(DataChannelMessage::Binary(Uint8Array::new(buffer).to_vec()))
}

/// `None` where `data` is not text, `Some(None)` where it is longer than a frame may be.
pub(crate) fn bounded_text(data: &JsValue) -> Option<Option<String>> {
    let text: &JsString = data.dyn_ref()?;
    // Never more UTF-16 units than bytes of UTF-8.
    if text.length() as usize > MAX_FRAME_BYTES {
        return Some(None);
    }
    Some(Some(String::from(text)).filter(|text| text.len() <= MAX_FRAME_BYTES))
}
