//! What a container keeps apart from the frames of a video track, and what they lack therefore.

use bytes::Bytes;

use super::{bitstream::with_sequence_header, h264};

/// The header of a video track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TrackHeader {
    /// The frames have everything.
    Empty,
    /// The sequence header of AV1.
    Av1(Vec<u8>),
    H264(h264::Configuration),
}

impl TrackHeader {
    /// A frame as it is packetized. `None` if it is damaged.
    pub(super) fn frame(&self, data: Bytes) -> Option<Bytes> {
        match self {
            Self::Empty | Self::Av1(_) => Some(data),
            Self::H264(configuration) => configuration.frame(&data),
        }
    }

    /// A keyframe with everything that decoding needs.
    pub(super) fn complete(&self, keyframe: Bytes) -> Bytes {
        match self {
            Self::Empty => keyframe,
            Self::Av1(sequence_header) => with_sequence_header(keyframe, sequence_header),
            Self::H264(configuration) => configuration.complete(keyframe),
        }
    }
}
