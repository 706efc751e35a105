//! The flights of DTLS handshakes, which are sent again when the other side repeats its own.
//!
//! The crate `rtc-dtls` 0.21 stops its retransmission timer when any message of the handshake arrives, also one that the other side
//! repeats because it misses the answer. Then nobody sends the lost flight again, and the connection never comes up. RFC 6347,
//! section 4.2.4, says what is to be done: who reads a repeated message sends its own last flight again. The machine here does this
//! below the crate, with the datagrams as they were sent.

use std::{collections::BTreeMap, net::SocketAddr};

/// Addresses whose handshakes are followed; a connection uses one, and tries few.
const MAX_ADDRESSES: usize = 8;
/// Datagrams of one flight; the longest has a certificate, in a few datagrams.
const MAX_DATAGRAMS: usize = 8;
/// How often flights are sent again to one address: someone who repeats old messages does not get an answer forever.
const MAX_REPETITIONS: u32 = 32;

/// The length of the header of a TURN ChannelData message (RFC 8656, section 12.4).
const CHANNEL_HEADER_BYTES: usize = 4;
/// The first bytes of ChannelData messages.
const CHANNELS: std::ops::RangeInclusive<u8> = 0x40..=0x4f;

/// The header of a DTLS record: type, version, epoch, sequence number, length (RFC 6347, section 4.1).
const RECORD_HEADER_BYTES: usize = 13;
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// The last flight of each handshake of one socket.
#[derive(Debug, Default)]
pub(super) struct Flights(BTreeMap<SocketAddr, Handshake>);

#[derive(Debug, Default)]
struct Handshake {
    /// The datagrams of the last flight that this side sent.
    flight: Vec<Vec<u8>>,
    /// The number of the first message in that flight; none has one if it begins with ChangeCipherSpec.
    first_message: Option<u16>,
    /// Whether something new arrived after that flight, so that the next datagram begins another one.
    is_answered: bool,
    /// The highest number of a message that arrived.
    latest_heard: Option<u16>,
    repetitions: u32,
}

impl Flights {
    /// Whether a datagram is of interest. Most are not: they carry media, or data.
    pub(super) fn concern(datagram: &[u8]) -> bool {
        matches!(payload(datagram).first(), Some(&(CHANGE_CIPHER_SPEC | HANDSHAKE)))
    }

    /// Whether no handshake is followed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a datagram that this side sends.
    pub(super) fn handle_sent(&mut self, to: SocketAddr, datagram: &[u8]) {
        if !Self::concern(datagram) || (self.0.len() >= MAX_ADDRESSES && !self.0.contains_key(&to)) {
            return;
        }
        let handshake = self.0.entry(to).or_default();
        let first_message = messages(payload(datagram)).next();
        // The crate sends a flight again from its first datagram.
        if handshake.is_answered || first_message == handshake.first_message {
            handshake.flight.clear();
            handshake.is_answered = false;
        }
        if handshake.flight.is_empty() {
            handshake.first_message = first_message;
        }
        if handshake.flight.len() < MAX_DATAGRAMS {
            handshake.flight.push(datagram.to_vec());
        }
    }

    /// Takes a datagram that arrived. Returns the datagrams that are to be sent again to its sender.
    pub(super) fn handle_received(&mut self, from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let payload = payload(datagram);
        if payload.first() == Some(&APPLICATION_DATA) {
            // The other side has finished.
            self.0.remove(&from);
            return Vec::new();
        }
        let Some(handshake) = self.0.get_mut(&from) else { return Vec::new() };
        let Some(latest) = messages(payload).max() else { return Vec::new() };
        if handshake.latest_heard.is_none_or(|heard| latest > heard) {
            (handshake.latest_heard, handshake.is_answered) = (Some(latest), true);
            return Vec::new();
        }
        if handshake.is_answered || handshake.repetitions >= MAX_REPETITIONS {
            return Vec::new();
        }
        handshake.repetitions += 1;
        handshake.flight.clone()
    }
}

/// What a datagram carries, which a relay wraps.
fn payload(datagram: &[u8]) -> &[u8] {
    match datagram.first() {
        Some(first) if CHANNELS.contains(first) => datagram.get(CHANNEL_HEADER_BYTES..).unwrap_or_default(),
        _ => datagram,
    }
}

/// The numbers of the unencrypted handshake messages in a datagram (RFC 6347, section 4.2.2), one for each record.
fn messages(mut datagram: &[u8]) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || {
        loop {
            let (header, rest) = datagram.split_first_chunk::<RECORD_HEADER_BYTES>()?;
            let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
            let (record, rest) = rest.split_at_checked(length)?;
            datagram = rest;
            let is_encrypted = header[3..5] != [0, 0];
            // Type, length of three bytes, number.
            if let (HANDSHAKE, false, &[_, _, _, _, high, low, ..]) = (header[0], is_encrypted, record) {
                return Some(u16::from_be_bytes([high, low]));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 0, 0, body.len() as u8];
        record.extend(body);
        record
    }

    fn message(number: u8) -> Vec<u8> {
        record(HANDSHAKE, 0, &[1, 0, 0, 1, 0, number, 0, 0, 0, 0, 0, 1, 7])
    }

    fn finished() -> Vec<u8> {
        [record(CHANGE_CIPHER_SPEC, 0, &[1]), record(HANDSHAKE, 1, &[9; 48])].concat()
    }

    /// A client that sent its first flight, had an answer, and sent its second flight in two datagrams.
    fn client() -> Flights {
        let mut flights = Flights::default();
        flights.handle_sent(THERE, &message(0));
        assert!(flights.handle_received(THERE, &message(0)).is_empty());
        flights.handle_sent(THERE, &[message(1), message(2)].concat());
        flights.handle_sent(THERE, &finished());
        flights
    }

    #[test]
    fn a_repeated_message_makes_the_last_flight_be_sent_again() {
        let mut flights = client();
        let again = flights.handle_received(THERE, &message(0));
        assert_eq!(again, [[message(1), message(2)].concat(), finished()]);
        assert!(
            flights.handle_received(THERE, &[message(1), message(2)].concat()).is_empty(),
            "they are new"
        );
    }

    #[test]
    fn a_flight_that_the_crate_sends_again_is_kept_once() {
        let mut flights = client();
        flights.handle_sent(THERE, &[message(1), message(2)].concat());
        flights.handle_sent(THERE, &finished());
        assert_eq!(flights.handle_received(THERE, &message(0)).len(), 2);
    }

    #[test]
    fn the_end_of_the_handshake_is_sent_again_too() {
        let mut flights = Flights::default();
        flights.handle_sent(THERE, &message(0));
        assert!(flights.handle_received(THERE, &[message(1), finished()].concat()).is_empty());
        flights.handle_sent(THERE, &finished());
        assert_eq!(flights.handle_received(THERE, &[message(1), finished()].concat()), [finished()]);
    }

    #[test]
    fn nothing_is_sent_again_between_a_new_message_and_the_flight_that_answers_it() {
        let mut flights = Flights::default();
        flights.handle_sent(THERE, &message(0));
        assert!(flights.handle_received(THERE, &message(1)).is_empty());
        assert!(flights.handle_received(THERE, &message(1)).is_empty(), "the answer is not made yet");
    }

    #[test]
    fn a_handshake_is_over_when_data_arrives() {
        let mut flights = client();
        assert!(flights.handle_received(THERE, &record(APPLICATION_DATA, 1, &[0; 40])).is_empty());
        assert!(flights.is_empty());
        assert!(flights.handle_received(THERE, &message(0)).is_empty());
    }

    #[test]
    fn messages_that_a_relay_wraps_are_understood() {
        let wrapped = |datagram: Vec<u8>| [vec![0x40, 1, 0, datagram.len() as u8], datagram].concat();
        let mut flights = Flights::default();
        flights.handle_sent(THERE, &wrapped(message(0)));
        assert!(flights.handle_received(THERE, &wrapped(message(0))).is_empty());
        flights.handle_sent(THERE, &wrapped(message(1)));
        assert_eq!(flights.handle_received(THERE, &wrapped(message(0))), [wrapped(message(1))]);
    }

    #[test]
    fn what_is_kept_and_sent_again_is_bounded() {
        let mut flights = client();
        let again = (0..1000).map(|_| flights.handle_received(THERE, &message(0)).len()).sum::<usize>();
        assert_eq!(again, 2 * MAX_REPETITIONS as usize);
        for _ in 0..1000 {
            flights.handle_sent(THERE, &finished());
        }
        assert!(flights.0[&THERE].flight.len() <= MAX_DATAGRAMS);
        for port in 1000..2000 {
            flights.handle_sent(SocketAddr::new(THERE.ip(), port), &message(0));
        }
        assert_eq!(flights.0.len(), MAX_ADDRESSES);
    }

    #[test]
    fn bytes_that_are_no_records_are_passed_over() {
        let mut flights = client();
        for bytes in [&[22][..], &[22; 13], &[22; 40], &[0x40], &[]] {
            assert!(flights.handle_received(THERE, bytes).is_empty());
            flights.handle_sent(THERE, bytes);
        }
    }
}
