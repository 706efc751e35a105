//! How fast a page shows transfers that changed. A folder of thousands of files, or a member that floods with offers, must not
//! hold the page's thread: whatever changes again before it is shown is shown once.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use super::TransferHandle;
use crate::Timestamp;

/// Work is counted in this interval.
const INTERVAL: Duration = Duration::from_millis(100);
/// Work in an interval: 10 new rows, or 100 rows that are there and change.
const WORK: u32 = 100;
const NEW_ROW: u32 = 10;
const KNOWN_ROW: u32 = 1;

/// Transfers that changed and are not shown yet, each once, the longest waiting first.
#[derive(Debug, Default)]
pub struct ShowQueue {
    waiting: VecDeque<TransferHandle>,
    is_waiting: HashSet<TransferHandle>,
    shown: HashSet<TransferHandle>,
    interval_ends: Timestamp,
    work_left: u32,
}

impl ShowQueue {
    /// A transfer is new or changed.
    pub fn handle_changed(&mut self, transfer: TransferHandle) {
        if self.is_waiting.insert(transfer) {
            self.waiting.push_back(transfer);
        }
    }

    /// A transfer is no longer known.
    pub fn handle_forgotten(&mut self, transfer: TransferHandle) {
        if self.is_waiting.remove(&transfer) {
            self.waiting.retain(|waiting| *waiting != transfer);
        }
        self.shown.remove(&transfer);
    }

    /// The next transfer to show; `None` where nothing waits or this interval has done enough.
    pub fn poll(&mut self, now: Timestamp) -> Option<TransferHandle> {
        let next = *self.waiting.front()?;
        if self.interval_ends <= now {
            self.interval_ends = now + INTERVAL;
            self.work_left = WORK;
        }
        let work = if self.shown.contains(&next) { KNOWN_ROW } else { NEW_ROW };
        self.work_left = self.work_left.checked_sub(work)?;
        self.waiting.pop_front();
        self.is_waiting.remove(&next);
        self.shown.insert(next);
        Some(next)
    }

    /// When [`Self::poll`] has more.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        (!self.waiting.is_empty()).then_some(self.interval_ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(milliseconds))
    }

    fn polled(queue: &mut ShowQueue, now: Timestamp) -> Vec<u32> {
        std::iter::from_fn(|| queue.poll(now)).map(|transfer| transfer.0).collect()
    }

    #[test]
    fn a_few_transfers_are_shown_at_once_and_each_change_once() {
        let mut queue = ShowQueue::default();
        for transfer in [1, 2, 1, 1, 3] {
            queue.handle_changed(TransferHandle(transfer));
        }
        assert_eq!(polled(&mut queue, at(0)), [1, 2, 3]);
        assert_eq!(queue.poll_timeout(), None);
    }

    #[test]
    fn of_a_thousand_new_transfers_ten_are_shown_in_each_tenth_of_a_second() {
        let mut queue = ShowQueue::default();
        (0..1_000).for_each(|transfer| queue.handle_changed(TransferHandle(transfer)));
        let mut now = at(0);
        let mut shown = Vec::new();
        while let Some(due) = queue.poll_timeout() {
            now = now.max(due);
            let more = polled(&mut queue, now);
            assert_eq!(more.len(), 10);
            shown.extend(more);
        }
        assert_eq!(shown, (0..1_000).collect::<Vec<_>>());
        assert_eq!(now, at(9_900));
    }

    #[test]
    fn rows_that_are_there_change_faster_than_rows_are_made() {
        let mut queue = ShowQueue::default();
        (0..10).for_each(|transfer| queue.handle_changed(TransferHandle(transfer)));
        assert_eq!(polled(&mut queue, at(0)).len(), 10);
        for _ in 0..10 {
            (0..10).for_each(|transfer| queue.handle_changed(TransferHandle(transfer)));
            assert_eq!(polled(&mut queue, at(100)).len(), 10);
        }
        queue.handle_changed(TransferHandle(0));
        assert_eq!(polled(&mut queue, at(100)), [] as [u32; 0]);
        assert_eq!(queue.poll_timeout(), Some(at(200)));
    }

    #[test]
    fn a_transfer_that_is_forgotten_is_not_shown() {
        let mut queue = ShowQueue::default();
        queue.handle_changed(TransferHandle(1));
        queue.handle_changed(TransferHandle(2));
        queue.handle_forgotten(TransferHandle(1));
        assert_eq!(polled(&mut queue, at(0)), [2]);
        queue.handle_forgotten(TransferHandle(2));
        queue.handle_changed(TransferHandle(2));
        assert_eq!(polled(&mut queue, at(0)), [2]);
    }
}
