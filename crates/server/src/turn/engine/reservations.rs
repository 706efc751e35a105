//! Ports reserved for the second allocation of a client that wants two in a row (RFC 8656 section 7.2, EVEN-PORT with R).

use std::{collections::HashMap, net::IpAddr, time::Duration};

use super::{client::PortId, quotas::Place};
use crate::time::UnixTime;

/// How long a port is reserved: the least that the standard allows.
pub(super) const RESERVATION_LIFE: Duration = Duration::from_secs(30);
/// Most ports that are reserved at the same time.
const MAX_RESERVATIONS: usize = 256;
/// Most reserved ports of one address.
const MAX_RESERVATIONS_PER_ADDRESS: usize = 64;

/// The reserved ports with their expiry, by the client's token.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    by_token: HashMap<u64, (Reservation, UnixTime)>,
}

/// A reserved port, which is open already.
#[derive(Debug)]
pub(super) struct Reservation {
    pub(super) port: PortId,
    pub(super) number: u16,
    /// A reserved port counts like the allocation that it becomes.
    pub(super) place: Place,
    pub(super) username: String,
}

impl Reservations {
    /// Whether one more port can be reserved for this address, of those that [`Place::address`] tells apart.
    pub(super) fn has_room(&self, address: IpAddr) -> bool {
        let of_address = self.by_token.values().filter(|(kept, _)| kept.place.address == address).count();
        self.by_token.len() < MAX_RESERVATIONS && of_address < MAX_RESERVATIONS_PER_ADDRESS
    }

    /// Keeps a port under a token that was drawn at random.
    pub(super) fn keep(&mut self, token: u64, reservation: Reservation, now: UnixTime) {
        self.by_token.insert(token, (reservation, now + RESERVATION_LIFE));
    }

    /// The port that was reserved for this user under this token.
    pub(super) fn take(&mut self, token: u64, username: &str, now: UnixTime) -> Option<Reservation> {
        let (reservation, expires_at) = self.by_token.get(&token)?;
        let is_for_them = reservation.username == username && *expires_at > now;
        if is_for_them { self.by_token.remove(&token).map(|(reservation, _)| reservation) } else { None }
    }

    /// The expired reservations. Their ports and places must be given back.
    pub(super) fn take_expired(&mut self, now: UnixTime) -> impl Iterator<Item = Reservation> {
        self.by_token.extract_if(move |_, (_, expires_at)| *expires_at <= now).map(|(_, (kept, _))| kept)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::quotas::{AllocationLimits, Quotas, UserKind},
        *,
    };

    const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    fn reservation(address: &str) -> Reservation {
        let mut quotas = Quotas::new(AllocationLimits { per_user: 1, per_address: 1, total: 1 });
        let place = quotas.take("ada", UserKind::Member, address.parse().unwrap()).unwrap();
        Reservation { port: PortId(0), number: 50_001, place, username: "ada".to_owned() }
    }

    #[test]
    fn a_port_is_reserved_for_its_user_for_half_a_minute() {
        let mut reservations = Reservations::default();
        reservations.keep(1, reservation("192.0.2.1"), START);
        reservations.keep(2, reservation("192.0.2.1"), START);
        assert!(reservations.take(1, "bo", START).is_none());
        assert!(reservations.take(1, "ada", START).is_some());
        assert!(reservations.take(1, "ada", START).is_none(), "it is taken");
        let last = START + (RESERVATION_LIFE - Duration::from_millis(1));
        assert_eq!(reservations.take_expired(last).count(), 0);
        assert!(reservations.take(2, "ada", START + RESERVATION_LIFE).is_none());
        assert_eq!(reservations.take_expired(START + RESERVATION_LIFE).count(), 1);
    }

    #[test]
    fn one_address_reserves_at_most_a_quarter_until_reservations_expire() {
        let mut reservations = Reservations::default();
        let mut tokens = 0..;
        let mut fill = |address: &str, now| {
            reservations.take_expired(now).for_each(drop);
            let mut kept = 0;
            while reservations.has_room(address.parse().unwrap()) {
                reservations.keep(tokens.next().unwrap(), reservation(address), now);
                kept += 1;
            }
            kept
        };
        let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"];
        assert_eq!(addresses.map(|address| fill(address, START)), [64, 64, 64, 64, 0]);
        assert_eq!(fill("192.0.2.5", START + RESERVATION_LIFE), 64);
    }
}
