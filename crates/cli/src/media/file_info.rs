//! What the header of a video file says, whatever its container.

use super::VideoCodec;

/// What the header of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileInfo {
    pub(crate) codec: VideoCodec,
    /// Whether there is sound in Opus.
    pub(crate) has_audio: bool,
    /// The codec of sound that is not sent.
    pub(crate) left_out: Option<String>,
}
