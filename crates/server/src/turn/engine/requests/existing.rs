//! Requests about an allocation that exists: Refresh, CreatePermission, ChannelBind (RFC 8656 sections 8, 10 and 12).

use std::{net::SocketAddr, time::Duration};

use stun_types::{
    AddressFamily,
    attribute::AttributeStaticType,
    message::{Message, MessageWriteVec},
};
use turn_types::attribute::{ChannelNumber, Lifetime, RequestedAddressFamily, XorPeerAddress};

use super::{
    super::{
        channels::ChannelRefusal, client::PortId, decode, network::Network, peers::PeerClass,
        refusal::Refusal, state::State,
    },
    attributes::{add, lifetime, requested_family, success, understood, whole_seconds},
};
use crate::time::UnixTime;

/// RFC 8656 section 12 ends at `0x4fff`. Clients of RFC 5766 use numbers up to `0x7fff`.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x7fff;

/// Extends an allocation's life, or ends it.
pub(super) fn refresh(
    state: &mut State,
    request: &Message<'_>,
    allocation: PortId,
    now: UnixTime,
    network: &mut impl Network,
) -> Result<MessageWriteVec, Refusal> {
    understood(request, &[Lifetime::TYPE, RequestedAddressFamily::TYPE])?;
    let is_ipv4 = relayed(state, allocation, now)?.is_ipv4();
    let is_other = |family| (family == AddressFamily::IPV4) != is_ipv4;
    if requested_family(request)?.is_some_and(is_other) {
        return Err(Refusal::PeerAddressFamilyMismatch);
    }
    let lifetime = match lifetime(request)? {
        Some(Duration::ZERO) => {
            state.end_allocation(allocation, network);
            Duration::ZERO
        }
        wanted => state.allocations.refresh(allocation, wanted, now).ok_or(Refusal::AllocationMismatch)?,
    };
    let mut answer = success(request);
    add(&mut answer, &Lifetime::new(whole_seconds(lifetime)))?;
    Ok(answer)
}

/// Permits the addresses of some peers.
pub(super) fn create_permission(
    state: &mut State,
    request: &Message<'_>,
    allocation: PortId,
    now: UnixTime,
) -> Result<MessageWriteVec, Refusal> {
    understood(request, &[XorPeerAddress::TYPE])?;
    let mut peers = Vec::new();
    for peer in decode::peers(request)? {
        check_peer(state, allocation, peer, now)?;
        peers.push(peer.ip());
    }
    let allocation = state.allocations.get(allocation, now).ok_or(Refusal::AllocationMismatch)?;
    if allocation.permissions.permit(&peers, now) {
        Ok(success(request))
    } else {
        Err(Refusal::InsufficientCapacity)
    }
}

/// Binds a channel to a peer.
pub(super) fn bind_channel(
    state: &mut State,
    request: &Message<'_>,
    allocation: PortId,
    now: UnixTime,
) -> Result<MessageWriteVec, Refusal> {
    understood(request, &[XorPeerAddress::TYPE, ChannelNumber::TYPE])?;
    let number = request.attribute::<ChannelNumber>().map_err(|_| Refusal::BadRequest)?.channel();
    let peer = request.attribute::<XorPeerAddress>().map_err(|_| Refusal::BadRequest)?;
    let peer = peer.addr(request.transaction_id());
    if !CHANNELS.contains(&number) {
        return Err(Refusal::BadRequest);
    }
    let is_own = check_peer(state, allocation, peer, now)? == PeerClass::Own;
    if peer.port() == 0 || (is_own && state.allocations.of_relayed(peer, now).is_none()) {
        return Err(Refusal::Forbidden);
    }
    let allocation = state.allocations.get(allocation, now).ok_or(Refusal::AllocationMismatch)?;
    match allocation.bind(number, peer, now) {
        Ok(()) => Ok(success(request)),
        Err(ChannelRefusal::Taken) => Err(Refusal::BadRequest),
        Err(ChannelRefusal::TooMany) => Err(Refusal::InsufficientCapacity),
    }
}

/// Refuses a peer that this allocation may not reach.
fn check_peer(
    state: &mut State,
    allocation: PortId,
    peer: SocketAddr,
    now: UnixTime,
) -> Result<PeerClass, Refusal> {
    let relayed = relayed(state, allocation, now)?;
    // The table comes first: a forbidden address is forbidden in every spelling and to every allocation.
    match state.policy.class(peer.ip()) {
        PeerClass::Denied => Err(Refusal::Forbidden),
        _ if peer.is_ipv4() != relayed.is_ipv4() => Err(Refusal::PeerAddressFamilyMismatch),
        class => Ok(class),
    }
}

fn relayed(state: &mut State, allocation: PortId, now: UnixTime) -> Result<SocketAddr, Refusal> {
    state.allocations.get(allocation, now).map(|found| found.relayed).ok_or(Refusal::AllocationMismatch)
}
