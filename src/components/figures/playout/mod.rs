//! The playout of a member's picture: the score with its arithmetic, and the ledger of stalls.

mod cause_text;
mod ledger;
mod limit_text;
mod score;

pub use cause_text::stall_cause_text;
pub use ledger::Ledger;
pub use limit_text::limit_text;
pub use score::{ScoreLine, score_text};
