//! Gathers candidates as a browser does, with a STUN and TURN client that says why there is none.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::{FutureExt, select_ok};
use sightline_core::{
    doctor::{CandidateType, Finding},
    ice::IceUrl,
};
use sightline_protocol::signaling::IceServer;
use tokio::net::UdpSocket;

use super::{
    Context, Reports,
    turn::{StunFailure, Transport, TurnClient, resolve},
};

/// Addresses of this computer that are reported.
const MAX_ADDRESSES: usize = 16;

/// Gathers with these servers. Without any, reports this computer's own addresses. The future does not complete if a server does
/// not answer.
pub(super) async fn gather(servers: &[IceServer], context: &Context, reports: &Reports) {
    if servers.is_empty() {
        report_own_addresses(context.is_loopback, reports).await;
        return reports.send(Finding::GatheringComplete).await;
    }
    // The answers of one gathering's STUN servers are compared, so all of them are asked from one socket.
    let mut socket = None;
    for server in servers {
        for raw in &server.urls {
            let Ok(url) = IceUrl::parse(raw) else { return reports.send(Finding::Refused).await };
            let gathered = if url.is_turn {
                ask_turn(&url, server, context, reports).await
            } else {
                ask_stun(&url, &mut socket, reports).await
            };
            if let Err(StunFailure { code, text, .. }) = gathered {
                let url = url.to_string();
                reports.send(Finding::CandidateError { code, text, url }).await;
            }
        }
    }
    reports.send(Finding::GatheringComplete).await;
}

async fn report_own_addresses(is_loopback: bool, reports: &Reports) {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<_> = interfaces
        .iter()
        .filter(|interface| !interface.is_link_local() && (is_loopback || !interface.is_loopback()))
        .map(if_addrs::Interface::ip)
        .collect();
    addresses.dedup();
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        // Binding a port shows that the address can be used.
        if let Ok(local) = UdpSocket::bind((address, 0)).await.and_then(|socket| socket.local_addr()) {
            reports.send(candidate(CandidateType::Host, local, None)).await;
        }
    }
}

async fn ask_stun(
    url: &IceUrl,
    socket: &mut Option<Transport>,
    reports: &Reports,
) -> Result<(), StunFailure> {
    let addresses = resolve(url).await?;
    let mapped = if let Some(transport) = socket {
        let local = transport.local_address();
        let is_same_family =
            |address: &&SocketAddr| local.is_some_and(|local| local.is_ipv4() == address.is_ipv4());
        let address = addresses.iter().find(is_same_family).ok_or_else(StunFailure::other_family)?;
        transport.reconnect_to(*address).await?;
        transport.mapped_address().await?
    } else {
        // Where a name has addresses of both families, one may be dead.
        let attempts = addresses.into_iter().map(|address| {
            let attempt = async move {
                let mut transport = Transport::datagrams(address).await?;
                let mapped = transport.mapped_address().await?;
                Ok::<_, StunFailure>((transport, mapped))
            };
            attempt.boxed()
        });
        let ((transport, mapped), _) = select_ok(attempts).await?;
        *socket = Some(transport);
        mapped
    };
    let local = socket.as_ref().and_then(Transport::local_address);
    if let Some(local) = local {
        report_mapped(mapped, local, reports).await;
    }
    Ok(())
}

async fn ask_turn(
    url: &IceUrl,
    server: &IceServer,
    context: &Context,
    reports: &Reports,
) -> Result<(), StunFailure> {
    let (client, allocation) = TurnClient::allocate(url, server, &context.tls).await?;
    if let (Some(mapped), Some(local)) = (allocation.mapped, client.local_address()) {
        report_mapped(mapped, local, reports).await;
    }
    reports.send(candidate(CandidateType::Relay, allocation.relayed, allocation.mapped)).await;
    client.release().await;
    Ok(())
}

/// Reports what a server saw, as a browser does: an address that this computer has itself is no candidate.
async fn report_mapped(mapped: SocketAddr, local: SocketAddr, reports: &Reports) {
    reports.send(candidate(CandidateType::Host, local, None)).await;
    if mapped != local {
        reports.send(candidate(CandidateType::ServerReflexive, mapped, Some(local))).await;
    }
}

fn candidate(kind: CandidateType, at: SocketAddr, base: Option<SocketAddr>) -> Finding {
    let (address, port) = (shown(at.ip()), at.port());
    let base = base.map(|base| format!(" raddr {} rport {}", shown(base.ip()), base.port()));
    // Nothing compares the priorities.
    let line =
        format!("candidate:1 1 udp 1 {address} {port} typ {}{}", kind.as_str(), base.unwrap_or_default());
    Finding::Candidate(line)
}

fn shown(address: IpAddr) -> String {
    address.to_canonical().to_string()
}
