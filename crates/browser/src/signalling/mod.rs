//! Ways of reaching the others before there is a peer connection. One file for each.

mod probe;
mod tabs;
mod websocket;

pub use probe::{ServerAnswer, ask_server};
pub use tabs::TabsTransport;
pub use websocket::WebSocketTransport;

use crate::js::error::BrowserError;

/// One attempt at signalling. It reports to the sink it was made with, once [`TransportEvent::Open`] at most, and
/// nothing after [`TransportEvent::Closed`], after [`Self::close`], or when it is dropped, which also closes it.
pub trait SignallingTransport: std::fmt::Debug {
    /// Sends a frame.
    ///
    /// # Errors
    /// [`BrowserError`] where the transport is not open, the frame is too long, or too much is waiting already.
    fn send(&self, frame: &str) -> Result<(), BrowserError>;

    /// Closes it. It reports nothing after that.
    fn close(&mut self);

    /// Closes it and tells the other side, in a word of the protocol, what was wrong with what it said.
    fn refuse(&mut self, reason: &str);
}

/// Something happened on a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportEvent {
    /// Frames can be sent.
    Open,
    /// A frame.
    Frame(String),
    /// A frame that is binary, or longer than the protocol's limit, was thrown away.
    Unreadable,
    /// It is over, or it never came to be.
    Closed {
        /// The WebSocket's close code (RFC 6455, section 7.4.1); 1006 where there was no closing handshake.
        code: u16,
        /// The other side's words, for a log.
        reason: String,
    },
}
