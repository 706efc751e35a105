//! Gathers candidates.

use sightline_browser::{
    js::queue::{EventSink, event_queue},
    rtc::{
        data_channel::{DataChannel, DataChannelConfig},
        peer_connection::{IceGatheringState, PeerConnection, PeerConnectionConfig, PeerConnectionEvent},
    },
};
use sightline_core::{doctor::Finding, negotiation::Operation};
use sightline_protocol::signaling::IceServer;

/// A few candidates for each address of the computer.
const MAX_EVENTS: usize = 256;

/// Gathers with these servers and reports to `sink`, until the future is dropped.
pub(in crate::pages::check) async fn gather(
    servers: &[IceServer],
    relay_only: bool,
    sink: &EventSink<Finding>,
) {
    let (reports, mut events) = event_queue(MAX_EVENTS);
    let config = PeerConnectionConfig { ice_servers: servers, relay_only, certificate: None };
    let Ok(connection) = PeerConnection::new(&config, &reports) else { return sink.push(Finding::Refused) };
    let channel_config = DataChannelConfig { id: 0, label: "check", ordered: true, max_retransmits: None };
    let (channel_sink, _channel_events) = event_queue(1);
    // Without a channel the browser gathers nothing.
    let Ok(_channel) = DataChannel::new(&connection, &channel_config, &channel_sink) else {
        return sink.push(Finding::Refused);
    };
    if connection.perform(Operation::SetLocalOffer { ice_restart: false }).await.is_err() {
        return sink.push(Finding::Refused);
    }
    while let Some(event) = events.next().await {
        match event {
            PeerConnectionEvent::LocalCandidate(candidate) => {
                sink.push(Finding::Candidate(candidate.candidate));
            }
            PeerConnectionEvent::CandidateError { url, code, text } => {
                sink.push(Finding::CandidateError { code, text, url });
            }
            PeerConnectionEvent::IceGatheringState(IceGatheringState::Complete) => {
                sink.push(Finding::GatheringComplete);
            }
            _ => {}
        }
    }
}
