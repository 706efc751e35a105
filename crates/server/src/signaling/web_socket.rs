//! A WebSocket over a stream, for the one task that reads and writes it.
//!
//! The library's own asynchronous wrapper (`tokio_tungstenite::WebSocketStream`) allows that two tasks share a socket: it keeps four wakers,
//! and registers and wakes all of them for every frame. Here the stream is given the task's own waker.

use std::{
    io::{self, ErrorKind, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{Role, WebSocketConfig, WebSocketContext},
};

/// The server's end of a WebSocket after the handshake. Every method has to be called from the same task.
#[derive(Debug)]
pub(super) struct WebSocket<S> {
    stream: S,
    protocol: WebSocketContext,
    /// Whether a message waits in the library because the stream took no more.
    is_blocked: bool,
    has_ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(super) fn new(stream: S, configuration: WebSocketConfig) -> Self {
        let protocol = WebSocketContext::new(Role::Server, Some(configuration));
        Self { stream, protocol, is_blocked: false, has_ended: false }
    }

    pub(super) fn stream(&self) -> &S {
        &self.stream
    }

    /// The next message. `None` after the end and after an error.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let mut stream = Polled { stream: &mut self.stream, cx };
        let read = ready!(unless_blocked(self.protocol.read(&mut stream)));
        self.has_ended = read.is_err();
        Poll::Ready(match read {
            Err(Error::AlreadyClosed | Error::ConnectionClosed) => None,
            read => Some(read),
        })
    }

    /// Ready when [`Self::start_send`] may be called.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.is_blocked { self.poll_flush(cx) } else { Poll::Ready(Ok(())) }
    }

    /// Takes a message to be written. It is on its way only after [`Self::poll_flush`].
    pub(super) fn start_send(&mut self, message: Message, cx: &mut Context<'_>) -> Result<(), Error> {
        let mut stream = Polled { stream: &mut self.stream, cx };
        match unless_blocked(self.protocol.write(&mut stream, message)) {
            Poll::Ready(written) => written,
            Poll::Pending => {
                self.is_blocked = true;
                Ok(())
            }
        }
    }

    /// Ready when the stream has taken everything.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut stream = Polled { stream: &mut self.stream, cx };
        let flushed = ready!(unless_blocked(self.protocol.flush(&mut stream)));
        self.is_blocked = false;
        Poll::Ready(match flushed {
            // The answer to the client's Close frame was the last thing to write.
            Err(Error::ConnectionClosed) => Ok(()),
            flushed => flushed,
        })
    }
}

fn unless_blocked<T>(outcome: Result<T, Error>) -> Poll<Result<T, Error>> {
    match outcome {
        Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        outcome => Poll::Ready(outcome),
    }
}

/// A stream while a task polls it: where it would have to wait, it fails with [`ErrorKind::WouldBlock`] and wakes the task later.
struct Polled<'stream, 'task, S> {
    stream: &'stream mut S,
    cx: &'stream mut Context<'task>,
}

impl<S: AsyncRead + Unpin> Read for Polled<'_, '_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.stream).poll_read(self.cx, &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Polled<'_, '_, S> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        or_would_block(Pin::new(&mut *self.stream).poll_write(self.cx, data))
    }

    fn flush(&mut self) -> io::Result<()> {
        or_would_block(Pin::new(&mut *self.stream).poll_flush(self.cx))
    }
}

fn or_would_block<T>(outcome: Poll<io::Result<T>>) -> io::Result<T> {
    match outcome {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}
