//! A call of the page with itself through the relay only.

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use sightline_browser::{
    BrowserError,
    js::queue::{EventSink, EventStream, event_queue},
    page::clock,
    rtc::{
        data_channel::{DataChannel, DataChannelConfig, DataChannelEvent, DataChannelMessage},
        peer_connection::{PeerConnection, PeerConnectionConfig, PeerConnectionEvent},
    },
};
use sightline_core::{
    doctor::{FLOOD_AHEAD_BYTES, FLOOD_MESSAGE_BYTES, Finding, ProbeOutput, RelayFigures, RelayProbe},
    negotiation::{Completed, Operation, OperationFailure},
};
use sightline_protocol::signaling::{DescriptionKind, IceServer, SignalCandidate, SignalDescription};

/// The messages of a tenth of a second of the flood, and all other events.
const MAX_EVENTS: usize = 4096;

const PACKETS: DataChannelConfig<'_> =
    DataChannelConfig { id: 0, label: "packets", ordered: false, max_retransmits: Some(0) };
const FLOOD: DataChannelConfig<'_> =
    DataChannelConfig { id: 1, label: "flood", ordered: true, max_retransmits: None };

/// Makes the call and measures it. The future does not complete if the ends never connect.
pub(super) async fn measure(relays: &[IceServer]) -> Finding {
    let started_at = clock::now();
    let failed = Finding::RelayCall { figures: RelayFigures::default(), connected_after: None };
    let (sink, mut events) = event_queue(MAX_EVENTS);
    let Ok(ends) = End::new(relays, false, &sink).and_then(|near| Ok([near, End::new(relays, true, &sink)?]))
    else {
        return failed;
    };
    if connect(&ends, &mut events).await.is_err() {
        return failed;
    }
    let connected_after = Some(clock::now() - started_at);
    Finding::RelayCall { figures: probe(&ends, &mut events).await, connected_after }
}

/// One end of the call.
struct End {
    // Declared before the connection, so that they are dropped first.
    packets: DataChannel,
    flood: DataChannel,
    connection: PeerConnection,
}

enum Event {
    /// The flag says whether the event is of the far end.
    Connection(bool, PeerConnectionEvent),
    Packets(bool, DataChannelEvent),
    Flood(bool, DataChannelEvent),
}

impl End {
    fn new(relays: &[IceServer], is_far: bool, sink: &EventSink<Event>) -> Result<Self, BrowserError> {
        let config = PeerConnectionConfig { ice_servers: relays, relay_only: true, certificate: None };
        let reports = sink.map(move |event| Event::Connection(is_far, event));
        let connection = PeerConnection::new(&config, &reports)?;
        let packets =
            DataChannel::new(&connection, &PACKETS, &sink.map(move |event| Event::Packets(is_far, event)))?;
        let flood =
            DataChannel::new(&connection, &FLOOD, &sink.map(move |event| Event::Flood(is_far, event)))?;
        flood.set_low_threshold(FLOOD_AHEAD_BYTES / 2);
        Ok(Self { packets, flood, connection })
    }
}

/// Performs one exchange and passes every candidate across, until all channels are open.
async fn connect(ends: &[End; 2], events: &mut EventStream<Event>) -> Result<(), OperationFailure> {
    let [near, far] = ends;
    let offer = perform_local(near, Operation::SetLocalOffer { ice_restart: false }).await?;
    perform(far, Operation::SetRemoteDescription(described(DescriptionKind::Offer, offer))).await?;
    let answer = perform_local(far, Operation::SetLocalAnswer).await?;
    perform(near, Operation::SetRemoteDescription(described(DescriptionKind::Answer, answer))).await?;
    let mut channels_to_open = 4;
    while channels_to_open > 0 {
        match events.next().await {
            Some(Event::Connection(is_far, PeerConnectionEvent::LocalCandidate(candidate))) => {
                let other = if is_far { near } else { far };
                add(other, candidate).await;
            }
            Some(Event::Packets(_, DataChannelEvent::Open) | Event::Flood(_, DataChannelEvent::Open)) => {
                channels_to_open -= 1;
            }
            Some(_) => {}
            None => return Err(OperationFailure { name: "AbortError".to_owned(), message: String::new() }),
        }
    }
    Ok(())
}

/// Adds a candidate; if the other end refuses it, there is one candidate less to try.
async fn add(end: &End, candidate: SignalCandidate) {
    if !candidate.candidate.is_empty() {
        let _ = perform(end, Operation::AddIceCandidate(candidate)).await;
    }
}

async fn probe(ends: &[End; 2], events: &mut EventStream<Event>) -> RelayFigures {
    let [near, far] = ends;
    let mut probe = RelayProbe::new(clock::now());
    let message = vec![0; FLOOD_MESSAGE_BYTES];
    let mut is_flooding = false;
    loop {
        while let Some(output) = probe.poll_output() {
            match output {
                // A packet that cannot be sent counts as lost.
                ProbeOutput::SendPacket(number) => drop(near.packets.send_bytes(&RelayProbe::packet(number))),
                ProbeOutput::Flood => {
                    is_flooding = true;
                    pour(near, &message);
                }
                ProbeOutput::End => return probe.figures(),
            }
        }
        let waits_for = probe.poll_timeout().map_or(Duration::ZERO, |deadline| deadline - clock::now());
        let event = {
            let (timer, next) = (clock::sleep(waits_for), events.next());
            pin_mut!(timer, next);
            match select(next, timer).await {
                Either::Left((event, _)) => event,
                Either::Right(_) => None,
            }
        };
        let now = clock::now();
        match event {
            Some(Event::Packets(true, DataChannelEvent::Message(DataChannelMessage::Binary(bytes)))) => {
                if let Some(number) = RelayProbe::number_of(&bytes) {
                    probe.handle_arrival(number, now);
                    let _ = far.packets.send_bytes(&bytes);
                }
            }
            Some(Event::Packets(false, DataChannelEvent::Message(DataChannelMessage::Binary(bytes)))) => {
                if let Some(number) = RelayProbe::number_of(&bytes) {
                    probe.handle_echo(number, now);
                }
            }
            Some(Event::Flood(true, DataChannelEvent::Message(DataChannelMessage::Binary(bytes)))) => {
                probe.handle_flood(bytes.len(), now);
            }
            Some(Event::Flood(false, DataChannelEvent::BufferedAmountLow)) if is_flooding => {
                pour(near, &message);
            }
            Some(Event::Connection(is_far, PeerConnectionEvent::LocalCandidate(candidate))) => {
                add(if is_far { near } else { far }, candidate).await;
            }
            _ => {}
        }
        probe.handle_timeout(clock::now());
    }
}

/// Sends messages until the browser has enough queued.
fn pour(end: &End, message: &[u8]) {
    while end.flood.buffered_amount() < FLOOD_AHEAD_BYTES && end.flood.send_bytes(message).is_ok() {}
}

fn described(kind: DescriptionKind, sdp: String) -> SignalDescription {
    SignalDescription { kind, exchange: 1, sdp, published: None }
}

async fn perform(end: &End, operation: Operation) -> Result<Completed, OperationFailure> {
    end.connection.perform(operation).await
}

async fn perform_local(end: &End, operation: Operation) -> Result<String, OperationFailure> {
    match perform(end, operation).await? {
        Completed::LocalDescription { sdp } => Ok(sdp),
        Completed::Done => Ok(String::new()),
    }
}
