//! Negotiation of one peer connection: W3C *perfect negotiation* as a state machine.
//!
//! The caller owns an `RTCPeerConnection`, performs each [`Operation`] that comes out and reports its end under the
//! same [`OperationId`]. At most one operation is under way at a time.

mod negotiator;
mod operation;

pub use negotiator::{Negotiator, NegotiatorOutput};
pub use operation::{Completed, Operation, OperationFailure, OperationId, Politeness, Role};
