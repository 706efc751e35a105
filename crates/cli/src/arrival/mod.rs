//! The pictures and the sound that arrive from another member: packets in, whole frames and counters out.
//!
//! Owns order, loss and assembly. Never decodes, and never reads a clock: every time is given. Invariant: a frame that comes out is
//! whole, and so are all frames since the keyframe before it.
//!
//! | module | subject |
//! |---|---|
//! | `packet_queue` | packets in the order of their numbers, and what is given up |
//! | `assembler` | the frames of a picture |
//! | `av1_unit` | the OBUs of a temporal unit |
//! | `picture_size` | the size of the picture that a keyframe contains |
//! | `counters` | what is counted about a stream of packets (RFC 3550) |
//! | `arrivals` | everything that arrives over one connection, and its stats report |

mod arrivals;
mod assembler;
mod av1_unit;
mod counters;
mod packet_queue;
mod picture_size;

use sightline_protocol::MemberId;

pub(crate) use self::{
    arrivals::{Arrivals, Format, StreamKey},
    assembler::ArrivedFrame,
};

/// A frame that arrived from a member.
#[derive(Debug)]
pub struct FrameOfMember {
    pub(crate) member: MemberId,
    pub(crate) frame: ArrivedFrame,
}
