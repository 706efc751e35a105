//! Why a video file cannot be provided, with a stable code for each reason.

use std::io;

/// Why a file cannot be provided, or not further.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The system cannot read it.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// No known container.
    #[error("it is neither IVF nor WebM nor Matroska nor MP4 nor Ogg")]
    UnknownFormat,
    /// A video codec that pages do not decode, by its name in the file.
    #[error("its pictures are in {0}, and only VP8, VP9, AV1 and H.264 are sent without encoding")]
    UnknownCodec(String),
    /// H.264 with B-frames.
    #[error(
        "its pictures are not in the order in which they are shown, which pages do not decode: encode it once without B-frames"
    )]
    Reordered,
    /// No video track.
    #[error("it contains no pictures")]
    NoPictures,
    /// No frame at which decoding can begin.
    #[error("it contains no keyframe, so nobody could begin to watch")]
    NoKeyframe,
    /// It is shorter than it says.
    #[error("it ends before its last picture: it was cut, or is still being written")]
    Truncated,
    /// The index does not fit the file.
    #[error("its index points to something else")]
    WrongIndex,
    /// Its contents contradict its format.
    #[error("it is damaged")]
    Damaged,
}

impl FileProblem {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "file-unreadable",
            Self::UnknownFormat => "format-unknown",
            Self::UnknownCodec(_) => "codec-unknown",
            Self::Reordered => "frames-reordered",
            Self::NoPictures => "no-pictures",
            Self::NoKeyframe => "no-keyframe",
            Self::Truncated => "file-truncated",
            Self::WrongIndex => "index-wrong",
            Self::Damaged => "file-damaged",
        }
    }
}

impl From<io::Error> for FileProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Unreadable(error),
        }
    }
}
