//! The thread that reads, hashes and stores files: one message after the other. It makes no decisions.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use sightline_core::transfer::{SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferHandle};
use sightline_protocol::{
    MemberId, TransferId,
    transfer::{BulkHeader, TransferEnd},
};
use tokio::{runtime::Handle, sync::mpsc};

use super::{
    FromWorker, Storage, ToWorker,
    output::OutputSink,
    sink::{self, Sink},
    source::{self, Source},
};

/// Messages that may wait: frames of one window, and commands.
const MAX_MESSAGES: usize = 128;
/// Frames and events that may wait to be taken.
const MAX_EVENTS: usize = 64;

/// The running thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) messages: mpsc::Sender<ToWorker>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread, which stores files in `storage`. Within a runtime.
    ///
    /// # Errors
    /// Where the system starts no thread.
    pub(super) fn start(storage: Storage) -> std::io::Result<(Self, mpsc::Receiver<FromWorker>)> {
        let (messages, mut received) = mpsc::channel(MAX_MESSAGES);
        let (events, taken) = mpsc::channel(MAX_EVENTS);
        let runtime = Handle::current();
        let thread = thread::Builder::new().name("files".to_owned()).spawn(move || {
            let mut files = Files {
                storage,
                runtime,
                sources: HashMap::new(),
                sinks: HashMap::new(),
                output: None,
                routes: HashMap::new(),
                events,
            };
            while let Some(message) = received.blocking_recv() {
                files.handle(message);
            }
        })?;
        Ok((Self { messages, thread }, taken))
    }

    /// Performs the commands that wait, and ends the thread.
    pub(super) async fn close(self) {
        drop(self.messages);
        let thread = self.thread;
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

struct Files {
    storage: Storage,
    runtime: Handle,
    sources: HashMap<TransferHandle, Source>,
    sinks: HashMap<TransferHandle, Sink>,
    /// The file that goes to the standard output. `None` inside once that ended.
    output: Option<(TransferHandle, Option<OutputSink>)>,
    /// The sink for the frames of a member with this number.
    routes: HashMap<(MemberId, u32), TransferHandle>,
    events: mpsc::Sender<FromWorker>,
}

impl Files {
    fn handle(&mut self, message: ToWorker) {
        match message {
            ToWorker::Source(handle, command, path) => self.handle_source(handle, &command, path),
            ToWorker::Sink(handle, command) => self.handle_sink(handle, command),
            ToWorker::Frame(member, frame) => self.handle_frame(member, &frame),
        }
    }

    fn handle_source(&mut self, handle: TransferHandle, command: &SourceCommand, path: Option<PathBuf>) {
        match *command {
            SourceCommand::Seek { seek, number, offset, sha256 } => {
                match path.map(|path| Source::open(&path)).transpose() {
                    Ok(source) => self.sources.extend(source.map(|source| (handle, source))),
                    Err(reason) => self.fail_source(handle, reason),
                }
                let source = self.sources.get_mut(&handle);
                match source.map(|source| source.seek(seek, number, offset, sha256)) {
                    Some(Ok(sha256)) => self.tell_source(handle, SourceEvent::Reached { seek, sha256 }, None),
                    Some(Err(reason)) => self.fail_source(handle, reason),
                    None => {}
                }
            }
            SourceCommand::Pull { chunks, chunk_bytes } => {
                for _ in 0..chunks {
                    match self.sources.get_mut(&handle).map(|source| source.next(chunk_bytes)) {
                        Some(Ok(Some((event, frame)))) => self.tell_source(handle, event, Some(frame)),
                        Some(Err(reason)) => return self.fail_source(handle, reason),
                        Some(Ok(None)) | None => return,
                    }
                }
            }
            SourceCommand::Identify { is_whole } => {
                let identity = path.and_then(|path| source::identify(&path, is_whole));
                self.tell_source(handle, SourceEvent::Identified(identity), None);
            }
            SourceCommand::Close => {
                self.sources.remove(&handle);
            }
        }
    }

    fn handle_sink(&mut self, handle: TransferHandle, command: SinkCommand) {
        match command {
            SinkCommand::Open { transfer, member, number, size_bytes } => {
                self.routes.insert((member, number), handle);
                match self.storage.clone() {
                    Storage::Folder(folder) => self.open_sink(handle, &folder, &transfer, size_bytes),
                    Storage::Output => self.open_output(handle, size_bytes),
                }
            }
            SinkCommand::Expect { member, number } => {
                self.routes.retain(|_, to| *to != handle);
                self.routes.insert((member, number), handle);
            }
            SinkCommand::Discard { transfer } => {
                self.forget_routes(handle);
                self.sinks.remove(&handle);
                if let Some((_, output)) = self.output.as_mut().filter(|(of, _)| *of == handle) {
                    *output = None;
                }
                self.discard(&transfer);
            }
        }
    }

    fn open_sink(&mut self, handle: TransferHandle, folder: &Path, transfer: &TransferId, size_bytes: u64) {
        match Sink::open(folder, transfer, size_bytes) {
            Ok(sink) => {
                let (opened, is_complete) = (sink.opened(), sink.is_complete());
                self.sinks.insert(handle, sink);
                self.tell_sink(handle, opened);
                if is_complete {
                    self.complete(handle);
                }
            }
            Err(reason) => self.fail_sink(handle, Some(transfer), reason),
        }
    }

    fn open_output(&mut self, handle: TransferHandle, size_bytes: u64) {
        if self.output.is_some() {
            return self.fail_sink(handle, None, TransferEnd::StorageRefused);
        }
        let (output, events) = (tokio::io::stdout(), self.events.clone());
        let sink = OutputSink::open(handle, size_bytes, output, events, &self.runtime);
        self.tell_sink(handle, sink.opened());
        self.output = Some((handle, Some(sink)));
    }

    fn discard(&self, transfer: &TransferId) {
        if let Storage::Folder(folder) = &self.storage {
            sink::discard(folder, transfer);
        }
    }

    fn handle_frame(&mut self, member: MemberId, frame: &[u8]) {
        let Some((header, payload)) = BulkHeader::split(frame) else { return };
        let Some(handle) = self.routes.get(&(member, header.number)).copied() else { return };
        if let Some((_, Some(output))) = self.output.as_mut().filter(|(of, _)| *of == handle) {
            return output.handle_frame(&header, payload);
        }
        let Some(sink) = self.sinks.get_mut(&handle) else { return };
        match sink.handle_frame(&header, payload) {
            Ok((event, is_complete)) => {
                if let Some(event) = event {
                    self.tell_sink(handle, event);
                }
                if is_complete {
                    self.complete(handle);
                }
            }
            Err(TransferEnd::DiskFull) => self.stop_sink(handle),
            Err(reason) => self.fail_sink(handle, None, reason),
        }
    }

    fn complete(&mut self, handle: TransferHandle) {
        self.forget_routes(handle);
        let Some(sink) = self.sinks.remove(&handle) else { return };
        let (sha256, transfer) = (sink.digest(), sink.transfer.clone());
        match sink.complete() {
            Ok(()) => self.tell_sink(handle, SinkEvent::Complete { sha256 }),
            Err(reason) => self.fail_sink(handle, Some(&transfer), reason),
        }
    }

    fn fail_source(&mut self, handle: TransferHandle, reason: TransferEnd) {
        self.sources.remove(&handle);
        self.tell_source(handle, SourceEvent::Failed(reason), None);
    }

    fn fail_sink(&mut self, handle: TransferHandle, transfer: Option<&TransferId>, reason: TransferEnd) {
        self.forget_routes(handle);
        let open = self.sinks.remove(&handle).map(|sink| sink.transfer.clone());
        if let Some(transfer) = transfer.or(open.as_ref()) {
            self.discard(transfer);
        }
        self.tell_sink(handle, SinkEvent::Failed(reason));
    }

    /// Stops a sink whose bytes another process can continue. A part file without any is removed.
    fn stop_sink(&mut self, handle: TransferHandle) {
        if self.sinks.get(&handle).is_some_and(|sink| !sink.has_kept()) {
            return self.fail_sink(handle, None, TransferEnd::DiskFull);
        }
        self.forget_routes(handle);
        if let Some(sink) = self.sinks.remove(&handle) {
            sink.give_room();
        }
        let _ = self.events.blocking_send(FromWorker::DiskFull(handle));
    }

    fn forget_routes(&mut self, handle: TransferHandle) {
        self.routes.retain(|_, to| *to != handle);
    }

    fn tell_source(&self, handle: TransferHandle, event: SourceEvent, frame: Option<Bytes>) {
        // Nobody hears it while the program ends.
        let _ = self.events.blocking_send(FromWorker::Source(handle, event, frame));
    }

    fn tell_sink(&self, handle: TransferHandle, event: SinkEvent) {
        let _ = self.events.blocking_send(FromWorker::Sink(handle, event));
    }
}
