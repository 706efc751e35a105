//! Media policy: what is made of a source, how much of it is sent, and who is speaking.

mod adaptation;
mod source;
mod speaking;

pub use adaptation::{SendLimits, SendSituation, send_limits};
pub use source::{ContentHint, DegradationPreference, content_hint, degradation_preference};
pub use speaking::SpeakingDetector;
