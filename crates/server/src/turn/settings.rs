//! Settings of STUN and TURN.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use ipnet::IpNet;

use super::engine::quotas::AllocationLimits;
use crate::hosts::UrlHost;

/// The port of STUN and TURN over UDP and TCP (RFC 8656 section 3.1).
pub const DEFAULT_PORT: u16 = 3478;
/// The port of TURN over TLS.
pub const DEFAULT_TLS_PORT: u16 = 5349;

/// The relay that members use.
#[derive(Debug, Clone)]
pub enum RelaySource {
    /// Members get no relay.
    Off,
    /// This server relays.
    Own(Box<TurnSettings>),
    /// A TURN server elsewhere that has the same secret.
    Elsewhere {
        /// Its `stun:`, `turn:` and `turns:` addresses.
        urls: Vec<String>,
        /// The secret that both servers have.
        secret: String,
        /// How long a credential is valid.
        credential_life: Duration,
    },
}

/// The server's own STUN and TURN.
#[derive(Debug, Clone)]
pub struct TurnSettings {
    /// The port of UDP and TCP; 0 for any free port, `None` for [`DEFAULT_PORT`] or, if that is taken, a free one.
    pub port: Option<u16>,
    /// The port of TLS; 0 for any free port, `None` for [`DEFAULT_TLS_PORT`] or, if that is taken, a free one.
    pub tls_port: Option<u16>,
    /// Ports of relayed addresses.
    pub relay_ports: RangeInclusive<u16>,
    /// Addresses of a NAT in front of this machine, one for each family.
    pub external: Vec<IpAddr>,
    /// Networks that the relay may reach although they are in the table of denied networks.
    pub allowed_peers: Vec<IpNet>,
    /// Networks that the relay never reaches, in any spelling of an address. Takes precedence over `allowed_peers`.
    pub denied_peers: Vec<IpNet>,
    /// The secret of the credentials, where other services make credentials too; `None` for a random one.
    pub secret: Option<String>,
    /// How long a credential is valid.
    pub credential_life: Duration,
    /// The name by which clients reach the relay; `None` for the name by which they reach the page.
    pub host: Option<UrlHost>,
    /// Limits of the relay.
    pub limits: TurnLimits,
}

/// Limits of the relay.
#[derive(Debug, Clone, Copy)]
pub struct TurnLimits {
    /// Allocations at the same time.
    pub allocations: AllocationLimits,
    /// Bits a second of one allocation in each direction.
    pub bitrate_bps: u64,
    /// Bits per second that all allocations together send, to clients and peers; `None` for no limit.
    pub total_bitrate_bps: Option<u64>,
    /// Requests with credentials of one address a second, after a burst of four times as many.
    pub requests_per_s: u32,
    /// Answers to requests without credentials to one address a second, after a burst of four times as many.
    pub unauthenticated_per_s: u32,
    /// Connections over TCP and TLS at the same time.
    pub connections: usize,
    /// Connections of one address at the same time.
    pub connections_per_address: usize,
    /// New connections of one address a second, after a burst of four times as many.
    pub new_connections_per_s: u32,
}

impl Default for TurnSettings {
    fn default() -> Self {
        Self {
            port: None,
            tls_port: None,
            relay_ports: 49_152..=65_535,
            external: Vec::new(),
            allowed_peers: Vec::new(),
            denied_peers: Vec::new(),
            secret: None,
            credential_life: Duration::from_secs(10 * 60),
            host: None,
            limits: TurnLimits::default(),
        }
    }
}

impl Default for TurnLimits {
    /// A member of a full room has seven peer connections, each with an allocation for every address family and
    /// transport while it gathers.
    fn default() -> Self {
        Self {
            allocations: AllocationLimits { per_user: 128, per_address: 1_024, total: 8_192 },
            bitrate_bps: 20_000_000,
            total_bitrate_bps: None,
            requests_per_s: 2_000,
            unauthenticated_per_s: 100,
            connections: 8_192,
            connections_per_address: 1_024,
            new_connections_per_s: 200,
        }
    }
}
