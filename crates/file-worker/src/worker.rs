//! The message loop of the worker.

use std::collections::HashMap;

use sightline_browser::{
    files::{FromWorker, ToWorker},
    js::{
        event::Listener,
        queue::{EventSink, event_queue},
    },
    rtc::data_channel::MAX_BINARY_MESSAGE_BYTES,
};
use sightline_core::transfer::{SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferHandle};
use sightline_protocol::{
    MemberId,
    transfer::{BulkHeader, TransferEnd},
};
use wasm_bindgen::JsValue;
use web_sys::{File, MessageEvent};

use crate::{
    disk,
    identify::Identifying,
    sink::{self, Sink},
    source::{Pulled, Source},
};

/// Far more than the windows of all transfers contain; further frames are requested again.
const MAX_MESSAGES: usize = 16 * 1024;

/// Handles messages until the page terminates the worker.
pub(crate) async fn run() {
    let (works, mut stream) = event_queue(MAX_MESSAGES);
    let messages = works.map(Work::Message);
    let _listener = Listener::new(&disk::scope(), "message", move |event: MessageEvent| {
        if let Some(message) = ToWorker::from_js(&event.data()) {
            messages.push(message);
        }
    });
    post(FromWorker::Ready);
    let mut worker = Worker {
        sources: HashMap::new(),
        identifying: HashMap::new(),
        sinks: HashMap::new(),
        routes: HashMap::new(),
        frame: Vec::new(),
        works,
    };
    while let Some(work) = stream.next().await {
        match work {
            Work::Message(message) => worker.handle(message).await,
            Work::ReadAgain(handle) => worker.read_again(handle),
            Work::Identify(handle) => worker.identify(handle),
        }
    }
}

/// The tasks of the worker, performed one after the other.
enum Work {
    /// A message of the page.
    Message(ToWorker),
    /// The next part of a second reading.
    ReadAgain(TransferHandle),
    /// The next part of identifying a file.
    Identify(TransferHandle),
}

struct Worker {
    sources: HashMap<TransferHandle, Source>,
    identifying: HashMap<TransferHandle, Identifying>,
    sinks: HashMap<TransferHandle, Sink>,
    /// The sink for the frames of a member with this number.
    routes: HashMap<(MemberId, u32), TransferHandle>,
    frame: Vec<u8>,
    /// Adds tasks behind all waiting ones.
    works: EventSink<Work>,
}

impl Worker {
    async fn handle(&mut self, message: ToWorker) {
        match message {
            ToWorker::Source(handle, command, file) => self.handle_source(handle, &command, file),
            ToWorker::Sink(handle, command) => self.handle_sink(handle, command).await,
            ToWorker::Frame(member, frame) => {
                if frame.byte_length() as usize <= MAX_BINARY_MESSAGE_BYTES {
                    sink::read_frame(&frame, &mut self.frame);
                    self.handle_frame(member).await;
                }
            }
            ToWorker::Fetch(handle, transfer) => match disk::fetch(transfer.as_str()).await {
                Some(file) => post(FromWorker::File(handle, file)),
                None => post(FromWorker::Sink(handle, SinkEvent::Failed(TransferEnd::StorageRefused))),
            },
        }
    }

    fn handle_source(&mut self, handle: TransferHandle, command: &SourceCommand, file: Option<File>) {
        match *command {
            SourceCommand::Seek { seek, number, offset, sha256 } => {
                match file.map(Source::new).transpose() {
                    Ok(source) => self.sources.extend(source.map(|source| (handle, source))),
                    Err(reason) => self.fail_source(handle, reason),
                }
                let source = self.sources.get_mut(&handle);
                match source.map(|source| source.seek(seek, number, offset, sha256)) {
                    Some(Ok(sha256)) => {
                        post(FromWorker::Source(handle, SourceEvent::Reached { seek, sha256 }, None));
                    }
                    Some(Err(reason)) => self.fail_source(handle, reason),
                    None => {}
                }
            }
            SourceCommand::Pull { chunks, chunk_bytes } => {
                let source = self.sources.get_mut(&handle);
                let pulled = source.map(|source| source.pull(chunks, chunk_bytes, post, handle));
                self.handle_pulled(handle, pulled);
            }
            SourceCommand::Identify { is_whole } => match file {
                Some(file) => {
                    self.identifying.insert(handle, Identifying::new(file, is_whole));
                    self.identify(handle);
                }
                None => post(FromWorker::Source(handle, SourceEvent::Identified(None), None)),
            },
            SourceCommand::Close => {
                self.sources.remove(&handle);
            }
        }
    }

    async fn handle_sink(&mut self, handle: TransferHandle, command: SinkCommand) {
        match command {
            SinkCommand::Open { transfer, member, number, size_bytes } => {
                self.routes.insert((member, number), handle);
                match Sink::open(transfer.as_str(), size_bytes).await {
                    Ok(sink) => {
                        let (opened, is_complete) = (sink.opened(), sink.is_complete());
                        self.sinks.insert(handle, sink);
                        post(FromWorker::Sink(handle, opened));
                        if is_complete {
                            self.complete(handle).await;
                        }
                    }
                    Err(reason) => self.fail_sink(handle, reason).await,
                }
            }
            SinkCommand::Expect { member, number } => {
                self.routes.retain(|_, to| *to != handle);
                self.routes.insert((member, number), handle);
            }
            SinkCommand::Discard { transfer } => {
                self.forget_routes(handle);
                match self.sinks.remove(&handle) {
                    Some(sink) => sink.discard().await,
                    None => disk::discard(transfer.as_str()).await,
                }
            }
        }
    }

    /// Reads a part of a file, and reports its identity at the end.
    fn identify(&mut self, handle: TransferHandle) {
        let Some(identifying) = self.identifying.get_mut(&handle) else { return };
        let identity = match identifying.step() {
            Ok(true) => {
                self.works.push(Work::Identify(handle));
                return;
            }
            Ok(false) => Some(identifying.identity()),
            Err(()) => None,
        };
        self.identifying.remove(&handle);
        post(FromWorker::Source(handle, SourceEvent::Identified(identity), None));
    }

    fn read_again(&mut self, handle: TransferHandle) {
        let source = self.sources.get_mut(&handle);
        let pulled = source.map(|source| source.read_again(post, handle));
        self.handle_pulled(handle, pulled);
    }

    fn handle_pulled(&mut self, handle: TransferHandle, pulled: Option<Result<Pulled, TransferEnd>>) {
        match pulled {
            Some(Ok(Pulled::Held)) => self.works.push(Work::ReadAgain(handle)),
            Some(Err(reason)) => self.fail_source(handle, reason),
            Some(Ok(Pulled::Made)) | None => {}
        }
    }

    async fn handle_frame(&mut self, member: MemberId) {
        let Some((header, payload)) = BulkHeader::split(&self.frame) else { return };
        let Some(handle) = self.routes.get(&(member, header.number)).copied() else { return };
        let Some(sink) = self.sinks.get_mut(&handle) else { return };
        match sink.handle_frame(&header, payload) {
            Ok((event, is_complete)) => {
                if let Some(event) = event {
                    post(FromWorker::Sink(handle, event));
                }
                if is_complete {
                    self.complete(handle).await;
                }
            }
            Err(reason) => self.fail_sink(handle, reason).await,
        }
    }

    async fn complete(&mut self, handle: TransferHandle) {
        self.forget_routes(handle);
        let Some(sink) = self.sinks.remove(&handle) else { return };
        let sha256 = sink.digest();
        match sink.complete().await {
            Ok(file) => {
                post(FromWorker::File(handle, file));
                post(FromWorker::Sink(handle, SinkEvent::Complete { sha256 }));
            }
            Err(reason) => self.fail_sink(handle, reason).await,
        }
    }

    fn fail_source(&mut self, handle: TransferHandle, reason: TransferEnd) {
        self.sources.remove(&handle);
        post(FromWorker::Source(handle, SourceEvent::Failed(reason), None));
    }

    async fn fail_sink(&mut self, handle: TransferHandle, reason: TransferEnd) {
        self.forget_routes(handle);
        if let Some(sink) = self.sinks.remove(&handle) {
            sink.discard().await;
        }
        post(FromWorker::Sink(handle, SinkEvent::Failed(reason)));
    }

    fn forget_routes(&mut self, handle: TransferHandle) {
        self.routes.retain(|_, to| *to != handle);
    }
}

fn post(message: FromWorker) {
    let (message, transferred) = message.into_js();
    // Fails only for values that cannot be cloned, and all messages can.
    let _ = disk::scope().post_message_with_transfer(&JsValue::from(message), &transferred);
}
