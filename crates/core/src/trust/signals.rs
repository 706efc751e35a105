//! Seals the signals of this page, and opens those of other members.
//!
//! Owns the number of the next signal, and which numbers of each other page were opened already. It never knows who is in the room.
//!
//! A sealed signal is base64url of
//!
//! | bytes | what |
//! |---|---|
//! | 0 to 3 | the beginning of SHA-256 of the addressee's instance id: a signal for its earlier page is stale, not forged |
//! | 4 to 11 | the number of the signal, counted by the sender's page from 0 |
//! | 12 to 27 | random |
//! | 28 to the end | the payload as JSON, encrypted, with its authentication tag |
//!
//! Bytes 4 to 27 are the nonce. The context in [`context`] is authenticated with the payload, which has the kind and the exchange of
//! a description. So a signal has an effect on one page only, once, and only as a signal of the page that sealed it.
//!
//! Invariants: no two signals of a page have the same nonce. A signal is opened at most once, and with the present keys only: whoever
//! was removed has the earlier ones.

use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sightline_protocol::{
    DisplayName, InstanceId, Member, MemberId, PROTOCOL_VERSION, SealedName, SealedSignal,
    limits::MAX_SEALED_SIGNAL_CHARS,
    signaling::{Signal, SignalPayload},
};

use super::keys::{NONCE_BYTES, RoomKeys};
use crate::{decode, random::SeededRandom};

/// A signal that this many later signals overtook counts as replayed.
const WINDOW: u64 = 128;
/// Pages whose numbers are remembered. Only a page with the secret takes a place among them.
const MAX_PAGES: usize = 256;
const ADDRESSEE_BYTES: usize = 4;
/// Earlier keys by which an honest signal that came too late is told from a forged one.
const MAX_FORMER: usize = 8;

/// Why a signal has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The room is protected, and the signal was not encrypted.
    Unsealed,
    /// The room is not protected, and the signal was encrypted.
    NoKey,
    /// The signal was not encrypted by this member for this page and connection.
    Forged,
    /// The signal was opened before, or [`WINDOW`] later signals of its sender overtook it.
    Replayed,
    /// The signal was for an earlier page of this member. A reload makes honest signals stale.
    Stale,
    /// The signal was encrypted with another secret of the room, while that secret is being replaced or after it was.
    OtherSecret,
}

impl Refusal {
    /// The word for logs and tests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsealed => "unsealed",
            Self::NoKey => "no-key",
            Self::Forged => "forged",
            Self::Replayed => "replayed",
            Self::Stale => "stale",
            Self::OtherSecret => "other-secret",
        }
    }
}

/// The seals of one page in a protected room.
#[derive(Debug)]
pub struct SignalSeals {
    keys: RoomKeys,
    /// Open no signal, only names. The latest one last.
    former: VecDeque<RoomKeys>,
    /// The instance id of this page.
    instance: InstanceId,
    next_number: u64,
    random: SeededRandom,
    /// The latest heard page is the last one.
    opened: VecDeque<(InstanceId, Window)>,
}

impl SignalSeals {
    /// The seals of the page with this instance id, which must be random, as `random` must be.
    #[must_use]
    pub fn new(keys: RoomKeys, instance: InstanceId, random: SeededRandom) -> Self {
        Self { keys, former: VecDeque::new(), instance, next_number: 0, random, opened: VecDeque::new() }
    }

    /// The keys of the room.
    #[must_use]
    pub fn keys(&self) -> &RoomKeys {
        &self.keys
    }

    /// Seals and opens with other keys from now on.
    pub fn use_keys(&mut self, keys: RoomKeys) {
        if self.former.len() >= MAX_FORMER {
            self.former.pop_front();
        }
        self.former.push_back(std::mem::replace(&mut self.keys, keys));
    }

    /// Decrypts a name that was encrypted with the present keys or with earlier ones.
    #[must_use]
    pub fn open_name(&self, sealed: &SealedName, instance: &InstanceId) -> Option<DisplayName> {
        let keys = [&self.keys].into_iter().chain(self.former.iter().rev());
        keys.filter_map(|keys| keys.open_name(sealed, instance)).next()
    }

    /// Encrypts a signal of this page, whose member id is `from`; `None` if it is too long to be sent.
    #[must_use]
    pub fn seal(&mut self, from: &MemberId, to: &Member, signal: &Signal) -> Option<Signal> {
        let content = serde_json::to_vec(&signal.payload).ok()?;
        let mut nonce = [0; NONCE_BYTES];
        nonce[..8].copy_from_slice(&self.next_number.to_be_bytes());
        nonce[8..16].copy_from_slice(&self.random.next_u64().to_be_bytes());
        nonce[16..].copy_from_slice(&self.random.next_u64().to_be_bytes());
        self.next_number += 1;
        let context = context(&self.keys, (from, &self.instance), (&to.id, &to.instance), signal);
        let mut sealed = addressee(&to.instance).to_vec();
        sealed.extend(nonce);
        sealed.extend(self.keys.seal_signal(&nonce, &content, &context)?);
        let sealed = SealedSignal::new(URL_SAFE_NO_PAD.encode(sealed)).ok()?;
        Some(Signal { payload: SignalPayload::Sealed(sealed), ..signal.clone() })
    }

    /// Decrypts a signal of another member for this page, whose member id is `to`.
    ///
    /// # Errors
    /// Why the signal is to have no effect.
    pub fn open(&mut self, from: &Member, to: &MemberId, signal: &Signal) -> Result<Signal, Refusal> {
        let SignalPayload::Sealed(sealed) = &signal.payload else { return Err(Refusal::Unsealed) };
        let sealed = URL_SAFE_NO_PAD.decode(sealed.as_str()).map_err(|_| Refusal::Forged)?;
        let (told_addressee, sealed) =
            sealed.split_first_chunk::<ADDRESSEE_BYTES>().ok_or(Refusal::Forged)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Refusal::Forged)?;
        if *told_addressee != addressee(&self.instance) {
            return Err(Refusal::Stale);
        }
        // Otherwise a server that invents a member with this page's instance id, and later swaps the member ids of both, could send this
        // page its own signals.
        if from.instance == self.instance {
            return Err(Refusal::Forged);
        }
        let context = context(&self.keys, (&from.id, &from.instance), (to, &self.instance), signal);
        let Some(content) = self.keys.open_signal(nonce, sealed, &context) else {
            let opens = |keys: &RoomKeys| keys.open_signal(nonce, sealed, &context).is_some();
            return Err(if self.former.iter().any(opens) { Refusal::OtherSecret } else { Refusal::Forged });
        };
        let number = nonce.first_chunk().map_or(u64::MAX, |number| u64::from_be_bytes(*number));
        if !self.window_of(&from.instance).take(number) {
            return Err(Refusal::Replayed);
        }
        // Only a holder of the secret can have encrypted nonsense; it is dropped like any other.
        let payload = decode::sealed_payload(&content).map_err(|_| Refusal::Forged)?;
        Ok(Signal { payload, ..signal.clone() })
    }

    fn window_of(&mut self, instance: &InstanceId) -> &mut Window {
        let known = self.opened.iter().position(|(page, _)| page == instance);
        let page = known.and_then(|at| self.opened.remove(at));
        let page = page.unwrap_or_else(|| (instance.clone(), Window::default()));
        if self.opened.len() >= MAX_PAGES {
            self.opened.pop_front();
        }
        self.opened.push_back(page);
        let last = self.opened.len() - 1;
        &mut self.opened[last].1
    }
}

/// What is authenticated beside the payload. No part can contain a line break.
fn context(
    keys: &RoomKeys,
    (from, from_instance): (&MemberId, &InstanceId),
    (to, to_instance): (&MemberId, &InstanceId),
    signal: &Signal,
) -> String {
    let Signal { connection, generation, .. } = signal;
    let room = &keys.room;
    format!(
        "sightline/{PROTOCOL_VERSION} signal\n{room}\n{from}\n{from_instance}\n{to}\n{to_instance}\n{connection}\n{}",
        generation.0
    )
}

fn addressee(instance: &InstanceId) -> [u8; ADDRESSEE_BYTES] {
    let digest = <[u8; 32]>::from(Sha256::digest(instance.as_str()));
    [digest[0], digest[1], digest[2], digest[3]]
}

/// The numbers that were opened, of the latest [`WINDOW`].
#[derive(Debug, Default)]
struct Window {
    /// One above the highest number.
    end: u64,
    /// Bit `n` stands for the number `end - 1 - n`.
    seen: u128,
}

impl Window {
    /// Notes a number. Returns whether it is new.
    fn take(&mut self, number: u64) -> bool {
        if number >= self.end {
            let Some(end) = number.checked_add(1) else { return false };
            let by = end - self.end;
            self.seen = if by >= WINDOW { 0 } else { self.seen << by };
            self.seen |= 1;
            self.end = end;
            return true;
        }
        let age = self.end - 1 - number;
        if age >= WINDOW || self.seen >> age & 1 == 1 {
            return false;
        }
        self.seen |= 1 << age;
        true
    }
}

const _: () = assert!(MAX_SEALED_SIGNAL_CHARS < sightline_protocol::limits::MAX_FRAME_BYTES);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_taken_once_and_one_within_the_window_always(
            numbers in prop::collection::vec(0_u64..400, 0..300),
        ) {
            let (mut window, mut taken) = (Window::default(), BTreeSet::new());
            for number in numbers {
                let is_recent = taken.last().is_none_or(|last| number + WINDOW > *last);
                let is_new = !taken.contains(&number);
                let was_taken = window.take(number);
                prop_assert!(!was_taken || is_new, "{number} twice");
                if is_recent && is_new {
                    prop_assert!(was_taken, "{number} is new and recent");
                }
                if was_taken {
                    taken.insert(number);
                }
            }
        }
    }

    #[test]
    fn the_greatest_number_does_not_wrap_around() {
        let mut window = Window::default();
        assert!(!window.take(u64::MAX));
        assert!(window.take(u64::MAX - 1) && !window.take(u64::MAX - 1) && !window.take(0));
    }
}
