//! The TCP connections: taken one by one, bounded in number and in patience.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http,
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    proxy::{TrustedProxy, household, is_trusted},
    tls::{Accepted, Tls},
};

/// Connections beyond those of the sockets: for files, and for handshakes about to be refused.
pub(crate) const CONNECTIONS_FOR_FILES: usize = 512;
/// The same of one address: a browser opens six, and a class may come at once.
pub(crate) const CONNECTIONS_FOR_FILES_PER_ADDRESS: usize = 128;

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may idle between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// After the system refused a connection, because of too many open files for instance.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// How many connections there may be, and how many there are.
#[derive(Debug)]
pub(crate) struct Slots {
    permits: Arc<Semaphore>,
    max_per_address: usize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    trusted_proxies: Arc<[TrustedProxy]>,
}

/// Counts one connection, a WebSocket's until the end of its task.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    taken: Arc<TakenSlot>,
}

#[derive(Debug)]
struct TakenSlot {
    peer: IpAddr,
    slots: Arc<Slots>,
    _permit: OwnedSemaphorePermit,
}

impl Slots {
    /// Trusted proxies, this machine's included, speak for many and have no limit of their own.
    pub(crate) fn new(max: usize, max_per_address: usize, trusted_proxies: Arc<[TrustedProxy]>) -> Self {
        let permits = Arc::new(Semaphore::new(max));
        Self { permits, max_per_address, by_address: Mutex::default(), trusted_proxies }
    }

    /// Waits until there may be one more.
    pub(crate) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// Counts a connection of this address; `None` where it is one too many.
    pub(crate) fn take(self: &Arc<Self>, peer: IpAddr, permit: OwnedSemaphorePermit) -> Option<Slot> {
        if !is_trusted(peer, &self.trusted_proxies) {
            let mut by_address = self.by_address();
            let count = by_address.entry(household(peer)).or_default();
            if *count >= self.max_per_address {
                return None;
            }
            *count += 1;
        }
        let taken = TakenSlot { peer, slots: Arc::clone(self), _permit: permit };
        Some(Slot { taken: Arc::new(taken) })
    }

    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// The other end of the connection.
    pub(crate) fn peer(&self) -> IpAddr {
        self.taken.peer
    }
}

impl Drop for TakenSlot {
    fn drop(&mut self) {
        let mut by_address = self.slots.by_address();
        let address = household(self.peer);
        if let Some(count) = by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
    }
}

/// One port and what answers there.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) listener: TcpListener,
    pub(crate) router: Router,
    /// On a port of https, and then what answers http there.
    pub(crate) tls: Option<(Tls, Router)>,
}

/// Serves connections until `stop`, then ends those that are idle; the others end when the future is dropped.
pub(crate) async fn serve(port: Port, slots: Arc<Slots>, stop: CancellationToken) {
    let Port { listener, router, tls } = port;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = accept(&listener, &slots) => {
                if let Some((stream, slot)) = accepted {
                    let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
                    connections.spawn(serve_one(stream, router, tls, slot, stop));
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener, slots: &Arc<Slots>) -> Option<(TcpStream, Slot)> {
    let permit = slots.permit().await?;
    match listener.accept().await {
        Ok((stream, peer)) => match slots.take(peer.ip(), permit) {
            Some(slot) => Some((stream, slot)),
            None => {
                tracing::debug!(%peer, "too many connections of this address");
                None
            }
        },
        Err(error) => {
            tracing::warn!(%error, "a connection was not taken");
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            None
        }
    }
}

async fn serve_one(
    stream: TcpStream,
    router: Router,
    tls: Option<(Tls, Router)>,
    slot: Slot,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let Some((tls, redirect)) = tls else {
        return serve_http(stream, router, slot, stop).await;
    };
    let accepted = tokio::select! {
        accepted = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)) => accepted,
        () = stop.cancelled() => return,
    };
    match accepted {
        Ok(Ok(Accepted::Tls(stream))) => serve_http(stream, router, slot, stop).await,
        Ok(Ok(Accepted::Plain(stream))) => serve_http(stream, redirect, slot, stop).await,
        // The most common is a browser that does not trust the certificate, or not yet.
        Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
        Err(_) => tracing::debug!("no TLS handshake in time"),
    }
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    slot: Slot,
    stop: CancellationToken,
) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(slot.clone());
        let router = router.clone();
        async move { Ok::<Response, Infallible>(router.oneshot(request).await.into_response()) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
