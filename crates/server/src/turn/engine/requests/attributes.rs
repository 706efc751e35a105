//! Reads the attributes of requests and writes those of answers (RFC 8489 section 14, RFC 8656 section 18).

use std::time::Duration;

use stun_types::{
    AddressFamily,
    attribute::{
        AttributeFromRaw, AttributeStaticType, AttributeType, AttributeWrite, ErrorCode, Fingerprint,
        MessageIntegrity, Nonce, Realm, UnknownAttributes, Username,
    },
    message::{IntegrityAlgorithm, IntegrityKey, Message, MessageWrite, MessageWriteExt, MessageWriteVec},
};
use turn_types::attribute::{Lifetime, RequestedAddressFamily};

use super::super::refusal::Refusal;

/// The realm, from which clients compute their keys.
pub(super) const REALM: &str = "sightline";

pub(super) fn requested_family(request: &Message<'_>) -> Result<Option<AddressFamily>, Refusal> {
    let Some(raw) = request.raw_attribute(RequestedAddressFamily::TYPE) else { return Ok(None) };
    let family = RequestedAddressFamily::try_from(&raw).map_err(|_| Refusal::AddressFamilyNotSupported)?;
    Ok(Some(family.family()))
}

pub(super) fn lifetime(request: &Message<'_>) -> Result<Option<Duration>, Refusal> {
    Ok(optional::<Lifetime>(request)?.map(|lifetime| Duration::from_secs(lifetime.seconds().into())))
}

/// An attribute that may be missing but not malformed.
pub(super) fn optional<'a, A>(request: &'a Message<'_>) -> Result<Option<A>, Refusal>
where
    A: AttributeFromRaw<'a> + AttributeStaticType,
{
    if request.has_attribute(A::TYPE) {
        request.attribute().map(Some).map_err(|_| Refusal::BadRequest)
    } else {
        Ok(None)
    }
}

/// Refuses attributes that the client requires this server to understand and that it does not (RFC 8489 section 6.3.1).
pub(super) fn understood(request: &Message<'_>, known: &[AttributeType]) -> Result<(), Refusal> {
    let unknown = unknown_attributes(request, known);
    if unknown.is_empty() { Ok(()) } else { Err(Refusal::UnknownAttributes(unknown)) }
}

pub(super) fn unknown_attributes(request: &Message<'_>, known: &[AttributeType]) -> Vec<AttributeType> {
    const ALWAYS: [AttributeType; 5] =
        [Username::TYPE, Realm::TYPE, Nonce::TYPE, MessageIntegrity::TYPE, Fingerprint::TYPE];
    let types = request.iter_attributes().map(|(_, attribute)| attribute.header.get_type());
    types
        .filter(|kind| kind.comprehension_required() && !ALWAYS.contains(kind) && !known.contains(kind))
        .take(16)
        .collect()
}

pub(super) fn success(request: &Message<'_>) -> MessageWriteVec {
    Message::builder_success(request, MessageWriteVec::with_capacity(128))
}

pub(super) fn add(answer: &mut MessageWriteVec, attribute: &dyn AttributeWrite) -> Result<(), Refusal> {
    answer.add_attribute(attribute).map_err(|_| Refusal::InsufficientCapacity)
}

pub(super) fn signed(mut answer: MessageWriteVec, key: &IntegrityKey) -> Option<Vec<u8>> {
    answer.add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1).ok()?;
    answer.add_fingerprint().ok()?;
    Some(answer.finish())
}

pub(super) fn refused(
    request: &Message<'_>,
    refusal: &Refusal,
    challenge: Option<&str>,
    key: Option<&IntegrityKey>,
) -> Option<Vec<u8>> {
    let (code, reason) = refusal.code();
    let mut answer = Message::builder_error(request, MessageWriteVec::with_capacity(160));
    answer.add_attribute(&ErrorCode::new(code, reason).ok()?).ok()?;
    if let Refusal::UnknownAttributes(unknown) = refusal {
        answer.add_attribute(&UnknownAttributes::new(unknown)).ok()?;
    }
    if let Some(nonce) = challenge {
        answer.add_attribute(&Realm::new(REALM).ok()?).ok()?;
        answer.add_attribute(&Nonce::new(nonce).ok()?).ok()?;
    }
    match key {
        Some(key) => signed(answer, key),
        None => {
            answer.add_fingerprint().ok()?;
            Some(answer.finish())
        }
    }
}

pub(super) fn whole_seconds(lifetime: Duration) -> u32 {
    u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX)
}
