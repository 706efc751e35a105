//! Everything that the engine keeps, and the changes that more than one kind of request makes to it.
//!
//! The invariant: every open port belongs to one allocation or one reservation, and so does every place of the quotas. Both are given
//! back in [`State::end_allocation`] and [`State::end_expired_reservations`].

use std::{net::IpAddr, ops::RangeInclusive};

use ipnet::IpNet;
use rand::rngs::StdRng;

use super::{
    allocations::Allocations,
    bandwidth::TotalBandwidth,
    client::{FiveTuple, PortId},
    credentials::RestCredentials,
    limiters::{AnswerLimiter, RequestLimiter},
    network::Network,
    nonce::Nonces,
    peers::PeerPolicy,
    ports::RelayPorts,
    quotas::{AllocationLimits, Quotas},
    relayed_addresses::RelayedAddresses,
    reservations::Reservations,
};
use crate::{time::UnixTime, turn::metrics::TurnMetrics};

/// The settings of an engine.
pub(in crate::turn) struct EngineSettings {
    pub(in crate::turn) credentials: RestCredentials,
    /// A random secret that is used for nonces only.
    pub(in crate::turn) nonce_secret: [u8; 32],
    /// Seeded at random, since ports and tokens must not be guessable.
    pub(in crate::turn) random: StdRng,
    /// The only address to relay from; `None` for the addresses by which clients come.
    pub(in crate::turn) bind: Option<IpAddr>,
    pub(in crate::turn) external: Vec<IpAddr>,
    pub(in crate::turn) relay_ports: RangeInclusive<u16>,
    pub(in crate::turn) allowed_peers: Vec<IpNet>,
    pub(in crate::turn) denied_peers: Vec<IpNet>,
    pub(in crate::turn) allocations: AllocationLimits,
    /// Bandwidth of one allocation in each direction, in bytes per second.
    pub(in crate::turn) bytes_per_s: f64,
    /// Bandwidth of all allocations together, in bytes per second; `None` for no limit.
    pub(in crate::turn) total_bytes_per_s: Option<f64>,
    /// Requests of one address per second.
    pub(in crate::turn) requests_per_s: u32,
    /// Answers per second to one address without credentials.
    pub(in crate::turn) unauthenticated_per_s: u32,
    pub(in crate::turn) metrics: TurnMetrics,
}

/// The engine's parts, each owned here only.
#[derive(Debug)]
pub(super) struct State {
    pub(super) credentials: RestCredentials,
    pub(super) nonces: Nonces,
    pub(super) random: StdRng,
    pub(super) answers: AnswerLimiter,
    pub(super) requests: RequestLimiter,
    pub(super) policy: PeerPolicy,
    pub(super) ports: RelayPorts,
    pub(super) addresses: RelayedAddresses,
    pub(super) reservations: Reservations,
    pub(super) quotas: Quotas,
    pub(super) bytes_per_s: f64,
    pub(super) total_bandwidth: Option<TotalBandwidth>,
    pub(super) metrics: TurnMetrics,
    pub(super) allocations: Allocations,
}

impl State {
    pub(super) fn new(settings: EngineSettings, now: UnixTime) -> Self {
        let mut own = settings.external.clone();
        own.extend(settings.bind.filter(|bind| !bind.is_unspecified()));
        Self {
            credentials: settings.credentials,
            nonces: Nonces::new(&settings.nonce_secret, now),
            random: settings.random,
            answers: AnswerLimiter::new(settings.unauthenticated_per_s, now),
            requests: RequestLimiter::new(settings.requests_per_s, now),
            policy: PeerPolicy::new(settings.allowed_peers, settings.denied_peers, own),
            ports: RelayPorts::new(settings.relay_ports),
            addresses: RelayedAddresses::new(settings.external, settings.bind),
            reservations: Reservations::default(),
            quotas: Quotas::new(settings.allocations),
            bytes_per_s: settings.bytes_per_s,
            total_bandwidth: settings.total_bytes_per_s.map(|total| TotalBandwidth::new(total, now)),
            metrics: settings.metrics,
            allocations: Allocations::default(),
        }
    }

    /// The allocation of a client that makes a request. One whose life is over is ended first, so that the client may have another.
    pub(super) fn allocation_of(
        &mut self,
        client: &FiveTuple,
        now: UnixTime,
        network: &mut impl Network,
    ) -> Option<PortId> {
        let port = self.allocations.of_client_ever(client)?;
        if self.allocations.get(port, now).is_none() {
            self.end_allocation(port, network);
            return None;
        }
        Some(port)
    }

    /// Ends an allocation and gives back what it had.
    pub(super) fn end_allocation(&mut self, port: PortId, network: &mut impl Network) {
        if let Some(allocation) = self.allocations.remove(port) {
            network.close_port(port);
            self.metrics.allocations.dec();
            tracing::debug!(client = %allocation.owner.client.five_tuple.client, "an allocation ended");
            self.quotas.give_back(allocation.place);
        }
    }

    /// Gives back expired reserved ports.
    pub(super) fn end_expired_reservations(&mut self, now: UnixTime, network: &mut impl Network) {
        for reservation in self.reservations.take_expired(now) {
            network.close_port(reservation.port);
            self.quotas.give_back(reservation.place);
        }
    }
}
