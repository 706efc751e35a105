//! Signaling over one WebSocket.

use sightline_protocol::limits::MAX_FRAME_BYTES;
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use super::{SignalingTransport, TransportEvent};
use crate::js::{
    bounded_text::{BoundedText, bounded_text},
    error::BrowserError,
    event::Listener,
    queue::EventSink,
};

/// Most bytes that may wait in the browser; more means that the server has stopped reading.
const MAX_BUFFERED_BYTES: usize = 16 * MAX_FRAME_BYTES;

/// RFC 6455: normal closure.
const NORMAL_CLOSURE: u16 = 1000;

/// In the range for applications: a page may not send 1008 (policy violation), which would be the right code.
const REFUSED: u16 = 4008;

/// One attempt at a WebSocket, from `connecting` to `closed`.
#[derive(Debug)]
pub struct WebSocketTransport {
    listeners: Vec<Listener>,
    socket: WebSocket,
}

impl WebSocketTransport {
    /// Begins to open `url` (`ws:` or `wss:`) and reports to `sink`. If there is no server, a [`TransportEvent::Closed`] follows.
    ///
    /// # Errors
    /// [`BrowserError`] where the address is malformed or the page may not use it.
    pub fn open(url: &str, sink: &EventSink<TransportEvent>) -> Result<Self, BrowserError> {
        let socket = WebSocket::new(url)?;
        Ok(Self { listeners: listen(&socket, sink), socket })
    }
}

impl SignalingTransport for WebSocketTransport {
    fn send(&self, frame: &str) -> Result<(), BrowserError> {
        // `send` on a closing socket silently discards the frame.
        if self.socket.ready_state() != WebSocket::OPEN {
            return Err(BrowserError::of("InvalidStateError", "the socket is not open"));
        }
        if frame.len() > MAX_FRAME_BYTES {
            return Err(BrowserError::of("TypeError", "the frame is too long"));
        }
        if self.socket.buffered_amount() as usize + frame.len() > MAX_BUFFERED_BYTES {
            return Err(BrowserError::of("OperationError", "too much is waiting to be sent"));
        }
        Ok(self.socket.send_with_str(frame)?)
    }

    fn close(&mut self) {
        self.listeners.clear();
        // Throws only for a forbidden code or reason.
        let _ = self.socket.close_with_code(NORMAL_CLOSURE);
    }

    fn refuse(&mut self, reason: &str) {
        self.listeners.clear();
        let _ = self.socket.close_with_code_and_reason(REFUSED, reason);
    }
}

impl Drop for WebSocketTransport {
    fn drop(&mut self) {
        self.close();
    }
}

fn listen(socket: &WebSocket, sink: &EventSink<TransportEvent>) -> Vec<Listener> {
    let on_open = {
        let sink = sink.clone();
        Listener::new(socket, "open", move |_: Event| sink.push(TransportEvent::Open))
    };
    let on_message = {
        let sink = sink.clone();
        Listener::new(socket, "message", move |event: MessageEvent| {
            sink.push(match bounded_text(&event.data()) {
                BoundedText::Text(text) => TransportEvent::Frame(text),
                BoundedText::TooLong | BoundedText::NotText => TransportEvent::Unreadable,
            });
        })
    };
    let on_close = {
        let sink = sink.clone();
        Listener::new(socket, "close", move |event: CloseEvent| {
            sink.push(TransportEvent::Closed { code: event.code(), reason: event.reason() });
        })
    };
    vec![on_open, on_message, on_close]
}
