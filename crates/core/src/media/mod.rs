//! Media policy: encoder hints for a source, limits for senders, the state of a video file, who is speaking, and which device
//! is gone for a while.

mod absence;
mod adaptation;
mod camera_choice;
mod orientation;
mod playback;
mod source;
mod source_log;
mod speaking;
mod standing;

pub use absence::DeviceAbsence;
pub use adaptation::{SendLimits, SendSituation, send_limits};
pub use camera_choice::{faces_away, other_camera};
pub use orientation::OrientationFinder;
pub use playback::{PlaybackFailure, PlaybackWatch, PlayerSample};
pub use source::{ContentHint, DegradationPreference, content_hint, degradation_preference};
pub use source_log::SourceLog;
pub use speaking::SpeakingDetector;
pub use standing::StandingPicture;
