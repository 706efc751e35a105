//! The exchange behind the code that two members compare, and somebody in the middle of it.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sightline_core::trust::{
    CodeBasis, CodeExchange, EndFingerprints, NonceSource, SYMBOLS, ShortCode, Verified,
};
use sightline_protocol::{Commitment, VerificationNonce, VerificationStep};

fn line(who: &str) -> String {
    format!("a=fingerprint:sha-256 {who}\r\n")
}

fn basis(leads: bool, local: &str, remote: &str) -> CodeBasis {
    let mut fingerprints = EndFingerprints::default();
    fingerprints.local.add(&line(local));
    fingerprints.remote.add(&line(remote));
    CodeBasis { leads, fingerprints }
}

fn side(secret: u128, leads: bool, local: &str, remote: &str) -> CodeExchange {
    let mut side = CodeExchange::new(NonceSource::new(secret, 1));
    side.set_basis(Some(basis(leads, local, remote)));
    side
}

fn yes() -> bool {
    true
}

/// Carries the steps between two sides until there are no more.
fn exchange(leader: &mut CodeExchange, follower: &mut CodeExchange) {
    let mut step = leader.handle_opened(yes);
    while let Some(told) = step {
        step = follower.handle_step(told, yes).and_then(|answer| leader.handle_step(answer, yes));
    }
}

fn code(side: &CodeExchange) -> Option<ShortCode> {
    side.view().code
}

/// The commitment to a nonce, from its definition.
fn commitment_to(nonce: &VerificationNonce) -> Commitment {
    let hash = Sha256::digest(format!("sightline/1 commitment\n{}", nonce.as_str()));
    Commitment::new(URL_SAFE_NO_PAD.encode(hash)).unwrap()
}

fn nonce(number: u64) -> VerificationNonce {
    let hash = Sha256::digest(number.to_be_bytes());
    VerificationNonce::new(URL_SAFE_NO_PAD.encode(&hash[..16])).unwrap()
}

/// The first symbol of a code, from its definition.
fn first_symbol(
    leader: &str,
    follower: &str,
    leading: &VerificationNonce,
    following: &VerificationNonce,
) -> usize {
    let input = format!(
        "sightline/1 code\nsha-256 {leader}\nsha-256 {follower}\n{}\n{}",
        leading.as_str(),
        following.as_str()
    );
    usize::from(Sha256::digest(input)[0] >> 2)
}

#[test]
fn two_sides_have_the_same_code_and_two_other_pairs_have_another() {
    let mut codes = HashSet::new();
    for secret in 0..20 {
        let (mut ada, mut bo) = (side(secret, true, "ADA", "BO"), side(secret + 1_000, false, "BO", "ADA"));
        assert_eq!(code(&ada), None);
        exchange(&mut ada, &mut bo);
        assert!(code(&ada).is_some() && code(&ada) == code(&bo));
        assert!(code(&ada).unwrap().symbols().into_iter().all(|symbol| symbol < SYMBOLS));
        codes.insert(code(&ada));
    }
    assert_eq!(codes.len(), 20, "the nonces are in it");
}

#[test]
fn a_repeated_exchange_on_another_channel_keeps_the_code_and_lost_steps_are_made_up_for() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "BO"), side(2, false, "BO", "ADA"));
    // The last step is lost with its channel.
    let answer = bo.handle_step(ada.handle_opened(yes).unwrap(), yes).unwrap();
    ada.handle_step(answer, yes).unwrap();
    let known = code(&ada);
    assert!(known.is_some() && code(&bo).is_none());
    exchange(&mut ada, &mut bo);
    assert_eq!((code(&ada), code(&bo)), (known, known));
    // A connection with the same certificates.
    for side in [&mut ada, &mut bo] {
        side.set_basis(None);
        assert_eq!(code(side), None);
    }
    ada.set_basis(Some(basis(true, "ADA", "BO")));
    bo.set_basis(Some(basis(false, "BO", "ADA")));
    exchange(&mut ada, &mut bo);
    assert_eq!((code(&ada), code(&bo)), (known, known));
}

#[test]
fn what_matched_counts_for_the_same_fingerprints_only() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "BO"), side(2, false, "BO", "ADA"));
    exchange(&mut ada, &mut bo);
    let known = code(&ada).unwrap();
    assert_eq!(ada.view().verified, Verified::Never);
    assert!(ada.set_matching(known, true));
    assert_eq!((ada.view().verified, bo.view().verified), (Verified::Matched, Verified::Never));
    assert!(ada.set_matching(known, false));
    assert_eq!(ada.view().verified, Verified::Never, "taken back");
    assert!(ada.set_matching(known, true));
    let mut other = side(3, false, "BO-AGAIN", "ADA");
    ada.set_basis(Some(basis(true, "ADA", "BO-AGAIN")));
    assert_eq!((ada.view().verified, code(&ada)), (Verified::Changed, None));
    assert!(!ada.set_matching(known, true), "the code of before");
    exchange(&mut ada, &mut other);
    assert!(code(&ada) == code(&other) && code(&ada) != Some(known));
    ada.set_basis(Some(basis(true, "ADA", "BO")));
    assert_eq!(ada.view().verified, Verified::Changed, "until the person compares again");
    exchange(&mut ada, &mut bo);
    assert!(ada.set_matching(code(&ada).unwrap(), true));
    assert_eq!(ada.view().verified, Verified::Matched);
}

#[test]
fn a_connection_that_is_not_in_use_counts_as_a_change_too() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "BO"), side(2, false, "BO", "ADA"));
    exchange(&mut ada, &mut bo);
    assert!(ada.set_matching(code(&ada).unwrap(), true));
    for same in [basis(true, "ADA", "BO").fingerprints, EndFingerprints::default()] {
        ada.handle_fingerprints(&same);
        assert_eq!(ada.view().verified, Verified::Matched, "{same:?}");
    }
    ada.handle_fingerprints(&basis(false, "ADA", "MALLORY").fingerprints);
    assert_eq!(ada.view().verified, Verified::Changed);
}

#[test]
fn a_further_fingerprint_in_any_description_makes_the_code_void() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "BO"), side(2, false, "BO", "ADA"));
    exchange(&mut ada, &mut bo);
    let known = code(&ada).unwrap();
    assert!(ada.set_matching(known, true));
    let mut both = basis(true, "ADA", "BO");
    both.fingerprints.remote.add(&line("MALLORY"));
    ada.set_basis(Some(both));
    assert_eq!((ada.view().verified, code(&ada)), (Verified::Changed, None));
    exchange(&mut ada, &mut bo);
    assert_ne!(code(&ada), code(&bo));
}

#[test]
fn a_side_that_forgot_the_exchange_gets_a_fresh_one_with_fresh_nonces() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "BO"), side(2, false, "BO", "ADA"));
    exchange(&mut ada, &mut bo);
    let known = code(&ada);
    let mut forgetful = side(3, false, "BO", "ADA");
    exchange(&mut ada, &mut forgetful);
    assert!(code(&ada) == code(&forgetful) && code(&ada) != known);
    let mut forgetful = side(4, true, "ADA", "BO");
    exchange(&mut forgetful, &mut bo);
    assert!(code(&forgetful) == code(&bo) && code(&bo) != known);
}

#[test]
fn without_fingerprints_or_an_answer_there_is_no_code() {
    let mut alone = CodeExchange::new(NonceSource::new(1, 1));
    assert_eq!(alone.handle_opened(yes), None);
    alone.set_basis(Some(CodeBasis { leads: true, fingerprints: EndFingerprints::default() }));
    assert_eq!(alone.handle_opened(yes), None);
    let mut ada = side(1, true, "ADA", "BO");
    assert!(ada.handle_opened(yes).is_some());
    assert_eq!(ada.handle_step(VerificationStep::Unknown, yes), None);
    assert_eq!(code(&ada), None);
    assert_eq!(side(2, true, "ADA", "BO").handle_opened(|| false), None, "no nonce is left");
}

#[test]
fn a_step_out_of_turn_or_of_another_exchange_has_no_effect() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "BO"), side(2, false, "BO", "ADA"));
    let (own, other) = (nonce(1), nonce(2));
    let commitment = commitment_to(&own);
    let reveal = |nonce: &VerificationNonce| VerificationStep::Reveal { nonce: nonce.clone() };
    assert_eq!(bo.handle_step(reveal(&own), yes), None, "before a commitment");
    let answer = bo.handle_step(VerificationStep::Commit { commitment: commitment.clone() }, yes);
    assert!(matches!(answer, Some(VerificationStep::Answer { .. })));
    assert_eq!(bo.handle_step(reveal(&other), yes), None, "another nonce");
    assert_eq!(code(&bo), None);
    bo.handle_step(reveal(&own), yes);
    assert!(code(&bo).is_some());
    // The leading side takes neither a commitment nor an answer to something else.
    let begun = ada.handle_opened(yes);
    assert_eq!(ada.handle_step(VerificationStep::Commit { commitment: commitment.clone() }, yes), None);
    assert_eq!(ada.handle_step(VerificationStep::Answer { commitment, nonce: other.clone() }, yes), None);
    assert_eq!(ada.handle_step(begun.unwrap(), yes), None, "its own commitment");
    assert_eq!(ada.handle_step(reveal(&other), yes), None);
    assert_eq!(code(&ada), None);
}

/// Attempts to get between two sides, for each way to do it.
const ATTEMPTS: u64 = 1_500;
/// Chances at one symbol of `ATTEMPTS` guesses, and five standard deviations more.
const MOST_LUCK: u64 = ATTEMPTS / SYMBOLS as u64 + 25;

/// Number of attempts in which both sides show a code that begins with the same symbol. A whole code is 4 symbols, so a guess of the
/// whole is 64³ times harder.
fn luck(attempt: impl Fn(u64) -> (Option<ShortCode>, Option<ShortCode>)) -> u64 {
    let first = |code: Option<ShortCode>| code.map(|code| code.symbols()[0]);
    let is_lucky = |number: &u64| {
        let (at_ada, at_bo) = attempt(*number);
        assert!(at_ada.is_none() || at_ada != at_bo, "attempt {number} gets the whole code");
        at_ada.is_some() && first(at_ada) == first(at_bo)
    };
    (0..ATTEMPTS).filter(is_lucky).count() as u64
}

/// Ada and Bo, each with a connection to Mallory, who leads where they do not.
fn victims(number: u64, ada_leads: bool, bo_leads: bool) -> (CodeExchange, CodeExchange) {
    let secret = u128::from(number) * 2 + 10_000;
    (side(secret, ada_leads, "ADA", "MALLORY-1"), side(secret + 1, bo_leads, "BO", "MALLORY-2"))
}

#[test]
fn passing_on_every_step_gives_other_codes() {
    let lucky = luck(|number| {
        let (mut ada, mut bo) = victims(number, true, false);
        exchange(&mut ada, &mut bo);
        assert!(code(&ada).is_some() && code(&bo).is_some(), "the persons can compare");
        (code(&ada), code(&bo))
    });
    assert!((1..MOST_LUCK).contains(&lucky), "{lucky}");
}

#[test]
fn an_exchange_of_its_own_with_each_side_gives_other_codes() {
    for (ada_leads, bo_leads) in [(true, false), (true, true), (false, false)] {
        let lucky = luck(|number| {
            let (mut ada, mut bo) = victims(number, ada_leads, bo_leads);
            let secret = u128::from(number) + 90_000;
            let mut to_ada = side(secret, !ada_leads, "MALLORY-1", "ADA");
            let mut to_bo = side(secret, !bo_leads, "MALLORY-2", "BO");
            if ada_leads {
                exchange(&mut ada, &mut to_ada);
            } else {
                exchange(&mut to_ada, &mut ada);
            }
            if bo_leads {
                exchange(&mut bo, &mut to_bo);
            } else {
                exchange(&mut to_bo, &mut bo);
            }
            (code(&ada), code(&bo))
        });
        assert!((1..MOST_LUCK).contains(&lucky), "{lucky}");
    }
}

/// The nonce in an answer.
fn answered(step: Option<VerificationStep>) -> VerificationNonce {
    match step {
        Some(VerificationStep::Answer { nonce, .. }) => nonce,
        other => panic!("no answer: {other:?}"),
    }
}

/// Mallory knows Ada's code, and reveals to Bo only what fits. Bo shows no code otherwise, and Mallory begins again, until Bo draws no
/// further nonce.
fn withhold(number: u64, nonces_of_bo: u64) -> (Option<ShortCode>, Option<ShortCode>) {
    let (mut ada, mut bo) = victims(number, true, false);
    let mut to_ada = side(u128::from(number) + 90_000, false, "MALLORY-1", "ADA");
    exchange(&mut ada, &mut to_ada);
    let wanted = code(&ada).map(|code| code.symbols()[0]);
    for guess in 0..nonces_of_bo {
        let own = nonce(number * 100 + guess);
        let commit = VerificationStep::Commit { commitment: commitment_to(&own) };
        let theirs = answered(bo.handle_step(commit, yes));
        if Some(first_symbol("MALLORY-2", "BO", &own, &theirs)) == wanted {
            bo.handle_step(VerificationStep::Reveal { nonce: own }, yes);
            break;
        }
    }
    (code(&ada), code(&bo))
}

#[test]
fn withholding_what_does_not_fit_gives_one_guess_for_each_nonce() {
    let lucky = luck(|number| withhold(number, 1));
    assert!((1..MOST_LUCK).contains(&lucky), "{lucky}");
    let lucky = luck(|number| withhold(number, 8));
    let expected = ATTEMPTS * 8 / SYMBOLS as u64;
    assert!(
        (expected / 2..expected * 3 / 2).contains(&lucky),
        "{lucky}: the limit of nonces is what protects"
    );
}

#[test]
fn a_nonce_that_is_known_is_never_used_again() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "MALLORY-1"), side(2, false, "BO", "MALLORY-2"));
    // Another answer once Ada's nonce is known: Mallory could search for one that fits.
    let Some(VerificationStep::Commit { commitment }) = ada.handle_opened(yes) else {
        panic!("no commitment")
    };
    let answer = |number| VerificationStep::Answer { commitment: commitment.clone(), nonce: nonce(number) };
    let revealed = ada.handle_step(answer(1), yes);
    assert!(matches!(revealed, Some(VerificationStep::Reveal { .. })));
    let again = ada.handle_step(answer(2), yes);
    assert!(matches!(&again, Some(VerificationStep::Commit { commitment: fresh }) if *fresh != commitment));
    assert_eq!(code(&ada), None);
    assert_eq!(ada.handle_step(answer(2), yes), None, "an answer to the old commitment");
    // Another commitment once Bo's nonce is known.
    let commit = |number| VerificationStep::Commit { commitment: commitment_to(&nonce(number)) };
    let first = answered(bo.handle_step(commit(1), yes));
    assert_eq!(answered(bo.handle_step(commit(1), yes)), first, "a repetition");
    assert_ne!(answered(bo.handle_step(commit(2), yes)), first);
    bo.handle_step(VerificationStep::Reveal { nonce: nonce(1) }, yes);
    assert_eq!(code(&bo), None, "the exchange of before");
    // No nonce is left: what there is stays.
    bo.handle_step(VerificationStep::Reveal { nonce: nonce(2) }, yes);
    let known = code(&bo);
    assert_eq!(bo.handle_step(commit(3), || false), None);
    assert!(known.is_some() && code(&bo) == known);
}

#[test]
fn replayed_steps_of_an_earlier_page_give_no_code() {
    let (mut ada, mut bo) = (side(1, true, "ADA", "BO"), side(2, false, "BO", "ADA"));
    let commit = ada.handle_opened(yes).unwrap();
    let answer = bo.handle_step(commit.clone(), yes).unwrap();
    let reveal = ada.handle_step(answer.clone(), yes).unwrap();
    bo.handle_step(reveal.clone(), yes);
    let (known, mut later) = (code(&bo), side(3, false, "BO", "ADA"));
    later.handle_step(commit, yes);
    later.handle_step(reveal, yes);
    assert!(code(&later).is_some() && code(&later) != known, "the nonce of the later page is in it");
    let mut later = side(4, true, "ADA", "BO");
    later.handle_opened(yes);
    assert_eq!(later.handle_step(answer, yes), None);
    assert_eq!(code(&later), None);
}
