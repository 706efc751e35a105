//! Pre-negotiated data channels between two peer connections in one page.

use crate::call::{Call, in_time};
use sightline_browser::{
    BrowserErrorKind,
    js::queue::{EventStream, event_queue},
    rtc::{
        data_channel::{
            DataChannel, DataChannelConfig, DataChannelEvent, DataChannelMessage, DataChannelState,
            MAX_BINARY_MESSAGE_BYTES,
        },
        peer_connection::PeerConnection,
    },
};
use sightline_protocol::{
    control::{CONTROL_CHANNEL_ID, CONTROL_CHANNEL_LABEL},
    limits::MAX_FRAME_BYTES,
};
use wasm_bindgen_test::wasm_bindgen_test;

const CONTROL: DataChannelConfig<'static> = DataChannelConfig {
    id: CONTROL_CHANNEL_ID,
    label: CONTROL_CHANNEL_LABEL,
    ordered: true,
    max_retransmits: None,
};

struct End {
    channel: DataChannel,
    events: EventStream<DataChannelEvent>,
}

impl End {
    fn new(connection: &PeerConnection, config: &DataChannelConfig<'_>) -> Self {
        let (sink, events) = event_queue(100);
        Self { channel: DataChannel::new(connection, config, &sink).unwrap(), events }
    }

    /// The next event, without the events for an empty buffer, which follow everything that is sent.
    async fn next(&mut self) -> DataChannelEvent {
        loop {
            let event = in_time("an event", self.events.next()).await.unwrap();
            if event != DataChannelEvent::BufferedAmountLow {
                return event;
            }
        }
    }
}

async fn open_channel(config: &DataChannelConfig<'_>) -> (Call, End, End) {
    let mut call = Call::new();
    let mut offerer = End::new(&call.offerer.connection, config);
    let mut answerer = End::new(&call.answerer.connection, config);
    call.negotiate(false).await;
    call.until_connected().await;
    assert_eq!(offerer.next().await, DataChannelEvent::Open);
    assert_eq!(answerer.next().await, DataChannelEvent::Open);
    (call, offerer, answerer)
}

fn text(text: &str) -> DataChannelEvent {
    DataChannelEvent::Message(DataChannelMessage::Text(text.to_owned()))
}

#[wasm_bindgen_test]
async fn messages_arrive_both_ways_as_they_were_sent() {
    let (_call, mut offerer, mut answerer) = open_channel(&CONTROL).await;
    assert_eq!(offerer.channel.state(), DataChannelState::Open);
    offerer.channel.send_text("你好\n<b>").unwrap();
    offerer.channel.send_bytes(&[0, 255, 7]).unwrap();
    answerer.channel.send_text("").unwrap();
    assert_eq!(answerer.next().await, text("你好\n<b>"));
    let bytes = DataChannelMessage::Binary(vec![0, 255, 7]);
    assert_eq!(answerer.next().await, DataChannelEvent::Message(bytes));
    assert_eq!(offerer.next().await, text(""));
}

#[wasm_bindgen_test]
async fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let (_call, offerer, mut answerer) = open_channel(&CONTROL).await;
    let longest = "x".repeat(MAX_FRAME_BYTES);
    offerer.channel.send_text(&longest).unwrap();
    assert_eq!(answerer.next().await, text(&longest));

    let too_long = longest + "x";
    assert_eq!(offerer.channel.send_text(&too_long).unwrap_err().kind(), BrowserErrorKind::TypeError);
    // Binary messages have a separate limit.
    let bytes = vec![7; MAX_BINARY_MESSAGE_BYTES + 1];
    assert_eq!(offerer.channel.send_bytes(&bytes).unwrap_err().kind(), BrowserErrorKind::TypeError);
    offerer.channel.send_bytes(&bytes[1..]).unwrap();
    let longest = DataChannelMessage::Binary(bytes[1..].to_vec());
    assert_eq!(answerer.next().await, DataChannelEvent::Message(longest));
}

#[wasm_bindgen_test]
async fn the_buffered_amount_low_event_is_reported() {
    let (_call, mut offerer, _answerer) = open_channel(&CONTROL).await;
    offerer.channel.set_low_threshold(1000);
    for _ in 0..20 {
        offerer.channel.send_bytes(&[1; 60_000]).unwrap();
    }
    assert!(offerer.channel.buffered_amount() > 1000);
    let low = in_time("the low mark", offerer.events.next()).await;
    assert_eq!(low, Some(DataChannelEvent::BufferedAmountLow));
    assert!(offerer.channel.buffered_amount() <= 1000);
}

#[wasm_bindgen_test]
async fn a_dropped_channel_closes_the_other_end_and_reports_nothing_more() {
    let (_call, offerer, mut answerer) = open_channel(&CONTROL).await;
    let End { channel, mut events } = offerer;
    drop(channel);
    assert!(in_time("the end of the events", events.next()).await.is_none());
    assert_eq!(answerer.next().await, DataChannelEvent::Closed);
    assert_eq!(answerer.channel.state(), DataChannelState::Closed);
    assert_eq!(answerer.channel.send_text("x").unwrap_err().kind(), BrowserErrorKind::InvalidState);
}

#[wasm_bindgen_test]
async fn a_channel_of_telemetry_carries_messages_too() {
    let telemetry = DataChannelConfig { id: 3, label: "telemetry", ordered: false, max_retransmits: Some(0) };
    let (_call, offerer, mut answerer) = open_channel(&telemetry).await;
    offerer.channel.send_text("sample").unwrap();
    assert_eq!(answerer.next().await, text("sample"));
}

#[wasm_bindgen_test]
fn an_id_that_is_taken_is_an_error() {
    let call = Call::new();
    let _first = End::new(&call.offerer.connection, &CONTROL);
    let (sink, _events) = event_queue(10);
    let taken = DataChannel::new(&call.offerer.connection, &CONTROL, &sink).unwrap_err();
    assert_eq!(taken.name, "OperationError");
}
