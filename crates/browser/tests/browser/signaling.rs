//! The WebSocket, as far as it can be tested without a WebSocket server: the test page's server speaks only HTTP.

use sightline_browser::{
    BrowserErrorKind,
    js::queue::event_queue,
    page::location::Location,
    signaling::{SignalingTransport, TransportEvent, WebSocketTransport},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::call::in_time;

fn address() -> String {
    Location::current().origin.replacen("http", "ws", 1) + "/ws"
}

#[wasm_bindgen_test]
async fn a_server_that_refuses_is_a_closed_transport() {
    let (sink, mut events) = event_queue(10);
    let transport = WebSocketTransport::open(&address(), &sink).unwrap();
    assert_eq!(transport.send("early").unwrap_err().kind(), BrowserErrorKind::InvalidState);
    let closed = in_time("the end", events.next()).await;
    assert_eq!(closed, Some(TransportEvent::Closed { code: 1006, reason: String::new() }));
    assert_eq!(transport.send("late").unwrap_err().kind(), BrowserErrorKind::InvalidState);
}

#[wasm_bindgen_test]
async fn a_closed_or_dropped_transport_reports_nothing() {
    let (sink, mut events) = event_queue(10);
    let mut closed = WebSocketTransport::open(&address(), &sink).unwrap();
    let dropped = WebSocketTransport::open(&address(), &sink).unwrap();
    drop(sink);
    closed.close();
    drop(dropped);
    assert_eq!(in_time("the end of the events", events.next()).await, None);
}

#[wasm_bindgen_test]
fn a_malformed_address_is_an_error() {
    let (sink, _events) = event_queue(10);
    assert_eq!(WebSocketTransport::open("ftp://127.0.0.1/", &sink).unwrap_err().name, "SyntaxError");
}
