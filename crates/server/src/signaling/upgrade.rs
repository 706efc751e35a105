//! The handshake of the signaling WebSocket (RFC 6455 section 4.2).

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sightline_protocol::limits::MAX_FRAME_BYTES;
use tokio::{runtime::Handle, time::Instant};
use tokio_tungstenite::tungstenite::{handshake::derive_accept_key, protocol::WebSocketConfig};
use tokio_util::task::TaskTracker;

use super::{
    frame_meter::FrameMeter, hub::Hub, rate::RateLimiter, socket::SocketTask, web_socket::WebSocket,
};
use crate::{
    access::Access,
    hosts::UrlHost,
    log::{Excerpt, Throttle},
    proxy::{TrustedProxy, client_address},
    slots::Slot,
};

/// Bytes that the library collects before it writes to the connection.
const WRITE_BYTES: usize = 16 * 1024;

/// The state of the handshake's handler.
#[derive(Debug, Clone)]
pub(crate) struct SignalingState {
    pub(crate) hub: Arc<Hub>,
    pub(crate) access: Access,
    pub(crate) trusted_proxies: Arc<[TrustedProxy]>,
    pub(crate) tasks: TaskTracker,
    /// Where the socket's task runs.
    pub(crate) runtime: Handle,
    pub(crate) refusals: Arc<Throttle>,
}

/// Answers the handshake and starts the socket's task, unless the page may not have a socket.
pub(crate) async fn upgrade(
    State(state): State<SignalingState>,
    Extension(slot): Extension<Slot>,
    mut request: Request,
) -> Response {
    let headers = request.headers();
    if let Err(refusal) = state.access.check(headers, &slot) {
        if let Some(skipped) = state.refusals.admit() {
            let [origin, host] =
                [header::ORIGIN, header::HOST].map(|name| Excerpt::of_header(headers, &name));
            tracing::info!(%origin, %host, code = refusal.code(), skipped, "a page was refused");
        }
        state.hub.metrics().count_refusal(refusal.code());
        return (StatusCode::FORBIDDEN, format!("{}: {}\n", refusal.code(), refusal.sentence()))
            .into_response();
    }
    let Some(accept_key) = accept_key(request.method(), headers) else {
        let upgrade = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
        return (StatusCode::UPGRADE_REQUIRED, upgrade, "This address is for WebSockets.\n").into_response();
    };
    let address = client_address(slot.peer(), headers, &state.trusted_proxies);
    let host = UrlHost::of_headers(headers);
    let Some(on_upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return StatusCode::UPGRADE_REQUIRED.into_response();
    };
    let token = state.tasks.token();
    state.runtime.clone().spawn(async move {
        let Ok(upgraded) = on_upgrade.await else { return };
        let rate = RateLimiter::new(state.hub.limits().rate, Instant::now());
        let stream = FrameMeter::new(TokioIo::new(upgraded), rate);
        let socket = WebSocket::new(stream, configuration());
        let mut task = SocketTask::new(socket, state.hub, address, host);
        if task.is_counted() {
            slot.release();
        }
        // In another task, because this task would keep the memory of the handshake. By reference, because a future that is awaited by
        // value is stored twice.
        tokio::spawn(async move {
            (&mut task).await;
            drop((token, slot));
        });
    });
    let switched = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept_key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, switched, Body::empty()).into_response()
}

fn configuration() -> WebSocketConfig {
    WebSocketConfig::default()
        // The default reads into 128 KiB for every socket, idle ones too.
        .read_buffer_size(512)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(WRITE_BYTES + 4 * MAX_FRAME_BYTES)
        // Above the server's limit, so that the sender of a slightly oversized frame still gets an error.
        .max_message_size(Some(2 * MAX_FRAME_BYTES))
        .max_frame_size(Some(2 * MAX_FRAME_BYTES))
}

/// The proof that the server understood the handshake; `None` where the request is no handshake.
fn accept_key(method: &Method, headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name: HeaderName, word: &str| {
        let words = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        words.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(word))
    };
    let is_handshake = method == Method::GET
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| is_handshake)?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}
