//! Limits the number of allocations of a user, of an address, and in total.

use std::{collections::HashMap, net::IpAddr};

use crate::proxy::limited_address;

/// Limits of the allocations at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocationLimits {
    /// Allocations of one user.
    pub per_user: usize,
    /// Allocations of one address, or of one IPv6 network of 64 bits.
    pub per_address: usize,
    /// Allocations of all users together.
    pub total: usize,
}

/// The limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuotaReached {
    User,
    Address,
    Total,
}

/// What kind of user has an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserKind {
    /// A member of a room.
    Member,
    /// A page that has no room. All visitors of an address are one user.
    Visitor,
}

/// Allocations of the visitors of one address: the connection doctor tries three TURN addresses, for a few people at once.
const VISITOR_ALLOCATIONS_PER_ADDRESS: usize = 32;
/// All visitors together get this fraction of the places.
const VISITOR_PART: usize = 4;

/// Counts allocations, and the ports that are reserved for one.
#[derive(Debug)]
pub(super) struct Quotas {
    limits: AllocationLimits,
    by_user: HashMap<String, usize>,
    by_address: HashMap<IpAddr, usize>,
    visitors: usize,
    total: usize,
}

/// The place of one allocation. It must be [given back](Quotas::give_back).
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct Place {
    user: String,
    kind: UserKind,
    /// The address that the place counts for: of IPv6, its network of 64 bits.
    pub(super) address: IpAddr,
}

impl Quotas {
    pub(super) fn new(limits: AllocationLimits) -> Self {
        Self { limits, by_user: HashMap::new(), by_address: HashMap::new(), visitors: 0, total: 0 }
    }

    /// Takes a place for one more allocation.
    pub(super) fn take(
        &mut self,
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
        let address = limited_address(address);
        if self.total >= total || self.visitors >= visitors {
            return Err(QuotaReached::Total);
        }
        if self.by_user.get(user).is_some_and(|count| *count >= per_user) {
            return Err(QuotaReached::User);
        }
        if self.by_address.get(&address).is_some_and(|count| *count >= per_address) {
            return Err(QuotaReached::Address);
        }
        self.total += 1;
        self.visitors += usize::from(kind == UserKind::Visitor);
        *self.by_user.entry(user.to_owned()).or_default() += 1;
        *self.by_address.entry(address).or_default() += 1;
        Ok(Place { user: user.to_owned(), kind, address })
    }

    /// Releases the place of an ended allocation.
    pub(super) fn give_back(&mut self, place: Place) {
        let Place { user, kind, address } = place;
        self.total = self.total.saturating_sub(1);
        if kind == UserKind::Visitor {
            self.visitors = self.visitors.saturating_sub(1);
        }
        take_one(&mut self.by_user, &user);
        take_one(&mut self.by_address, &address);
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

    fn take(quotas: &mut Quotas, user: &str, kind: UserKind, address: &str) -> Result<Place, QuotaReached> {
        quotas.take(user, kind, address.parse().unwrap())
    }

    #[test]
    fn allocations_are_limited_per_user_per_address_and_in_total_until_they_end() {
        let mut quotas = Quotas::new(LIMITS);
        let mut take = |user: &str, address: &str| take(&mut quotas, user, UserKind::Member, address);
        let mut places = vec![take("ada", "192.0.2.1").unwrap(), take("ada", "192.0.2.1").unwrap()];
        assert_eq!(take("ada", "192.0.2.9"), Err(QuotaReached::User));
        places.push(take("bo", "192.0.2.1").unwrap());
        assert_eq!(take("bo", "192.0.2.1"), Err(QuotaReached::Address));
        places.extend([take("cy", "2001:db8::1").unwrap(), take("cy", "2001:db8::2").unwrap()]);
        assert_eq!(take("dee", "192.0.2.2"), Err(QuotaReached::Total));
        for place in places {
            quotas.give_back(place);
        }
        assert_eq!((quotas.total, quotas.by_user.len(), quotas.by_address.len()), (0, 0, 0));
    }

    #[test]
    fn visitors_get_few_allocations_and_leave_most_to_members() {
        let mut quotas = Quotas::new(AllocationLimits { per_user: 128, per_address: 1_024, total: 200 });
        let taken = |quotas: &mut Quotas, user: &str, address: &str| {
            std::iter::from_fn(|| take(quotas, user, UserKind::Visitor, address).ok()).collect::<Vec<_>>()
        };
        let first = taken(&mut quotas, "visitor-1", "192.0.2.1");
        assert_eq!(first.len(), 32);
        let second = taken(&mut quotas, "visitor-2", "192.0.2.2");
        assert_eq!(second.len(), 18, "a quarter of all places is taken");
        assert!(take(&mut quotas, "ada", UserKind::Member, "192.0.2.1").is_ok());
        for place in first {
            quotas.give_back(place);
        }
        assert_eq!(taken(&mut quotas, "visitor-2", "192.0.2.2").len(), 14);
    }
}
