//! Names for the causes of stalls.

use sightline_core::measure::playout::StallCause;

use crate::{language::Sentence, sentence};

/// The cause in a few words.
#[must_use]
pub fn stall_cause_text(cause: StallCause) -> Sentence {
    match cause {
        StallCause::Loss => sentence!(stall.loss),
        StallCause::Bandwidth => sentence!(stall.bandwidth),
        StallCause::Delay => sentence!(stall.delay),
        StallCause::SenderCpu => sentence!(stall.sender_cpu),
        StallCause::SenderBandwidth => sentence!(stall.sender_bandwidth),
        StallCause::Source => sentence!(stall.source),
        StallCause::PathChange => sentence!(stall.path_change),
        StallCause::Receiver => sentence!(stall.receiver),
        StallCause::Unknown => sentence!(stall.unknown),
    }
}
