//! The path of a packet from a client to a peer and back (RFC 8656 sections 11 and 12).

use std::net::SocketAddr;

use rand::RngExt;
use stun_types::message::{
    Message, MessageClass, MessageType, MessageWrite, MessageWriteExt, MessageWriteVec, TransactionId,
};
use turn_types::{
    attribute::{Data, XorPeerAddress},
    message::DATA,
};

use super::{
    allocation::counted_bytes,
    client::{FiveTuple, PortId},
    network::Network,
    peers::PeerClass,
    state::State,
};
use crate::{
    time::UnixTime,
    turn::metrics::{Direction, DropReason},
};

/// Relays what a client sends on a channel (RFC 8656 section 12.4). `false` where the client has no such channel.
pub(super) fn relay_channel_data(
    state: &mut State,
    client: &FiveTuple,
    (number, payload): (u16, &[u8]),
    now: UnixTime,
    network: &mut impl Network,
) -> bool {
    let allocation = state.allocations.of_client(client, now);
    let Some(allocation) = allocation.and_then(|port| state.allocations.get(port, now)) else {
        return drop_unaddressed(state, DropReason::Malformed);
    };
    let Some(peer) = allocation.channels().peer_of(number, now) else {
        return drop_unaddressed(state, DropReason::Malformed);
    };
    let (from, may_pass) =
        (allocation.port, allocation.take_bandwidth(Direction::ToPeer, payload.len(), now));
    if let Err(reason) = send_to_peer(state, (from, peer, may_pass), payload, now, network) {
        state.metrics.count_dropped(reason);
    }
    true
}

/// Relays a Send indication (RFC 8656 section 11.2). `false` where the client has no permission for the peer.
pub(super) fn relay_send_indication(
    state: &mut State,
    client: &FiveTuple,
    (peer, payload): (SocketAddr, &[u8]),
    now: UnixTime,
    network: &mut impl Network,
) -> bool {
    let allocation = state.allocations.of_client(client, now);
    let Some(allocation) = allocation.and_then(|port| state.allocations.get(port, now)) else {
        return drop_unaddressed(state, DropReason::Malformed);
    };
    if !allocation.permissions.permits(peer.ip(), now) {
        return drop_unaddressed(state, DropReason::NoPermission);
    }
    let (from, may_pass) =
        (allocation.port, allocation.take_bandwidth(Direction::ToPeer, payload.len(), now));
    if let Err(reason) = send_to_peer(state, (from, peer, may_pass), payload, now, network) {
        state.metrics.count_dropped(reason);
    }
    true
}

/// Relays what a peer sent to a relayed address (RFC 8656 sections 11.3 and 12.6).
pub(super) fn relay_to_client(
    state: &mut State,
    to: PortId,
    (peer, payload): (SocketAddr, &[u8]),
    now: UnixTime,
    network: &mut impl Network,
) {
    if let Err(reason) = send_to_client(state, to, (peer, payload), now, network) {
        state.metrics.count_dropped(reason);
    }
}

fn drop_unaddressed(state: &State, reason: DropReason) -> bool {
    state.metrics.count_dropped(reason);
    false
}

fn send_to_peer(
    state: &mut State,
    (from, peer, may_pass): (PortId, SocketAddr, bool),
    payload: &[u8],
    now: UnixTime,
    network: &mut impl Network,
) -> Result<(), DropReason> {
    if !may_pass {
        return Err(DropReason::Bandwidth);
    }
    let Some(allocation) = state.allocations.get(from, now) else { return Err(DropReason::NoAllocation) };
    let relayed = allocation.relayed;
    if peer.is_ipv4() != relayed.is_ipv4() || peer.port() == 0 {
        return Err(DropReason::PeerDenied);
    }
    match (state.policy.class(peer.ip()), state.allocations.of_relayed(peer, now)) {
        (PeerClass::Denied, _) => return Err(DropReason::PeerDenied),
        // Both ends are clients of this relay, so the packet need not leave it.
        (_, Some(other)) => relay_to_client(state, other, (relayed, payload), now, network),
        (PeerClass::Own, None) => return Err(DropReason::NoAllocation),
        (PeerClass::Outside, None) => {
            if !may_leave(state, from, payload.len(), now) {
                return Err(DropReason::TotalBandwidth);
            }
            network.send_to_peer(from, peer, payload);
        }
    }
    state.metrics.count_relayed(Direction::ToPeer, payload.len());
    Ok(())
}

fn send_to_client(
    state: &mut State,
    to: PortId,
    (peer, payload): (SocketAddr, &[u8]),
    now: UnixTime,
    network: &mut impl Network,
) -> Result<(), DropReason> {
    let Some(allocation) = state.allocations.get(to, now) else { return Err(DropReason::NoAllocation) };
    if !allocation.permissions.permits(peer.ip(), now) {
        return Err(DropReason::NoPermission);
    }
    if !allocation.take_bandwidth(Direction::ToClient, payload.len(), now) {
        return Err(DropReason::Bandwidth);
    }
    let (client, channel) = (allocation.owner.client, allocation.channels().number_of(peer, now));
    if !may_leave(state, to, payload.len(), now) {
        return Err(DropReason::TotalBandwidth);
    }
    let is_taken = match (channel, u16::try_from(payload.len())) {
        (Some(number), Ok(length)) => {
            let [a, b] = number.to_be_bytes();
            let [c, d] = length.to_be_bytes();
            network.send_to_client(&client, &[a, b, c, d], payload)
        }
        _ => data_indication(peer, payload, state.random.random::<u128>().into())
            .is_some_and(|message| network.send_to_client(&client, &message, &[])),
    };
    if !is_taken {
        return Err(DropReason::Full);
    }
    state.metrics.count_relayed(Direction::ToClient, payload.len());
    Ok(())
}

/// Whether the whole relay's bandwidth allows for one more packet of this allocation.
fn may_leave(state: &mut State, of: PortId, payload_bytes: usize, now: UnixTime) -> bool {
    let Some(total) = &mut state.total_bandwidth else { return true };
    let allocations = state.allocations.len();
    state.allocations.get(of, now).is_some_and(|allocation| {
        total.take(&mut allocation.share, allocations, counted_bytes(payload_bytes), now)
    })
}

/// Data for a client that has bound no channel to the peer.
fn data_indication(peer: SocketAddr, payload: &[u8], transaction: TransactionId) -> Option<Vec<u8>> {
    let kind = MessageType::from_class_method(MessageClass::Indication, DATA);
    let mut message = Message::builder(kind, transaction, MessageWriteVec::with_capacity(payload.len() + 64));
    message.add_attribute(&XorPeerAddress::new(peer, transaction)).ok()?;
    message.add_attribute(&Data::new(payload)).ok()?;
    Some(message.finish())
}
