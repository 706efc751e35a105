//! Clients that come over TCP and TLS: taken one by one, bounded in number and in patience.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{client::Transport, relay::Relay, stream};
use crate::{
    connections::{Slot, Slots},
    tls::{Accepted, Tls},
};

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// After the system refused a connection, because of too many open files for instance.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// TLS, and where the handshakes are computed: anybody may ask for them, and each costs as much as hundreds of packets, so not
/// on the relay's thread.
#[derive(Debug, Clone)]
pub(super) struct Handshakes {
    pub(super) tls: Tls,
    pub(super) runtime: Handle,
}

/// Takes connections for as long as it is polled; those that were taken end with `stop`.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<Handshakes>,
    relay: Arc<Relay>,
    slots: Arc<Slots>,
    stop: CancellationToken,
) {
    loop {
        let Some(permit) = slots.permit().await else { return };
        match listener.accept().await {
            Ok((_, peer)) if !relay.new_connections.take(peer.ip(), Instant::now()) => {
                tracing::debug!(%peer, "too many new TURN connections of this address");
            }
            Ok((stream, peer)) => match slots.take(peer.ip(), permit) {
                Some(slot) => {
                    let (tls, relay_of_task, stop) = (tls.clone(), Arc::clone(&relay), stop.clone());
                    relay.tasks.spawn(serve(stream, tls, relay_of_task, slot, stop));
                }
                None => tracing::debug!(%peer, "too many TURN connections of this address"),
            },
            Err(error) => {
                tracing::warn!(%error, "a TURN connection was not taken");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<Handshakes>,
    relay: Arc<Relay>,
    slot: Slot,
    stop: CancellationToken,
) {
    let (Ok(client), Ok(server)) = (stream.peer_addr(), stream.local_addr()) else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    relay.metrics.connections.inc();
    let ends = [client, server];
    let for_end = Arc::clone(&relay);
    match tls {
        None => stream::serve(stream, Transport::Tcp, ends, relay, stop).await,
        Some(Handshakes { tls, runtime }) => {
            let handshake =
                runtime.spawn(async move { timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await });
            match handshake.await {
                Ok(Ok(Ok(Accepted::Tls(stream)))) => {
                    stream::serve(stream, Transport::Tls, ends, relay, stop).await;
                }
                Ok(Ok(Ok(Accepted::Plain(stream)))) => {
                    stream::serve(stream, Transport::Tcp, ends, relay, stop).await;
                }
                Ok(Ok(Err(error))) => tracing::debug!(%error, %client, "no TLS handshake for TURN"),
                Ok(Err(_)) => tracing::debug!(%client, "no TLS handshake for TURN in time"),
                Err(error) => tracing::debug!(%error, %client, "a TLS handshake for TURN was cut off"),
            }
        }
    }
    for_end.metrics.connections.dec();
    drop(slot);
}
