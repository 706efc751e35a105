//! The channels of one allocation: numbers for peers (RFC 8656 section 12).

use std::{net::SocketAddr, time::Duration};

use super::peer_table::PeerTable;
use crate::time::UnixTime;

/// Lifetime of a channel binding (RFC 8656 section 12).
pub(super) const CHANNEL_LIFE: Duration = Duration::from_secs(10 * 60);

/// Most channels of one allocation: more than a peer has candidates.
pub(super) const MAX_CHANNELS: usize = 128;

/// The channels of one allocation.
#[derive(Debug, Default)]
pub(super) struct Channels {
    by_number: PeerTable<u16, Channel>,
    /// The number of each channel in `by_number`, by its peer.
    numbers: PeerTable<SocketAddr, u16>,
}

#[derive(Debug)]
struct Channel {
    peer: SocketAddr,
    expires_at: UnixTime,
}

/// Why a channel cannot be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelRefusal {
    /// The number is bound to another peer, or the peer to another number.
    Taken,
    /// There are [`MAX_CHANNELS`] already.
    TooMany,
}

impl Channels {
    /// Binds a number to a peer, or binds it for longer. A refusal changes nothing.
    pub(super) fn bind(
        &mut self,
        number: u16,
        peer: SocketAddr,
        now: UnixTime,
    ) -> Result<(), ChannelRefusal> {
        let is_number_taken = self.peer_of(number, now).is_some_and(|other| other != peer);
        let is_peer_taken = self.number_of(peer, now).is_some_and(|other| other != number);
        if is_number_taken || is_peer_taken {
            return Err(ChannelRefusal::Taken);
        }
        // The number and the peer may each be in a channel that expired.
        self.remove(number);
        if let Some(other) = self.numbers.get(&peer) {
            self.remove(*other);
        }
        if self.by_number.len() >= MAX_CHANNELS {
            self.by_number.retain(|_, channel| channel.expires_at > now);
            self.numbers.retain(|_, number| self.by_number.contains_key(number));
            if self.by_number.len() >= MAX_CHANNELS {
                return Err(ChannelRefusal::TooMany);
            }
        }
        self.by_number.insert(number, Channel { peer, expires_at: now + CHANNEL_LIFE });
        self.numbers.insert(peer, number);
        Ok(())
    }

    pub(super) fn peer_of(&self, number: u16, now: UnixTime) -> Option<SocketAddr> {
        let channel = self.by_number.get(&number)?;
        (channel.expires_at > now).then_some(channel.peer)
    }

    pub(super) fn number_of(&self, peer: SocketAddr, now: UnixTime) -> Option<u16> {
        let number = *self.numbers.get(&peer)?;
        (self.peer_of(number, now) == Some(peer)).then_some(number)
    }

    fn remove(&mut self, number: u16) {
        if let Some(channel) = self.by_number.remove(&number) {
            self.numbers.remove(&channel.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    fn peer(n: usize) -> SocketAddr {
        SocketAddr::new([192, 0, 2, 1].into(), u16::try_from(n).unwrap())
    }

    #[test]
    fn a_channel_is_one_number_for_one_peer() {
        let mut channels = Channels::default();
        let (bo, cy) = (peer(1), peer(2));
        assert_eq!(channels.bind(0x4000, bo, START), Ok(()));
        assert_eq!(channels.bind(0x4000, bo, START), Ok(()), "again");
        assert_eq!(channels.bind(0x4000, cy, START), Err(ChannelRefusal::Taken));
        assert_eq!(channels.bind(0x4001, bo, START), Err(ChannelRefusal::Taken));
        assert_eq!(channels.bind(0x4001, cy, START), Ok(()));
        assert_eq!(
            (channels.peer_of(0x4000, START), channels.number_of(cy, START)),
            (Some(bo), Some(0x4001))
        );
    }

    #[test]
    fn after_ten_minutes_number_and_peer_are_free_again() {
        let mut channels = Channels::default();
        let (bo, cy) = (peer(1), peer(2));
        channels.bind(0x4000, bo, START).unwrap();
        let last = START + (CHANNEL_LIFE - Duration::from_millis(1));
        assert_eq!(channels.peer_of(0x4000, last), Some(bo));
        let later = START + CHANNEL_LIFE;
        assert_eq!((channels.peer_of(0x4000, later), channels.number_of(bo, later)), (None, None));
        assert_eq!(channels.bind(0x4000, cy, later), Ok(()));
        assert_eq!(channels.bind(0x4001, bo, later), Ok(()));
        assert_eq!((channels.by_number.len(), channels.numbers.len()), (2, 2));
    }

    #[test]
    fn a_refused_binding_changes_nothing() {
        let mut channels = Channels::default();
        let (bo, cy) = (peer(1), peer(2));
        channels.bind(0x4000, bo, START).unwrap();
        channels.bind(0x4001, cy, START).unwrap();
        assert_eq!(channels.bind(0x4000, cy, START), Err(ChannelRefusal::Taken));
        assert_eq!(
            (channels.peer_of(0x4000, START), channels.number_of(cy, START)),
            (Some(bo), Some(0x4001))
        );
    }

    #[test]
    fn channels_are_bounded_in_number_until_some_expire() {
        let mut channels = Channels::default();
        let number = |n: usize| 0x4000 + u16::try_from(n).unwrap();
        for n in 0..MAX_CHANNELS {
            assert_eq!(channels.bind(number(n), peer(1 + n), START), Ok(()));
        }
        let one_more = peer(1 + MAX_CHANNELS);
        assert_eq!(channels.bind(number(MAX_CHANNELS), one_more, START), Err(ChannelRefusal::TooMany));
        let later = START + CHANNEL_LIFE;
        assert_eq!(channels.bind(number(MAX_CHANNELS), one_more, later), Ok(()));
        assert_eq!((channels.by_number.len(), channels.numbers.len()), (1, 1));
    }
}
