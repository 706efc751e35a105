//! The connections of the page: a TLS handshake where the port has one, then HTTP requests, bounded in time (`patient`).

use std::{convert::Infallible, io, sync::Arc};

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
use sightline_protocol::SIGNALING_PATH;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    accept::{Accepting, accept_until},
    patient::{Patience, Patient},
    proxy::client_address,
    slots::{Slot, Slots},
    tls::{Accepted, Tls},
};

/// Longest head of a request, in bytes.
const HEAD_BYTES: usize = 32 * 1024;

/// The paths that are answered on a reserved connection.
const RESERVED_FOR: [&str; 3] = [SIGNALING_PATH, "/healthz", "/metrics"];
/// When a browser may try again that found no free slot.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// One port and what answers on it.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) listener: TcpListener,
    pub(crate) router: Router,
    /// On an https port: TLS, and the answers to plain HTTP on that port.
    pub(crate) tls: Option<(Tls, Router)>,
}

/// Serves the connections of a port on the runtime `page` until `stop`, then ends the idle ones. The others end when the future is
/// dropped. The sockets belong to the runtime that polls the future.
pub(crate) async fn serve(port: Port, slots: Arc<Slots>, page: Handle, stop: CancellationToken) {
    let Port { listener, router, tls } = port;
    let accepting = Accepting { listener, slots: Arc::clone(&slots), is_welcome: |_| true };
    accept_until(stop.clone(), accepting, |connections: &mut JoinSet<()>, stream, slot| {
        let service = Service { router: router.clone(), slots: Arc::clone(&slots), slot };
        connections.spawn_on(serve_one(stream, service, tls.clone(), stop.clone()), &page);
    })
    .await;
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
        // Usually a browser that does not trust the certificate, or not yet.
        Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
        Err(_) => tracing::debug!("no TLS handshake in time"),
    }
}

/// Bytes that the other side does not read would otherwise fill megabytes of the system's memory before a write has to wait.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn limit_unsent(stream: &TcpStream) -> io::Result<()> {
    const UNSENT_BYTES: u32 = 128 * 1024;
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES)
}

/// On other systems the system's own limit must be enough.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn limit_unsent(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

/// Answers the requests of one connection.
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
            // The connection is counted already, or it is a proxy that does not name its client.
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
            // Counted until the last byte of the answer was taken.
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
