//! One allocation: whom its client may talk to, by which channels, how much and how long (RFC 8656 sections 7 to 12).

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use stun_types::message::{IntegrityKey, TransactionId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{bandwidth::Share, client::Client, quotas::Place, udp::UdpPort};
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
/// The same for a page that has no room: the connection doctor is done in less.
pub(super) const VISITOR_MAX_AGE: Duration = Duration::from_secs(2 * 60);

/// Permissions and channels of one allocation: more than a peer has candidates.
const MAX_PEERS: usize = 128;

/// A burst is so much of a second's worth: a key frame, or a row of file messages.
const BURST_S: f64 = 0.5;
/// The least burst, so that a low limit does not cut every packet: a few of the longest.
const MIN_BURST_BYTES: f64 = 65_536.0;
/// A packet counts as no less: one that carries nothing costs as much work as another.
const MIN_COUNTED_BYTES: usize = 100;

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
    ends_at: Instant,
    expires_at: Instant,
    /// When each permission expires.
    permissions: PeerTable<IpAddr, Instant>,
    /// By number.
    channels: PeerTable<u16, Channel>,
    /// The number of each channel, by peer. Holds the same channels.
    numbers: PeerTable<SocketAddr, u16>,
    to_peers: Bucket,
    to_client: Bucket,
    share: Share,
}

#[derive(Debug)]
struct Channel {
    peer: SocketAddr,
    expires_at: Instant,
}

/// Looked at for every packet. It has [`MAX_PEERS`] entries at most, so a client that finds addresses with the same hash gains
/// nothing, and a hash that is much cheaper than that of the standard library will do.
type PeerTable<K, V> = HashMap<K, V, BuildHasherDefault<PeerHasher>>;

/// Multiplies and folds, as `FxHasher` does.
#[derive(Debug, Default)]
struct PeerHasher(u64);

impl PeerHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for PeerHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.mix(chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.mix(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(number.into());
    }

    fn write_u128(&mut self, number: u128) {
        self.mix((number >> 64) as u64);
        self.mix(number as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        // The table takes its places from the lower bits, which a multiplication leaves poor.
        self.0 ^ (self.0 >> 32)
    }
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
    /// With so many bytes a second in each direction, for `max_age` at most.
    pub(super) fn new(bytes_per_s: f64, max_age: Duration, now: Instant) -> Self {
        let bucket = || Bucket::full((bytes_per_s * BURST_S).max(MIN_BURST_BYTES), bytes_per_s, now);
        Self {
            ends_at: now + max_age,
            expires_at: now,
            permissions: PeerTable::default(),
            channels: PeerTable::default(),
            numbers: PeerTable::default(),
            to_peers: bucket(),
            to_client: bucket(),
            share: Share::new(now),
        }
    }

    /// Lets it live for as long as its client wants, within bounds; says how long that is.
    pub(super) fn refresh(&mut self, wanted: Option<Duration>, now: Instant) -> Duration {
        let wanted = wanted.unwrap_or_default().clamp(DEFAULT_LIFETIME, MAX_LIFETIME);
        let left = self.ends_at.saturating_duration_since(now);
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
        if !self.has_room_for(peers) {
            self.permissions.retain(|_, expires_at| *expires_at > now);
            if !self.has_room_for(peers) {
                return false;
            }
        }
        let expires_at = now + PERMISSION_LIFE;
        self.permissions.extend(peers.iter().map(|peer| (*peer, expires_at)));
        true
    }

    fn has_room_for(&self, peers: &[IpAddr]) -> bool {
        let added: HashSet<_> = peers.iter().filter(|peer| !self.permissions.contains_key(peer)).collect();
        self.permissions.len() + added.len() <= MAX_PEERS
    }

    pub(super) fn permits(&self, peer: IpAddr, now: Instant) -> bool {
        self.permissions.get(&peer).is_some_and(|expires_at| *expires_at > now)
    }

    /// Binds a number to a peer, which permits the peer too.
    pub(super) fn bind(&mut self, number: u16, peer: SocketAddr, now: Instant) -> Result<(), ChannelRefusal> {
        let is_number_taken = self.peer_of(number, now).is_some_and(|other| other != peer);
        let is_peer_taken = self.channel_of(peer, now).is_some_and(|other| other != number);
        if is_number_taken || is_peer_taken {
            return Err(ChannelRefusal::Taken);
        }
        // Either may be in one that expired.
        self.remove_channel(number);
        if let Some(other) = self.numbers.get(&peer) {
            self.remove_channel(*other);
        }
        if self.channels.len() >= MAX_PEERS {
            self.channels.retain(|_, channel| channel.expires_at > now);
            self.numbers.retain(|_, number| self.channels.contains_key(number));
            if self.channels.len() >= MAX_PEERS {
                return Err(ChannelRefusal::TooMany);
            }
        }
        if !self.permit(&[peer.ip()], now) {
            return Err(ChannelRefusal::TooMany);
        }
        self.channels.insert(number, Channel { peer, expires_at: now + CHANNEL_LIFE });
        self.numbers.insert(peer, number);
        Ok(())
    }

    fn remove_channel(&mut self, number: u16) {
        if let Some(channel) = self.channels.remove(&number) {
            self.numbers.remove(&channel.peer);
        }
    }

    pub(super) fn peer_of(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        let channel = self.channels.get(&number)?;
        (channel.expires_at > now).then_some(channel.peer)
    }

    pub(super) fn channel_of(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        let number = *self.numbers.get(&peer)?;
        (self.peer_of(number, now) == Some(peer)).then_some(number)
    }

    /// Whether so many bytes more may go that way now.
    pub(super) fn take(&mut self, direction: Direction, bytes: usize, now: Instant) -> bool {
        let bucket = match direction {
            Direction::ToPeer => &mut self.to_peers,
            Direction::ToClient => &mut self.to_client,
        };
        bucket.take(counted_bytes(bytes), now)
    }

    /// What it sent of its share of the whole relay's bandwidth.
    pub(super) fn share(&mut self) -> &mut Share {
        &mut self.share
    }
}

/// What a packet counts for in every bandwidth.
pub(super) fn counted_bytes(payload_bytes: usize) -> f64 {
    f64::from(u32::try_from(payload_bytes.max(MIN_COUNTED_BYTES)).unwrap_or(u32::MAX))
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
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
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
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
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
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
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
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
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
    fn an_address_that_is_named_a_thousand_times_is_one_permission() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
        let named = vec![peer("192.0.2.1:1").ip(); 1_000];
        assert!(state.permit(&named, start));
        assert_eq!(state.permissions.len(), 1);
    }

    #[test]
    fn a_channel_whose_binding_was_refused_is_as_it_was() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
        let (bo, cy) = (peer("192.0.2.1:1"), peer("192.0.2.2:1"));
        state.bind(0x4000, bo, start).unwrap();
        state.bind(0x4001, cy, start).unwrap();
        assert_eq!(state.bind(0x4000, cy, start), Err(ChannelRefusal::Taken));
        assert_eq!((state.peer_of(0x4000, start), state.channel_of(cy, start)), (Some(bo), Some(0x4001)));
        let later = start + 10 * MIN;
        assert_eq!(state.bind(0x4002, bo, later), Ok(()), "its old number has expired");
        assert_eq!((state.peer_of(0x4000, later), state.channel_of(bo, later)), (None, Some(0x4002)));
        assert_eq!((state.channels.len(), state.numbers.len()), (2, 2));
    }

    #[test]
    fn channels_are_bounded_in_number_until_some_expire() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
        let nth = |n: usize| {
            (0x4000 + u16::try_from(n).unwrap(), SocketAddr::new([192, 0, 2, 1].into(), 1 + n as u16))
        };
        for n in 0..MAX_PEERS {
            let (number, peer) = nth(n);
            assert_eq!(state.bind(number, peer, start), Ok(()));
        }
        let (number, peer) = nth(MAX_PEERS);
        assert_eq!(state.bind(number, peer, start), Err(ChannelRefusal::TooMany));
        assert_eq!(state.bind(number, peer, start + 10 * MIN), Ok(()));
        assert_eq!((state.channels.len(), state.numbers.len()), (1, 1));
    }

    #[test]
    fn a_packet_that_carries_nothing_counts_too() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
        let passed = (0..100_000).filter(|_| state.take(Direction::ToPeer, 0, start)).count();
        assert_eq!(passed, 5_000, "half a second's worth of the least that counts");
    }

    #[test]
    fn each_direction_has_its_bandwidth() {
        let start = Instant::now();
        let mut state = AllocationState::new(1e6, MAX_AGE, start);
        let mut passed = |direction, now| (0..1_000).filter(|_| state.take(direction, 1_000, now)).count();
        assert_eq!(passed(Direction::ToPeer, start), 500, "half a second's worth at once");
        assert_eq!(passed(Direction::ToPeer, start), 0);
        assert_eq!(passed(Direction::ToClient, start), 500);
        assert_eq!(passed(Direction::ToPeer, start + Duration::from_millis(100)), 100);
    }
}
