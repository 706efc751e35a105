//! What waits to be sent to one socket, bounded.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use futures_util::task::AtomicWaker;
use sightline_protocol::ErrorCode;

use super::limits::SocketLimits;
use crate::rooms::Closing;

/// The queue between the rooms and the task that writes to a socket.
#[derive(Debug)]
pub(super) struct Outbox {
    max_frames: usize,
    max_bytes: usize,
    queue: Mutex<Queue>,
    watcher: AtomicWaker,
}

/// What is to be written next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A text frame.
    Frame(String),
    /// The last message, then the Close frame.
    End(Closing),
}

/// The socket does not take what is sent to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutboxFull;

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<String>,
    bytes: usize,
    closing: Option<Closing>,
}

impl Outbox {
    pub(super) fn new(limits: &SocketLimits) -> Self {
        Self {
            max_frames: limits.queue_frames,
            max_bytes: limits.queue_bytes,
            queue: Mutex::default(),
            watcher: AtomicWaker::new(),
        }
    }

    /// Queues a text frame. After [`Self::end`] it is dropped.
    pub(super) fn push(&self, frame: String) -> Result<(), OutboxFull> {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return Ok(());
        }
        if queue.frames.len() >= self.max_frames || queue.bytes + frame.len() > self.max_bytes {
            return Err(OutboxFull);
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.watcher.wake();
        Ok(())
    }

    /// Nothing is queued any more; after what is queued comes `closing`. Only the first call counts.
    pub(super) fn end(&self, closing: Closing) {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return;
        }
        if matches!(closing, Closing::Gone | Closing::Failed { code: ErrorCode::TooSlow, .. }) {
            queue.frames.clear();
            queue.bytes = 0;
        }
        queue.closing = Some(closing);
        drop(queue);
        self.watcher.wake();
    }

    pub(super) fn is_ended(&self) -> bool {
        self.lock().closing.is_some()
    }

    /// Wakes this task when something was queued or [`Self::end`] was called. One task at a time.
    pub(super) fn watch(&self, waker: &Waker) {
        self.watcher.register(waker);
    }

    /// What is to be written next, if anything is.
    pub(super) fn pop(&self) -> Option<Next> {
        let mut queue = self.lock();
        if let Some(frame) = queue.frames.pop_front() {
            queue.bytes -= frame.len();
            return Some(Next::Frame(frame));
        }
        queue.closing.clone().map(Next::End)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(queue_frames: usize, queue_bytes: usize) -> Outbox {
        Outbox::new(&SocketLimits { queue_frames, queue_bytes, ..SocketLimits::default() })
    }

    #[test]
    fn what_is_queued_goes_before_the_last_word() {
        let outbox = outbox(8, 100);
        outbox.push("a".to_owned()).unwrap();
        outbox.end(Closing::Replaced);
        outbox.push("b".to_owned()).unwrap();
        assert_eq!(outbox.pop(), Some(Next::Frame("a".to_owned())));
        assert_eq!(outbox.pop(), Some(Next::End(Closing::Replaced)));
    }

    #[test]
    fn frames_and_bytes_are_bounded_and_room_comes_back() {
        let by_frames = outbox(2, 100);
        assert_eq!(
            ["a", "b", "c"].map(|frame| by_frames.push(frame.to_owned()).is_ok()),
            [true, true, false]
        );
        by_frames.pop();
        assert_eq!(by_frames.push("c".to_owned()), Ok(()));

        let by_bytes = outbox(100, 4);
        assert_eq!(
            ["aaa", "bb", "c"].map(|frame| by_bytes.push(frame.to_owned()).is_ok()),
            [true, false, true]
        );
    }

    #[test]
    fn a_socket_that_is_too_slow_is_told_so_before_anything_else() {
        let outbox = outbox(8, 100);
        outbox.push("a".to_owned()).unwrap();
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
}
