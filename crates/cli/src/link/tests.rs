use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sightline_core::{
    link::LinkId,
    negotiation::{Completed, Operation, OperationId, Role},
};
use sightline_protocol::signaling::{DescriptionKind, SignalCandidate, SignalDescription};
use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle, time::timeout};

use super::{Link, LinkConfig, LinkInputs, LinkKind, LinkWatch};
use crate::{
    certificates::TrustedCertificates,
    input::{Channel, ChannelEvent, ChannelInput, Input},
    media::Source,
};

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than a message and its acknowledgment take on this computer.
const A_MOMENT: Duration = Duration::from_millis(300);

/// The content type of a DTLS record that carries SCTP (RFC 5246, section 6.2.1).
const APPLICATION_DATA: u8 = 23;

/// Which datagram of SCTP from the DTLS server ends the handshake for the client. The first one is its INIT ACK.
const COOKIE_ACK: usize = 2;

pub(super) struct Side {
    link: Link,
    pub(super) first: mpsc::Receiver<Input>,
    messages: mpsc::Receiver<ChannelInput>,
    candidates: VecDeque<SignalCandidate>,
}

impl Side {
    pub(super) fn open(role: Role) -> Self {
        Self::open_with(role, None, None)
    }

    /// A side that shows something or receives.
    pub(super) fn open_with(role: Role, source: Option<Source>, watch: Option<LinkWatch>) -> Self {
        let (first_sender, first) = mpsc::channel(100);
        let (messages_sender, messages) = mpsc::channel(100);
        let inputs = LinkInputs { first: first_sender, messages: messages_sender };
        let link = Link::open(LinkId(1), LinkKind::Member(role), config(source, watch), inputs);
        Self { link, first, messages, candidates: VecDeque::new() }
    }

    pub(super) async fn perform(&mut self, operation: Operation) -> Completed {
        assert!(self.link.perform(OperationId(1), operation));
        loop {
            match self.first.recv().await.unwrap() {
                Input::Completed(_, _, result) => return result.unwrap(),
                Input::LocalCandidate(_, candidate) => self.candidates.push_back(candidate),
                _ => {}
            }
        }
    }

    /// Makes a local description. Returns it without candidates.
    pub(super) async fn describe(&mut self, operation: Operation) -> String {
        let Completed::LocalDescription { sdp } = self.perform(operation).await else {
            panic!("no description")
        };
        sdp.split_inclusive("\r\n").filter(|line| !line.contains("candidate")).collect()
    }

    pub(super) async fn set_remote(&mut self, kind: DescriptionKind, sdp: String) {
        let description = SignalDescription { kind, exchange: 1, sdp, published: None };
        self.perform(Operation::SetRemoteDescription(description)).await;
    }

    /// The candidate with the address of loopback.
    async fn candidate(&mut self) -> (SignalCandidate, SocketAddr) {
        loop {
            let candidate = match self.candidates.pop_front() {
                Some(candidate) => candidate,
                None => match self.first.recv().await.unwrap() {
                    Input::LocalCandidate(_, candidate) => candidate,
                    _ => continue,
                },
            };
            if let Some(port) = port_on_loopback(&candidate) {
                return (candidate, SocketAddr::from(([127, 0, 0, 1], port)));
            }
        }
    }

    /// Sends a text on the control channel. Returns whether the link keeps up.
    pub(super) fn send_control(&self, text: &str) -> bool {
        self.link.send_control(text.to_owned())
    }

    /// The next event of the control channel.
    pub(super) async fn control_event(&mut self) -> ChannelEvent {
        loop {
            let input = self.messages.recv().await.unwrap();
            if input.channel == Channel::Control {
                return input.event;
            }
        }
    }
}

/// A side as the path between both sees it: its address, and the socket from which it hears the other one.
pub(super) type End = (SocketAddr, UdpSocket);

/// Connects two sides over the path that `carry` makes of their datagrams. Returns the answer, and the path to abort.
pub(super) async fn connect<F: Future<Output = ()> + Send + 'static>(
    offerer: &mut Side,
    answerer: &mut Side,
    carry: impl FnOnce(End, End) -> F,
) -> (String, JoinHandle<()>) {
    let offer = offerer.describe(Operation::SetLocalOffer { ice_restart: false }).await;
    answerer.set_remote(DescriptionKind::Offer, offer).await;
    let answer = answerer.describe(Operation::SetLocalAnswer).await;
    offerer.set_remote(DescriptionKind::Answer, answer.clone()).await;

    let at_offerer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at_answerer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (offerer_candidate, offerer_addr) = offerer.candidate().await;
    let (answerer_candidate, answerer_addr) = answerer.candidate().await;
    let offerer_candidate = moved(offerer_candidate, at_answerer.local_addr().unwrap());
    let answerer_candidate = moved(answerer_candidate, at_offerer.local_addr().unwrap());
    let carrier = tokio::spawn(carry((offerer_addr, at_offerer), (answerer_addr, at_answerer)));
    offerer.perform(Operation::AddIceCandidate(answerer_candidate)).await;
    answerer.perform(Operation::AddIceCandidate(offerer_candidate)).await;
    (answer, carrier)
}

/// Of a link on this computer.
pub(super) fn config(source: Option<Source>, watch: Option<LinkWatch>) -> LinkConfig {
    let tls = TrustedCertificates::Any.client_config().unwrap();
    LinkConfig { ice_servers: Vec::new(), relay_only: false, tls, is_loopback: true, source, watch }
}

fn port_on_loopback(candidate: &SignalCandidate) -> Option<u16> {
    let (_, rest) = candidate.candidate.split_once(" 127.0.0.1 ")?;
    rest.split(' ').next()?.parse().ok()
}

/// The candidate as if it were at `addr`.
fn moved(candidate: SignalCandidate, addr: SocketAddr) -> SignalCandidate {
    let port = port_on_loopback(&candidate).unwrap();
    let at = |port| format!(" 127.0.0.1 {port} ");
    SignalCandidate { candidate: candidate.candidate.replace(&at(port), &at(addr.port())), ..candidate }
}

/// Carries datagrams between the two. The one that ends the handshake for the client is overtaken by the next one from the server.
async fn carry((server, at_server): End, (client, at_client): End) {
    let (mut from_server, mut from_client) = ([0; 2000], [0; 2000]);
    let (mut count, mut held) = (0, None);
    loop {
        tokio::select! {
            received = at_client.recv_from(&mut from_client) => {
                let (length, from) = received.unwrap();
                if from == client {
                    at_server.send_to(&from_client[..length], server).await.unwrap();
                }
            }
            received = at_server.recv_from(&mut from_server) => {
                let (length, from) = received.unwrap();
                if from != server {
                    continue;
                }
                let datagram = &from_server[..length];
                let is_sctp = datagram[0] == APPLICATION_DATA;
                count += usize::from(is_sctp);
                if is_sctp && count == COOKIE_ACK {
                    held = Some(datagram.to_vec());
                    continue;
                }
                at_client.send_to(datagram, client).await.unwrap();
                if let Some(held) = held.take_if(|_| is_sctp) {
                    at_client.send_to(&held, client).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_overtakes_the_end_of_the_handshake_is_heard() {
    let mut server = Side::open(Role::Offerer);
    let mut client = Side::open(Role::Answerer);
    let (answer, carrier) = connect(&mut server, &mut client, carry).await;
    assert!(answer.contains("a=setup:active"), "the answerer is not the client of DTLS: {answer}");

    let heard = async {
        assert!(matches!(server.control_event().await, ChannelEvent::Open));
        assert!(server.send_control("first"));
        assert!(matches!(client.control_event().await, ChannelEvent::Open));
        client.control_event().await
    };
    let heard = timeout(PATIENCE, heard).await.expect("the message did not arrive");
    assert!(matches!(&heard, ChannelEvent::Text(text) if text == "first"), "{heard:?}");
    carrier.abort();
}

/// Carries datagrams between the two while `is_whole`.
async fn carry_while(is_whole: Arc<AtomicBool>, (one, at_one): End, (other, at_other): End) {
    let (mut from_one, mut from_other) = ([0; 2000], [0; 2000]);
    loop {
        let (datagram, socket, to) = tokio::select! {
            received = at_other.recv_from(&mut from_other) => (&from_other[..received.unwrap().0], &at_one, one),
            received = at_one.recv_from(&mut from_one) => (&from_one[..received.unwrap().0], &at_other, other),
        };
        if is_whole.load(Ordering::Relaxed) {
            socket.send_to(datagram, to).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_message_is_acknowledged_when_the_other_side_has_it() {
    let mut one = Side::open(Role::Offerer);
    let mut other = Side::open(Role::Answerer);
    let is_whole = Arc::new(AtomicBool::new(true));
    let path = Arc::clone(&is_whole);
    let (_, carrier) = connect(&mut one, &mut other, |one, other| carry_while(path, one, other)).await;
    for side in [&mut one, &mut other] {
        let event = timeout(PATIENCE, side.control_event()).await;
        assert!(matches!(event, Ok(ChannelEvent::Open)), "{event:?}");
    }
    is_whole.store(false, Ordering::Relaxed);
    assert!(one.send_control("last"));
    let mut acknowledged = one.link.await_acknowledgment();
    assert!(timeout(A_MOMENT, &mut acknowledged).await.is_err(), "nothing passed");
    is_whole.store(true, Ordering::Relaxed);
    timeout(PATIENCE, acknowledged).await.expect("no acknowledgment").unwrap();
    let heard = timeout(PATIENCE, other.control_event()).await;
    assert!(matches!(&heard, Ok(ChannelEvent::Text(text)) if text == "last"), "{heard:?}");
    carrier.abort();
}
