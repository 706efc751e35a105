//! A video file as the room's source: demuxed, paced by its timestamps, and packetized for each viewer. Nothing is encoded again.
//!
//! Owns the formats and the decisions. Never opens a connection; `source` is the only module that reads a clock or a file while
//! it plays. All viewers see the same position: `Playback` releases each frame when it is due, and an
//! `Outlet` for each viewer sends what was released. Every frame that an outlet begins with is a keyframe.
//!
//! | module | subject |
//! |---|---|
//! | `bitstream`, `h264` | what the frames of the codecs say about themselves |
//! | `ivf`, `matroska`, `mp4`, `ogg`, `file` | the containers, and a file of any |
//! | `mp4_boxes`, `mp4_fragments` | the parts of an MP4 file, and the frames that its fragments have |
//! | `track_header` | what a container keeps apart from the frames |
//! | `seek_head` | a Matroska file with a wrong SeekHead |
//! | `file_info`, `file_problem` | what a file's header says; why a file is not provided |
//! | `ivf_writer`, `matroska_writer`, `file_writer` | frames that arrive as a file of either container |
//! | `playback` | when each frame is due, and which frames a late joiner needs |
//! | `packetizer`, `outlet`, `budget` | frames as RTP payloads; what one viewer gets, and when; how fast |
//! | `rtp_clock` | the units of RTP timestamps |
//! | `source` | the file that plays: a thread that reads, a task that waits |

pub(crate) mod bitstream;
mod budget;
pub(crate) mod file;
mod file_info;
mod file_problem;
pub(crate) mod file_writer;
pub(crate) mod h264;
mod ivf;
mod ivf_writer;
mod matroska;
mod matroska_writer;
mod mp4;
mod mp4_boxes;
mod mp4_fragments;
mod ogg;
pub(crate) mod outlet;
pub(crate) mod packetizer;
pub(crate) mod playback;
pub(crate) mod rtp_clock;
mod seek_head;
pub(crate) mod source;
#[cfg(test)]
pub(crate) mod testing;
mod track_header;

use std::{
    io::{Read, Seek},
    time::Duration,
};

use bytes::Bytes;

pub use self::{file::Summary, file_problem::FileProblem, source::Source};

/// Reads a whole video file of any known container.
///
/// # Errors
/// [`FileProblem`]
pub fn examine(reader: impl Read + Seek) -> Result<Summary, FileProblem> {
    file::VideoFile::open(reader)?.0.summarize()
}

/// Longest frame that is read: a keyframe of 8K has a few megabytes.
pub(crate) const MAX_FRAME_BYTES: usize = 16 << 20;

/// A video codec that pages decode and that needs no encoder here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VideoCodec {
    Vp8,
    Vp9,
    Av1,
    H264,
}

impl VideoCodec {
    pub(crate) const ALL: [Self; 4] = [Self::Vp8, Self::Vp9, Self::Av1, Self::H264];

    /// The name for a person.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Av1 => "AV1",
            Self::H264 => "H.264",
        }
    }

    /// The name in descriptions and stats.
    pub(crate) const fn mime_type(self) -> &'static str {
        match self {
            Self::Vp8 => "video/VP8",
            Self::Vp9 => "video/VP9",
            Self::Av1 => "video/AV1",
            Self::H264 => "video/H264",
        }
    }
}

/// Which track of the file a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    Video,
    /// Opus.
    Audio,
}

/// One encoded frame of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) track: Track,
    /// From the beginning of the file. Never decreases within a track.
    pub(crate) time: Duration,
    /// Whether decoding can begin here. False for sound.
    pub(crate) is_key: bool,
    pub(crate) data: Bytes,
}
