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

/// Whose allocation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserKind {
    /// Of a room.
    Member,
    /// A page that has no room. All visitors of an address are one user.
    Visitor,
}

/// Allocations of the visitors of one address: a doctor's look at three TURN addresses, for a few people at once.
const VISITOR_ALLOCATIONS_PER_ADDRESS: usize = 32;
/// All visitors together have this part of the places.
const VISITOR_PART: usize = 4;

/// Counts allocations, and ports that are kept for one.
#[derive(Debug)]
pub(super) struct Quotas {
    limits: AllocationLimits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    by_user: HashMap<Arc<str>, usize>,
    by_address: HashMap<IpAddr, usize>,
    visitors: usize,
    total: usize,
}

/// One allocation's place; dropped with it.
#[derive(Debug)]
pub(super) struct Place {
    quotas: Arc<Quotas>,
    user: Arc<str>,
    kind: UserKind,
    address: IpAddr,
}

impl Quotas {
    pub(super) fn new(limits: AllocationLimits) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default() })
    }

    /// A place for one more allocation.
    pub(super) fn take(
        self: &Arc<Self>,
        user: &str,
        kind: UserKind,
        address: IpAddr,
    ) -> Result<Place, QuotaReached> {
        let AllocationLimits { per_user, per_address, total } = self.limits;
        let (per_user, visitors) = match kind {
            UserKind::Member => (per_user, usize::MAX),
            UserKind::Visitor => {
                (per_user.min(VISITOR_ALLOCATIONS_PER_ADDRESS), (total / VISITOR_PART).max(1))
            }
        };
        let address = household(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= total || counts.visitors >= visitors {
            return Err(QuotaReached::Total);
        }
        if counts.by_user.get(user).is_some_and(|count| *count >= per_user) {
            return Err(QuotaReached::User);
        }
        if counts.by_address.get(&address).is_some_and(|count| *count >= per_address) {
            return Err(QuotaReached::Address);
        }
        let user: Arc<str> = user.into();
        counts.total += 1;
        counts.visitors += usize::from(kind == UserKind::Visitor);
        *counts.by_user.entry(Arc::clone(&user)).or_default() += 1;
        *counts.by_address.entry(address).or_default() += 1;
        Ok(Place { quotas: Arc::clone(self), user, kind, address })
    }
}

impl Place {
    /// The address that it counts for.
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.quotas.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total = counts.total.saturating_sub(1);
        if self.kind == UserKind::Visitor {
            counts.visitors = counts.visitors.saturating_sub(1);
        }
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
        let take = |user: &str, address: &str| quotas.take(user, UserKind::Member, address.parse().unwrap());
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

    #[test]
    fn visitors_are_few_and_leave_most_of_the_places_to_members() {
        let quotas = Quotas::new(AllocationLimits { per_user: 128, per_address: 1_024, total: 200 });
        let take = |user: &str, kind, address: &str| quotas.take(user, kind, address.parse().unwrap());
        let taken = |user: &str, address: &str| {
            std::iter::from_fn(|| take(user, UserKind::Visitor, address).ok()).collect::<Vec<_>>()
        };
        let first = taken("visitor-1", "192.0.2.1");
        assert_eq!(first.len(), 32);
        let second = taken("visitor-2", "192.0.2.2");
        assert_eq!(second.len(), 18, "a quarter of all places is taken");
        assert!(take("ada", UserKind::Member, "192.0.2.1").is_ok());
        drop(first);
        assert_eq!(taken("visitor-2", "192.0.2.2").len(), 14);
    }
}
