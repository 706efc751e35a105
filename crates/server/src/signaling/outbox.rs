//! The frames that wait for one socket: limited in number, bytes and age, and in the bytes of all sockets together.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use sightline_protocol::ErrorCode;
use tokio::time::Instant;

use super::limits::SocketLimits;
use crate::rooms::Closing;

/// Bytes that wait in all outboxes of a server.
#[derive(Debug, Clone, Default)]
pub(super) struct QueuedBytes(Arc<AtomicUsize>);

impl QueuedBytes {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn remove(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The queue between the rooms and the task that writes to a socket.
#[derive(Debug)]
pub(super) struct Outbox {
    max_frames: usize,
    max_bytes: usize,
    total: QueuedBytes,
    queue: Mutex<Queue>,
    watcher: AtomicWaker,
}

/// The next item to write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A text frame to be sent.
    Frame(String),
    /// The last message, followed by the Close frame.
    End(Closing),
}

/// The socket does not take its frames fast enough.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutboxFull;

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Waiting>,
    bytes: usize,
    closing: Option<Closing>,
}

#[derive(Debug)]
struct Waiting {
    frame: String,
    since: Instant,
}

impl Outbox {
    pub(super) fn new(limits: &SocketLimits, total: QueuedBytes) -> Self {
        Self {
            max_frames: limits.queue_frames,
            max_bytes: limits.queue_bytes,
            total,
            queue: Mutex::default(),
            watcher: AtomicWaker::new(),
        }
    }

    /// Queues a text frame. After [`Self::end`] it is dropped.
    pub(super) fn push(&self, mut frame: String, now: Instant) -> Result<(), OutboxFull> {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return Ok(());
        }
        if queue.frames.len() >= self.max_frames || queue.bytes + frame.len() > self.max_bytes {
            return Err(OutboxFull);
        }
        // Shrinking copies, so only frames that have to wait are shrunk; then the counted memory is the real one.
        if !queue.frames.is_empty() {
            frame.shrink_to_fit();
        }
        queue.bytes += frame.len();
        self.total.add(frame.len());
        queue.frames.push_back(Waiting { frame, since: now });
        drop(queue);
        self.watcher.wake();
        Ok(())
    }

    /// Ends the queue: `closing` follows what is queued, and nothing more is queued. Only the first call counts.
    pub(super) fn end(&self, closing: Closing) {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return;
        }
        if matches!(closing, Closing::Gone | Closing::Failed { code: ErrorCode::TooSlow, .. }) {
            self.clear(&mut queue);
        }
        queue.closing = Some(closing);
        drop(queue);
        self.watcher.wake();
    }

    pub(super) fn is_ended(&self) -> bool {
        self.lock().closing.is_some()
    }

    /// Bytes that wait here.
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// When the oldest waiting frame was queued.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.lock().frames.front().map(|waiting| waiting.since)
    }

    /// Wakes this task when a frame is queued or [`Self::end`] is called. Only one task can watch.
    pub(super) fn watch(&self, waker: &Waker) {
        self.watcher.register(waker);
    }

    /// Takes the next item to write.
    pub(super) fn pop(&self) -> Option<Next> {
        let mut queue = self.lock();
        if let Some(Waiting { frame, .. }) = queue.frames.pop_front() {
            queue.bytes -= frame.len();
            self.total.remove(frame.len());
            return Some(Next::Frame(frame));
        }
        queue.closing.clone().map(Next::End)
    }

    fn clear(&self, queue: &mut Queue) {
        self.total.remove(queue.bytes);
        queue.frames = VecDeque::new();
        queue.bytes = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.total.remove(self.bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outbox(queue_frames: usize, queue_bytes: usize) -> Outbox {
        outbox_of(queue_frames, queue_bytes, &QueuedBytes::default())
    }

    fn outbox_of(queue_frames: usize, queue_bytes: usize, total: &QueuedBytes) -> Outbox {
        Outbox::new(&SocketLimits { queue_frames, queue_bytes, ..SocketLimits::default() }, total.clone())
    }

    fn push(outbox: &Outbox, frame: &str) -> Result<(), OutboxFull> {
        outbox.push(frame.to_owned(), Instant::now())
    }

    #[test]
    fn queued_frames_go_out_before_the_last_message() {
        let outbox = outbox(8, 100);
        push(&outbox, "a").unwrap();
        outbox.end(Closing::Replaced);
        push(&outbox, "b").unwrap();
        assert_eq!(outbox.pop(), Some(Next::Frame("a".to_owned())));
        assert_eq!(outbox.pop(), Some(Next::End(Closing::Replaced)));
    }

    #[test]
    fn frames_and_bytes_are_bounded_and_room_is_freed_when_they_are_sent() {
        let by_frames = outbox(2, 100);
        assert_eq!(["a", "b", "c"].map(|frame| push(&by_frames, frame).is_ok()), [true, true, false]);
        by_frames.pop();
        assert_eq!(push(&by_frames, "c"), Ok(()));

        let by_bytes = outbox(100, 4);
        assert_eq!(["aaa", "bb", "c"].map(|frame| push(&by_bytes, frame).is_ok()), [true, false, true]);
    }

    #[test]
    fn the_error_for_a_slow_socket_goes_out_before_its_queued_frames() {
        let outbox = outbox(8, 100);
        push(&outbox, "a").unwrap();
        let closing = Closing::failed(ErrorCode::TooSlow, "");
        outbox.end(closing.clone());
        assert_eq!(outbox.pop(), Some(Next::End(closing)));
    }

    #[test]
    fn only_the_first_end_counts() {
        let outbox = outbox(8, 100);
        outbox.end(Closing::Left);
        outbox.end(Closing::Replaced);
        assert_eq!(outbox.pop(), Some(Next::End(Closing::Left)));
        assert!(outbox.is_ended());
    }

    #[test]
    fn the_age_of_the_queue_is_that_of_its_oldest_frame() {
        let (outbox, start) = (outbox(8, 100), Instant::now());
        assert_eq!(outbox.waiting_since(), None);
        let times = [0, 1, 2].map(|s| start + Duration::from_secs(s));
        for time in times {
            outbox.push("a".to_owned(), time).unwrap();
        }
        assert_eq!(outbox.waiting_since(), Some(times[0]));
        outbox.pop();
        assert_eq!(outbox.waiting_since(), Some(times[1]));
    }

    #[test]
    fn the_total_of_queued_bytes_follows_sent_ended_and_dropped_outboxes() {
        let total = QueuedBytes::default();
        let [sent, slow, gone] = [0; 3].map(|_| outbox_of(8, 100, &total));
        for outbox in [&sent, &slow, &gone] {
            push(outbox, "four").unwrap();
            push(outbox, "more").unwrap();
        }
        assert_eq!(total.get(), 24);
        sent.pop();
        assert_eq!((total.get(), sent.bytes()), (20, 4));
        slow.end(Closing::failed(ErrorCode::TooSlow, ""));
        assert_eq!(total.get(), 12);
        drop(gone);
        assert_eq!(total.get(), 4);
        sent.pop();
        assert_eq!(total.get(), 0);
    }
}
