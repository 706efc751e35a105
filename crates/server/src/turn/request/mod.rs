//! Requests and their answers (RFC 8489 section 9.2 for who may ask, RFC 8656 sections 7 to 12 for what).

mod allocate;
mod message;

pub(super) use self::message::Refusal;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stun_types::{
    AddressFamily,
    attribute::{AttributeStaticType, MessageIntegrity, Nonce, Realm, Username, XorMappedAddress},
    message::{
        BINDING, IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials, Message, MessageWrite,
        MessageWriteExt, MessageWriteVec,
    },
};
use tokio::time::Instant;
use turn_types::{
    attribute::{ChannelNumber, Lifetime, RequestedAddressFamily, XorPeerAddress},
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH},
};

use self::{
    allocate::allocate,
    message::{
        REALM, add, lifetime, refused, requested_family, signed, success, understood, unknown_attributes,
        whole_seconds,
    },
};
use super::{
    allocation::{Allocation, ChannelRefusal},
    client::Client,
    credentials::RestCredentials,
    decode,
    metrics::DropReason,
    peers::PeerClass,
    relay::Relay,
};

/// RFC 8656 section 12; up to `0x7fff` in RFC 5766, whose clients there are.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x7fff;

/// Longest user name: `expiry:user` with an id of our own is a third of it.
const MAX_USERNAME_BYTES: usize = 200;

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
        Err(Unauthenticated::TooOften) => {
            relay.metrics.count_dropped(DropReason::RequestLimit);
            return None;
        }
        Err(Unauthenticated::Refused(refusal)) => {
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

/// Why nobody is known to ask.
enum Unauthenticated {
    Refused(Refusal),
    /// There is no answer: the client repeats its request (RFC 8489 section 6.2.1).
    TooOften,
}

impl From<Refusal> for Unauthenticated {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// RFC 8489 section 9.2.4, with the name of an allocation fixed to whoever made it (RFC 8656 section 5).
fn authenticate(
    relay: &Relay,
    client: &Client,
    request: &Message<'_>,
    now: Instant,
) -> Result<Identity, Unauthenticated> {
    if !request.has_attribute(MessageIntegrity::TYPE) {
        return Err(Refusal::Unauthorized.into());
    }
    let username = request.attribute::<Username>().map_err(|_| Refusal::BadRequest)?;
    let nonce = request.attribute::<Nonce>().map_err(|_| Refusal::BadRequest)?;
    let realm = request.attribute::<Realm>().map_err(|_| Refusal::BadRequest)?;
    if !relay.nonces.is_valid(nonce.nonce(), client.five_tuple.client, now) {
        return Err(Refusal::StaleNonce.into());
    }
    // With its nonce a client has shown that it gets what is sent to its address, so nobody else can use up its requests. A
    // stream waits instead of losing any.
    if client.is_datagram() && relay.requests.take(&client.five_tuple, now).is_err() {
        return Err(Unauthenticated::TooOften);
    }
    let username = username.username();
    if realm.realm() != REALM || username.len() > MAX_USERNAME_BYTES {
        return Err(Refusal::Unauthorized.into());
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
        return Err(Refusal::WrongCredentials.into());
    }
    Ok(Identity { username: username.to_owned(), key, allocation })
}

fn with_allocation(
    who: &Identity,
    act: impl FnOnce(&Allocation) -> Result<MessageWriteVec, Refusal>,
) -> Result<MessageWriteVec, Refusal> {
    who.allocation.as_deref().ok_or(Refusal::AllocationMismatch).and_then(act)
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
    for peer in decode::peers(request)? {
        may_reach(relay, allocation, peer, now)?;
        peers.push(peer.ip());
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
