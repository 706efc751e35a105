//! The handshake of the signalling WebSocket.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use sightline_protocol::limits::MAX_FRAME_BYTES;
use tokio_util::task::TaskTracker;

use super::{Hub, socket::SocketTask};
use crate::{
    connections::Slot,
    origin::{AllowedOrigin, is_allowed},
    proxy::{TrustedProxy, client_address},
    turn::ice_servers::UrlHost,
};

/// So much is gathered before it is written, where so much waits.
const WRITE_BYTES: usize = 16 * 1024;

/// What the handshake needs.
#[derive(Debug, Clone)]
pub(crate) struct SignallingState {
    pub(crate) hub: Arc<Hub>,
    pub(crate) allowed_origins: Arc<[AllowedOrigin]>,
    pub(crate) trusted_proxies: Arc<[TrustedProxy]>,
    pub(crate) tasks: TaskTracker,
}

/// Takes a socket, unless a page of another origin opened it.
pub(crate) async fn upgrade(
    State(state): State<SignallingState>,
    Extension(slot): Extension<Slot>,
    headers: HeaderMap,
    handshake: WebSocketUpgrade,
) -> Response {
    if !is_allowed(&headers, &state.allowed_origins) {
        tracing::info!(origin = ?headers.get("origin"), "a page of another origin was refused");
        state.hub.metrics().count_refusal("origin");
        let sentence = "This page's origin may not use the server (see --allow-origin).\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    let address = client_address(slot.peer(), &headers, &state.trusted_proxies);
    let host = UrlHost::of_headers(&headers);
    let token = state.tasks.token();
    handshake
        // The default reads into 128 KiB for every socket, idle ones too.
        .read_buffer_size(512)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(WRITE_BYTES + 4 * MAX_FRAME_BYTES)
        // Above our own limit, so that a frame somewhat too long is read, and its sender told.
        .max_message_size(2 * MAX_FRAME_BYTES)
        .max_frame_size(2 * MAX_FRAME_BYTES)
        .on_upgrade(async move |socket| {
            let mut task = SocketTask::new(socket, state.hub, address, host);
            // In a task of its own: the handshake's keeps what it needed for as long as it lasts. By reference: a future that is
            // awaited by value is stored twice.
            tokio::spawn(async move {
                (&mut task).await;
                drop((token, slot));
            });
        })
}
