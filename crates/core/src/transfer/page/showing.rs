//! Limits how often a page updates the view of transfers. A folder of thousands of files, or a member that floods the page with
//! offers, must not block the page's thread: changes are shown together, four times a second, and several changes of one
//! transfer are shown once.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use crate::{Timestamp, transfer::commands::TransferHandle};

/// Interval between updates. The cost of painting exceeds that of the painted rows.
const INTERVAL: Duration = Duration::from_millis(250);
/// Maximum number of new rows in an update: a busy computer needs milliseconds for each, and a video must not stop meanwhile.
const MAX_NEW: usize = 25;
/// Maximum number of changed rows in an update.
const MAX_KNOWN: usize = 500;

/// Changed transfers that are not shown yet, each once, in the order of their first change.
#[derive(Debug, Default)]
pub struct ShowQueue {
    waiting: VecDeque<TransferHandle>,
    is_waiting: HashSet<TransferHandle>,
    shown: HashSet<TransferHandle>,
    /// Whether the summary of all transfers changed.
    is_summary_old: bool,
    next_at: Timestamp,
}

impl ShowQueue {
    /// Notes that a transfer is new or changed.
    pub fn handle_changed(&mut self, transfer: TransferHandle) {
        self.is_summary_old = true;
        if self.is_waiting.insert(transfer) {
            self.waiting.push_back(transfer);
        }
    }

    /// Notes that a transfer was dropped from the list.
    pub fn handle_forgotten(&mut self, transfer: TransferHandle) {
        self.is_summary_old = true;
        if self.is_waiting.remove(&transfer) {
            self.waiting.retain(|waiting| *waiting != transfer);
        }
        self.shown.remove(&transfer);
    }

    /// Notes that the summary of all transfers changed, such as the number of waiting files.
    pub fn handle_summary_changed(&mut self) {
        self.is_summary_old = true;
    }

    /// The transfers to update now, together with the summary; `None` if nothing changed or the last update was too recent.
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

    /// The time at which [`Self::poll`] has an update.
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
    fn a_thousand_new_transfers_are_shown_in_batches_of_twenty_five() {
        let mut queue = ShowQueue::default();
        (0..1_000).for_each(|transfer| queue.handle_changed(TransferHandle(transfer)));
        let (mut now, mut shown) = (at(0), Vec::new());
        while let Some(due) = queue.poll_timeout() {
            now = now.max(due);
            let batch = queue.poll(now).unwrap_or_default();
            assert_eq!(batch.len(), 25);
            shown.extend(batch);
        }
        assert_eq!(shown, handles(0..1_000));
        assert_eq!(now, at(39 * 250));
        (0..1_000).for_each(|transfer| queue.handle_changed(TransferHandle(transfer)));
        assert_eq!(
            queue.poll(at(10_000)).map(|batch| batch.len()),
            Some(500),
            "the transfers are shown already"
        );
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
