//! The rate of arriving bytes over the last seconds.

use std::{collections::VecDeque, time::Duration};

use crate::Timestamp;

const SPAN: Duration = Duration::from_secs(4);
const STEP: Duration = Duration::from_millis(200);

/// A growing count of bytes and its rate.
#[derive(Debug, Default)]
pub(super) struct Speed {
    samples: VecDeque<(Timestamp, u64)>,
}

impl Speed {
    /// Takes the present count.
    pub(super) fn handle_count(&mut self, bytes: u64, now: Timestamp) {
        if self.samples.back().is_some_and(|(at, _)| now.since(*at) < STEP) {
            return;
        }
        self.samples.push_back((now, bytes));
        while self.samples.len() > 2 && self.samples.front().is_some_and(|(at, _)| now.since(*at) > SPAN) {
            self.samples.pop_front();
        }
    }

    /// Restarts the measurement: earlier samples are discarded.
    pub(super) fn reset(&mut self) {
        self.samples.clear();
    }

    /// The rate in bytes per second; `None` until there are two samples.
    pub(super) fn bytes_per_second(&self) -> Option<u64> {
        let ((first_at, first), (last_at, last)) = (self.samples.front()?, self.samples.back()?);
        let micros = u64::try_from(last_at.since(*first_at).as_micros()).ok().filter(|micros| *micros > 0)?;
        Some(last.saturating_sub(*first).saturating_mul(1_000_000) / micros)
    }
}
