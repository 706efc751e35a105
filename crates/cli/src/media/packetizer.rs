//! Frames as RTP payloads.

use bytes::{BufMut, Bytes, BytesMut};
use rtc::rtp::{
    codec::{av1::Av1Payloader, vp8::Vp8Payloader},
    packetizer::Payloader,
};

use super::{Frame, VideoCodec, h264};

/// Longest payload: the packet with its header, SRTP, TURN and a tunnel fits a datagram of 1,280 bytes.
const MAX_PAYLOAD_BYTES: usize = 1180;

/// The video packetizer of one viewer.
#[derive(Debug)]
pub(crate) enum VideoPacketizer {
    Vp8(Vp8Payloader),
    Vp9 { picture: u16 },
    Av1(Av1Payloader),
    H264,
}

impl VideoPacketizer {
    pub(crate) fn new(codec: VideoCodec) -> Self {
        match codec {
            // Without picture ids a receiver goes by sequence numbers, which is enough where each frame refers to the one before.
            VideoCodec::Vp8 => Self::Vp8(Vp8Payloader::default()),
            VideoCodec::Vp9 => Self::Vp9 { picture: 0 },
            VideoCodec::Av1 => Self::Av1(Av1Payloader::default()),
            VideoCodec::H264 => Self::H264,
        }
    }

    /// The payloads of a frame, whose kind was read and whose sizes were checked. The last one ends the picture.
    pub(crate) fn packetize(&mut self, frame: &Frame) -> Vec<Bytes> {
        let payloads = match self {
            Self::Vp8(payloader) => payloader.payload(MAX_PAYLOAD_BYTES, &frame.data),
            Self::Vp9 { picture } => {
                *picture = (*picture + 1) & 0x7fff;
                Ok(vp9_payloads(frame, *picture))
            }
            Self::Av1(payloader) => payloader.payload(MAX_PAYLOAD_BYTES, &frame.data),
            Self::H264 => Ok(h264::payloads(&frame.data, MAX_PAYLOAD_BYTES)),
        };
        // A frame that cannot be packetized is one that is lost.
        payloads.unwrap_or_default()
    }
}

/// RFC 9628 in flexible mode: each frame that is no keyframe refers to the one before. The payloader of the crate `rtc` 0.21 marks
/// every frame as a keyframe.
fn vp9_payloads(frame: &Frame, picture: u16) -> Vec<Bytes> {
    const PICTURE_ID: u8 = 0x80;
    const PREDICTED: u8 = 0x40;
    const FLEXIBLE: u8 = 0x10;
    const BEGIN: u8 = 0x08;
    const END: u8 = 0x04;
    /// P_DIFF 1, and no further reference.
    const ONE_BEFORE: u8 = 1 << 1;
    const HEADER_BYTES: usize = 4;

    let pieces: Vec<_> = frame.data.chunks(MAX_PAYLOAD_BYTES - HEADER_BYTES).collect();
    let last = pieces.len().saturating_sub(1);
    let payload = |(at, piece): (usize, &[u8])| {
        let mut payload = BytesMut::with_capacity(HEADER_BYTES + piece.len());
        let mut flags = PICTURE_ID | FLEXIBLE;
        flags |= if frame.is_key { 0 } else { PREDICTED };
        flags |= if at == 0 { BEGIN } else { 0 };
        flags |= if at == last { END } else { 0 };
        payload.put_u8(flags);
        payload.put_u16(0x8000 | picture);
        if !frame.is_key {
            payload.put_u8(ONE_BEFORE);
        }
        payload.put_slice(piece);
        payload.freeze()
    };
    pieces.into_iter().enumerate().map(payload).collect()
}

/// The longest Opus packet that is sent: 120 ms in six frames of the greatest length (RFC 6716, 3.2.1).
const MAX_OPUS_BYTES: usize = 6 * 1275 + 16;

/// The number of samples of an Opus packet, at 48 kHz (RFC 6716, 3.1 and 3.2). `None` if it is damaged.
pub(crate) fn opus_samples(packet: &[u8]) -> Option<u32> {
    if packet.len() > MAX_OPUS_BYTES {
        return None;
    }
    let toc = *packet.first()?;
    let frame = match toc >> 3 {
        silk @ 0..=11 => [480, 960, 1920, 2880][usize::from(silk & 3)],
        hybrid @ 12..=15 => [480, 960][usize::from(hybrid & 1)],
        celt => [120, 240, 480, 960][usize::from(celt & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    // At most 120 ms.
    Some(frame * frames).filter(|samples| (1..=5760).contains(samples))
}

#[cfg(test)]
mod tests {
    use rtc::rtp::{
        codec::{vp8::Vp8Packet, vp9::Vp9Packet},
        packetizer::Depacketizer,
    };

    use super::{
        super::{Track, testing},
        *,
    };

    #[test]
    fn a_vp9_keyframe_begins_anew_and_every_other_frame_names_the_one_before() {
        let mut packetizer = VideoPacketizer::new(VideoCodec::Vp9);
        let mut pictures = Vec::new();
        for is_key in [true, false] {
            let frame = testing::frame(Track::Video, 0, is_key, 3000);
            let payloads = packetizer.packetize(&frame);
            assert!(payloads.iter().all(|payload| payload.len() <= MAX_PAYLOAD_BYTES));
            let mut whole = Vec::new();
            for (at, payload) in payloads.iter().enumerate() {
                let mut packet = Vp9Packet::default();
                whole.extend(packet.depacketize(payload).unwrap());
                assert_eq!((packet.f, packet.i, packet.p), (true, true, !is_key));
                assert_eq!((packet.b, packet.e), (at == 0, at + 1 == payloads.len()));
                assert_eq!(packet.pdiff, if is_key { vec![] } else { vec![1] });
                pictures.push(packet.picture_id);
            }
            assert_eq!(whole, frame.data);
        }
        pictures.dedup();
        assert_eq!(pictures, [1, 2]);
    }

    #[test]
    fn the_payloads_of_a_vp8_frame_are_the_frame() {
        let frame = testing::frame(Track::Video, 0, true, 5000);
        let mut whole = Vec::new();
        for payload in VideoPacketizer::new(VideoCodec::Vp8).packetize(&frame) {
            whole.extend(Vp8Packet::default().depacketize(&payload).unwrap());
        }
        assert_eq!(whole, frame.data);
    }

    #[test]
    fn an_av1_keyframe_says_that_a_sequence_begins() {
        let data = Bytes::from_static(&testing::AV1_KEY);
        let frame = Frame { data, ..testing::frame(Track::Video, 0, true, 0) };
        let payloads = VideoPacketizer::new(VideoCodec::Av1).packetize(&frame);
        assert_eq!(payloads.len(), 1);
        assert_eq!(payloads[0][0] & 0x08, 0x08, "the N bit");
    }

    #[test]
    fn the_length_of_an_opus_packet_is_in_its_first_byte() {
        assert_eq!(opus_samples(&[0xfc]), Some(960), "one CELT frame of 20 ms");
        assert_eq!(opus_samples(&[0x18 | 1]), Some(5760), "two SILK frames of 60 ms");
        assert_eq!(opus_samples(&[0xe3, 6]), Some(720), "six CELT frames of 2.5 ms");
        assert_eq!(opus_samples(&[0xfb]), None);
        assert_eq!(opus_samples(&[0xfb, 63]), None);
        assert_eq!(opus_samples(&[]), None);
        assert_eq!(opus_samples(&[0xfc; 24_001]), None, "an outlet could never send it");
    }
}
