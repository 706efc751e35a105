//! Creates an allocation (RFC 8656 section 7).

use std::{net::SocketAddr, time::Duration};

use rand::RngExt;
use stun_types::{
    AddressFamily,
    attribute::{AttributeStaticType, XorMappedAddress},
    message::{Message, MessageWriteVec},
};
use turn_types::attribute::{
    DontFragment, EvenPort, Lifetime, RequestedAddressFamily, RequestedTransport, ReservationToken,
    XorRelayedAddress,
};

use super::{
    super::{
        allocation::{Allocation, Limits, Owner},
        client::{Client, PortId},
        credentials::RestCredentials,
        network::Network,
        ports::Wanted,
        quotas::{Place, QuotaReached, UserKind},
        refusal::Refusal,
        relayed_addresses::RelayedAddress,
        reservations::Reservation,
        state::State,
    },
    attributes::{add, lifetime, optional, requested_family, success, understood, whole_seconds},
    authentication::Identity,
};
use crate::time::UnixTime;

/// UDP in the protocol numbers of IANA; the only protocol that is relayed.
const UDP: u8 = 17;

/// An allocation ends after this time however often it is refreshed, because its credentials are checked only when it is made.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// The same limit for a page without a room: the connection doctor needs less.
const VISITOR_MAX_AGE: Duration = Duration::from_secs(2 * 60);

/// Creates an allocation, or answers once more for the one that this request created.
pub(super) fn allocate(
    state: &mut State,
    client: &Client,
    request: &Message<'_>,
    who: &Identity,
    now: UnixTime,
    network: &mut impl Network,
) -> Result<MessageWriteVec, Refusal> {
    understood(
        request,
        &[
            RequestedTransport::TYPE,
            RequestedAddressFamily::TYPE,
            EvenPort::TYPE,
            ReservationToken::TYPE,
            DontFragment::TYPE,
            Lifetime::TYPE,
        ],
    )?;
    if let Some(allocation) = who.allocation.and_then(|port| state.allocations.get(port, now)) {
        // The client repeats its request because the answer was lost (section 7.2).
        return if allocation.owner.transaction == request.transaction_id() {
            allocated(request, client, allocation.relayed, allocation.lifetime(now), None)
        } else {
            Err(Refusal::AllocationMismatch)
        };
    }
    let transport = request.attribute::<RequestedTransport>().map_err(|_| Refusal::BadRequest)?;
    if transport.protocol() != UDP {
        return Err(Refusal::UnsupportedTransport);
    }
    let family = requested_family(request)?;
    let even_port = optional::<EvenPort>(request)?;
    let reservation = optional::<ReservationToken>(request)?;
    if reservation.is_some() && (even_port.is_some() || family.is_some()) {
        return Err(Refusal::BadRequest);
    }
    let lifetime = lifetime(request)?;
    let family = family.unwrap_or(AddressFamily::IPV4);
    let reached = client.five_tuple.server.ip();
    let address = state.addresses.of(family, reached).ok_or(Refusal::AddressFamilyNotSupported)?;
    let user = User { client, who };
    let Opened { port, number, place, token } = match (reservation, even_port) {
        (Some(token), _) => reserved(state, user, token, now)?,
        (None, Some(even)) if even.requested() => open_pair(state, user, address, now, network)?,
        (None, Some(_)) => open(state, user, (Wanted::Even, address), now, network)?,
        (None, None) => open(state, user, (Wanted::Any, address), now, network)?,
    };
    let relayed = SocketAddr::new(address.told, number);
    // Possible where several addresses of this machine are behind one external address.
    if state.allocations.of_relayed(relayed, now).is_some() {
        give_up(state, port, place, network);
        return Err(Refusal::InsufficientCapacity);
    }
    let owner = Owner {
        client: *client,
        username: who.username.clone(),
        key: who.key.clone(),
        transaction: request.transaction_id(),
    };
    let limits = Limits { bytes_per_s: state.bytes_per_s, max_age: user.max_age() };
    let mut allocation = Allocation::new(owner, (port, relayed), place, limits, now);
    let lifetime = allocation.refresh(lifetime, now);
    let answer = match allocated(request, client, relayed, lifetime, token) {
        Ok(answer) => answer,
        Err(refusal) => {
            give_up(state, port, allocation.place, network);
            return Err(refusal);
        }
    };
    state.metrics.count_created(client.five_tuple.transport.name());
    state.metrics.allocations.inc();
    tracing::debug!(client = %client.five_tuple.client, %relayed, "an allocation");
    state.allocations.insert(allocation);
    Ok(answer)
}

fn give_up(state: &mut State, port: PortId, place: Place, network: &mut impl Network) {
    network.close_port(port);
    state.quotas.give_back(place);
}

/// The client that asks for a relayed address.
#[derive(Clone, Copy)]
struct User<'a> {
    client: &'a Client,
    who: &'a Identity,
}

impl<'a> User<'a> {
    fn name_and_kind(self) -> (&'a str, UserKind) {
        let user = self.who.username.split_once(':').map_or("", |(_, user)| user);
        let is_visitor = RestCredentials::is_visitor(user);
        (user, if is_visitor { UserKind::Visitor } else { UserKind::Member })
    }

    fn max_age(self) -> Duration {
        match self.name_and_kind().1 {
            UserKind::Member => MAX_AGE,
            UserKind::Visitor => VISITOR_MAX_AGE,
        }
    }

    /// A place for one more allocation, or for one more reserved port.
    fn take_place(self, state: &mut State) -> Result<Place, Refusal> {
        let (name, kind) = self.name_and_kind();
        state.quotas.take(name, kind, self.client.five_tuple.client.ip()).map_err(|reached| match reached {
            QuotaReached::User | QuotaReached::Address => Refusal::AllocationQuotaReached,
            QuotaReached::Total => Refusal::InsufficientCapacity,
        })
    }
}

/// An open port for an allocation.
struct Opened {
    port: PortId,
    number: u16,
    place: Place,
    /// Token for the port after it.
    token: Option<u64>,
}

fn reserved(
    state: &mut State,
    user: User<'_>,
    token: ReservationToken,
    now: UnixTime,
) -> Result<Opened, Refusal> {
    let kept = state.reservations.take(token.token(), &user.who.username, now);
    let Reservation { port, number, place, .. } = kept.ok_or(Refusal::InsufficientCapacity)?;
    Ok(Opened { port, number, place, token: None })
}

fn open(
    state: &mut State,
    user: User<'_>,
    (wanted, address): (Wanted, RelayedAddress),
    now: UnixTime,
    network: &mut impl Network,
) -> Result<Opened, Refusal> {
    let place = user.take_place(state)?;
    match state.ports.open(wanted, address.bind, now, &mut state.random, network) {
        Some((port, _)) => Ok(Opened { port: port.id, number: port.number, place, token: None }),
        None => {
            state.quotas.give_back(place);
            Err(Refusal::InsufficientCapacity)
        }
    }
}

/// Opens two consecutive ports and reserves the second.
fn open_pair(
    state: &mut State,
    user: User<'_>,
    address: RelayedAddress,
    now: UnixTime,
    network: &mut impl Network,
) -> Result<Opened, Refusal> {
    state.end_expired_reservations(now, network);
    let place = user.take_place(state)?;
    let next_place = match user.take_place(state) {
        Ok(next) => next,
        Err(refusal) => {
            state.quotas.give_back(place);
            return Err(refusal);
        }
    };
    let opened = if state.reservations.has_room(place.address) {
        state.ports.open(Wanted::Pair, address.bind, now, &mut state.random, network)
    } else {
        None
    };
    let Some((port, Some(next))) = opened else {
        state.quotas.give_back(place);
        state.quotas.give_back(next_place);
        return Err(Refusal::InsufficientCapacity);
    };
    let token = state.random.random();
    let username = user.who.username.clone();
    let reservation = Reservation { port: next.id, number: next.number, place: next_place, username };
    state.reservations.keep(token, reservation, now);
    Ok(Opened { port: port.id, number: port.number, place, token: Some(token) })
}

fn allocated(
    request: &Message<'_>,
    client: &Client,
    relayed: SocketAddr,
    lifetime: Duration,
    token: Option<u64>,
) -> Result<MessageWriteVec, Refusal> {
    let transaction = request.transaction_id();
    let mut answer = success(request);
    add(&mut answer, &XorRelayedAddress::new(relayed, transaction))?;
    add(&mut answer, &XorMappedAddress::new(client.five_tuple.client, transaction))?;
    add(&mut answer, &Lifetime::new(whole_seconds(lifetime)))?;
    if let Some(token) = token {
        add(&mut answer, &ReservationToken::new(token))?;
    }
    Ok(answer)
}
