//! The text for the state of a member's connection.

use sightline_core::{budget::Standing, room::LinkState};

use crate::{language::Sentence, sentence};

/// The text for a state; `None` while there is no problem.
#[must_use]
pub fn state_text(state: LinkState, standing: Standing) -> Option<Sentence> {
    match state {
        _ if standing == Standing::CutOff => Some(sentence!(tile.cut_off)),
        LinkState::Connected if standing == Standing::Muted => Some(sentence!(tile.muted)),
        LinkState::Connected => None,
        LinkState::Connecting => Some(sentence!(tile.connecting)),
        LinkState::Recovering => Some(sentence!(tile.recovering)),
        LinkState::Away => Some(sentence!(tile.away)),
        LinkState::Failed => Some(sentence!(tile.failed)),
    }
}
