//! Transports for signaling, which reach the other members before there is a peer connection. One file for each.

mod probe;
mod tabs;
mod websocket;

pub use probe::{ServerAnswer, ask_server};
pub use tabs::TabsTransport;
pub use websocket::WebSocketTransport;

use crate::js::error::BrowserError;

/// One attempt at signaling. It reports to its sink: [`TransportEvent::Open`] at most once, and nothing after
/// [`TransportEvent::Closed`], after [`Self::close`], or after it is dropped, which also closes it.
pub trait SignalingTransport: std::fmt::Debug {
    /// Sends a frame.
    ///
    /// # Errors
    /// [`BrowserError`] where the transport is not open, the frame is too long, or its queue is full.
    fn send(&self, frame: &str) -> Result<(), BrowserError>;

    /// Closes the transport, which then reports nothing more.
    fn close(&mut self);

    /// Closes the transport and tells the other side the protocol's code for its error.
    fn refuse(&mut self, reason: &str);
}

/// An event of a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportEvent {
    /// Frames can be sent.
    Open,
    /// A received frame.
    Frame(String),
    /// A frame was discarded because it is binary or longer than the protocol's limit.
    Unreadable,
    /// The transport is closed, or could not be opened.
    Closed {
        /// The WebSocket's close code (RFC 6455, section 7.4.1); 1006 without a closing handshake.
        code: u16,
        /// The other side's text, for a log.
        reason: String,
    },
}
