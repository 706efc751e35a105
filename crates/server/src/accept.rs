//! The accept loop of every TCP port: connections are taken one by one, bounded in number (`slots`).

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::slots::{Slot, Slots};

/// How long the loop pauses when the system does not accept a connection, for instance because of too many open files.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// A listening socket and the limits of its connections.
pub(crate) struct Accepting<W> {
    pub(crate) listener: TcpListener,
    pub(crate) slots: Arc<Slots>,
    /// Whether an address may open one more connection now. Asked before a connection gets its slot.
    pub(crate) is_welcome: W,
}

/// Accepts connections until `stop`; `serve` spawns a task for each. Then waits for the tasks to end; those that still run when
/// the future is dropped are dropped too.
pub(crate) async fn accept_until(
    stop: CancellationToken,
    accepting: Accepting<impl FnMut(IpAddr) -> bool>,
    mut serve: impl FnMut(&mut JoinSet<()>, TcpStream, Slot),
) {
    let Accepting { listener, slots, mut is_welcome } = accepting;
    let mut connections = JoinSet::new();
    {
        // Kept while others end, so that an accepted connection that waits for a place is not lost.
        let mut next = Box::pin(accept(&listener, &slots, &mut is_welcome));
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = next.as_mut() => accepted,
            };
            drop(next);
            next = Box::pin(accept(&listener, &slots, &mut is_welcome));
            if let Some((stream, slot)) = accepted {
                serve(&mut connections, stream, slot);
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once it has a slot; `None` if it is refused.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Slots>,
    is_welcome: &mut impl FnMut(IpAddr) -> bool,
) -> Option<(TcpStream, Slot)> {
    let accepted =
        listener.accept().await.and_then(|(stream, peer)| Ok((stream.local_addr()?, stream, peer)));
    match accepted {
        Ok((local, _, peer)) if !is_welcome(peer.ip()) => {
            tracing::debug!(%peer, %local, "too many new connections of this address");
            None
        }
        Ok((local, stream, peer)) => match slots.admit(peer.ip(), local.ip()).await {
            Some(slot) => Some((stream, slot)),
            None => {
                tracing::debug!(%peer, %local, "too many connections of this address");
                None
            }
        },
        Err(error) => {
            if let Some(skipped) = slots.accept_errors().admit() {
                tracing::warn!(%error, skipped, "a connection was not taken");
            }
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            None
        }
    }
}
