//! Making an allocation (RFC 8656 section 7).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stun_types::{
    AddressFamily,
    attribute::{AttributeStaticType, XorMappedAddress},
    message::{Message, MessageWriteVec},
};
use tokio::time::Instant;
use turn_types::attribute::{
    DontFragment, EvenPort, Lifetime, RequestedAddressFamily, RequestedTransport, ReservationToken,
    XorRelayedAddress,
};

use super::{
    Identity,
    message::{Refusal, add, lifetime, optional, requested_family, success, understood, whole_seconds},
};
use crate::turn::{
    allocation::{Allocation, AllocationState, MAX_AGE, VISITOR_MAX_AGE},
    client::Client,
    credentials::RestCredentials,
    quotas::{Place, QuotaReached, UserKind},
    relay::Relay,
    udp::UdpPort,
};

/// UDP in the protocol numbers of IANA; the one protocol that is relayed.
const UDP: u8 = 17;

/// RFC 8656 section 7.2.
pub(super) fn allocate(
    relay: &Arc<Relay>,
    client: &Client,
    request: &Message<'_>,
    who: &Identity,
    now: Instant,
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
    if let Some(allocation) = &who.allocation {
        // Asked again because the answer was lost, and answered again (section 7.2, the stateful way).
        return if allocation.made_by == request.transaction_id() {
            let lifetime = allocation.state().lifetime(now);
            allocated(request, client, allocation.relayed, lifetime, None)
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
    let Sockets { port, place, told, token } =
        sockets(relay, client, who, family, even_port, reservation, now)?;
    let max_age = match user_of(who).1 {
        UserKind::Member => MAX_AGE,
        UserKind::Visitor => VISITOR_MAX_AGE,
    };
    let mut state = AllocationState::new(relay.bytes_per_s, max_age, now);
    let lifetime = state.refresh(lifetime, now);
    let answer = allocated(request, client, told, lifetime, token)?;
    relay.insert(Allocation::new(
        client.clone(),
        who.username.clone(),
        who.key.clone(),
        request.transaction_id(),
        told,
        Arc::new(port),
        place,
        state,
    ));
    Ok(answer)
}

fn user_of(who: &Identity) -> (&str, UserKind) {
    let user = who.username.split_once(':').map_or("", |(_, user)| user);
    let is_visitor = RestCredentials::is_visitor(user);
    (user, if is_visitor { UserKind::Visitor } else { UserKind::Member })
}

/// A place for one more allocation, or for a port that is kept for one.
fn take_place(relay: &Relay, client: &Client, who: &Identity) -> Result<Place, Refusal> {
    let (user, kind) = user_of(who);
    relay.quotas.take(user, kind, client.five_tuple.client.ip()).map_err(|reached| match reached {
        QuotaReached::User | QuotaReached::Address => Refusal::AllocationQuotaReached,
        QuotaReached::Total => Refusal::InsufficientCapacity,
    })
}

struct Sockets {
    port: UdpPort,
    place: Place,
    told: SocketAddr,
    token: Option<u64>,
}

fn sockets(
    relay: &Relay,
    client: &Client,
    who: &Identity,
    family: AddressFamily,
    even_port: Option<EvenPort>,
    reservation: Option<ReservationToken>,
    now: Instant,
) -> Result<Sockets, Refusal> {
    let reached = client.five_tuple.server.ip();
    let address = relay.addresses.of(family, reached).ok_or(Refusal::AddressFamilyNotSupported)?;
    let no_port = |error: std::io::Error| {
        // Not louder: whoever has credentials can have it said as often as they like. It is counted among the refusals.
        tracing::debug!(%error, "no port to relay from");
        Refusal::InsufficientCapacity
    };
    let (port, place, token) = match (reservation, even_port) {
        (Some(token), _) => {
            let kept = relay.reservations.take(token.token(), &who.username, now);
            let (port, place) = kept.ok_or(Refusal::InsufficientCapacity)?;
            (port, place, None)
        }
        (None, Some(even)) => {
            let place = take_place(relay, client, who)?;
            let place_of_next = even.requested().then(|| take_place(relay, client, who)).transpose()?;
            if place_of_next.as_ref().is_some_and(|place| !relay.reservations.has_room(place, now)) {
                return Err(Refusal::InsufficientCapacity);
            }
            let (port, next) = relay.ports.bind_even(address.bind, even.requested(), now).map_err(no_port)?;
            let kept = next.zip(place_of_next);
            let token = kept.map(|(next, place)| relay.reservations.keep(next, place, &who.username, now));
            (port, place, token)
        }
        (None, None) => {
            let place = take_place(relay, client, who)?;
            (relay.ports.bind(address.bind, now).map_err(no_port)?, place, None)
        }
    };
    let told = SocketAddr::new(address.told, port.local_addr().port());
    // On a machine of several addresses behind one external one.
    if relay.of_relayed(told).is_some() {
        return Err(Refusal::InsufficientCapacity);
    }
    Ok(Sockets { port, place, told, token })
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
