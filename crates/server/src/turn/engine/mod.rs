//! STUN and TURN without sockets and without a clock: bytes and time in, bytes out (RFC 8489, RFC 8656).
//!
//! Owns every allocation, permission, channel, quota and reserved port, and decides about each request and each packet. Never waits,
//! reads no clock and opens no socket: the caller gives the time, and [`Network`](network::Network) stands for its sockets. So
//! a day of a client's life is an ordinary unit test.
//!
//! The contract: time never goes back between two calls. [`Engine::handle_timeout`] is called now and then; what expired relays
//! nothing from that moment on, whether the call has come or not, and the call only gives its port and its place back.
//! [`Engine::set_host_addresses`] is called before the first message and whenever this machine's addresses change.
//!
//! | file | subject |
//! |---|---|
//! | [`decode`] | bytes of a client to a request, data for a peer, or a refusal to read |
//! | [`requests`] | authentication, and the answer to each kind of request |
//! | [`relay`] | data between clients and peers |
//! | [`state`] | all that is known, and how an allocation ends |
//! | [`allocations`], [`allocation`] | the table of allocations, and one of them: owner, life, bandwidth |
//! | [`permissions`], [`channels`], [`peer_table`] | the peers that an allocation exchanges packets with |
//! | [`peers`] | the peers that no allocation may reach |
//! | [`quotas`], [`limiters`], [`bandwidth`] | how much a user, an address and all together may have |
//! | [`credentials`], [`nonce`] | checking clients without storing anything for them |
//! | [`ports`], [`relayed_addresses`], [`reservations`] | which relayed address a client gets |
//! | [`client`], [`network`], [`refusal`] | names of the ends; what is asked of the caller; error codes |

mod allocation;
mod allocations;
mod bandwidth;
mod channels;
pub(in crate::turn) mod client;
pub mod credentials;
pub mod decode;
pub(in crate::turn) mod limiters;
pub(in crate::turn) mod network;
mod nonce;
mod peer_table;
mod peers;
mod permissions;
mod ports;
pub(in crate::turn) mod quotas;
mod refusal;
mod relay;
mod relayed_addresses;
mod requests;
mod reservations;
pub(in crate::turn) mod state;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use self::{
    client::{Client, FiveTuple, PortId},
    decode::{Decoded, Undecodable, decode},
    network::Network,
    state::{EngineSettings, State},
};
use super::metrics::DropReason;
use crate::time::UnixTime;

/// A STUN and TURN server with a single owner.
#[derive(Debug)]
pub(in crate::turn) struct Engine {
    state: State,
}

/// This machine's addresses, which the caller has to keep current.
#[derive(Debug, Clone, Default)]
pub(in crate::turn) struct HostAddresses {
    pub(in crate::turn) interfaces: Vec<IpAddr>,
    /// The source addresses of the default routes, at most one for each family.
    pub(in crate::turn) default: Vec<IpAddr>,
}

impl Engine {
    pub(in crate::turn) fn new(settings: EngineSettings, now: UnixTime) -> Self {
        Self { state: State::new(settings, now) }
    }

    pub(in crate::turn) fn set_host_addresses(&mut self, addresses: HostAddresses) {
        self.state.policy.set_interfaces(&addresses.interfaces);
        self.state.addresses.set_default(addresses.default);
    }

    /// Handles one message of a client. Returns whether it was data for a peer that the client may reach; a client has a
    /// limited number of anything else.
    pub(in crate::turn) fn handle_message(
        &mut self,
        client: &Client,
        bytes: &[u8],
        now: UnixTime,
        network: &mut impl Network,
    ) -> bool {
        let state = &mut self.state;
        let five_tuple = &client.five_tuple;
        // The message is not even decoded, so that a flood of requests costs as little as possible.
        if client.is_datagram() && decode::is_request(bytes) && state.requests.is_exhausted(five_tuple, now) {
            state.metrics.count_dropped(DropReason::RequestLimit);
            return false;
        }
        match decode(bytes) {
            Ok(Decoded::ChannelData { number, data }) => {
                return relay::relay_channel_data(state, five_tuple, (number, data), now, network);
            }
            Ok(Decoded::Send { peer, data }) => {
                return relay::relay_send_indication(state, five_tuple, (peer, data), now, network);
            }
            Ok(Decoded::Request(request)) => {
                if let Some(answer) = requests::answer(state, client, &request, now, network) {
                    network.answer(client, &answer);
                }
            }
            Ok(Decoded::Idle) => {}
            Err(Undecodable::Malformed) => state.metrics.count_dropped(DropReason::Malformed),
            Err(Undecodable::TooLong) => state.metrics.count_dropped(DropReason::TooLong),
        }
        false
    }

    /// Handles a packet that a peer sent to an open port.
    pub(in crate::turn) fn handle_peer_packet(
        &mut self,
        port: PortId,
        peer: SocketAddr,
        payload: &[u8],
        now: UnixTime,
        network: &mut impl Network,
    ) {
        relay::relay_to_client(&mut self.state, port, (peer, payload), now, network);
    }

    /// Ends the allocation of a client that is gone.
    pub(in crate::turn) fn end_client(&mut self, client: &FiveTuple, network: &mut impl Network) {
        if let Some(port) = self.state.allocations.of_client_ever(client) {
            self.state.end_allocation(port, network);
        }
    }

    /// Gives back the ports and places of everything that expired.
    pub(in crate::turn) fn handle_timeout(&mut self, now: UnixTime, network: &mut impl Network) {
        while let Some(port) = self.state.allocations.expired(now) {
            self.state.end_allocation(port, network);
        }
        self.state.end_expired_reservations(now, network);
    }

    pub(in crate::turn) fn has_allocation(&self, client: &FiveTuple, now: UnixTime) -> bool {
        self.state.allocations.of_client(client, now).is_some()
    }

    /// Counts a message of a client over a stream that was no data, or says how long the client has to wait. Over UDP requests
    /// are counted when they are handled.
    pub(in crate::turn) fn take_request(
        &mut self,
        client: &FiveTuple,
        now: UnixTime,
    ) -> Result<(), Duration> {
        self.state.requests.take(client, now)
    }
}
