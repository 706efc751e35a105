//! All allocations, with an index for each kind of lookup. Expired allocations are not found.

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    time::Duration,
};

use super::{
    allocation::Allocation,
    client::{FiveTuple, PortId},
    peer_table::PeerTable,
};
use crate::time::UnixTime;

/// The table of allocations. Every index contains the same allocations.
#[derive(Debug, Default)]
pub(super) struct Allocations {
    /// At the number of its port, which is small because numbers are used again.
    by_port: Vec<Option<Box<Allocation>>>,
    by_client: HashMap<FiveTuple, PortId>,
    /// Its keys are this server's choice, so a cheap hash is safe.
    by_relayed: PeerTable<SocketAddr, PortId>,
    by_expiry: BTreeSet<(UnixTime, PortId)>,
}

impl Allocations {
    pub(super) fn len(&self) -> usize {
        self.by_client.len()
    }

    /// Adds an allocation whose client and relayed address have none.
    pub(super) fn insert(&mut self, allocation: Allocation) {
        let port = allocation.port;
        self.by_client.insert(allocation.owner.client.five_tuple, port);
        self.by_relayed.insert(allocation.relayed, port);
        self.by_expiry.insert((allocation.expires_at(), port));
        if self.by_port.len() <= port.0 {
            self.by_port.resize_with(port.0 + 1, || None);
        }
        if let Some(free) = self.by_port.get_mut(port.0) {
            *free = Some(Box::new(allocation));
        }
    }

    pub(super) fn remove(&mut self, port: PortId) -> Option<Box<Allocation>> {
        let allocation = self.by_port.get_mut(port.0)?.take()?;
        self.by_client.remove(&allocation.owner.client.five_tuple);
        self.by_relayed.remove(&allocation.relayed);
        self.by_expiry.remove(&(allocation.expires_at(), port));
        Some(allocation)
    }

    pub(super) fn get(&mut self, port: PortId, now: UnixTime) -> Option<&mut Allocation> {
        let allocation = self.by_port.get_mut(port.0)?.as_deref_mut()?;
        (allocation.expires_at() > now).then_some(allocation)
    }

    pub(super) fn of_client(&self, client: &FiveTuple, now: UnixTime) -> Option<PortId> {
        self.by_client.get(client).copied().filter(|port| self.is_alive(*port, now))
    }

    pub(super) fn of_relayed(&self, relayed: SocketAddr, now: UnixTime) -> Option<PortId> {
        self.by_relayed.get(&relayed).copied().filter(|port| self.is_alive(*port, now))
    }

    /// The allocation of a client or of a relayed address, expired or not.
    pub(super) fn of_client_ever(&self, client: &FiveTuple) -> Option<PortId> {
        self.by_client.get(client).copied()
    }

    /// Extends an allocation's life, as [`Allocation::refresh`] does.
    pub(super) fn refresh(
        &mut self,
        port: PortId,
        wanted: Option<Duration>,
        now: UnixTime,
    ) -> Option<Duration> {
        let allocation = self.by_port.get_mut(port.0)?.as_deref_mut()?;
        self.by_expiry.remove(&(allocation.expires_at(), port));
        let lifetime = allocation.refresh(wanted, now);
        self.by_expiry.insert((allocation.expires_at(), port));
        Some(lifetime)
    }

    /// An allocation whose life is over.
    pub(super) fn expired(&self, now: UnixTime) -> Option<PortId> {
        self.by_expiry.first().filter(|(expires_at, _)| *expires_at <= now).map(|(_, port)| *port)
    }

    fn is_alive(&self, port: PortId, now: UnixTime) -> bool {
        let allocation = self.by_port.get(port.0).and_then(Option::as_deref);
        allocation.is_some_and(|allocation| allocation.expires_at() > now)
    }
}
