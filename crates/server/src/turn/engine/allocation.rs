//! One allocation: its owner, its lifetime, and its traffic (RFC 8656 sections 7, 8, 9 and 12).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use stun_types::message::{IntegrityKey, TransactionId};

use super::{
    bandwidth::Share,
    channels::{ChannelRefusal, Channels},
    client::{Client, PortId},
    permissions::Permissions,
    quotas::Place,
};
use crate::{time::UnixTime, token_bucket::Bucket, turn::metrics::Direction};

/// Lifetime if the client does not ask for one (RFC 8656 section 3.2). Also the shortest.
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Longest lifetime that a client gets with one request.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// A burst is worth this many seconds: a key frame, or a row of file messages.
const BURST_S: f64 = 0.5;
/// The smallest burst: a few of the longest packets pass whatever the limit is.
const MIN_BURST_BYTES: f64 = 65_536.0;
/// The bytes that an empty packet is charged, because it costs as much work as another.
const MIN_COUNTED_BYTES: usize = 100;

/// An allocation: a relayed address that belongs to a client.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) owner: Owner,
    /// The address that peers send to.
    pub(super) relayed: SocketAddr,
    pub(super) port: PortId,
    pub(super) permissions: Permissions,
    pub(super) share: Share,
    channels: Channels,
    /// When the allocation ends however often it is refreshed, because its credentials were checked only when it was made.
    ends_at: UnixTime,
    expires_at: UnixTime,
    to_peers: Bucket<UnixTime>,
    to_client: Bucket<UnixTime>,
    pub(super) place: Place,
}

/// The client that made an allocation. No other client may change it (RFC 8656 section 5).
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) client: Client,
    pub(super) username: String,
    pub(super) key: IntegrityKey,
    /// Identifies the request that made the allocation. The client repeats the request if the answer is lost.
    pub(super) transaction: TransactionId,
}

impl Allocation {
    /// An allocation that has to be [refreshed](Self::refresh) before it is used.
    pub(super) fn new(
        owner: Owner,
        (port, relayed): (PortId, SocketAddr),
        place: Place,
        limits: Limits,
        now: UnixTime,
    ) -> Self {
        let Limits { bytes_per_s, max_age } = limits;
        let bucket = || Bucket::full((bytes_per_s * BURST_S).max(MIN_BURST_BYTES), bytes_per_s, now);
        Self {
            owner,
            relayed,
            port,
            permissions: Permissions::default(),
            share: Share::new(now),
            channels: Channels::default(),
            ends_at: now + max_age,
            expires_at: now,
            to_peers: bucket(),
            to_client: bucket(),
            place,
        }
    }

    /// Extends the life by what the client wants, within bounds, and returns what it gets.
    pub(super) fn refresh(&mut self, wanted: Option<Duration>, now: UnixTime) -> Duration {
        let wanted = wanted.unwrap_or_default().clamp(DEFAULT_LIFETIME, MAX_LIFETIME);
        let lifetime = wanted.min(self.ends_at.saturating_since(now));
        self.expires_at = now + lifetime;
        lifetime
    }

    /// The remaining lifetime of the allocation.
    pub(super) fn lifetime(&self, now: UnixTime) -> Duration {
        self.expires_at.saturating_since(now)
    }

    pub(super) fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// Binds a channel number to a peer, which also permits the peer's address. A refusal changes nothing.
    pub(super) fn bind(
        &mut self,
        number: u16,
        peer: SocketAddr,
        now: UnixTime,
    ) -> Result<(), ChannelRefusal> {
        let address: [IpAddr; 1] = [peer.ip()];
        if !self.permissions.has_room_for(&address, now) {
            return Err(ChannelRefusal::TooMany);
        }
        self.channels.bind(number, peer, now)?;
        self.permissions.permit(&address, now);
        Ok(())
    }

    pub(super) fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Takes a packet of this many bytes from the bandwidth of a direction; `false` where it is used up.
    pub(super) fn take_bandwidth(
        &mut self,
        direction: Direction,
        payload_bytes: usize,
        now: UnixTime,
    ) -> bool {
        let bucket = match direction {
            Direction::ToPeer => &mut self.to_peers,
            Direction::ToClient => &mut self.to_client,
        };
        bucket.take(counted_bytes(payload_bytes), now)
    }
}

/// The limits of an allocation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// In bytes per second, for each direction.
    pub(super) bytes_per_s: f64,
    pub(super) max_age: Duration,
}

/// The bytes that a packet is charged in every bandwidth.
pub(super) fn counted_bytes(payload_bytes: usize) -> f64 {
    f64::from(u32::try_from(payload_bytes.max(MIN_COUNTED_BYTES)).unwrap_or(u32::MAX))
}
