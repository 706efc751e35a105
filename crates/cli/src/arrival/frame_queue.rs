//! The frames of all members on their way to the file that records them. Their number and their bytes are bounded.

use std::sync::Arc;

use bytes::Bytes;
use sightline_core::Timestamp;
use sightline_protocol::MemberId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::assembler::ArrivedFrame;

/// Frames and packets of sound that wait for the disk: ten seconds of a fast picture with sound.
const MAX_FRAMES: usize = 1200;
/// Their bytes: ten seconds of 50 Mbit/s.
const MAX_BYTES: usize = 64 << 20;

/// What is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Media {
    Picture(ArrivedFrame),
    Sound(ArrivedSound),
}

/// An Opus packet that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArrivedSound {
    /// Whether it belongs to the microphone, and not to the pictures.
    pub(crate) is_microphone: bool,
    pub(crate) ssrc: u32,
    pub(crate) rtp_timestamp: u32,
    pub(crate) arrived_at: Timestamp,
    pub(crate) data: Bytes,
}

impl Media {
    fn length(&self) -> usize {
        match self {
            Self::Picture(frame) => frame.data.len(),
            Self::Sound(sound) => sound.data.len(),
        }
    }
}

/// A frame that arrived from a member.
#[derive(Debug)]
pub struct FrameOfMember {
    pub(crate) member: MemberId,
    pub(crate) media: Media,
    /// The frame's bytes among [`MAX_BYTES`], until it is dropped.
    _bytes: OwnedSemaphorePermit,
}

/// Takes the frames that arrive. Those that it has no room for are lost.
#[derive(Debug, Clone)]
pub struct FrameSender {
    frames: mpsc::Sender<FrameOfMember>,
    bytes: Arc<Semaphore>,
}

impl FrameSender {
    /// Returns whether there was room for the frame.
    pub(crate) fn send(&self, member: &MemberId, media: Media) -> bool {
        let Ok(length) = u32::try_from(media.length()) else { return false };
        let Ok(bytes) = Arc::clone(&self.bytes).try_acquire_many_owned(length) else { return false };
        self.frames.try_send(FrameOfMember { member: member.clone(), media, _bytes: bytes }).is_ok()
    }
}

pub(crate) fn frame_queue() -> (FrameSender, mpsc::Receiver<FrameOfMember>) {
    let (to, frames) = mpsc::channel(MAX_FRAMES);
    (FrameSender { frames: to, bytes: Arc::new(Semaphore::new(MAX_BYTES)) }, frames)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::VideoCodec;

    fn frame(data: &Bytes) -> ArrivedFrame {
        let at = Timestamp::from_origin(Duration::ZERO);
        ArrivedFrame {
            codec: VideoCodec::Vp8,
            is_key: true,
            size: None,
            rtp_timestamp: 0,
            arrived_at: at,
            whole_at: at,
            data: data.clone(),
        }
    }

    /// How many of 10,000 frames find room.
    fn taken(sender: &FrameSender, data: &Bytes) -> usize {
        let member = MemberId::new("ada").unwrap();
        (0..10_000).filter(|_| sender.send(&member, Media::Picture(frame(data)))).count()
    }

    #[test]
    fn number_and_bytes_of_the_frames_that_wait_are_bounded() {
        let (sender, _waiting) = frame_queue();
        assert_eq!(taken(&sender, &Bytes::from_static(&[0; 10])), MAX_FRAMES);
        let (sender, mut waiting) = frame_queue();
        let long = Bytes::from(vec![0; 5 << 20]);
        assert_eq!(taken(&sender, &long), 12);
        drop(waiting.try_recv().unwrap());
        assert_eq!(taken(&sender, &long), 1, "a frame that was taken makes room");
    }
}
