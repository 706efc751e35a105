//! The relay's thread and its runtime.
//!
//! A packet is a few microseconds of work, and a runtime that shares its work among threads spends more on waking them. On one
//! thread the relay takes less of the processor for each packet, needs no locks, and signaling does not wait behind anybody's
//! video.

use std::{fmt, io, sync::mpsc, thread};

use futures_util::future::LocalBoxFuture;
use tokio::{
    runtime::{Builder, EnterGuard, Handle, LocalOptions},
    sync::oneshot,
};

/// A runtime on a thread that waits for its job. Dropping it before [`Self::run`] ends the thread.
pub(super) struct RelayThread {
    runtime: Handle,
    job: oneshot::Sender<Job>,
    ended: oneshot::Receiver<()>,
}

/// Makes the future that the thread runs to its end. The future itself never changes threads.
pub(super) type Job = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

impl RelayThread {
    /// Starts the thread and its runtime.
    ///
    /// # Errors
    /// Where the system does not give a thread or a runtime.
    pub(super) fn start() -> io::Result<Self> {
        let (is_up, started) = mpsc::sync_channel(1);
        let (job, next_job) = oneshot::channel::<Job>();
        let (ends, ended) = oneshot::channel();
        thread::Builder::new().name("turn".to_owned()).spawn(move || {
            let built = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
            let runtime = match built {
                Ok(runtime) => runtime,
                Err(error) => return drop(is_up.send(Err(error))),
            };
            if is_up.send(Ok(runtime.handle().clone())).is_err() {
                return;
            }
            runtime.block_on(async {
                if let Ok(job) = next_job.await {
                    job().await;
                }
            });
            drop(runtime);
            drop(ends);
        })?;
        let runtime = started.recv().map_err(io::Error::other)??;
        Ok(Self { runtime, job, ended })
    }

    /// Sockets that are opened while the guard lives belong to the thread's runtime.
    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Runs a job on the thread and waits for its end. Dropping the returned future does not end the job.
    pub(super) async fn run(self, job: Job) {
        if self.job.send(job).is_err() {
            tracing::error!("the relay's thread ended before it had anything to do");
        }
        // Nothing is sent: the thread drops the other end when it ends.
        let _ = self.ended.await;
    }
}

impl fmt::Debug for RelayThread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RelayThread").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[tokio::test]
    async fn a_job_that_is_not_send_runs_to_its_end() {
        let (result, received) = oneshot::channel();
        let thread = RelayThread::start().unwrap();
        let job = async move || {
            let shared = Rc::new(7);
            let task = tokio::task::spawn_local(async move { *shared });
            result.send(task.await.unwrap()).unwrap();
        };
        thread.run(Box::new(|| Box::pin(job()))).await;
        assert_eq!(received.await, Ok(7));
    }
}
