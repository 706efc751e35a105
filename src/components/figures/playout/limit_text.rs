//! What a ledger cannot know, by what is known of the source.

use sightline_core::measure::playout::SourceKnownBy;

use crate::{language::Sentence, sentence};

/// The sentence beside a ledger of stalls; `None` where every frame is known.
pub fn limit_text(known_by: Option<SourceKnownBy>) -> Option<Sentence> {
    match known_by {
        Some(SourceKnownBy::Stamps) => None,
        Some(SourceKnownBy::Frames) => Some(sentence!(stall.known_frames)),
        Some(SourceKnownBy::Counts) => Some(sentence!(stall.known_counts)),
        None => Some(sentence!(stall.known_nothing)),
    }
}
