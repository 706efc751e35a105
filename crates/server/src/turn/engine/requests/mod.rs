//! Requests and their answers: one function for each method, called after authentication.

mod allocate;
mod attributes;
mod authentication;
mod existing;

use std::net::SocketAddr;

use stun_types::{
    attribute::XorMappedAddress,
    message::{BINDING, Message, MessageWrite, MessageWriteExt, MessageWriteVec},
};
use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH};

use self::{
    attributes::{refused, signed, success, unknown_attributes},
    authentication::{Identity, Unauthenticated, authenticate},
};
use super::{
    client::{Client, PortId},
    network::Network,
    refusal::Refusal,
    state::State,
};
use crate::{time::UnixTime, turn::metrics::DropReason};

/// The answer to a request; `None` if it gets none.
pub(super) fn answer(
    state: &mut State,
    client: &Client,
    request: &Message<'_>,
    now: UnixTime,
    network: &mut impl Network,
) -> Option<Vec<u8>> {
    let from = client.five_tuple.client;
    if request.has_method(BINDING) {
        return may_answer(state, from, now).then(|| binding(request, from)).flatten();
    }
    let who = match authenticate(state, client, request, now, network) {
        Ok(who) => who,
        Err(Unauthenticated::TooOften) => {
            state.metrics.count_dropped(DropReason::RequestLimit);
            return None;
        }
        Err(Unauthenticated::Refused(refusal)) => {
            if !may_answer(state, from, now) {
                return None;
            }
            state.metrics.count_refusal(refusal.code().1);
            let challenge = matches!(refusal, Refusal::Unauthorized | Refusal::StaleNonce)
                .then(|| state.nonces.hand_out(from, now));
            return refused(request, &refusal, challenge.as_deref(), None);
        }
    };
    match answer_known(state, client, request, &who, now, network) {
        Ok(answer) => signed(answer, &who.key),
        Err(refusal) => {
            state.metrics.count_refusal(refusal.code().1);
            refused(request, &refusal, None, Some(&who.key))
        }
    }
}

fn answer_known(
    state: &mut State,
    client: &Client,
    request: &Message<'_>,
    who: &Identity,
    now: UnixTime,
    network: &mut impl Network,
) -> Result<MessageWriteVec, Refusal> {
    let allocation: Result<PortId, Refusal> = who.allocation.ok_or(Refusal::AllocationMismatch);
    match request.method() {
        ALLOCATE => allocate::allocate(state, client, request, who, now, network),
        REFRESH => existing::refresh(state, request, allocation?, now, network),
        CREATE_PERMISSION => existing::create_permission(state, request, allocation?, now),
        CHANNEL_BIND => existing::bind_channel(state, request, allocation?, now),
        _ => Err(Refusal::BadRequest),
    }
}

/// Whether this address may have one more answer to a request that needs no credentials.
fn may_answer(state: &mut State, from: SocketAddr, now: UnixTime) -> bool {
    let may = state.answers.take(from.ip(), now);
    if may {
        state.metrics.unauthenticated.inc();
    } else {
        state.metrics.count_dropped(DropReason::AnswerLimit);
    }
    may
}

fn binding(request: &Message<'_>, from: SocketAddr) -> Option<Vec<u8>> {
    let unknown = unknown_attributes(request, &[]);
    if !unknown.is_empty() {
        return refused(request, &Refusal::UnknownAttributes(unknown), None, None);
    }
    let mut answer = success(request);
    answer.add_attribute(&XorMappedAddress::new(from, request.transaction_id())).ok()?;
    answer.add_fingerprint().ok()?;
    Some(answer.finish())
}
