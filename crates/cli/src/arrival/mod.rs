//! The pictures and the sound that arrive from another member: packets in, whole frames and counters out.
//!
//! Owns order, loss and assembly. Never decodes, and never reads a clock: every time is given. Invariant: a frame that comes out is
//! whole, and so are all frames since the keyframe before it.
//!
//! | module | subject |
//! |---|---|
//! | `packet_queue` | packets in the order of their numbers, and what is given up |
//! | `assembler` | the frames of a picture |
//! | `av1_unit`, `h264_unit` | the OBUs of a temporal unit; the NAL units of a frame |
//! | `picture_size` | the size of the picture that a keyframe contains |
//! | `counters` | what is counted about a stream of packets (RFC 3550) |
//! | `frame_queue` | whole frames on their way to a recording |
//! | `arrivals` | everything that arrives over one connection, and its stats report |

mod arrivals;
mod assembler;
mod av1_unit;
mod counters;
mod frame_queue;
mod h264_unit;
mod packet_queue;
mod picture_size;

use std::time::Duration;

use bytes::Bytes;
use rtc::rtp::{Header, Packet};
use sightline_core::Timestamp;

use self::assembler::Assembler;
pub use self::frame_queue::{FrameOfMember, FrameSender};
pub(crate) use self::{
    arrivals::{Arrivals, Format, StreamKey},
    assembler::ArrivedFrame,
    frame_queue::{ArrivedSound, Media, frame_queue},
};
use crate::media::VideoCodec;

/// Assembles the frames of one stream from RTP payloads, each with its marker, of which none is lost. `codec` modulo 4 is VP8, VP9,
/// AV1 or H.264.
#[must_use]
pub fn assemble(codec: usize, payloads: &[(bool, &[u8])]) -> Vec<Vec<u8>> {
    let now = Timestamp::from_origin(Duration::ZERO);
    let mut assembler = Assembler::new(VideoCodec::ALL[codec % VideoCodec::ALL.len()]);
    let (mut header, mut frames) = (Header::default(), Vec::new());
    for (marker, payload) in payloads {
        header.marker = *marker;
        assembler.handle(Packet { header: header.clone(), payload: Bytes::copy_from_slice(payload) }, now);
        frames.extend(std::iter::from_fn(|| assembler.poll_frame()).map(|frame| frame.data.to_vec()));
        header.sequence_number = header.sequence_number.wrapping_add(1);
        header.timestamp = header.timestamp.wrapping_add(u32::from(*marker));
    }
    frames
}
