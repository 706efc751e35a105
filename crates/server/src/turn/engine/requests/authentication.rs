//! Authenticates the sender of a request (RFC 8489 section 9.2.4, and for the owner of an allocation RFC 8656 section 5).

use stun_types::{
    attribute::{AttributeStaticType, MessageIntegrity, Nonce, Realm, Username},
    message::{IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials, Message},
};

use super::{
    super::{
        client::{Client, PortId},
        credentials::RestCredentials,
        network::Network,
        refusal::Refusal,
        state::State,
    },
    attributes::REALM,
};
use crate::time::UnixTime;

/// A user name `expiry:user` with one of our ids is a third of this length.
const MAX_USERNAME_BYTES: usize = 200;

/// A client that has proved that it knows its password.
pub(super) struct Identity {
    pub(super) username: String,
    pub(super) key: IntegrityKey,
    pub(super) allocation: Option<PortId>,
}

/// Why a request could not be authenticated.
pub(super) enum Unauthenticated {
    Refused(Refusal),
    /// The request gets no answer; the client repeats it (RFC 8489 section 6.2.1).
    TooOften,
}

impl From<Refusal> for Unauthenticated {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(super) fn authenticate(
    state: &mut State,
    client: &Client,
    request: &Message<'_>,
    now: UnixTime,
    network: &mut impl Network,
) -> Result<Identity, Unauthenticated> {
    if !request.has_attribute(MessageIntegrity::TYPE) {
        return Err(Refusal::Unauthorized.into());
    }
    let username = request.attribute::<Username>().map_err(|_| Refusal::BadRequest)?;
    let nonce = request.attribute::<Nonce>().map_err(|_| Refusal::BadRequest)?;
    let realm = request.attribute::<Realm>().map_err(|_| Refusal::BadRequest)?;
    if !state.nonces.is_valid(nonce.nonce(), client.five_tuple.client, now) {
        return Err(Refusal::StaleNonce.into());
    }
    // The nonce shows that the client gets what is sent to its address, so nobody else can use up its requests. A stream
    // waits instead of losing any.
    if client.is_datagram() && state.requests.take(&client.five_tuple, now).is_err() {
        return Err(Unauthenticated::TooOften);
    }
    let username = username.username();
    if realm.realm() != REALM || username.len() > MAX_USERNAME_BYTES {
        return Err(Refusal::Unauthorized.into());
    }
    if state.credentials.is_revoked(username, now) {
        return Err(Refusal::Unauthorized.into());
    }
    let allocation = state.allocation_of(&client.five_tuple, now, network);
    let owner = allocation.and_then(|port| state.allocations.get(port, now)).map(|theirs| &theirs.owner);
    let is_owner = owner.is_none_or(|owner| owner.username == username);
    let key = match owner {
        // Checked when the allocation was made, which outlives the credentials.
        Some(owner) if is_owner => owner.key.clone(),
        _ => {
            RestCredentials::user_of(username, now).map_err(|_| Refusal::Unauthorized)?;
            let password = state.credentials.password(username);
            LongTermKeyCredentials::new(username.to_owned(), password, REALM.to_owned())
                .make_key(IntegrityAlgorithm::Sha1)
        }
    };
    request.validate_integrity_with_key(&key).map_err(|_| Refusal::Unauthorized)?;
    if !is_owner {
        return Err(Refusal::WrongCredentials.into());
    }
    Ok(Identity { username: username.to_owned(), key, allocation })
}
