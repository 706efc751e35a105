//! Two peer connections in one page, and the exchange of descriptions and candidates between them.

use std::{collections::VecDeque, time::Duration};

use futures_util::future::{Either, select};
use sightline_browser::{
    js::queue::{EventStream, event_queue},
    media::capture::{self, CameraRequest, Captured, MicrophoneRequest},
    page::clock,
    rtc::peer_connection::{ConnectionState, PeerConnection, PeerConnectionConfig, PeerConnectionEvent},
};
use sightline_core::negotiation::{Completed, Operation};
use sightline_protocol::signaling::{DescriptionKind, SignalCandidate, SignalDescription};

/// The time limit of every step.
const PATIENCE: Duration = Duration::from_secs(30);
/// The polling interval for conditions without an event.
const GLANCE: Duration = Duration::from_millis(20);

/// One side of a call.
pub(crate) struct Peer {
    pub(crate) connection: PeerConnection,
    pub(crate) events: EventStream<PeerConnectionEvent>,
    /// Its events so far, without candidates.
    pub(crate) reported: Vec<PeerConnectionEvent>,
    /// Its candidates for the other side.
    pub(crate) candidates: VecDeque<SignalCandidate>,
}

impl Peer {
    pub(crate) fn new(config: &PeerConnectionConfig<'_>) -> Self {
        let (sink, events) = event_queue(1000);
        Self {
            connection: PeerConnection::new(config, &sink).unwrap(),
            events,
            reported: Vec::new(),
            candidates: VecDeque::new(),
        }
    }

    pub(crate) async fn perform(&self, operation: Operation) -> Completed {
        self.connection.perform(operation).await.unwrap()
    }

    /// Takes its events out of the queue.
    pub(crate) fn listen(&mut self) {
        while let Some(event) = self.events.try_next() {
            match event {
                PeerConnectionEvent::LocalCandidate(candidate) => self.candidates.push_back(candidate),
                other => self.reported.push(other),
            }
        }
        assert!(!self.events.take_overflow(), "events were lost");
    }

    pub(crate) fn count(&self, matching: impl Fn(&PeerConnectionEvent) -> bool) -> usize {
        self.reported.iter().filter(|event| matching(event)).count()
    }

    pub(crate) fn negotiations_needed(&self) -> usize {
        self.count(|event| matches!(event, PeerConnectionEvent::NegotiationNeeded))
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.connection_state() == ConnectionState::Connected
    }
}

/// The newcomer, who offers, and the member who was there.
pub(crate) struct Call {
    pub(crate) offerer: Peer,
    pub(crate) answerer: Peer,
}

impl Call {
    /// Two new peers before the first exchange; the offerer has its transceivers.
    pub(crate) fn new() -> Self {
        let call = Self { offerer: Peer::new(&Default::default()), answerer: Peer::new(&Default::default()) };
        call.offerer.connection.add_transceivers().unwrap();
        call
    }

    /// Performs one exchange, from the offerer to the answerer. Returns both descriptions.
    pub(crate) async fn negotiate(&mut self, ice_restart: bool) -> (String, String) {
        let offer = sdp(self.offerer.perform(Operation::SetLocalOffer { ice_restart }).await);
        self.answerer.perform(remote(DescriptionKind::Offer, &offer)).await;
        let answer = sdp(self.answerer.perform(Operation::SetLocalAnswer).await);
        self.offerer.perform(remote(DescriptionKind::Answer, &answer)).await;
        (offer, answer)
    }

    /// Carries candidates until `condition` holds.
    pub(crate) async fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = clock::now() + PATIENCE;
        loop {
            self.carry().await;
            if condition(self) {
                return;
            }
            assert!(clock::now() < deadline, "{what}: not within {PATIENCE:?}");
            clock::sleep(GLANCE).await;
        }
    }

    pub(crate) async fn until_connected(&mut self) {
        self.until("both sides connected", |call| {
            call.offerer.is_connected() && call.answerer.is_connected()
        })
        .await;
    }

    /// Carries the present candidates.
    pub(crate) async fn carry(&mut self) {
        self.offerer.listen();
        self.answerer.listen();
        let Self { offerer, answerer } = self;
        for (candidates, to) in
            [(&mut offerer.candidates, &answerer.connection), (&mut answerer.candidates, &offerer.connection)]
        {
            while let Some(candidate) = candidates.pop_front() {
                to.perform(Operation::AddIceCandidate(candidate)).await.unwrap();
            }
        }
    }
}

/// A camera and a microphone.
pub(crate) async fn camera_and_microphone() -> Captured {
    capture::get_user_media(Some(&CameraRequest::default()), Some(&MicrophoneRequest::default()))
        .await
        .unwrap()
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = clock::now() + PATIENCE;
    while !condition().await {
        assert!(clock::now() < deadline, "{what}: not within {PATIENCE:?}");
        clock::sleep(GLANCE).await;
    }
}

/// The result of `future`, which must complete within the time limit.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match select(std::pin::pin!(future), std::pin::pin!(clock::sleep(PATIENCE))).await {
        Either::Left((value, _)) => value,
        Either::Right(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

pub(crate) fn remote(kind: DescriptionKind, sdp: &str) -> Operation {
    Operation::SetRemoteDescription(SignalDescription {
        kind,
        exchange: 1,
        sdp: sdp.to_owned(),
        published: None,
    })
}

pub(crate) fn sdp(completed: Completed) -> String {
    match completed {
        Completed::LocalDescription { sdp } => sdp,
        Completed::Done => panic!("no description"),
    }
}
