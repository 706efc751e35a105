//! The bytes that wait for clients over TCP and TLS: limited for each connection and in total.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::sync::Notify;

/// Most bytes that may wait for one connection. Messages beyond them are dropped, as on any full link, because late media is
/// useless.
const OUTBOX_BYTES: usize = 256 * 1024;
/// Most bytes that may wait for all connections together, except for [`MIN_OUTBOX_BYTES`] of each.
const ALL_OUTBOX_BYTES: usize = 64 * 1024 * 1024;
/// One connection gets this fraction of the remaining total, so that full connections leave room for others.
const OUTBOX_PART: usize = 8;
/// Every connection may have this many bytes waiting.
const MIN_OUTBOX_BYTES: usize = 8 * 1024;

/// Counts the bytes that wait for all connections.
#[derive(Debug, Default)]
pub(super) struct OutboxBudget {
    waiting_bytes: Cell<usize>,
}

/// The bytes that wait for one connection.
#[derive(Debug)]
pub(super) struct StreamOutbox {
    budget: Rc<OutboxBudget>,
    waiting: RefCell<Vec<u8>>,
    changed: Notify,
}

/// Bytes taken from an outbox. They count as waiting until they are [written](Self::written), or dropped.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    outbox: &'a StreamOutbox,
    pub(super) bytes: Vec<u8>,
}

impl OutboxBudget {
    /// The most that may wait for one connection now.
    fn limit(&self) -> usize {
        let left = ALL_OUTBOX_BYTES.saturating_sub(self.waiting_bytes.get());
        (left / OUTBOX_PART).clamp(MIN_OUTBOX_BYTES, OUTBOX_BYTES)
    }

    fn add(&self, bytes: usize) {
        self.waiting_bytes.set(self.waiting_bytes.get() + bytes);
    }

    fn subtract(&self, bytes: usize) {
        self.waiting_bytes.set(self.waiting_bytes.get().saturating_sub(bytes));
    }
}

impl StreamOutbox {
    pub(super) fn new(budget: Rc<OutboxBudget>) -> Self {
        Self { budget, waiting: RefCell::default(), changed: Notify::new() }
    }

    /// Queues a message of two parts, whole or not at all.
    pub(super) fn push(&self, head: &[u8], payload: &[u8]) -> bool {
        let bytes = head.len() + payload.len();
        // On a stream ChannelData is padded; STUN messages always are.
        let padding = bytes.next_multiple_of(4) - bytes;
        let mut waiting = self.waiting.borrow_mut();
        let fits = waiting.len() + bytes + padding <= self.budget.limit();
        if fits {
            waiting.extend_from_slice(head);
            waiting.extend_from_slice(payload);
            waiting.extend_from_slice(&[0; 3][..padding]);
            self.budget.add(bytes + padding);
        }
        drop(waiting);
        self.changed.notify_one();
        fits
    }

    /// Waits for a [`Self::push`].
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// An empty place for bytes that are [taken](Taken::take) from this outbox.
    pub(super) fn taken(&self) -> Taken<'_> {
        Taken { outbox: self, bytes: Vec::new() }
    }
}

impl Taken<'_> {
    /// Takes all that waits.
    pub(super) fn take(&mut self) {
        self.written();
        std::mem::swap(&mut *self.outbox.waiting.borrow_mut(), &mut self.bytes);
    }

    /// Returns the taken bytes to the budget.
    pub(super) fn written(&mut self) {
        self.outbox.budget.subtract(self.bytes.len());
        self.bytes.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.written();
    }
}

impl Drop for StreamOutbox {
    fn drop(&mut self) {
        self.budget.subtract(self.waiting.get_mut().len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_are_not_read_leave_room_for_those_that_are() {
        let budget = Rc::new(OutboxBudget::default());
        let payload = vec![7; 1_000];
        let stuck: Vec<_> = (0..2_000)
            .map(|_| {
                let outbox = StreamOutbox::new(Rc::clone(&budget));
                while outbox.push(&[], &payload) {}
                outbox
            })
            .collect();
        let bound = ALL_OUTBOX_BYTES + stuck.len() * MIN_OUTBOX_BYTES;
        assert!(budget.waiting_bytes.get() <= bound);
        let other = StreamOutbox::new(Rc::clone(&budget));
        assert!(other.push(&[], &payload));
        drop(stuck);
        drop(other);
        assert_eq!(budget.waiting_bytes.get(), 0);
    }

    #[test]
    fn a_message_that_does_not_fit_is_dropped_whole() {
        let outbox = StreamOutbox::new(Rc::default());
        let long = vec![7; 60_000];
        assert_eq!([0; 5].map(|_| outbox.push(&[1, 2, 3, 4], &long)), [true, true, true, true, false]);
        assert!(outbox.push(b"a", b"bcd"));
        let mut taken = outbox.taken();
        taken.take();
        assert_eq!(taken.bytes.len(), 4 * 60_004 + 4);
        assert!(outbox.push(&[1, 2, 3, 4], &long));
    }

    #[test]
    fn taken_bytes_count_until_they_are_written_or_dropped() {
        let outbox = StreamOutbox::new(Rc::default());
        assert!(outbox.push(b"abcd", &[]));
        let mut taken = outbox.taken();
        taken.take();
        assert_eq!(outbox.budget.waiting_bytes.get(), 4);
        taken.written();
        assert_eq!(outbox.budget.waiting_bytes.get(), 0);
        assert!(outbox.push(b"abcd", &[]));
        taken.take();
        drop(taken);
        assert_eq!(outbox.budget.waiting_bytes.get(), 0);
    }
}
