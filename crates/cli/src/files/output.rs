//! A received file that goes to the standard output, in its order and without a copy on the disk.
//!
//! The worker verifies the frames, and a task writes the bytes: whoever reads them may be slow, and a blocked worker would block the
//! messages of members, too. A byte counts as received once it is written, so that the sender sends no faster than the reader reads.

use std::{
    convert::Infallible,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sightline_core::transfer::{Arrival, Arrivals, PrefixHasher, SinkEvent, TransferHandle, WINDOW_BYTES};
use sightline_protocol::transfer::{BulkHeader, Sha256Digest};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};

use super::FromWorker;

/// Bytes that may wait to be written. A sender that keeps to the window has half as many under way.
const MAX_WAITING_BYTES: u64 = 2 * WINDOW_BYTES;
/// As many of the smallest frames.
const MAX_ITEMS: usize = 16_384;
/// A transfer without news for seconds would be requested again, so news come at this interval while the reader reads nothing.
const NEWS_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 2000 });

enum Item {
    /// Verified bytes, and the hash of the file up to their end.
    Bytes(Vec<u8>, Sha256Digest),
    /// A frame was wrong.
    Wrong,
}

/// The file on its way to the output. Dropping it ends the output.
pub(super) struct OutputSink {
    arrivals: Arrivals,
    items: mpsc::Sender<Item>,
    waiting_bytes: Arc<AtomicU64>,
}

impl OutputSink {
    /// Begins to write a file of this size to `output`, and reports to `events`.
    pub(super) fn open(
        handle: TransferHandle,
        size_bytes: u64,
        output: impl AsyncWrite + Unpin + Send + 'static,
        events: mpsc::Sender<FromWorker>,
        runtime: &tokio::runtime::Handle,
    ) -> Self {
        let (items, received) = mpsc::channel(MAX_ITEMS);
        let waiting_bytes = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            handle,
            size_bytes,
            output,
            events,
            waiting_bytes: Arc::clone(&waiting_bytes),
            written_bytes: 0,
            sha256: PrefixHasher::default().digest(),
        };
        runtime.spawn(writer.run(received));
        Self { arrivals: Arrivals::new(size_bytes, PrefixHasher::default()), items, waiting_bytes }
    }

    pub(super) fn opened(&self) -> SinkEvent {
        SinkEvent::Opened { verified_bytes: 0, sha256: self.arrivals.digest() }
    }

    /// Takes a frame. One for which there is no room is dropped, and has to be sent again.
    pub(super) fn handle_frame(&mut self, header: &BulkHeader, payload: &[u8]) {
        // A frame makes two items at most.
        if self.waiting_bytes.load(Ordering::Relaxed) > MAX_WAITING_BYTES || self.items.capacity() < 2 {
            return;
        }
        let mut bytes = Vec::new();
        let write = |_, chunk: &[u8]| {
            bytes.extend_from_slice(chunk);
            Ok::<_, Infallible>(())
        };
        let Ok(arrival) = self.arrivals.handle_frame(header, payload, write);
        if !bytes.is_empty() || arrival == Arrival::Written {
            let sha256 = self.arrivals.digest();
            self.waiting_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            // The task ended with an error that it has reported.
            let _ = self.items.try_send(Item::Bytes(bytes, sha256));
        }
        if arrival == Arrival::Wrong {
            let _ = self.items.try_send(Item::Wrong);
        }
    }
}

struct Writer<W> {
    handle: TransferHandle,
    size_bytes: u64,
    output: W,
    events: mpsc::Sender<FromWorker>,
    waiting_bytes: Arc<AtomicU64>,
    written_bytes: u64,
    sha256: Sha256Digest,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    async fn run(mut self, mut items: mpsc::Receiver<Item>) {
        while let Some(item) = items.recv().await {
            match item {
                Item::Wrong => {
                    let (verified_bytes, sha256) = (self.written_bytes, self.sha256);
                    self.tell(SinkEvent::Wrong { verified_bytes, sha256 }).await;
                }
                Item::Bytes(bytes, sha256) => {
                    if let Err(error) = self.write(&bytes).await {
                        let _ = self.events.send(FromWorker::OutputFailed(self.handle, error)).await;
                        return;
                    }
                    self.waiting_bytes.fetch_sub(bytes.len() as u64, Ordering::Relaxed);
                    self.written_bytes += bytes.len() as u64;
                    self.sha256 = sha256;
                    self.tell(self.progress()).await;
                    if self.written_bytes == self.size_bytes {
                        return self.tell(SinkEvent::Complete { sha256 }).await;
                    }
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let progress = self.progress();
        let Self { handle, output, events, .. } = self;
        let mut written = pin!(async {
            output.write_all(bytes).await?;
            output.flush().await
        });
        loop {
            tokio::select! {
                result = &mut written => return result,
                () = tokio::time::sleep(NEWS_INTERVAL) => {
                    let _ = events.send(FromWorker::Sink(*handle, progress.clone())).await;
                }
            }
        }
    }

    fn progress(&self) -> SinkEvent {
        SinkEvent::Progress { verified_bytes: self.written_bytes, sha256: self.sha256 }
    }

    async fn tell(&mut self, event: SinkEvent) {
        // Nobody hears it while the program ends.
        let _ = self.events.send(FromWorker::Sink(self.handle, event)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    const HANDLE: TransferHandle = TransferHandle(1);

    fn frame(file: &[u8], offset: usize, end: usize) -> (BulkHeader, Vec<u8>) {
        let mut hasher = PrefixHasher::default();
        hasher.update(&file[..end]);
        let header = BulkHeader { number: 1, offset: offset as u64, prefix_sha256: hasher.digest() };
        (header, file[offset..end].to_vec())
    }

    fn sink(
        size_bytes: usize,
        pipe_bytes: usize,
    ) -> (OutputSink, tokio::io::DuplexStream, mpsc::Receiver<FromWorker>) {
        let (output, reader) = tokio::io::duplex(pipe_bytes);
        let (to_events, events) = mpsc::channel(64);
        let runtime = tokio::runtime::Handle::current();
        (OutputSink::open(HANDLE, size_bytes as u64, output, to_events, &runtime), reader, events)
    }

    async fn next(events: &mut mpsc::Receiver<FromWorker>) -> SinkEvent {
        match events.recv().await {
            Some(FromWorker::Sink(HANDLE, event)) => event,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn frames_out_of_order_are_written_in_order() {
        let file: Vec<u8> = (0..100).collect();
        let (mut sink, mut reader, mut events) = sink(file.len(), 1000);
        let (header, payload) = frame(&file, 40, 100);
        sink.handle_frame(&header, &payload);
        let (header, payload) = frame(&file, 0, 40);
        sink.handle_frame(&header, &payload);
        assert!(matches!(next(&mut events).await, SinkEvent::Progress { verified_bytes: 100, .. }));
        let sha256 = {
            let mut hasher = PrefixHasher::default();
            hasher.update(&file);
            hasher.digest()
        };
        assert!(matches!(next(&mut events).await, SinkEvent::Complete { sha256: whole } if whole == sha256));
        let mut written = Vec::new();
        reader.read_to_end(&mut written).await.unwrap();
        assert_eq!(written, file);
    }

    #[tokio::test]
    async fn a_wrong_frame_asks_again_from_the_written_bytes() {
        let file = [5; 100];
        let (mut sink, mut reader, mut events) = sink(file.len(), 1000);
        let (header, payload) = frame(&file, 0, 40);
        sink.handle_frame(&header, &payload);
        let (header, mut payload) = frame(&file, 40, 100);
        payload[7] ^= 1;
        sink.handle_frame(&header, &payload);
        assert!(matches!(next(&mut events).await, SinkEvent::Progress { verified_bytes: 40, .. }));
        assert!(matches!(next(&mut events).await, SinkEvent::Wrong { verified_bytes: 40, .. }));
        drop(sink);
        let mut written = Vec::new();
        reader.read_to_end(&mut written).await.unwrap();
        assert_eq!(written, [5; 40]);
    }

    #[tokio::test]
    async fn an_empty_file_is_complete_with_its_one_frame() {
        let (mut sink, _reader, mut events) = sink(0, 1000);
        let (header, payload) = frame(&[], 0, 0);
        sink.handle_frame(&header, &payload);
        assert!(matches!(next(&mut events).await, SinkEvent::Progress { verified_bytes: 0, .. }));
        assert!(matches!(next(&mut events).await, SinkEvent::Complete { .. }));
    }

    #[tokio::test]
    async fn a_reader_that_stops_keeps_the_transfer_alive_and_the_memory_bounded() {
        const FRAME: usize = 128 * 1024;
        let file = vec![3; 400 * FRAME];
        let (mut sink, mut reader, mut events) = sink(file.len(), FRAME);
        let mut hasher = PrefixHasher::default();
        for (at, payload) in file.chunks(FRAME).enumerate() {
            hasher.update(payload);
            let header =
                BulkHeader { number: 1, offset: (at * FRAME) as u64, prefix_sha256: hasher.digest() };
            sink.handle_frame(&header, payload);
        }
        // More than the pipe takes: the bytes that it took count, and the news repeat them.
        let mut told = 0;
        for _ in 0..20 {
            let SinkEvent::Progress { verified_bytes, .. } = next(&mut events).await else { panic!() };
            told = verified_bytes;
        }
        assert_eq!(told, FRAME as u64);
        assert!(sink.waiting_bytes.load(Ordering::Relaxed) <= MAX_WAITING_BYTES + FRAME as u64);
        let read = tokio::spawn(async move {
            let mut buffer = vec![0; FRAME];
            while reader.read(&mut buffer).await.unwrap() > 0 {}
        });
        // Everything that was taken arrives, and nothing else.
        let mut written = 0;
        drop(sink);
        while let Some(event) = events.recv().await {
            let FromWorker::Sink(_, SinkEvent::Progress { verified_bytes, .. }) = event else { panic!() };
            written = verified_bytes;
        }
        assert!(written > WINDOW_BYTES && written < file.len() as u64, "{written}");
        read.await.unwrap();
    }

    #[tokio::test]
    async fn a_reader_that_ends_fails_the_output() {
        let (mut sink, reader, mut events) = sink(10, 1000);
        drop(reader);
        let (header, payload) = frame(&[7; 10], 0, 5);
        sink.handle_frame(&header, &payload);
        let Some(FromWorker::OutputFailed(HANDLE, error)) = events.recv().await else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
