//! The relay's metrics, for Prometheus.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

/// The direction of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToPeer,
    ToClient,
}

/// The metrics of one relay.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnMetrics {
    pub(super) allocations: Gauge,
    pub(super) connections: Gauge,
    created: Family<Reason, Counter>,
    refusals: Family<Reason, Counter>,
    dropped: Family<Reason, Counter>,
    pub(super) unauthenticated: Counter,
    to_peers: Traffic,
    to_clients: Traffic,
}

#[derive(Debug, Clone, Default)]
struct Traffic {
    packets: Counter,
    bytes: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// Why a packet was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DropReason {
    /// The client has no permission for the peer.
    NoPermission,
    /// The table of peers forbids the peer.
    PeerDenied,
    /// The packet is for this machine, but not for an allocation.
    NoAllocation,
    /// The allocation's bandwidth is used up.
    Bandwidth,
    /// The system or the client's connection did not take the packet.
    Full,
    /// The bandwidth of the whole relay is used up.
    TotalBandwidth,
    /// The client or its address makes too many requests.
    RequestLimit,
    /// The request is too long.
    TooLong,
    /// The address gets too many answers.
    AnswerLimit,
    /// The packet is neither STUN nor ChannelData of a bound channel.
    Malformed,
}

impl TurnMetrics {
    /// Creates the metrics in this registry.
    pub(crate) fn registered(registry: &mut Registry) -> Self {
        let new = Self::default();
        let registry = registry.sub_registry_with_prefix("turn");
        registry.register("allocations", "Relayed addresses that are in use", new.allocations.clone());
        registry.register("connections", "TURN connections over TCP and TLS", new.connections.clone());
        registry.register("created_allocations", "Allocations made, by transport", new.created.clone());
        registry.register("refusals", "Requests that were refused, by error", new.refusals.clone());
        registry.register("dropped_packets", "Packets that went no further, by reason", new.dropped.clone());
        let text = "Answers to requests without credentials";
        registry.register("unauthenticated_answers", text, new.unauthenticated.clone());
        for (name, traffic) in [("to_peers", &new.to_peers), ("to_clients", &new.to_clients)] {
            let text = "Packets that were relayed";
            registry.register(format!("{name}_packets"), text, traffic.packets.clone());
            let text = "What was in them";
            registry.register_with_unit(name, text, Unit::Bytes, traffic.bytes.clone());
        }
        new
    }

    pub(super) fn count_created(&self, transport: &'static str) {
        self.created.get_or_create(&Reason { reason: transport }).inc();
    }

    pub(super) fn count_refusal(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn count_relayed(&self, direction: Direction, bytes: usize) {
        let traffic = match direction {
            Direction::ToPeer => &self.to_peers,
            Direction::ToClient => &self.to_clients,
        };
        traffic.packets.inc();
        traffic.bytes.inc_by(bytes as u64);
    }

    pub(super) fn count_dropped(&self, drop: DropReason) {
        self.count_dropped_by(drop, 1);
    }

    /// Counts packets that the system did not take.
    pub(super) fn count_lost(&self, packets: u64) {
        if packets > 0 {
            self.count_dropped_by(DropReason::Full, packets);
        }
    }

    fn count_dropped_by(&self, drop: DropReason, packets: u64) {
        let reason = match drop {
            DropReason::NoPermission => "no-permission",
            DropReason::PeerDenied => "peer-denied",
            DropReason::NoAllocation => "no-allocation",
            DropReason::Bandwidth => "bandwidth",
            DropReason::Full => "full",
            DropReason::TotalBandwidth => "total-bandwidth",
            DropReason::RequestLimit => "request-limit",
            DropReason::TooLong => "too-long",
            DropReason::AnswerLimit => "answer-limit",
            DropReason::Malformed => "malformed",
        };
        self.dropped.get_or_create(&Reason { reason }).inc_by(packets);
    }
}
