//! The relay's own thread. A packet is a few microseconds of work, and a runtime that shares its work among threads spends more
//! on waking them. On one thread the relay takes less of the processor for each packet, and signalling does not wait behind
//! anybody's video.

use std::{io, thread};

use tokio::{
    runtime::{Builder, EnterGuard, Runtime},
    sync::oneshot,
};

/// A runtime of one thread. It may be dropped wherever it is, also inside another runtime.
#[derive(Debug)]
pub(super) struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    /// Not running yet.
    ///
    /// # Errors
    /// Where the system has no room for it.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Some(Builder::new_current_thread().enable_all().build()?)))
    }

    /// What is opened while the guard lives belongs to this runtime.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.0.as_ref().map(Runtime::enter)
    }

    /// Runs this to its end, on a thread of its own beside the runtime that this is called in, which does not wait for it
    /// where it ends first.
    pub(super) async fn run(mut self, serving: impl Future<Output = ()> + Send + 'static) {
        let Some(runtime) = self.0.take() else { return };
        let (ended, has_ended) = oneshot::channel::<()>();
        let running = thread::Builder::new().name("turn".to_owned()).spawn(move || {
            runtime.block_on(serving);
            runtime.shutdown_background();
            drop(ended);
        });
        match running {
            // Never sent, but dropped with the end.
            Ok(_) => drop(has_ended.await),
            Err(error) => tracing::error!(%error, "no thread for the relay"),
        }
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
