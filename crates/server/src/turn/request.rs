//! Requests and their answers (RFC 8489 section 9.2 for who may ask, RFC 8656 sections 7 to 12 for what).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stun_types::{
    AddressFamily,
    attribute::{
        AttributeStaticType, AttributeType, AttributeWrite, ErrorCode, Fingerprint, MessageIntegrity, Nonce,
        Realm, UnknownAttributes, Username, XorMappedAddress,
    },
    message::{
        BINDING, IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials, Message, MessageWrite,
        MessageWriteExt, MessageWriteVec,
    },
};
use tokio::time::Instant;
use turn_types::{
    attribute::{
        ChannelNumber, DontFragment, EvenPort, Lifetime, RequestedAddressFamily, RequestedTransport,
        ReservationToken, XorPeerAddress, XorRelayedAddress,
    },
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH},
};

use super::{
    allocation::{Allocation, AllocationState, ChannelRefusal},
    client::Client,
    credentials::RestCredentials,
    metrics::DropReason,
    peers::PeerClass,
    quotas::QuotaReached,
    relay::Relay,
    udp::UdpPort,
};

/// Said to clients, which compute their keys with it.
pub(super) const REALM: &str = "sightline";

/// UDP in the protocol numbers of IANA; the one protocol that is relayed.
const UDP: u8 = 17;

/// RFC 8656 section 12; up to `0x7fff` in RFC 5766, whose clients there are.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x7fff;

/// Longest user name: `expiry:user` with an id of our own is a third of it.
const MAX_USERNAME_BYTES: usize = 200;

/// Why a request is refused; its number is that of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    BadRequest,
    Unauthorized,
    Forbidden,
    UnknownAttributes(Vec<AttributeType>),
    AllocationMismatch,
    StaleNonce,
    AddressFamilyNotSupported,
    WrongCredentials,
    UnsupportedTransport,
    PeerAddressFamilyMismatch,
    AllocationQuotaReached,
    InsufficientCapacity,
}

impl Refusal {
    fn code(&self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::Forbidden => (403, "Forbidden"),
            Self::UnknownAttributes(_) => (420, "Unknown Attribute"),
            Self::AllocationMismatch => (437, "Allocation Mismatch"),
            Self::StaleNonce => (438, "Stale Nonce"),
            Self::AddressFamilyNotSupported => (440, "Address Family not Supported"),
            Self::WrongCredentials => (441, "Wrong Credentials"),
            Self::UnsupportedTransport => (442, "Unsupported Transport Protocol"),
            Self::PeerAddressFamilyMismatch => (443, "Peer Address Family Mismatch"),
            Self::AllocationQuotaReached => (486, "Allocation Quota Reached"),
            Self::InsufficientCapacity => (508, "Insufficient Capacity"),
        }
    }
}

/// The answer to a request; `None` where it gets none.
pub(super) fn answer(
    relay: &Arc<Relay>,
    client: &Client,
    request: &Message<'_>,
    now: Instant,
) -> Option<Vec<u8>> {
    let from = client.five_tuple.client;
    if request.has_method(BINDING) {
        return may_answer(relay, from, now).then(|| binding(request, from)).flatten();
    }
    let who = match authenticate(relay, client, request, now) {
        Ok(who) => who,
        Err(refusal) => {
            if !may_answer(relay, from, now) {
                return None;
            }
            relay.metrics.count_refusal(refusal.code().1);
            let challenge = matches!(refusal, Refusal::Unauthorized | Refusal::StaleNonce)
                .then(|| relay.nonces.hand_out(from, now));
            return refused(request, &refusal, challenge.as_deref(), None);
        }
    };
    let answered = match request.method() {
        ALLOCATE => allocate(relay, client, request, &who, now),
        REFRESH => with_allocation(&who, |allocation| refresh(relay, request, allocation, now)),
        CREATE_PERMISSION => with_allocation(&who, |allocation| permit(relay, request, allocation, now)),
        CHANNEL_BIND => with_allocation(&who, |allocation| bind_channel(relay, request, allocation, now)),
        _ => Err(Refusal::BadRequest),
    };
    match answered {
        Ok(answer) => signed(answer, &who.key),
        Err(refusal) => {
            relay.metrics.count_refusal(refusal.code().1);
            refused(request, &refusal, None, Some(&who.key))
        }
    }
}

/// Whether this address may have one more answer to what anybody can ask.
fn may_answer(relay: &Relay, from: SocketAddr, now: Instant) -> bool {
    let may = relay.answers.take(from.ip(), now);
    if may {
        relay.metrics.unauthenticated.inc();
    } else {
        relay.metrics.count_dropped(DropReason::AnswerLimit);
    }
    may
}

fn binding(request: &Message<'_>, from: SocketAddr) -> Option<Vec<u8>> {
    let unknown = unknown_attributes(request, &[]);
    if !unknown.is_empty() {
        return refused(request, &Refusal::UnknownAttributes(unknown), None, None);
    }
    let mut answer = success(request);
    answer.add_attribute(&XorMappedAddress::new(from, request.transaction_id())).ok()?;
    answer.add_fingerprint().ok()?;
    Some(answer.finish())
}

/// Who asks, shown by a password.
struct Identity {
    username: String,
    key: IntegrityKey,
    allocation: Option<Arc<Allocation>>,
}

/// RFC 8489 section 9.2.4, with the name of an allocation fixed to whoever made it (RFC 8656 section 5).
fn authenticate(
    relay: &Relay,
    client: &Client,
    request: &Message<'_>,
    now: Instant,
) -> Result<Identity, Refusal> {
    if !request.has_attribute(MessageIntegrity::TYPE) {
        return Err(Refusal::Unauthorized);
    }
    let username = request.attribute::<Username>().map_err(|_| Refusal::BadRequest)?;
    let nonce = request.attribute::<Nonce>().map_err(|_| Refusal::BadRequest)?;
    let realm = request.attribute::<Realm>().map_err(|_| Refusal::BadRequest)?;
    if !relay.nonces.is_valid(nonce.nonce(), client.five_tuple.client, now) {
        return Err(Refusal::StaleNonce);
    }
    let username = username.username();
    if realm.realm() != REALM || username.len() > MAX_USERNAME_BYTES {
        return Err(Refusal::Unauthorized);
    }
    let allocation = relay.of_client(&client.five_tuple);
    let is_theirs = |allocation: &Arc<Allocation>| allocation.username == username;
    let key = match &allocation {
        // Looked at when it was made; it lives on under its own name.
        Some(theirs) if is_theirs(theirs) => theirs.key.clone(),
        _ => {
            RestCredentials::user_of(username, relay.clock.now()).map_err(|_| Refusal::Unauthorized)?;
            let password = relay.credentials.password(username);
            LongTermKeyCredentials::new(username.to_owned(), password, REALM.to_owned())
                .make_key(IntegrityAlgorithm::Sha1)
        }
    };
    request.validate_integrity_with_key(&key).map_err(|_| Refusal::Unauthorized)?;
    if allocation.as_ref().is_some_and(|allocation| !is_theirs(allocation)) {
        return Err(Refusal::WrongCredentials);
    }
    Ok(Identity { username: username.to_owned(), key, allocation })
}

fn with_allocation(
    who: &Identity,
    act: impl FnOnce(&Allocation) -> Result<MessageWriteVec, Refusal>,
) -> Result<MessageWriteVec, Refusal> {
    who.allocation.as_deref().ok_or(Refusal::AllocationMismatch).and_then(act)
}

fn allocate(
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
    let user = who.username.split_once(':').map_or("", |(_, user)| user);
    let place = relay.quotas.take(user, client.five_tuple.client.ip()).map_err(|reached| match reached {
        QuotaReached::User | QuotaReached::Address => Refusal::AllocationQuotaReached,
        QuotaReached::Total => Refusal::InsufficientCapacity,
    })?;
    let Sockets { port, told, token } = sockets(relay, client, who, family, even_port, reservation, now)?;
    let mut state = AllocationState::new(relay.bytes_per_s, now);
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

struct Sockets {
    port: UdpPort,
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
        tracing::warn!(%error, "no port to relay from");
        Refusal::InsufficientCapacity
    };
    let (port, token) = match (reservation, even_port) {
        (Some(token), _) => {
            let kept = relay.reservations.take(token.token(), &who.username, now);
            (kept.ok_or(Refusal::InsufficientCapacity)?, None)
        }
        (None, Some(even)) => {
            if even.requested() && !relay.reservations.has_room(now) {
                return Err(Refusal::InsufficientCapacity);
            }
            let (port, next) = relay.ports.bind_even(address.bind, even.requested()).map_err(no_port)?;
            (port, next.map(|next| relay.reservations.keep(next, &who.username, now)))
        }
        (None, None) => (relay.ports.bind(address.bind).map_err(no_port)?, None),
    };
    let told = SocketAddr::new(address.told, port.local_addr().port());
    // On a machine of several addresses behind one external one.
    if relay.of_relayed(told).is_some() {
        return Err(Refusal::InsufficientCapacity);
    }
    Ok(Sockets { port, told, token })
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

fn refresh(
    relay: &Relay,
    request: &Message<'_>,
    allocation: &Allocation,
    now: Instant,
) -> Result<MessageWriteVec, Refusal> {
    understood(request, &[Lifetime::TYPE, RequestedAddressFamily::TYPE])?;
    let is_other = |family| (family == AddressFamily::IPV4) != allocation.relayed.is_ipv4();
    if requested_family(request)?.is_some_and(is_other) {
        return Err(Refusal::PeerAddressFamilyMismatch);
    }
    let lifetime = match lifetime(request)? {
        Some(Duration::ZERO) => {
            relay.remove(allocation);
            Duration::ZERO
        }
        wanted => allocation.state().refresh(wanted, now),
    };
    let mut answer = success(request);
    add(&mut answer, &Lifetime::new(whole_seconds(lifetime)))?;
    Ok(answer)
}

fn permit(
    relay: &Relay,
    request: &Message<'_>,
    allocation: &Allocation,
    now: Instant,
) -> Result<MessageWriteVec, Refusal> {
    understood(request, &[XorPeerAddress::TYPE])?;
    let mut peers = Vec::new();
    while let Ok(peer) = request.nth_attribute::<XorPeerAddress>(peers.len()) {
        let peer = peer.addr(request.transaction_id());
        may_reach(relay, allocation, peer, now)?;
        peers.push(peer.ip());
    }
    let named =
        request.iter_attributes().filter(|(_, one)| one.header.get_type() == XorPeerAddress::TYPE).count();
    if peers.is_empty() || peers.len() != named {
        return Err(Refusal::BadRequest);
    }
    if allocation.state().permit(&peers, now) {
        Ok(success(request))
    } else {
        Err(Refusal::InsufficientCapacity)
    }
}

fn bind_channel(
    relay: &Relay,
    request: &Message<'_>,
    allocation: &Allocation,
    now: Instant,
) -> Result<MessageWriteVec, Refusal> {
    understood(request, &[XorPeerAddress::TYPE, ChannelNumber::TYPE])?;
    let number = request.attribute::<ChannelNumber>().map_err(|_| Refusal::BadRequest)?.channel();
    let peer = request.attribute::<XorPeerAddress>().map_err(|_| Refusal::BadRequest)?;
    let peer = peer.addr(request.transaction_id());
    if !CHANNELS.contains(&number) {
        return Err(Refusal::BadRequest);
    }
    let is_own = may_reach(relay, allocation, peer, now)? == PeerClass::Own;
    if peer.port() == 0 || (is_own && relay.of_relayed(peer).is_none()) {
        return Err(Refusal::Forbidden);
    }
    match allocation.state().bind(number, peer, now) {
        Ok(()) => Ok(success(request)),
        Err(ChannelRefusal::Taken) => Err(Refusal::BadRequest),
        Err(ChannelRefusal::TooMany) => Err(Refusal::InsufficientCapacity),
    }
}

fn may_reach(
    relay: &Relay,
    allocation: &Allocation,
    peer: SocketAddr,
    now: Instant,
) -> Result<PeerClass, Refusal> {
    // The table comes first: an address that is forbidden is so in every spelling and to every allocation.
    match relay.policy.class(peer.ip(), now) {
        PeerClass::Denied => Err(Refusal::Forbidden),
        _ if peer.is_ipv4() != allocation.relayed.is_ipv4() => Err(Refusal::PeerAddressFamilyMismatch),
        class => Ok(class),
    }
}

fn requested_family(request: &Message<'_>) -> Result<Option<AddressFamily>, Refusal> {
    let Some(raw) = request.raw_attribute(RequestedAddressFamily::TYPE) else { return Ok(None) };
    let family = RequestedAddressFamily::try_from(&raw).map_err(|_| Refusal::AddressFamilyNotSupported)?;
    Ok(Some(family.family()))
}

fn lifetime(request: &Message<'_>) -> Result<Option<Duration>, Refusal> {
    Ok(optional::<Lifetime>(request)?.map(|lifetime| Duration::from_secs(lifetime.seconds().into())))
}

/// An attribute that may be missing but not be wrong.
fn optional<'a, A>(request: &'a Message<'_>) -> Result<Option<A>, Refusal>
where
    A: stun_types::attribute::AttributeFromRaw<'a> + AttributeStaticType,
{
    if request.has_attribute(A::TYPE) {
        request.attribute().map(Some).map_err(|_| Refusal::BadRequest)
    } else {
        Ok(None)
    }
}

/// RFC 8489 section 6.3.1: what must be understood and is not, is said.
fn understood(request: &Message<'_>, known: &[AttributeType]) -> Result<(), Refusal> {
    let unknown = unknown_attributes(request, known);
    if unknown.is_empty() { Ok(()) } else { Err(Refusal::UnknownAttributes(unknown)) }
}

fn unknown_attributes(request: &Message<'_>, known: &[AttributeType]) -> Vec<AttributeType> {
    const ALWAYS: [AttributeType; 5] =
        [Username::TYPE, Realm::TYPE, Nonce::TYPE, MessageIntegrity::TYPE, Fingerprint::TYPE];
    let types = request.iter_attributes().map(|(_, attribute)| attribute.header.get_type());
    types
        .filter(|kind| kind.comprehension_required() && !ALWAYS.contains(kind) && !known.contains(kind))
        .take(16)
        .collect()
}

fn success(request: &Message<'_>) -> MessageWriteVec {
    Message::builder_success(request, MessageWriteVec::with_capacity(128))
}

fn add(answer: &mut MessageWriteVec, attribute: &dyn AttributeWrite) -> Result<(), Refusal> {
    answer.add_attribute(attribute).map_err(|_| Refusal::InsufficientCapacity)
}

fn signed(mut answer: MessageWriteVec, key: &IntegrityKey) -> Option<Vec<u8>> {
    answer.add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1).ok()?;
    answer.add_fingerprint().ok()?;
    Some(answer.finish())
}

fn refused(
    request: &Message<'_>,
    refusal: &Refusal,
    challenge: Option<&str>,
    key: Option<&IntegrityKey>,
) -> Option<Vec<u8>> {
    let (code, reason) = refusal.code();
    let mut answer = Message::builder_error(request, MessageWriteVec::with_capacity(160));
    answer.add_attribute(&ErrorCode::new(code, reason).ok()?).ok()?;
    if let Refusal::UnknownAttributes(unknown) = refusal {
        answer.add_attribute(&UnknownAttributes::new(unknown)).ok()?;
    }
    if let Some(nonce) = challenge {
        answer.add_attribute(&Realm::new(REALM).ok()?).ok()?;
        answer.add_attribute(&Nonce::new(nonce).ok()?).ok()?;
    }
    match key {
        Some(key) => signed(answer, key),
        None => {
            answer.add_fingerprint().ok()?;
            Some(answer.finish())
        }
    }
}

fn whole_seconds(lifetime: Duration) -> u32 {
    u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX)
}
