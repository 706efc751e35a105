//! Two namespaces and the link between them.

use std::{
    net::{IpAddr, Ipv4Addr},
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{sync::watch, task::JoinHandle};
use tokio_tun::Tun;

use crate::{
    LinkProfile, Namespace, NetlabError,
    forward::{Counters, MAX_QUEUED_PACKETS, forward},
    namespace::ip,
};

/// The direction of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From side a to side b.
    AToB,
    /// From side b to side a.
    BToA,
}

/// One side of a link.
#[derive(Debug)]
pub struct Side {
    /// The namespace for programs.
    pub namespace: Namespace,
    /// The address of this side on the link.
    pub address: IpAddr,
}

/// Counts the packets of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkCounters {
    /// Packets that entered the direction.
    pub taken: u64,
    /// The bytes of these packets, with their IP headers.
    pub taken_bytes: u64,
    /// Packets that left it; the others were lost, dropped, cut off, or are still on their way.
    pub delivered: u64,
}

/// An emulated link. Dropping it removes the namespaces and the devices.
#[derive(Debug)]
pub struct Link {
    /// The first side.
    pub a: Side,
    /// The second side.
    pub b: Side,
    a_to_b: Way,
    b_to_a: Way,
}

#[derive(Debug)]
struct Way {
    profile: watch::Sender<LinkProfile>,
    counters: Arc<Counters>,
    task: JoinHandle<()>,
}

impl Link {
    /// Makes two namespaces and a link with this profile in both directions. To be called in a tokio runtime, whose
    /// tasks carry the packets.
    ///
    /// # Errors
    /// [`NetlabError`] where a namespace or a device cannot be made.
    pub fn new(profile: &LinkProfile) -> Result<Self, NetlabError> {
        let (a, tun_a) = side(Ipv4Addr::new(10, 77, 0, 1))?;
        let (b, tun_b) = side(Ipv4Addr::new(10, 77, 0, 2))?;
        let a_to_b = Way::new(Arc::clone(&tun_a), Arc::clone(&tun_b), profile.clone());
        let b_to_a = Way::new(tun_b, tun_a, profile.clone());
        Ok(Self { a, b, a_to_b, b_to_a })
    }

    /// Changes one direction, from the next packet on.
    pub fn set(&self, direction: Direction, profile: LinkProfile) {
        // There is a receiver as long as the task runs; after that there is nothing to change.
        let _ = self.way(direction).profile.send(profile);
    }

    /// Changes both directions.
    pub fn set_both(&self, profile: &LinkProfile) {
        self.set(Direction::AToB, profile.clone());
        self.set(Direction::BToA, profile.clone());
    }

    /// Cuts both directions, or ends the cut, and keeps the rest of their profiles.
    pub fn set_cut(&self, is_cut: bool) {
        for way in [&self.a_to_b, &self.b_to_a] {
            way.profile.send_modify(|profile| profile.is_cut = is_cut);
        }
    }

    /// The counts of both directions so far.
    #[must_use]
    pub fn counters(&self, direction: Direction) -> LinkCounters {
        let counters = &self.way(direction).counters;
        LinkCounters {
            taken: counters.taken.load(Ordering::Acquire),
            taken_bytes: counters.taken_bytes.load(Ordering::Relaxed),
            delivered: counters.delivered.load(Ordering::Relaxed),
        }
    }

    fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::AToB => &self.a_to_b,
            Direction::BToA => &self.b_to_a,
        }
    }
}

impl Way {
    fn new(from: Arc<Tun>, to: Arc<Tun>, profile: LinkProfile) -> Self {
        let (profile, changes) = watch::channel(profile);
        let counters = Arc::<Counters>::default();
        let task = tokio::spawn(forward(from, to, changes, Arc::clone(&counters)));
        Self { profile, counters, task }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A namespace with a TUN device whose other end this process holds. The device is made outside and moved in, so no thread has to
/// change its namespace.
fn side(address: Ipv4Addr) -> Result<(Side, Arc<Tun>), NetlabError> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let namespace = Namespace::new()?;
    // At most 15 characters.
    let device = format!("nl{}-{}", process::id() % 100_000, MADE.fetch_add(1, Ordering::Relaxed));
    let tun = Tun::builder().name(&device).build()?.into_iter().next().ok_or(NetlabError::NoTun)?;
    ip(&["link", "set", &device, "netns", namespace.name()])?;
    namespace.ip(&["addr", "add", &format!("{address}/24"), "dev", &device])?;
    // A device keeps 500 packets for its reader and drops the rest, which a fast sender fills within milliseconds: losses that
    // no profile asked for.
    let waiting = MAX_QUEUED_PACKETS.to_string();
    namespace.ip(&["link", "set", &device, "mtu", "1500", "txqueuelen", &waiting, "up"])?;
    namespace.ip(&["route", "add", "default", "dev", &device])?;
    Ok((Side { namespace, address: address.into() }, Arc::new(tun)))
}
