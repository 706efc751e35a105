//! Slots for TCP connections.
//!
//! A connection has a slot until its WebSocket is counted among the sockets by `signaling`. So clients that fetch files take no
//! slots from calls. When all slots are taken, a connection gets one of a few reserved ones, which are for `/ws`, `/healthz` and
//! `/metrics` and end after one request.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    log::Throttle,
    proxy::{TrustedProxy, is_trusted, limited_address},
};

/// Limits of the connections to one server.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Most connections at the same time that fetch files or have not sent a request yet.
    pub max: usize,
    /// Connections beyond those, for `/ws`, `/healthz` and `/metrics` only.
    pub reserved: usize,
    /// Most connections of one address, and most requests at the same time of one client behind a proxy. A browser opens six, and a
    /// school class comes at once.
    pub max_per_address: usize,
    /// Time for a TLS handshake.
    pub handshake_timeout: Duration,
    /// Time for a request's head, and for the pause before it.
    pub head_timeout: Duration,
    /// [`Self::head_timeout`] of a reserved connection.
    pub reserved_head_timeout: Duration,
    /// Once an answer has to wait, the client has to take [`Self::write_bytes`] within this time.
    pub write_window: Duration,
    /// Bytes that a client has to take within [`Self::write_window`].
    pub write_bytes: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max: 512,
            reserved: 128,
            max_per_address: 128,
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(15),
            reserved_head_timeout: Duration::from_secs(3),
            write_window: Duration::from_secs(30),
            // 2 KB a second: slower than any network that a call could use.
            write_bytes: 64 * 1024,
        }
    }
}

/// The slots of all connections to a port or a group of ports.
#[derive(Debug)]
pub(crate) struct Slots {
    limits: ConnectionLimits,
    regular: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    trusted_proxies: Arc<[TrustedProxy]>,
    accept_errors: Throttle,
}

/// The slot of one connection, shared with its requests.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    taken: Arc<TakenSlot>,
}

#[derive(Debug)]
struct TakenSlot {
    peer: IpAddr,
    local: Option<IpAddr>,
    is_reserved: bool,
    place: Mutex<Option<Place>>,
}

/// Returned when it is dropped.
type Place = (OwnedSemaphorePermit, Option<Counted>);

/// One connection or request of an address, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    slots: Arc<Slots>,
    address: IpAddr,
}

impl Slots {
    /// Slots without reserved ones.
    pub(crate) fn new(max: usize, max_per_address: usize, trusted_proxies: Arc<[TrustedProxy]>) -> Self {
        let limits = ConnectionLimits { max, reserved: 0, max_per_address, ..ConnectionLimits::default() };
        Self::of(limits, trusted_proxies)
    }

    pub(crate) fn of(limits: ConnectionLimits, trusted_proxies: Arc<[TrustedProxy]>) -> Self {
        let [regular, reserved] =
            [limits.max, limits.reserved].map(|places| Arc::new(Semaphore::new(places)));
        Self {
            limits,
            regular,
            reserved,
            by_address: Mutex::default(),
            trusted_proxies,
            accept_errors: Throttle::new(),
        }
    }

    pub(crate) fn limits(&self) -> &ConnectionLimits {
        &self.limits
    }

    pub(crate) fn trusted_proxies(&self) -> &[TrustedProxy] {
        &self.trusted_proxies
    }

    /// Throttles the log lines about connections that the system did not accept.
    pub(crate) fn accept_errors(&self) -> &Throttle {
        &self.accept_errors
    }

    /// Waits for a slot for a connection between these two addresses, preferably one that is not reserved; `None` if `peer` has
    /// too many connections.
    pub(crate) async fn admit(self: &Arc<Self>, peer: IpAddr, local: IpAddr) -> Option<Slot> {
        let counted = self.count_peer(peer)?;
        let (permit, is_reserved) = tokio::select! {
            biased;
            permit = Arc::clone(&self.regular).acquire_owned() => (permit.ok()?, false),
            permit = Arc::clone(&self.reserved).acquire_owned() => (permit.ok()?, true),
        };
        Some(Slot::new(peer, Some(local), is_reserved, (permit, counted)))
    }

    /// Trusted proxies, those on this machine included, speak for many clients and are not counted.
    #[expect(clippy::option_option, reason = "the outer None is too many, the inner one not counted")]
    fn count_peer(self: &Arc<Self>, peer: IpAddr) -> Option<Option<Counted>> {
        match is_trusted(peer, &self.trusted_proxies) {
            true => Some(None),
            false => self.count(peer).map(Some),
        }
    }

    /// Counts one more connection or request of this address; `None` where that is too many.
    pub(crate) fn count(self: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let address = limited_address(address);
        let mut by_address = self.by_address();
        let count = by_address.entry(address).or_default();
        if *count >= self.limits.max_per_address {
            return None;
        }
        *count += 1;
        Some(Counted { slots: Arc::clone(self), address })
    }

    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn new(peer: IpAddr, local: Option<IpAddr>, is_reserved: bool, place: Place) -> Self {
        Self { taken: Arc::new(TakenSlot { peer, local, is_reserved, place: Mutex::new(Some(place)) }) }
    }

    /// The other end of the connection.
    pub(crate) fn peer(&self) -> IpAddr {
        self.taken.peer
    }

    /// The address of this end of the connection.
    pub(crate) fn local(&self) -> Option<IpAddr> {
        self.taken.local
    }

    /// Whether the slot is a reserved one.
    pub(crate) fn is_reserved(&self) -> bool {
        self.taken.is_reserved
    }

    /// Returns the slot. From now on the connection is counted among the sockets.
    pub(crate) fn release(&self) {
        drop(self.taken.place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut by_address = self.slots.by_address();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn slots(max: usize, reserved: usize, max_per_address: usize) -> Arc<Slots> {
        let limits = ConnectionLimits { max, reserved, max_per_address, ..ConnectionLimits::default() };
        Arc::new(Slots::of(limits, Arc::new([])))
    }

    /// A slot for a connection of that peer, if one is free at once.
    fn take(slots: &Arc<Slots>, peer: &str) -> Option<Slot> {
        slots.admit(peer.parse().unwrap(), [192, 0, 2, 1].into()).now_or_never().flatten()
    }

    #[test]
    fn the_last_places_are_reserved_and_come_back_last() {
        let slots = slots(1, 1, 9);
        let first = take(&slots, "192.0.2.7").unwrap();
        let second = take(&slots, "192.0.2.8").unwrap();
        assert_eq!((first.is_reserved(), second.is_reserved()), (false, true));
        assert!(take(&slots, "192.0.2.9").is_none());
        drop(first);
        assert!(!take(&slots, "192.0.2.9").unwrap().is_reserved());
    }

    #[test]
    fn a_socket_gives_its_place_back_and_keeps_its_connection() {
        let slots = slots(1, 0, 1);
        let socket = take(&slots, "192.0.2.7").unwrap();
        assert!(take(&slots, "192.0.2.7").is_none());
        socket.release();
        let file = take(&slots, "192.0.2.7").unwrap();
        drop(socket);
        assert!(take(&slots, "192.0.2.7").is_none(), "given back once, not twice");
        drop(file);
        assert!(slots.by_address().is_empty());
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_address_and_a_mapped_ipv4_address_is_itself() {
        let slots = slots(9, 0, 2);
        let _first =
            [take(&slots, "2001:db8:1:2::3").unwrap(), take(&slots, "2001:db8:1:2:ffff::4").unwrap()];
        assert!(take(&slots, "2001:db8:1:2::5").is_none());
        assert!(take(&slots, "2001:db8:1:3::5").is_some());
        let _second = [take(&slots, "::ffff:192.0.2.7").unwrap(), take(&slots, "192.0.2.7").unwrap()];
        assert!(take(&slots, "::ffff:192.0.2.7").is_none());
    }

    #[test]
    fn a_trusted_proxy_may_take_every_slot() {
        let slots = slots(3, 0, 1);
        let all: Vec<_> = (0..4).map_while(|_| take(&slots, "127.0.0.1")).collect();
        assert_eq!(all.len(), 3);
    }
}
