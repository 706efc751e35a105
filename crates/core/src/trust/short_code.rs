//! The short code that two members compare by voice, and the exchange from which it comes.
//!
//! Owns the nonces of this page for one member, and which fingerprints the person found to match. It never knows who the member is, nor
//! how the messages travel.
//!
//! The leading side commits itself to its nonce, the following side answers with its own, the leading side reveals (as in ZRTP,
//! RFC 6189, section 4.4). A middleman has one such exchange with each page, with different fingerprints, and must choose its nonces
//! before it knows the last nonce of either code. So a middleman can only guess, once for each nonce that a page draws.
//!
//! Invariants: a nonce that was sent is never used with another nonce of the other side, or with other fingerprints. The caller limits
//! how many are drawn.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sightline_protocol::{Commitment, VerificationNonce, VerificationStep};

use super::EndFingerprints;

/// Number of symbols in a code.
pub const CODE_SYMBOLS: usize = 4;
/// Number of different symbols.
pub const SYMBOLS: usize = 64;

/// The picture of each symbol. The order is a part of the protocol: both members have to see the same pictures.
const PICTURES: &str = "🐶 🐱 🦁 🐎 🦄 🐷 🐘 🐰 🐼 🐓 🐧 🐢 🐟 🐙 🦋 🌷 🌳 🌵 🍄 🌏 🌙 ☁️ 🔥 🍌 🍎 🍓 🌽 🍕 🎂 ❤️ 🙂 🤖 🎩 👓 🔧 🎅 👍 ☂️ \
    ⌛ ⏰ 🎁 💡 📕 ✏️ 📎 ✂️ 🍋 🔑 🔨 ☎️ 🏁 🚂 🚲 ✈️ 🚀 🏆 ⚽ 🎸 🎺 🔔 ⚓ 🎧 📁 📌";

/// Four symbols, each a number below [`SYMBOLS`]: 24 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortCode([u8; CODE_SYMBOLS]);

impl ShortCode {
    /// The numbers of the symbols.
    #[must_use]
    pub fn symbols(self) -> [usize; CODE_SYMBOLS] {
        self.0.map(usize::from)
    }

    /// The pictures of the symbols.
    #[must_use]
    pub fn pictures(self) -> [&'static str; CODE_SYMBOLS] {
        self.symbols().map(|symbol| PICTURES.split(' ').nth(symbol).unwrap_or_default())
    }
}

/// What a code is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBasis {
    /// Whether this page leads: it offered the peer connection first.
    pub leads: bool,
    /// The fingerprints of the peer connection in use.
    pub fingerprints: EndFingerprints,
}

/// What the person knows of a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Verified {
    /// The person compared no code of this member.
    #[default]
    Never,
    /// The code of these fingerprints matched.
    Matched,
    /// The code matched, but the fingerprints are others now.
    Changed,
}

/// The verification of a member, for display.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verification {
    /// The code to compare; `None` if the other page does not take part or has not answered.
    pub code: Option<ShortCode>,
    /// What the person said of earlier codes.
    pub verified: Verified,
}

/// Generates the nonces of one member's exchanges. SHA-256 of a secret and a number, so that no nonce tells another.
#[derive(Clone)]
pub struct NonceSource {
    secret: [u8; 32],
    drawn: u64,
}

impl NonceSource {
    /// `secret` must come from a cryptographic generator and serve nothing else; each `member` must have a number of its own.
    #[must_use]
    pub fn new(secret: u128, member: u64) -> Self {
        let hash = Sha256::new_with_prefix("sightline/1 nonces\n").chain_update(secret.to_be_bytes());
        Self { secret: hash.chain_update(member.to_be_bytes()).finalize().into(), drawn: 0 }
    }

    fn draw(&mut self) -> Option<VerificationNonce> {
        self.drawn += 1;
        let hash = Sha256::new_with_prefix(self.secret).chain_update(self.drawn.to_be_bytes()).finalize();
        VerificationNonce::new(URL_SAFE_NO_PAD.encode(hash.first_chunk::<16>()?)).ok()
    }
}

impl std::fmt::Debug for NonceSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NonceSource").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Exchange {
    Leading { nonce: VerificationNonce, commitment: Commitment, answer: Option<VerificationNonce> },
    Following { nonce: VerificationNonce, commitment: Commitment, revealed: Option<VerificationNonce> },
}

/// The exchanges with one member.
///
/// Contract: call [`Self::set_basis`] whenever the peer connection in use or its fingerprints may have changed, and
/// [`Self::handle_opened`] whenever its `control` channel opens. Send each returned step. `may_draw` says whether a further nonce may
/// be drawn, and counts it.
#[derive(Debug)]
pub struct CodeExchange {
    nonces: NonceSource,
    basis: Option<CodeBasis>,
    /// The latest exchange, and what it is about. It counts while the basis is the same.
    exchange: Option<(CodeBasis, Exchange)>,
    matched: Option<EndFingerprints>,
    /// Whether a connection of the member had other fingerprints since they matched.
    has_changed: bool,
}

impl CodeExchange {
    /// No exchange yet.
    #[must_use]
    pub fn new(nonces: NonceSource) -> Self {
        Self { nonces, basis: None, exchange: None, matched: None, has_changed: false }
    }

    /// Takes what the code is about; `None` without a connection. A code about another basis no longer counts.
    pub fn set_basis(&mut self, basis: Option<CodeBasis>) {
        if let Some(basis) = &basis {
            self.handle_fingerprints(&basis.fingerprints);
        }
        self.basis = basis;
    }

    /// Takes the fingerprints of a connection of the member, in use or not: each of them may carry pictures and files. A verified
    /// member with other fingerprints stays changed until the person compares again, even if that connection is gone.
    pub fn handle_fingerprints(&mut self, fingerprints: &EndFingerprints) {
        self.has_changed |= self.matched.as_ref().is_some_and(|matched| !fingerprints.is_within(matched));
    }

    /// Begins an exchange on a channel that opened, or repeats the first step of the present one.
    pub fn handle_opened(&mut self, may_draw: impl FnOnce() -> bool) -> Option<VerificationStep> {
        self.basis.as_ref().filter(|basis| basis.leads)?.texts()?;
        match self.present() {
            Some(Exchange::Leading { commitment, .. }) => {
                Some(VerificationStep::Commit { commitment: commitment.clone() })
            }
            Some(Exchange::Following { .. }) | None => self.commit(may_draw),
        }
    }

    /// Takes a step of the member. Returns the answer.
    pub fn handle_step(
        &mut self,
        step: VerificationStep,
        may_draw: impl FnOnce() -> bool,
    ) -> Option<VerificationStep> {
        let leads = self.basis.as_ref()?.leads;
        self.basis.as_ref()?.texts()?;
        match step {
            VerificationStep::Commit { commitment } if !leads => self.handle_commit(commitment, may_draw),
            VerificationStep::Answer { commitment, nonce } if leads => {
                self.handle_answer(&commitment, nonce, may_draw)
            }
            VerificationStep::Reveal { nonce } if !leads => {
                if let Some(Exchange::Following { commitment, revealed, .. }) = self.present_mut()
                    && commitment_to(&nonce).as_ref() == Some(&*commitment)
                {
                    *revealed = Some(nonce);
                }
                None
            }
            _ => None,
        }
    }

    /// The state for display.
    #[must_use]
    pub fn view(&self) -> Verification {
        Verification { code: self.code(), verified: self.verified() }
    }

    /// What the person knows of the member's connections.
    #[must_use]
    pub fn verified(&self) -> Verified {
        match &self.matched {
            None => Verified::Never,
            Some(_) if self.has_changed => Verified::Changed,
            Some(_) => Verified::Matched,
        }
    }

    /// Notes that the person compared this code and whether it matches. Returns false if the code is another one by now.
    pub fn set_matching(&mut self, code: ShortCode, is_matching: bool) -> bool {
        let is_present = self.code() == Some(code);
        if is_present {
            let present = self.basis.as_ref().map(|basis| basis.fingerprints.clone());
            self.matched = present.filter(|_| is_matching);
            self.has_changed = false;
        }
        is_present
    }

    fn begin(&mut self, exchange: Exchange) {
        self.exchange = self.basis.clone().map(|basis| (basis, exchange));
    }

    /// The exchange about the present basis.
    fn present(&self) -> Option<&Exchange> {
        let (about, exchange) = self.exchange.as_ref()?;
        (self.basis.as_ref() == Some(about)).then_some(exchange)
    }

    fn present_mut(&mut self) -> Option<&mut Exchange> {
        let (about, exchange) = self.exchange.as_mut()?;
        (self.basis.as_ref() == Some(about)).then_some(exchange)
    }

    fn code(&self) -> Option<ShortCode> {
        let (leading, following) = match self.present()? {
            Exchange::Leading { nonce, answer: Some(answer), .. } => (nonce, answer),
            Exchange::Following { nonce, revealed: Some(revealed), .. } => (revealed, nonce),
            _ => return None,
        };
        let (leader, follower) = self.basis.as_ref()?.texts()?;
        let (leading, following) = (leading.as_str(), following.as_str());
        let input = format!("sightline/1 code\n{leader}\n{follower}\n{leading}\n{following}");
        let [first, second, third, ..] = <[u8; 32]>::from(Sha256::digest(input));
        let bits = u32::from_be_bytes([0, first, second, third]);
        Some(ShortCode([18, 12, 6, 0].map(|shift| (bits >> shift & 63) as u8)))
    }

    fn commit(&mut self, may_draw: impl FnOnce() -> bool) -> Option<VerificationStep> {
        let nonce = may_draw().then(|| self.nonces.draw())??;
        let commitment = commitment_to(&nonce)?;
        self.begin(Exchange::Leading { nonce, commitment: commitment.clone(), answer: None });
        Some(VerificationStep::Commit { commitment })
    }

    fn handle_commit(
        &mut self,
        theirs: Commitment,
        may_draw: impl FnOnce() -> bool,
    ) -> Option<VerificationStep> {
        if let Some(Exchange::Following { nonce, commitment, .. }) = self.present()
            && *commitment == theirs
        {
            return Some(VerificationStep::Answer { commitment: theirs, nonce: nonce.clone() });
        }
        let nonce = may_draw().then(|| self.nonces.draw())??;
        self.begin(Exchange::Following { nonce: nonce.clone(), commitment: theirs.clone(), revealed: None });
        Some(VerificationStep::Answer { commitment: theirs, nonce })
    }

    fn handle_answer(
        &mut self,
        answered: &Commitment,
        theirs: VerificationNonce,
        may_draw: impl FnOnce() -> bool,
    ) -> Option<VerificationStep> {
        let Some(Exchange::Leading { nonce, commitment, answer }) = self.present_mut() else { return None };
        if commitment != answered {
            return None;
        }
        // The member forgot its nonce, but knows the nonce of this side. So the exchange begins again with a new nonce.
        if answer.as_ref().is_some_and(|answer| *answer != theirs) {
            return self.commit(may_draw);
        }
        *answer = Some(theirs);
        Some(VerificationStep::Reveal { nonce: nonce.clone() })
    }
}

impl CodeBasis {
    /// The fingerprints of the leading and of the following side.
    fn texts(&self) -> Option<(String, String)> {
        let (local, remote) = self.fingerprints.texts()?;
        Some(if self.leads { (local, remote) } else { (remote, local) })
    }
}

fn commitment_to(nonce: &VerificationNonce) -> Option<Commitment> {
    let hash = Sha256::new_with_prefix("sightline/1 commitment\n").chain_update(nonce.as_str()).finalize();
    Commitment::new(URL_SAFE_NO_PAD.encode(hash)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_symbol_has_a_picture_of_its_own() {
        let distinct: BTreeSet<_> = PICTURES.split(' ').collect();
        assert_eq!((PICTURES.split(' ').count(), distinct.len()), (SYMBOLS, SYMBOLS));
        assert!(!distinct.contains(""));
        assert_eq!(ShortCode([2, 32, 52, 47]).pictures(), ["🦁", "🎩", "🚲", "🔑"]);
    }
}
