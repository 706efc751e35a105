//! The TCP connections: taken one by one, bounded in number (`slots`) and in patience (`patient`).

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{self, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use sightline_protocol::SIGNALLING_PATH;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    patient::{Patience, Patient},
    proxy::client_address,
    tls::{Accepted, Tls},
};

pub(crate) use crate::slots::{Slot, Slots};

/// Longest head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// After the system refused a connection, because of too many open files for instance.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// What is answered on a reserved connection.
const RESERVED_FOR: [&str; 3] = [SIGNALLING_PATH, "/healthz", "/metrics"];
/// When to come back, for a browser that was told that there is no place.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

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
    {
        // Kept while others end: a connection that was taken and waits for a place is not to be lost.
        let mut accepting = std::pin::pin!(accept(&listener, &slots));
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = accepting.as_mut() => accepted,
            };
            accepting.set(accept(&listener, &slots));
            if let Some((stream, slot)) = accepted {
                let (tls, stop) = (tls.clone(), stop.clone());
                let service = Service { router: router.clone(), slots: Arc::clone(&slots), slot };
                connections.spawn(serve_one(stream, service, tls, stop));
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener, slots: &Arc<Slots>) -> Option<(TcpStream, Slot)> {
    let accepted =
        listener.accept().await.and_then(|(stream, peer)| Ok((stream.local_addr()?, stream, peer)));
    match accepted {
        Ok((local, stream, peer)) => match slots.admit(peer.ip(), local.ip()).await {
            Some(slot) => Some((stream, slot)),
            None => {
                tracing::debug!(%peer, "too many connections of this address");
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

async fn serve_one(
    stream: TcpStream,
    mut service: Service,
    tls: Option<(Tls, Router)>,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true).and_then(|()| limit_unsent(&stream)) {
        tracing::debug!(%error, "an option of TCP was not set");
    }
    let Some((tls, redirect)) = tls else {
        return serve_http(stream, service, stop).await;
    };
    let limits = service.slots.limits();
    let patience =
        if service.slot.is_reserved() { limits.reserved_head_timeout } else { limits.handshake_timeout };
    let accepted = tokio::select! {
        accepted = timeout(patience, tls.accept(stream)) => accepted,
        () = stop.cancelled() => return,
    };
    match accepted {
        Ok(Ok(Accepted::Tls(stream))) => serve_http(stream, service, stop).await,
        Ok(Ok(Accepted::Plain(stream))) => {
            service.router = redirect;
            serve_http(stream, service, stop).await;
        }
        // The most common is a browser that does not trust the certificate, or not yet.
        Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
        Err(_) => tracing::debug!("no TLS handshake in time"),
    }
}

/// What the other side does not read would else fill megabytes of the system's memory before any write has to wait.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn limit_unsent(stream: &TcpStream) -> io::Result<()> {
    const UNSENT_BYTES: u32 = 128 * 1024;
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES)
}

/// Elsewhere the system's own limit counts.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn limit_unsent(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

/// What answers on one connection.
#[derive(Debug, Clone)]
struct Service {
    router: Router,
    slots: Arc<Slots>,
    slot: Slot,
}

impl Service {
    async fn answer(self, request: http::Request<Incoming>) -> Response {
        let Self { router, slots, slot } = self;
        let mut request: Request = request.map(Body::new);
        if slot.is_reserved() && !RESERVED_FOR.contains(&request.uri().path()) {
            return full(StatusCode::SERVICE_UNAVAILABLE, "The server has no connection left.\n");
        }
        let client = client_address(slot.peer(), request.headers(), slots.trusted_proxies());
        let counted = if client == slot.peer().to_canonical() {
            // Counted with its connection, or a proxy that does not say whom it speaks for.
            None
        } else {
            match slots.count(client) {
                Some(counted) => Some(counted),
                None => {
                    return full(
                        StatusCode::TOO_MANY_REQUESTS,
                        "Too many requests of this address at once.\n",
                    );
                }
            }
        };
        let is_reserved = slot.is_reserved();
        request.extensions_mut().insert(slot);
        let mut response = router.oneshot(request).await.into_response();
        if is_reserved && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        match counted {
            // Until the last of it was taken.
            Some(counted) if response.status() != StatusCode::SWITCHING_PROTOCOLS => response.map(|body| {
                Body::from_stream(body.into_data_stream().inspect(move |_| {
                    let _ = &counted;
                }))
            }),
            _ => response,
        }
    }
}

fn full(status: StatusCode, sentence: &'static str) -> Response {
    let headers =
        [(header::RETRY_AFTER, RETRY_AFTER_S), (header::CONNECTION, HeaderValue::from_static("close"))];
    (status, headers, sentence).into_response()
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Service,
    stop: CancellationToken,
) {
    let limits = *service.slots.limits();
    let head_timeout =
        if service.slot.is_reserved() { limits.reserved_head_timeout } else { limits.head_timeout };
    let patience = Patience { window: limits.write_window, bytes: limits.write_bytes };
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<Response, Infallible>(service.answer(request).await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(Patient::new(stream, patience)), answer)
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
