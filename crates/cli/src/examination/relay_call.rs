//! A call of this computer with itself through a relay: two allocations that send each other small packets, and then a flood.

use std::net::SocketAddr;

use sightline_core::{
    doctor::{Finding, FloodWindow, ProbeOutput, RelayFigures, RelayProbe},
    ice::IceUrl,
};
use sightline_protocol::signaling::IceServer;

use super::{
    Context,
    turn::{StunFailure, TurnClient},
};
use crate::clock::until;

/// Makes the call and measures it. The future does not complete if the relay does not answer.
pub(super) async fn measure(relays: &[IceServer], context: &Context) -> Finding {
    let started_at = context.clock.now();
    let Ok([mut near, mut far]) = connect(relays, context).await else {
        return Finding::RelayCall { figures: RelayFigures::default(), connected_after: None };
    };
    let connected_after = Some(context.clock.now() - started_at);
    let figures = probe(&mut near, &mut far, context).await;
    tokio::join!(near.client.release(), far.client.release());
    Finding::RelayCall { figures, connected_after }
}

/// One end of the call.
struct End {
    client: TurnClient,
    /// The relayed address of the other end.
    other: SocketAddr,
}

async fn connect(relays: &[IceServer], context: &Context) -> Result<[End; 2], StunFailure> {
    let relay = relays.iter().find_map(|relay| Some((relay, IceUrl::parse(relay.urls.first()?).ok()?)));
    let (relay, url) = relay.ok_or_else(StunFailure::no_relay)?;
    let ((near, at_near), (far, at_far)) = tokio::try_join!(
        TurnClient::allocate(&url, relay, &context.tls),
        TurnClient::allocate(&url, relay, &context.tls)
    )?;
    let mut ends = [End { client: near, other: at_far.relayed }, End { client: far, other: at_near.relayed }];
    for end in &mut ends {
        end.client.permit(end.other).await?;
    }
    Ok(ends)
}

async fn probe(near: &mut End, far: &mut End, context: &Context) -> RelayFigures {
    let mut probe = RelayProbe::new(context.clock.now());
    let mut flood: Option<FloodWindow> = None;
    loop {
        while let Some(output) = probe.poll_output() {
            match output {
                // A packet that cannot be sent counts as lost.
                ProbeOutput::SendPacket(number) => {
                    let _ = near.client.send(near.other, &RelayProbe::packet(number)).await;
                }
                ProbeOutput::Flood => flood = Some(FloodWindow::new(context.clock.now())),
                ProbeOutput::End => return probe.figures(),
            }
        }
        while let Some(packet) = flood.as_mut().and_then(FloodWindow::poll_packet) {
            let _ = near.client.send(near.other, &packet).await;
        }
        let deadlines = [probe.poll_timeout(), flood.as_ref().and_then(FloodWindow::poll_timeout)];
        let due = deadlines.into_iter().flatten().min().map(|deadline| context.clock.instant(deadline));
        tokio::select! {
            arrived = far.client.receive() => match arrived {
                Ok(bytes) => {
                    if let Some(number) = RelayProbe::number_of(&bytes) {
                        probe.handle_arrival(number, context.clock.now());
                        let _ = far.client.send(far.other, &bytes).await;
                    } else if flood.as_mut().is_some_and(|flood| flood.handle_arrival(&bytes, context.clock.now())) {
                        probe.handle_flood(bytes.len(), context.clock.now());
                    }
                }
                Err(_) => return probe.figures(),
            },
            echoed = near.client.receive() => match echoed {
                Ok(bytes) => {
                    if let Some(number) = RelayProbe::number_of(&bytes) {
                        probe.handle_echo(number, context.clock.now());
                    }
                }
                Err(_) => return probe.figures(),
            },
            () = until(due) => {}
        }
        probe.handle_timeout(context.clock.now());
        if let Some(flood) = &mut flood {
            flood.handle_timeout(context.clock.now());
        }
    }
}
