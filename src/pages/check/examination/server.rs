//! Checks the server: by plain HTTP, and by the signaling socket.

use std::time::Duration;

use sightline_browser::{
    js::queue::event_queue,
    page::{clock, http},
    signaling::{ServerAnswer, SignalingTransport, TransportEvent, WebSocketTransport, ask_server},
};
use sightline_core::doctor::{CheckCode, SignalingFinding, SignalingProbe};

use crate::session::address;

/// More than the events of one socket that asks a few questions.
const MAX_EVENTS: usize = 16;

/// The time until the answer; `None` without an answer.
pub(super) async fn reach() -> Option<Duration> {
    let asked_at = clock::now();
    http::reach(&address::health()).await.ok()?;
    Some(clock::now() - asked_at)
}

/// Opens a socket without joining a room, and asks for the ICE servers. If the socket does not open, asks the server by HTTP
/// whether it refuses this page.
pub(super) async fn ask_for_ice_servers() -> SignalingFinding {
    match ask_over_socket().await {
        SignalingFinding::Closed => match ask_server(&address::health()).await {
            ServerAnswer::OriginRefused => SignalingFinding::PageRefused(CheckCode::OriginRefused),
            ServerAnswer::HostRefused => SignalingFinding::PageRefused(CheckCode::HostRefused),
            ServerAnswer::Server | ServerAnswer::NoServer => SignalingFinding::Closed,
        },
        finding => finding,
    }
}

async fn ask_over_socket() -> SignalingFinding {
    let (sink, mut events) = event_queue(MAX_EVENTS);
    let mut probe = SignalingProbe::new(clock::now());
    let Ok(socket) = WebSocketTransport::open(&address::signaling(), &sink) else {
        return SignalingFinding::Closed;
    };
    while let Some(event) = events.next().await {
        match event {
            TransportEvent::Open => probe.handle_open(clock::now()),
            TransportEvent::Frame(frame) => probe.handle_frame(&frame, clock::now()),
            // An empty frame is not a message of the protocol.
            TransportEvent::Unreadable => probe.handle_frame("", clock::now()),
            TransportEvent::Closed { reason, .. } => probe.handle_closed(&reason),
        }
        if let Some(finding) = probe.finding() {
            return finding.clone();
        }
        if let Some(frame) = probe.poll_output()
            && let Err(error) = socket.send(&frame)
        {
            probe.handle_closed(&error.name);
        }
    }
    SignalingFinding::Closed
}
