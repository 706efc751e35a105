//! Decodes what a client sent, in bounded work that is linear in its length (RFC 8489 section 5, RFC 8656 section 12.4).
//!
//! Nothing here depends on the state of the relay. A message that is longer, or has more attributes, than any client has reason to
//! send is refused before anything is computed.

use std::net::SocketAddr;

use stun_types::{
    attribute::{AttributeFromRaw, AttributeStaticType, AttributeType, Fingerprint, RawAttribute},
    message::{MAGIC_COOKIE, Message, MessageClass, MessageType, Method, TransactionId},
};
use turn_types::{
    attribute::{Data, DontFragment, XorPeerAddress},
    message::SEND,
};

use super::refusal::Refusal;

/// Longest request, head included. RFC 8489 section 6.1 keeps requests within a path's MTU, and those of browsers are below 300
/// bytes.
pub const MAX_REQUEST_BYTES: usize = 1_500;
/// Most attributes of a request.
pub const MAX_REQUEST_ATTRIBUTES: usize = 96;
/// Most attributes of a Send indication.
pub const MAX_INDICATION_ATTRIBUTES: usize = 16;
/// Most addresses of one CreatePermission request; browsers name one.
pub const MAX_PEERS_OF_REQUEST: usize = 64;

const STUN_HEAD_BYTES: usize = 20;
const ATTRIBUTE_HEAD_BYTES: usize = 4;

/// A client's message.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// A request, which gets an answer.
    Request(Message<'a>),
    /// A Send indication (RFC 8656 section 11.2).
    Send {
        /// The peer that gets the data.
        peer: SocketAddr,
        /// The bytes for the peer.
        data: &'a [u8],
    },
    /// `ChannelData` (RFC 8656 section 12.4).
    ChannelData {
        /// The channel's number, which may be unbound or out of range.
        number: u16,
        /// The bytes for the channel's peer.
        data: &'a [u8],
    },
    /// A message that needs no action: an indication that keeps a path open, or an answer, though this server makes no requests.
    Idle,
}

/// Why a message is not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// The bytes are neither STUN nor ChannelData, or they are truncated.
    #[error("neither STUN nor ChannelData")]
    Malformed,
    /// The message is longer than a request may be, or has too many attributes.
    #[error("a request that is too long")]
    TooLong,
}

/// Decodes one datagram, or one message of a stream.
///
/// # Errors
/// [`Undecodable`] where the message is to be ignored.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Undecodable> {
    match bytes {
        [0x40..=0x7f, ..] => decode_channel_data(bytes).ok_or(Undecodable::Malformed),
        [0x00..=0x3f, ..] => decode_stun(bytes),
        _ => Err(Undecodable::Malformed),
    }
}

/// Whether the message that begins here is a STUN request (RFC 8489 section 5: both bits of the class are 0).
pub(in crate::turn) fn is_request(bytes: &[u8]) -> bool {
    matches!(bytes, [high, low, ..] if high & 0xc1 == 0 && low & 0x10 == 0)
}

fn decode_channel_data(bytes: &[u8]) -> Option<Decoded<'_>> {
    let [number_high, number_low, length_high, length_low, rest @ ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
    let number = u16::from_be_bytes([*number_high, *number_low]);
    Some(Decoded::ChannelData { number, data: rest.get(..length)? })
}

fn decode_stun(bytes: &[u8]) -> Result<Decoded<'_>, Undecodable> {
    let (head, body) = bytes.split_first_chunk::<STUN_HEAD_BYTES>().ok_or(Undecodable::Malformed)?;
    let kind = MessageType::from_bytes(head).map_err(|_| Undecodable::Malformed)?;
    let [_, _, length_high, length_low, transaction @ ..] = head;
    let transaction = transaction.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
    let body =
        body.get(..length).filter(|body| body.len().is_multiple_of(4)).ok_or(Undecodable::Malformed)?;
    if transaction >> 96 != u128::from(MAGIC_COOKIE) {
        return Err(Undecodable::Malformed);
    }
    match kind.class() {
        MessageClass::Request if STUN_HEAD_BYTES + length > MAX_REQUEST_BYTES => Err(Undecodable::TooLong),
        MessageClass::Request => {
            let mut attributes = Attributes { rest: body, left: MAX_REQUEST_ATTRIBUTES };
            attributes.try_for_each(|attribute| attribute.map(drop))?;
            let request = bytes.get(..STUN_HEAD_BYTES + length).ok_or(Undecodable::Malformed)?;
            Message::from_bytes(request).map(Decoded::Request).map_err(|_| Undecodable::Malformed)
        }
        MessageClass::Indication if is_method(kind, SEND) => {
            let message = bytes.get(..STUN_HEAD_BYTES + length).ok_or(Undecodable::Malformed)?;
            decode_send(message, body, transaction.into())
        }
        MessageClass::Indication | MessageClass::Success | MessageClass::Error => Ok(Decoded::Idle),
    }
}

fn is_method(kind: MessageType, method: Method) -> bool {
    kind.method() == method
}

fn decode_send<'a>(
    message: &'a [u8],
    body: &'a [u8],
    transaction: TransactionId,
) -> Result<Decoded<'a>, Undecodable> {
    let (mut peer, mut data, mut has_fingerprint) = (None, None, false);
    for attribute in (Attributes { rest: body, left: MAX_INDICATION_ATTRIBUTES }) {
        let Attribute { kind, value } = attribute?;
        if kind == XorPeerAddress::TYPE {
            let raw = RawAttribute::new(kind, value);
            let address = XorPeerAddress::from_raw(raw).map_err(|_| Undecodable::Malformed)?;
            peer.get_or_insert(address.addr(transaction));
        } else if kind == Data::TYPE {
            data.get_or_insert(value);
        } else if kind == Fingerprint::TYPE {
            has_fingerprint = true;
            break;
        } else if kind.comprehension_required() && kind != DontFragment::TYPE {
            return Err(Undecodable::Malformed);
        }
    }
    if has_fingerprint && Message::from_bytes(message).is_err() {
        return Err(Undecodable::Malformed);
    }
    let (peer, data) = peer.zip(data).ok_or(Undecodable::Malformed)?;
    Ok(Decoded::Send { peer, data })
}

struct Attribute<'a> {
    kind: AttributeType,
    value: &'a [u8],
}

/// The attributes of a message's body, up to a number of them.
struct Attributes<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Undecodable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.rest = &[];
            return Some(Err(Undecodable::TooLong));
        };
        self.left = left;
        let attribute = self.take();
        if attribute.is_none() {
            self.rest = &[];
        }
        Some(attribute.ok_or(Undecodable::Malformed))
    }
}

impl<'a> Attributes<'a> {
    fn take(&mut self) -> Option<Attribute<'a>> {
        let (head, rest) = self.rest.split_first_chunk::<ATTRIBUTE_HEAD_BYTES>()?;
        let [kind_high, kind_low, length_high, length_low] = *head;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let value = rest.get(..length)?;
        self.rest = rest.get(length.next_multiple_of(4)..)?;
        Some(Attribute { kind: AttributeType::new(u16::from_be_bytes([kind_high, kind_low])), value })
    }
}

/// The addresses of a CreatePermission request. Each attribute is read once.
pub(super) fn peers(request: &Message<'_>) -> Result<Vec<SocketAddr>, Refusal> {
    let attributes = request.iter_attributes().map(|(_, attribute)| attribute);
    let named = attributes.filter(|attribute| attribute.header.get_type() == XorPeerAddress::TYPE);
    let mut peers = Vec::new();
    for attribute in named {
        if peers.len() >= MAX_PEERS_OF_REQUEST {
            return Err(Refusal::InsufficientCapacity);
        }
        let peer = XorPeerAddress::try_from(&attribute).map_err(|_| Refusal::BadRequest)?;
        peers.push(peer.addr(request.transaction_id()));
    }
    if peers.is_empty() { Err(Refusal::BadRequest) } else { Ok(peers) }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use stun_types::message::{BINDING, MessageWrite, MessageWriteExt, MessageWriteVec};
    use turn_types::message::{ALLOCATE, CREATE_PERMISSION, REFRESH};

    use super::*;

    fn create_permission(peers: usize) -> Vec<u8> {
        let mut request = Message::builder_request(CREATE_PERMISSION, MessageWriteVec::new());
        let transaction = request.transaction_id();
        for number in 0..peers {
            let number = u32::try_from(number).unwrap();
            let address = SocketAddr::new(std::net::Ipv4Addr::from_bits(number).into(), 1);
            request.add_attribute(&XorPeerAddress::new(address, transaction)).unwrap();
        }
        request.finish()
    }

    fn send_indication(peer: SocketAddr, data: &[u8]) -> MessageWriteVec {
        let mut message = Message::builder_indication(SEND, MessageWriteVec::new());
        let transaction = message.transaction_id();
        message.add_attribute(&XorPeerAddress::new(peer, transaction)).unwrap();
        message.add_attribute(&Data::new(data)).unwrap();
        message
    }

    /// A message with this many empty attributes of an unknown type.
    fn with_unknown_attributes(mut head: Vec<u8>, count: usize) -> Vec<u8> {
        head.extend([0x77, 0x77, 0, 0].repeat(count));
        let length = u16::try_from(head.len() - STUN_HEAD_BYTES).unwrap();
        head[2..4].copy_from_slice(&length.to_be_bytes());
        head
    }

    fn refusal(bytes: &[u8]) -> Undecodable {
        decode(bytes).map(drop).unwrap_err()
    }

    #[test]
    fn a_request_for_five_thousand_addresses_is_refused_unread() {
        assert_eq!(refusal(&create_permission(5_400)), Undecodable::TooLong);
        assert_eq!(refusal(&create_permission(200)), Undecodable::TooLong);
    }

    #[test]
    fn sixty_four_addresses_are_read_and_one_more_is_refused() {
        let read = |count: usize| {
            let bytes = create_permission(count);
            let Ok(Decoded::Request(request)) = decode(&bytes) else { panic!("{count} are not read") };
            peers(&request).map(|peers| peers.len())
        };
        assert_eq!(read(1), Ok(1));
        assert_eq!(read(MAX_PEERS_OF_REQUEST), Ok(MAX_PEERS_OF_REQUEST));
        assert_eq!(read(MAX_PEERS_OF_REQUEST + 1), Err(Refusal::InsufficientCapacity));
        assert_eq!(read(0), Err(Refusal::BadRequest));
    }

    #[test]
    fn ten_thousand_tiny_attributes_are_refused_in_every_kind_of_message() {
        for method in [BINDING, ALLOCATE, REFRESH, CREATE_PERMISSION] {
            let head = Message::builder_request(method, MessageWriteVec::new()).finish();
            assert_eq!(refusal(&with_unknown_attributes(head.clone(), 10_000)), Undecodable::TooLong);
            assert!(decode(&with_unknown_attributes(head.clone(), MAX_REQUEST_ATTRIBUTES)).is_ok());
            let one_more = with_unknown_attributes(head, MAX_REQUEST_ATTRIBUTES + 1);
            assert_eq!(refusal(&one_more), Undecodable::TooLong);
        }
        let mut head = send_indication("192.0.2.1:1".parse().unwrap(), b"x").finish();
        // An attribute type that need not be understood.
        head.extend([0xc7, 0x77, 0, 0].repeat(10_000));
        let length = u16::try_from(head.len() - STUN_HEAD_BYTES).unwrap();
        head[2..4].copy_from_slice(&length.to_be_bytes());
        assert_eq!(refusal(&head), Undecodable::TooLong);
    }

    #[test]
    fn a_send_indication_has_a_peer_and_data_with_a_fingerprint_or_without() {
        let peer = "192.0.2.1:4000".parse().unwrap();
        let plain = send_indication(peer, b"hello").finish();
        let mut with_fingerprint = send_indication(peer, b"hello");
        with_fingerprint.add_fingerprint().unwrap();
        let with_fingerprint = with_fingerprint.finish();
        for bytes in [&plain, &with_fingerprint] {
            let Ok(Decoded::Send { peer: to, data }) = decode(bytes) else { panic!("not read") };
            assert_eq!((to, data), (peer, &b"hello"[..]));
        }
        let mut forged = with_fingerprint.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(refusal(&forged), Undecodable::Malformed);
    }

    #[test]
    fn every_attribute_is_read_once_and_no_more_than_the_maximum() {
        for bytes in [0, 100, 1_000, 10_000, 60_000] {
            let body = [0x77, 0x77, 0, 0].repeat(bytes / 4);
            let attributes = Attributes { rest: &body, left: MAX_REQUEST_ATTRIBUTES };
            assert_eq!(attributes.count(), (bytes / 4).min(MAX_REQUEST_ATTRIBUTES + 1));
        }
    }

    /// Messages that clients send, and some that they could send.
    fn valid() -> impl Strategy<Value = Vec<u8>> {
        let peer: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        prop_oneof![
            (0_usize..100).prop_map(create_permission),
            vec(any::<u8>(), 0..2_000).prop_map(move |data| send_indication(peer, &data).finish()),
            (0_usize..300).prop_map(|count| {
                with_unknown_attributes(
                    Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish(),
                    count,
                )
            }),
            (0x4000_u16..0x8000, vec(any::<u8>(), 0..2_000)).prop_map(|(number, data)| {
                let length = u16::try_from(data.len()).unwrap();
                [&number.to_be_bytes(), &length.to_be_bytes(), &data[..]].concat()
            }),
        ]
    }

    fn read_fully(bytes: &[u8]) {
        match decode(bytes) {
            Ok(Decoded::Request(request)) => {
                assert!(request.as_bytes().len() <= MAX_REQUEST_BYTES);
                assert!(request.iter_attributes().count() <= MAX_REQUEST_ATTRIBUTES);
                assert!(peers(&request).map_or(0, |peers| peers.len()) <= MAX_PEERS_OF_REQUEST);
            }
            Ok(Decoded::Send { data, .. } | Decoded::ChannelData { data, .. }) => {
                assert!(data.len() < bytes.len());
            }
            Ok(Decoded::Idle) | Err(_) => {}
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..3_000)) {
            read_fully(&bytes);
        }

        #[test]
        fn a_valid_message_with_some_bytes_changed_is_decoded_or_refused(
            mut bytes in valid(),
            changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            read_fully(&bytes);
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            read_fully(&bytes);
            bytes.truncate(cut.index(bytes.len() + 1));
            read_fully(&bytes);
        }
    }
}
