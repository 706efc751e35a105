//! One allocation: whom its client may talk to, by which channels, how much and how long (RFC 8656 sections 7 to 12).

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use stun_types::message::{IntegrityKey, TransactionId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{client::Client, quotas::Place, udp::UdpPort};
use crate::token_bucket::Bucket;

/// A permission lasts so long, unless it is asked for again (RFC 8656 section 9).
const PERMISSION_LIFE: Duration = Duration::from_secs(5 * 60);
/// And a channel so long (section 12).
const CHANNEL_LIFE: Duration = Duration::from_secs(10 * 60);
/// What a client gets that does not say how long (section 3.2).
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// What it gets at most at a time.
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// After which an allocation ends, however often it is refreshed, because its credentials were not looked at since.
pub(super) const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Permissions and channels of one allocation: more than a peer has candidates.
const MAX_PEERS: usize = 128;

/// A burst is so much of a second's worth: a key frame, or a row of file messages.
const BURST_S: f64 = 0.5;
/// The least burst, so that a low limit does not cut every packet: a few of the longest.
const MIN_BURST_BYTES: f64 = 65_536.0;

/// An address and a socket that stand for a client.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) client: Client,
    /// The name that made it; the only one that may change it.
    pub(super) username: String,
    pub(super) key: IntegrityKey,
    /// Of the request that made it, which may come again.
    pub(super) made_by: TransactionId,
    /// What peers send to.
    pub(super) relayed: SocketAddr,
    pub(super) port: Arc<UdpPort>,
    pub(super) ended: CancellationToken,
    pub(super) _place: Place,
    state: Mutex<AllocationState>,
}

impl Allocation {
    #[expect(clippy::too_many_arguments, reason = "all of what it is")]
    pub(super) fn new(
        client: Client,
        username: String,
        key: IntegrityKey,
        made_by: TransactionId,
        relayed: SocketAddr,
        port: Arc<UdpPort>,
        place: Place,
        state: AllocationState,
    ) -> Self {
        let ended = CancellationToken::new();
        Self { client, username, key, made_by, relayed, port, ended, _place: place, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, AllocationState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What changes about an allocation.
#[derive(Debug)]
pub(super) struct AllocationState {
    created_at: Instant,
    expires_at: Instant,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    to_peers: Bucket,
    to_client: Bucket,
}

#[derive(Debug)]
struct Permission {
    peer: IpAddr,
    expires_at: Instant,
}

#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    expires_at: Instant,
}

/// Why a channel is not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelRefusal {
    /// The number is bound to another peer, or the peer to another number.
    Taken,
    /// There are too many.
    TooMany,
}

/// Which way data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToPeer,
    ToClient,
}

impl AllocationState {
    /// With so many bytes a second in each direction.
    pub(super) fn new(bytes_per_s: f64, now: Instant) -> Self {
        let bucket = || Bucket::full((bytes_per_s * BURST_S).max(MIN_BURST_BYTES), bytes_per_s, now);
        Self {
            created_at: now,
            expires_at: now,
            permissions: Vec::new(),
            channels: Vec::new(),
            to_peers: bucket(),
            to_client: bucket(),
        }
    }

    /// Lets it live for as long as its client wants, within bounds; says how long that is.
    pub(super) fn refresh(&mut self, wanted: Option<Duration>, now: Instant) -> Duration {
        let wanted = wanted.unwrap_or_default().clamp(DEFAULT_LIFETIME, MAX_LIFETIME);
        let left = (self.created_at + MAX_AGE).saturating_duration_since(now);
        let lifetime = wanted.min(left);
        self.expires_at = now + lifetime;
        lifetime
    }

    /// How much of its life is left.
    pub(super) fn lifetime(&self, now: Instant) -> Duration {
        self.expires_at.saturating_duration_since(now)
    }

    pub(super) fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// Lets these addresses send and be sent to; `false` where there would be too many.
    pub(super) fn permit(&mut self, peers: &[IpAddr], now: Instant) -> bool {
        self.permissions.retain(|permission| permission.expires_at > now);
        let is_new = |peer: &&IpAddr| !self.permissions.iter().any(|permission| permission.peer == **peer);
        if self.permissions.len() + peers.iter().filter(is_new).count() > MAX_PEERS {
            return false;
        }
        let expires_at = now + PERMISSION_LIFE;
        for peer in peers {
            match self.permissions.iter_mut().find(|permission| permission.peer == *peer) {
                Some(permission) => permission.expires_at = expires_at,
                None => self.permissions.push(Permission { peer: *peer, expires_at }),
            }
        }
        true
    }

    pub(super) fn permits(&self, peer: IpAddr, now: Instant) -> bool {
        self.permissions.iter().any(|permission| permission.peer == peer && permission.expires_at > now)
    }

    /// Binds a number to a peer, which permits the peer too.
    pub(super) fn bind(&mut self, number: u16, peer: SocketAddr, now: Instant) -> Result<(), ChannelRefusal> {
        self.channels.retain(|channel| channel.expires_at > now);
        let mut touching = self.channels.iter().filter(|one| one.number == number || one.peer == peer);
        match touching.next() {
            Some(channel) if channel.number != number || channel.peer != peer => {
                return Err(ChannelRefusal::Taken);
            }
            None if self.channels.len() >= MAX_PEERS => return Err(ChannelRefusal::TooMany),
            _ => {}
        }
        if !self.permit(&[peer.ip()], now) {
            return Err(ChannelRefusal::TooMany);
        }
        let expires_at = now + CHANNEL_LIFE;
        match self.channels.iter_mut().find(|channel| channel.number == number) {
            Some(channel) => channel.expires_at = expires_at,
            None => self.channels.push(Channel { number, peer, expires_at }),
        }
        Ok(())
    }

    pub(super) fn peer_of(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        self.channels
            .iter()
            .find(|channel| channel.number == number && channel.expires_at > now)
            .map(|channel| channel.peer)
    }

    pub(super) fn channel_of(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        self.channels
            .iter()
            .find(|channel| channel.peer == peer && channel.expires_at > now)
            .map(|channel| channel.number)
    }

    /// Whether so many bytes more may go that way now.
    pub(super) fn take(&mut self, direction: Direction, bytes: usize, now: Instant) -> bool {
        let bucket = match direction {
            Direction::ToPeer => &mut self.to_peers,
            Direction::ToClient => &mut self.to_client,
        };
        bucket.take(f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(60);

    fn peer(raw: &str) -> SocketAddr {
        raw.parse().unwrap()
    }

    #[test]
    fn a_permission_is_for_an_address_and_for_five_minutes() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, start);
        let (bo, cy) = (peer("192.0.2.1:1").ip(), peer("192.0.2.2:1").ip());
        assert!(!state.permits(bo, start));
        assert!(state.permit(&[bo], start));
        assert!(state.permits(bo, start + 5 * MIN - Duration::from_secs(1)) && !state.permits(cy, start));
        assert!(!state.permits(bo, start + 5 * MIN));
        assert!(state.permit(&[bo], start + 4 * MIN));
        assert!(state.permits(bo, start + 8 * MIN));
    }

    #[test]
    fn a_channel_is_one_number_for_one_peer_and_permits_it() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, start);
        let (bo, cy) = (peer("192.0.2.1:1"), peer("192.0.2.2:1"));
        assert_eq!(state.bind(0x4000, bo, start), Ok(()));
        assert_eq!(state.bind(0x4000, bo, start), Ok(()), "again");
        assert_eq!(state.bind(0x4000, cy, start), Err(ChannelRefusal::Taken));
        assert_eq!(state.bind(0x4001, bo, start), Err(ChannelRefusal::Taken));
        assert_eq!(state.bind(0x4001, cy, start), Ok(()));
        assert_eq!((state.peer_of(0x4000, start), state.channel_of(cy, start)), (Some(bo), Some(0x4001)));
        assert!(state.permits(bo.ip(), start));
        let later = start + 10 * MIN;
        assert_eq!((state.peer_of(0x4000, later), state.channel_of(cy, later)), (None, None));
        assert_eq!(state.bind(0x4000, cy, later), Ok(()), "both are free again");
    }

    #[test]
    fn it_lives_as_long_as_it_is_refreshed_and_a_day_at_most() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, start);
        assert_eq!(state.refresh(None, start), 10 * MIN);
        assert_eq!(state.refresh(Some(MIN), start), 10 * MIN);
        assert_eq!(state.refresh(Some(600 * MIN), start), 60 * MIN);
        assert_eq!(state.lifetime(start + 20 * MIN), 40 * MIN);
        let last = start + MAX_AGE - MIN;
        assert_eq!(state.refresh(None, last), MIN);
        assert_eq!(state.refresh(None, start + MAX_AGE), Duration::ZERO);
    }

    #[test]
    fn peers_are_bounded_in_number_until_some_expire() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, start);
        let many: Vec<IpAddr> =
            (0..MAX_PEERS as u32).map(|n| std::net::Ipv4Addr::from_bits(n).into()).collect();
        let one_more = peer("192.0.2.1:1");
        assert!(state.permit(&many, start));
        assert!(!state.permit(&[one_more.ip()], start));
        assert_eq!(state.bind(0x4000, one_more, start), Err(ChannelRefusal::TooMany));
        assert!(state.permit(&many[..1], start), "one that is there already");
        assert!(state.permit(&[one_more.ip()], start + 5 * MIN));
    }

    #[test]
    fn each_direction_has_its_bandwidth() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, start);
        let mut passed = |direction, now| (0..1_000).filter(|_| state.take(direction, 1_000, now)).count();
        assert_eq!(passed(Direction::ToPeer, start), 500, "half a second's worth at once");
        assert_eq!(passed(Direction::ToPeer, start), 0);
        assert_eq!(passed(Direction::ToClient, start), 500);
        assert_eq!(passed(Direction::ToPeer, start + Duration::from_millis(100)), 100);
    }
}
