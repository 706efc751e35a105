//! How many allocations a user, an address and all together may have.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::proxy::household;

/// Bounds on allocations at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocationLimits {
    /// Of one user.
    pub per_user: usize,
    /// Of one address, or of one IPv6 network of 64 bits.
    pub per_address: usize,
    /// In all.
    pub total: usize,
}

/// Why there is no allocation for someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuotaReached {
    User,
    Address,
    Total,
}

/// Counts allocations.
#[derive(Debug)]
pub(super) struct Quotas {
    limits: AllocationLimits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    by_user: HashMap<Arc<str>, usize>,
    by_address: HashMap<IpAddr, usize>,
    total: usize,
}

/// One allocation's place; dropped with it.
#[derive(Debug)]
pub(super) struct Place {
    quotas: Arc<Quotas>,
    user: Arc<str>,
    address: IpAddr,
}

impl Quotas {
    pub(super) fn new(limits: AllocationLimits) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default() })
    }

    /// A place for one more allocation.
    pub(super) fn take(self: &Arc<Self>, user: &str, address: IpAddr) -> Result<Place, QuotaReached> {
        let address = household(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= self.limits.total {
            return Err(QuotaReached::Total);
        }
        if counts.by_user.get(user).is_some_and(|count| *count >= self.limits.per_user) {
            return Err(QuotaReached::User);
        }
        if counts.by_address.get(&address).is_some_and(|count| *count >= self.limits.per_address) {
            return Err(QuotaReached::Address);
        }
        let user: Arc<str> = user.into();
        counts.total += 1;
        *counts.by_user.entry(Arc::clone(&user)).or_default() += 1;
        *counts.by_address.entry(address).or_default() += 1;
        Ok(Place { quotas: Arc::clone(self), user, address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.quotas.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total = counts.total.saturating_sub(1);
        take_one(&mut counts.by_user, &self.user);
        take_one(&mut counts.by_address, &self.address);
    }
}

fn take_one<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AllocationLimits = AllocationLimits { per_user: 2, per_address: 3, total: 5 };

    #[test]
    fn a_user_an_address_and_all_have_their_limits_and_what_ends_makes_room() {
        let quotas = Quotas::new(LIMITS);
        let take = |user: &str, address: &str| quotas.take(user, address.parse().unwrap());
        let mut places = vec![take("ada", "192.0.2.1").unwrap(), take("ada", "192.0.2.1").unwrap()];
        assert_eq!(take("ada", "192.0.2.9").unwrap_err(), QuotaReached::User);
        places.push(take("bo", "192.0.2.1").unwrap());
        assert_eq!(take("bo", "192.0.2.1").unwrap_err(), QuotaReached::Address);
        places.extend([take("cy", "2001:db8::1").unwrap(), take("cy", "2001:db8::2").unwrap()]);
        assert_eq!(take("dee", "192.0.2.2").unwrap_err(), QuotaReached::Total);
        drop(places);
        let counts = quotas.counts.lock().unwrap();
        assert_eq!((counts.total, counts.by_user.len(), counts.by_address.len()), (0, 0, 0));
    }
}
