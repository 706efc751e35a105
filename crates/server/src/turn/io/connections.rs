//! Clients that come over TCP and TLS: accepted like the page's connections, served on the relay's thread.

use std::{cell::RefCell, net::IpAddr, rc::Rc, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    task::JoinSet,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{relay::Relay, stream};
use crate::{
    accept::{Accepting, accept_until},
    slots::{Slot, Slots},
    time::Clock,
    tls::{Accepted, Tls},
    turn::engine::{client::Transport, limiters::ConnectionLimiter},
};

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// TLS, and the runtime that computes the handshakes: anybody may ask for them, and each costs as much as hundreds of packets, so
/// they are kept off the relay's thread.
#[derive(Debug, Clone)]
pub(super) struct Handshakes {
    pub(super) tls: Tls,
    pub(super) runtime: Handle,
}

/// The limits of connections to both ports together.
#[derive(Clone)]
pub(super) struct Admission {
    pub(super) slots: Arc<Slots>,
    pub(super) new_connections: Rc<RefCell<ConnectionLimiter>>,
    pub(super) clock: Clock,
}

impl Admission {
    fn is_welcome(&self, address: IpAddr) -> bool {
        self.new_connections.borrow_mut().take(address, self.clock.now())
    }
}

/// Serves the connections to one port until `stop`.
pub(super) async fn serve_port(
    listener: TcpListener,
    tls: Option<Handshakes>,
    admission: Admission,
    relay: Rc<Relay>,
    stop: CancellationToken,
) {
    let slots = Arc::clone(&admission.slots);
    let accepting = Accepting { listener, slots, is_welcome: |address| admission.is_welcome(address) };
    accept_until(stop.clone(), accepting, |connections: &mut JoinSet<()>, stream, slot| {
        connections.spawn_local(serve(stream, tls.clone(), Rc::clone(&relay), slot, stop.clone()));
    })
    .await;
}

async fn serve(
    stream: TcpStream,
    tls: Option<Handshakes>,
    relay: Rc<Relay>,
    slot: Slot,
    stop: CancellationToken,
) {
    let (Ok(client), Ok(server)) = (stream.peer_addr(), stream.local_addr()) else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    relay.metrics().connections.inc();
    let ends = [client, server];
    match tls {
        None => stream::serve(stream, Transport::Tcp, ends, &relay, stop).await,
        Some(Handshakes { tls, runtime }) => {
            let handshake =
                runtime.spawn(async move { timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await });
            let accepted = tokio::select! {
                accepted = AbortOnDropHandle::new(handshake) => Some(accepted),
                () = stop.cancelled() => None,
            };
            match accepted {
                Some(Ok(Ok(Ok(Accepted::Tls(stream))))) => {
                    stream::serve(stream, Transport::Tls, ends, &relay, stop).await;
                }
                Some(Ok(Ok(Ok(Accepted::Plain(stream))))) => {
                    stream::serve(stream, Transport::Tcp, ends, &relay, stop).await;
                }
                Some(Ok(Ok(Err(error)))) => tracing::debug!(%error, %client, "no TLS handshake for TURN"),
                Some(Ok(Err(_))) => tracing::debug!(%client, "no TLS handshake for TURN in time"),
                Some(Err(error)) => tracing::debug!(%error, %client, "a TLS handshake for TURN was cut off"),
                None => {}
            }
        }
    }
    relay.metrics().connections.dec();
    drop(slot);
}
