//! A connection comes up over a path that loses any one packet of the handshakes of DTLS and SCTP.

use std::time::Duration;

use sightline_core::negotiation::Role;
use tokio::{task::JoinSet, time::timeout};

use super::tests::{End, Side, connect};
use crate::input::ChannelEvent;

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// More datagrams than either side sends until the channels are open.
const DATAGRAMS: usize = 14;

/// Whose packet is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Offerer,
    Answerer,
}

/// Carries datagrams between the two. Of the datagrams of DTLS that `sender` sends, the one with the number `lost` is lost.
async fn carry((offerer, at_offerer): End, (answerer, at_answerer): End, (sender, lost): (Sender, usize)) {
    let (mut from_offerer, mut from_answerer) = ([0; 2000], [0; 2000]);
    let mut count = 0;
    let mut passes = |from: Sender, datagram: &[u8]| {
        // RFC 7983, section 7: the first byte of DTLS is between 20 and 63.
        if from != sender || !(20..64).contains(&datagram[0]) {
            return true;
        }
        count += 1;
        count != lost + 1
    };
    loop {
        tokio::select! {
            received = at_answerer.recv_from(&mut from_answerer) => {
                let (length, from) = received.unwrap();
                if from == answerer && passes(Sender::Answerer, &from_answerer[..length]) {
                    at_offerer.send_to(&from_answerer[..length], offerer).await.unwrap();
                }
            }
            received = at_offerer.recv_from(&mut from_offerer) => {
                let (length, from) = received.unwrap();
                if from == offerer && passes(Sender::Offerer, &from_offerer[..length]) {
                    at_answerer.send_to(&from_offerer[..length], answerer).await.unwrap();
                }
            }
        }
    }
}

/// Connects two sides while one packet is lost, and sends a message each way.
async fn talk(lost: (Sender, usize)) {
    let mut offerer = Side::open(Role::Offerer);
    let mut answerer = Side::open(Role::Answerer);
    let (_, carrier) =
        connect(&mut offerer, &mut answerer, |offerer, answerer| carry(offerer, answerer, lost)).await;

    let both = async {
        for (number, side) in [&mut offerer, &mut answerer].into_iter().enumerate() {
            let event = timeout(PATIENCE, side.control_event()).await;
            let event = event.unwrap_or_else(|_| panic!("{lost:?}: side {number} does not open"));
            assert!(matches!(event, ChannelEvent::Open), "{lost:?}: {event:?}");
            assert!(side.send_control("hello"));
        }
        for side in [&mut offerer, &mut answerer] {
            let event = side.control_event().await;
            assert!(matches!(&event, ChannelEvent::Text(text) if text == "hello"), "{lost:?}: {event:?}");
        }
    };
    timeout(2 * PATIENCE, both).await.unwrap_or_else(|_| panic!("{lost:?}: a message does not arrive"));
    carrier.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_comes_up_whichever_packet_of_its_handshakes_is_lost() {
    let mut pairs = JoinSet::new();
    for sender in [Sender::Offerer, Sender::Answerer] {
        for lost in 0..DATAGRAMS {
            pairs.spawn(talk((sender, lost)));
        }
    }
    let mut failed = Vec::new();
    while let Some(ended) = pairs.join_next().await {
        failed.extend(ended.err().map(|error| error.to_string()));
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
