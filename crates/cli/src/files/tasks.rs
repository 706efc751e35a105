//! The tasks of the session's transfers, on their way to the worker.
//!
//! Owns the queue to the worker and the paths of the files that are sent. It makes no decisions about transfers, and never blocks:
//! what the worker cannot take yet waits here.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    path::PathBuf,
};

use bytes::Bytes;
use sightline_core::transfer::{SinkCommand, SourceCommand, TransferHandle};
use sightline_protocol::MemberId;
use tokio::sync::mpsc;

use super::{FromWorker, Storage, ToWorker, worker::Worker};

/// Free places in the worker's queue below which no more frames are taken from the members.
const WORKER_RESERVE: usize = 64;

/// The worker has ended, so no file can be read or stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WorkerGone;

/// The tasks under way.
pub(crate) struct FileTasks {
    worker: Worker,
    /// Messages that the worker could not take yet.
    waiting: VecDeque<ToWorker>,
    /// The files that are sent.
    sources: HashMap<TransferHandle, PathBuf>,
    /// The files that the worker has opened.
    opened: HashSet<TransferHandle>,
}

impl FileTasks {
    /// Starts the worker, which stores files in `storage`. Within a runtime.
    ///
    /// # Errors
    /// Where the system starts no thread.
    pub(crate) fn start(storage: Storage) -> io::Result<(Self, mpsc::Receiver<FromWorker>)> {
        let (worker, from_worker) = Worker::start(storage)?;
        let tasks =
            Self { worker, waiting: VecDeque::new(), sources: HashMap::new(), opened: HashSet::new() };
        Ok((tasks, from_worker))
    }

    /// Notes the file of a transfer.
    pub(crate) fn add(&mut self, transfer: TransferHandle, path: PathBuf) {
        self.sources.insert(transfer, path);
    }

    /// Gives the file that was picked to the transfer of an earlier process.
    pub(crate) fn attach(&mut self, pick: TransferHandle, transfer: TransferHandle) {
        if let Some(path) = self.sources.get(&pick).cloned() {
            self.sources.insert(transfer, path);
        }
    }

    pub(crate) fn command_source(&mut self, handle: TransferHandle, command: SourceCommand) {
        let mut path = None;
        match command {
            SourceCommand::Seek { .. } => {
                if self.opened.insert(handle) {
                    path = self.sources.get(&handle).cloned();
                }
            }
            SourceCommand::Identify { .. } => path = self.sources.get(&handle).cloned(),
            SourceCommand::Pull { .. } => {}
            SourceCommand::Close => {
                self.sources.remove(&handle);
                if !self.opened.remove(&handle) {
                    return;
                }
            }
        }
        self.waiting.push_back(ToWorker::Source(handle, command, path));
    }

    pub(crate) fn command_sink(&mut self, handle: TransferHandle, command: SinkCommand) {
        self.waiting.push_back(ToWorker::Sink(handle, command));
    }

    /// Stores a frame of a member.
    pub(crate) fn store(&mut self, member: MemberId, frame: Bytes) {
        self.waiting.push_back(ToWorker::Frame(member, frame));
    }

    /// Whether there is room for frames. Otherwise the members have to wait.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.worker.messages.capacity() >= WORKER_RESERVE
    }

    /// Waits until the worker has room for frames. The future borrows nothing.
    pub(crate) fn room(&self) -> impl Future<Output = ()> + use<> {
        let messages = self.worker.messages.clone();
        async move {
            let _ = messages.reserve_many(WORKER_RESERVE).await;
        }
    }

    /// Hands the waiting messages to the worker, as many as it takes.
    ///
    /// # Errors
    /// [`WorkerGone`]; the waiting messages are dropped then.
    pub(crate) fn flush(&mut self) -> Result<(), WorkerGone> {
        while let Some(message) = self.waiting.pop_front() {
            match self.worker.messages.try_send(message) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(message)) => {
                    self.waiting.push_front(message);
                    return Ok(());
                }
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    self.waiting.clear();
                    return Err(WorkerGone);
                }
            }
        }
        Ok(())
    }

    /// Performs the commands that the worker has, and ends it.
    pub(crate) async fn close(self) {
        self.worker.close().await;
    }
}
