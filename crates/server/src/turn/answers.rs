//! How many answers an address gets to what anybody may ask: requests with a forged sender must not make this server
//! send much to someone else.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::{proxy::household, token_bucket::Bucket};

/// Buckets for all addresses. Two addresses that fall into one share it, so memory is bounded whatever comes.
const BUCKETS: usize = 16_384;

/// A burst is so many seconds' worth: an office whose people all start a call at once.
const BURST_S: u32 = 4;

/// Bounds the answers to each address.
#[derive(Debug)]
pub(super) struct AnswerLimiter {
    hasher: RandomState,
    buckets: Mutex<Box<[Bucket]>>,
}

impl AnswerLimiter {
    pub(super) fn new(per_s: u32, now: Instant) -> Self {
        let bucket = || Bucket::full(f64::from(per_s.saturating_mul(BURST_S)), f64::from(per_s), now);
        let buckets = std::iter::repeat_with(bucket).take(BUCKETS).collect();
        Self { hasher: RandomState::new(), buckets: Mutex::new(buckets) }
    }

    /// Whether one more may be answered.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> bool {
        let hash = self.hasher.hash_one(household(address));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(hash % BUCKETS as u64).unwrap_or_default();
        buckets.get_mut(index).is_some_and(|bucket| bucket.take(1.0, now))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn after_the_burst_an_address_is_answered_at_the_rate() {
        let start = Instant::now();
        let answers = AnswerLimiter::new(5, start);
        let victim: IpAddr = "192.0.2.1".parse().unwrap();
        let answered = |now| (0..1_000).filter(|_| answers.take(victim, now)).count();
        assert_eq!(answered(start), 20);
        assert_eq!(answered(start + Duration::from_secs(1)), 5);
        assert_eq!(answered(start + Duration::from_secs(100)), 20);
    }
}
