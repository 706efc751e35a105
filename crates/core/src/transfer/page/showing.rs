//! How fast a page shows transfers that changed. A folder of thousands of files, or a member that floods with offers, must not
//! hold the page's thread: changes are shown together, four times a second, and what changed again meanwhile is shown once.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use crate::{Timestamp, transfer::commands::TransferHandle};

/// How often changes are shown. Painting costs more than the rows that are painted.
const INTERVAL: Duration = Duration::from_millis(250);
/// New rows at a time.
const MAX_NEW: usize = 50;
/// Rows at a time that are there and change.
const MAX_KNOWN: usize = 500;

/// Transfers that changed and are not shown yet, each once, the longest waiting first.
#[derive(Debug, Default)]
pub struct ShowQueue {
    waiting: VecDeque<TransferHandle>,
    is_waiting: HashSet<TransferHandle>,
    shown: HashSet<TransferHandle>,
    /// Something changed that is shown of all transfers together.
    is_summary_old: bool,
    next_at: Timestamp,
}

impl ShowQueue {
    /// A transfer is new or changed.
    pub fn handle_changed(&mut self, transfer: TransferHandle) {
        self.is_summary_old = true;
        if self.is_waiting.insert(transfer) {
            self.waiting.push_back(transfer);
        }
    }

    /// A transfer is no longer known.
    pub fn handle_forgotten(&mut self, transfer: TransferHandle) {
        self.is_summary_old = true;
        if self.is_waiting.remove(&transfer) {
            self.waiting.retain(|waiting| *waiting != transfer);
        }
        self.shown.remove(&transfer);
    }

    /// What is shown of all transfers together changed: how many wait, for example.
    pub fn handle_summary_changed(&mut self) {
        self.is_summary_old = true;
    }

    /// The transfers to show now, together with what is shown of all of them; `None` where nothing changed or it is too soon.
    pub fn poll(&mut self, now: Timestamp) -> Option<Vec<TransferHandle>> {
        if now < self.poll_timeout()? {
            return None;
        }
        self.next_at = now + INTERVAL;
        self.is_summary_old = false;
        let (mut new, mut known) = (0, 0);
        let mut batch = Vec::new();
        while let Some(next) = self.waiting.front() {
            let (count, most) =
                if self.shown.contains(next) { (&mut known, MAX_KNOWN) } else { (&mut new, MAX_NEW) };
            if *count == most {
                break;
            }
            *count += 1;
            batch.extend(self.waiting.pop_front());
        }
        for transfer in &batch {
            self.is_waiting.remove(transfer);
            self.shown.insert(*transfer);
        }
        Some(batch)
    }

    /// When [`Self::poll`] has something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        (self.is_summary_old || !self.waiting.is_empty()).then_some(self.next_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(milliseconds))
    }

    fn handles(numbers: impl IntoIterator<Item = u32>) -> Vec<TransferHandle> {
        numbers.into_iter().map(TransferHandle).collect()
    }

    #[test]
    fn the_first_change_is_shown_at_once_and_those_soon_after_it_together() {
        let mut queue = ShowQueue::default();
        queue.handle_changed(TransferHandle(1));
        assert_eq!(queue.poll(at(1_000)), Some(handles([1])));
        for transfer in [2, 1, 2, 2, 3] {
            queue.handle_changed(TransferHandle(transfer));
            assert_eq!(queue.poll(at(1_100)), None);
        }
        assert_eq!(queue.poll_timeout(), Some(at(1_250)));
        assert_eq!(queue.poll(at(1_250)), Some(handles([2, 1, 3])));
        assert_eq!((queue.poll_timeout(), queue.poll(at(9_000))), (None, None));
    }

    #[test]
    fn of_a_thousand_new_transfers_fifty_are_shown_at_a_time() {
        let mut queue = ShowQueue::default();
        (0..1_000).for_each(|transfer| queue.handle_changed(TransferHandle(transfer)));
        let (mut now, mut shown) = (at(0), Vec::new());
        while let Some(due) = queue.poll_timeout() {
            now = now.max(due);
            let batch = queue.poll(now).unwrap_or_default();
            assert_eq!(batch.len(), 50);
            shown.extend(batch);
        }
        assert_eq!(shown, handles(0..1_000));
        assert_eq!(now, at(19 * 250));
        (0..1_000).for_each(|transfer| queue.handle_changed(TransferHandle(transfer)));
        assert_eq!(queue.poll(at(10_000)).map(|batch| batch.len()), Some(500), "these are there already");
    }

    #[test]
    fn a_transfer_that_is_forgotten_is_not_shown() {
        let mut queue = ShowQueue::default();
        queue.handle_changed(TransferHandle(1));
        queue.handle_changed(TransferHandle(2));
        queue.handle_forgotten(TransferHandle(1));
        assert_eq!(queue.poll(at(0)), Some(handles([2])));
        queue.handle_forgotten(TransferHandle(2));
        assert_eq!(queue.poll(at(250)), Some(handles([])), "how many there are changed");
    }
}
