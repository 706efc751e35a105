//! Negotiation of one peer connection: W3C *perfect negotiation* as a state machine.
//!
//! The pattern is that of the W3C's WebRTC recommendation (section 10.7, "Perfect Negotiation Example"), on top of JSEP's
//! signaling states (RFC 9429, section 3.2). The caller owns an `RTCPeerConnection` and nobody else touches its descriptions: it
//! performs each [`Operation`] and reports the end of each under the same [`OperationId`].
//!
//! # Order
//! At most one operation is under way at a time. What arrives meanwhile waits, and is judged - does this offer
//! collide, is this answer stale - only when its own operation could start. So an offer that arrives while an answer
//! is still being applied is judged, and answered, after it; there are no flags like the pattern's `makingOffer` and
//! `isSettingRemoteAnswerPending`.
//!
//! `negotiationneeded` starts an offer in `stable`. Elsewhere it may be forgotten, because the browser looks again on
//! every return to `stable`, also after a rollback; only while an operation is under way that ends in `stable` it is
//! kept, because it may be that second look.
//!
//! # Numbers
//! Both sides count the exchanges of the connection together: an offer is numbered one higher than the last exchange that its
//! sender saw completed, and an answer repeats the number of its offer. A side completes an exchange by sending an answer or by
//! applying one. The two sides' counts therefore never differ by more than one, and a number tells, whatever signaling lost,
//! repeated or reordered:
//! - not above the last completed exchange: the offer was seen before. The stored answer goes out once more if it was
//!   ours to answer, and else (a rolled-back offer) nothing does;
//! - the number of the pending local offer: a collision. Polite rolls back and applies, impolite ignores;
//! - above it: the other side *has answered* the pending offer and the answer is lost or late. Neither rolling back nor ignoring
//!   would be right. The offer waits, the local offer is repeated, and the answer comes first.
//!
//! # Who gives way
//! The side that made the connection's first offer is the polite one. Perfect negotiation allows either choice, but Chromium
//! (seen in 156) does not: if a side answered the first offer, and its next exchange is a local offer that is rolled back, it
//! loses its video receiver for good. `setRemoteDescription` succeeds, the frames go on to be decoded, and reach no track;
//! neither another exchange nor another direction mends it. Therefore the side that answered first never rolls back.
//!
//! # Loss
//! A pending offer is repeated, number, description and candidates, 3, 6, 12, then every 24 seconds after the last
//! time, and at once when the path is restored; as long as there is no answer, whichever side is polite. Answers are
//! only repeated when their offer is. When nothing is pending there is no timer.
//!
//! # Candidates
//! Local candidates never overtake their description. The other side's are added only to the remote description whose ICE user
//! name fragment they name; those of another wait for theirs, and are dropped when it is of the past.
//!
//! # Failure
//! A description that the browser refuses leaves the connection in a state that this machine cannot know, and the
//! other side waiting: it says [`NegotiatorOutput::Broken`], once and last, and a new peer connection is due. That
//! includes `InvalidStateError`: with one operation at a time there is no glare inside the browser that could explain
//! it, so it means a closed connection or a second hand on it. A refused candidate costs one path and is passed over.
//!
//! # Invariants
//! Held by the property test over random interleavings of two such machines:
//! 1. never two operations at once, and none that the browser must refuse;
//! 2. the answerer's offer is never rolled back;
//! 3. no offer is rolled back that the other side has answered: both always build on the same agreed description;
//! 4. an answerer's first offer comes after its first answer;
//! 5. once signals arrive again, both sides reach `stable` on the same exchange, with everything that either wanted
//!    in it, every candidate added, and no timer left.

mod candidates;
mod exchange;
mod negotiator;
mod operation;
mod ufrag;

pub use negotiator::{Negotiator, NegotiatorOutput};
pub use operation::{Completed, Operation, OperationFailure, OperationId, Role};
pub use ufrag::ufrags_of_sdp;
