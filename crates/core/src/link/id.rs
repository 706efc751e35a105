//! The identity of a peer connection: on this page ([`LinkId`]), and between the two pages ([`LinkName`]).

use sightline_protocol::{ConnectionId, Generation};

use crate::random::SeededRandom;

/// Unique within the session; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// The name that both sides use in their signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkName {
    /// Stays the same when a connection is replaced.
    pub connection: ConnectionId,
    /// Increases with each replacement.
    pub generation: Generation,
}

impl LinkName {
    /// The name for the replacement of this connection.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { connection: self.connection.clone(), generation: self.generation.next() }
    }

    /// Whether `newer` is a later generation of the same connection.
    #[must_use]
    pub fn is_older_than(&self, newer: &Self) -> bool {
        self.connection == newer.connection && self.generation < newer.generation
    }
}

/// Creates ids and names for the links to one member.
#[derive(Debug)]
pub struct LinkNames {
    next: u64,
    random: SeededRandom,
}

impl LinkNames {
    /// `member` is a number that no other member of the session has; link ids are derived from it, so that two members never
    /// share an id. `seed` must be random.
    #[must_use]
    pub fn new(member: u32, seed: u128) -> Self {
        Self { next: u64::from(member) << 32, random: SeededRandom::new(seed) }
    }

    /// A new id, unique within the session.
    pub fn id(&mut self) -> LinkId {
        let id = LinkId(self.next);
        self.next += 1;
        id
    }

    /// A random id for a connection that replaces no other.
    pub fn connection(&mut self) -> ConnectionId {
        ConnectionId::from_random(self.random.next_u128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_two_members_never_share_an_id() {
        let (mut first, mut second) = (LinkNames::new(0, 1), LinkNames::new(1, 1));
        let ids: Vec<_> = (0..1000).flat_map(|_| [first.id(), second.id()]).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn only_a_later_generation_of_the_same_connection_is_newer() {
        let mut names = LinkNames::new(0, 1);
        let first = LinkName { connection: names.connection(), generation: Generation::default() };
        let other = LinkName { connection: names.connection(), generation: Generation(5) };
        assert!(first.is_older_than(&first.next()));
        assert!(!first.next().is_older_than(&first) && !first.is_older_than(&first));
        assert!(!first.is_older_than(&other));
    }
}
