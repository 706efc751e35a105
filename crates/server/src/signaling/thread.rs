//! The thread of the signaling sockets.
//!
//! To relay a signal is a few microseconds of work: one member's socket is read and another's is written. A runtime with several threads
//! would wake a second one for that. Here both sockets are on the same thread, whose tasks run one after the other, so all signals that came
//! meanwhile are written at once.
//!
//! Only accepting connections and signaling run here. TLS handshakes and files are left to the runtime of the page.

use std::{convert::Infallible, io, thread};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// A thread with a runtime. Dropping it ends the thread, with all tasks of that runtime.
#[derive(Debug)]
pub(crate) struct SignalingThread {
    runtime: Handle,
    _alive: oneshot::Sender<Infallible>,
}

impl SignalingThread {
    /// Starts the thread and its runtime.
    ///
    /// # Errors
    /// Where the system does not give a thread or a runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, dropped) = oneshot::channel();
        thread::Builder::new().name("signaling".to_owned()).spawn(move || {
            // Nothing is sent: the other end is dropped.
            let _ = runtime.block_on(dropped);
        })?;
        Ok(Self { runtime: handle, _alive: alive })
    }

    /// Sockets belong to this runtime if they are opened while it is entered, or accepted by one of its tasks.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}
