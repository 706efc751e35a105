//! The addresses that one allocation may exchange packets with (RFC 8656 section 9).

use std::{collections::HashSet, net::IpAddr, time::Duration};

use super::peer_table::PeerTable;
use crate::time::UnixTime;

/// Lifetime of a permission (RFC 8656 section 9).
pub(super) const PERMISSION_LIFE: Duration = Duration::from_secs(5 * 60);

/// Most permissions of one allocation: more than a peer has candidates.
pub(super) const MAX_PERMISSIONS: usize = 128;

/// The permissions of one allocation.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    expires_at: PeerTable<IpAddr, UnixTime>,
}

impl Permissions {
    /// Permits all of these addresses, or none where there would be too many permissions.
    pub(super) fn permit(&mut self, peers: &[IpAddr], now: UnixTime) -> bool {
        if !self.has_room_for(peers, now) {
            return false;
        }
        let expires_at = now + PERMISSION_LIFE;
        self.expires_at.extend(peers.iter().map(|peer| (*peer, expires_at)));
        true
    }

    pub(super) fn permits(&self, peer: IpAddr, now: UnixTime) -> bool {
        self.expires_at.get(&peer).is_some_and(|expires_at| *expires_at > now)
    }

    /// Whether all of these addresses can be permitted. Removes expired permissions if that is necessary.
    pub(super) fn has_room_for(&mut self, peers: &[IpAddr], now: UnixTime) -> bool {
        if !self.fit(peers) {
            self.expires_at.retain(|_, expires_at| *expires_at > now);
        }
        self.fit(peers)
    }

    fn fit(&self, peers: &[IpAddr]) -> bool {
        let added: HashSet<_> = peers.iter().filter(|peer| !self.expires_at.contains_key(peer)).collect();
        self.expires_at.len() + added.len() <= MAX_PERMISSIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);
    const MIN: Duration = Duration::from_secs(60);

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0808_0000 + n).into()
    }

    #[test]
    fn a_permission_lasts_five_minutes_from_the_last_request() {
        let mut permissions = Permissions::default();
        assert!(!permissions.permits(address(1), START));
        assert!(permissions.permit(&[address(1)], START));
        assert!(permissions.permits(address(1), START + (5 * MIN - Duration::from_secs(1))));
        assert!(!permissions.permits(address(1), START + 5 * MIN));
        assert!(!permissions.permits(address(2), START), "another address");
        assert!(permissions.permit(&[address(1)], START + 4 * MIN));
        assert!(permissions.permits(address(1), START + 8 * MIN));
    }

    #[test]
    fn permissions_are_bounded_in_number_until_some_expire() {
        let mut permissions = Permissions::default();
        let many: Vec<_> = (0..u32::try_from(MAX_PERMISSIONS).unwrap()).map(address).collect();
        assert!(permissions.permit(&many, START));
        assert!(!permissions.permit(&[address(1_000)], START));
        assert!(permissions.permit(&many[..1], START), "an address that is permitted already");
        assert!(permissions.permit(&[address(1_000)], START + 5 * MIN));
    }

    #[test]
    fn an_address_that_is_named_a_thousand_times_is_one_permission() {
        let mut permissions = Permissions::default();
        assert!(permissions.permit(&[address(1); 1_000], START));
        assert_eq!(permissions.expires_at.len(), 1);
    }
}
