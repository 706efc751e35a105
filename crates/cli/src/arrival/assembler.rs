//! The frames of a picture, from the packets that carry them.
//!
//! Contract: after every [`Assembler::handle`], and at [`Assembler::poll_timeout`], call [`Assembler::poll_frame`] until it returns
//! `None`, and [`Assembler::poll_keyframe_request`] once.

use std::{collections::VecDeque, time::Duration};

use bytes::{Bytes, BytesMut};
use rtc::rtp::{
    Packet,
    codec::{vp8::Vp8Packet, vp9::Vp9Packet},
    packetizer::Depacketizer,
};
use sightline_core::Timestamp;

use super::{
    av1_unit::Av1Unit,
    h264_unit::H264Unit,
    packet_queue::{Next, PacketQueue},
    picture_size,
};
use crate::media::{
    MAX_FRAME_BYTES, VideoCodec,
    bitstream::{FrameKind, kind_of},
};

/// How often a keyframe is asked for while one is needed. A sender answers after a round trip at the earliest.
const REQUEST_INTERVAL: Duration = Duration::from_millis(500);

/// A frame that arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArrivedFrame {
    pub(crate) codec: VideoCodec,
    pub(crate) is_key: bool,
    /// Width and height of the picture, by the latest keyframe.
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) rtp_timestamp: u32,
    /// When its last packet arrived.
    pub(crate) arrived_at: Timestamp,
    /// When it was whole and in order.
    pub(crate) whole_at: Timestamp,
    pub(crate) data: Bytes,
}

/// The frames of one stream.
#[derive(Debug)]
pub(super) struct Assembler {
    codec: VideoCodec,
    queue: PacketQueue,
    partial: Option<Partial>,
    needs_keyframe: bool,
    size: Option<(u32, u32)>,
    frames: VecDeque<ArrivedFrame>,
    requested_at: Option<Timestamp>,
    /// Frames that arrived whole.
    pub(super) received: u64,
    /// Frames that lack a part, or that cannot be decoded because one before them does.
    pub(super) dropped: u64,
    /// Requests for a keyframe.
    pub(super) requests: u64,
}

#[derive(Debug)]
struct Partial {
    timestamp: u32,
    data: Pieces,
    is_damaged: bool,
    arrived_at: Timestamp,
}

impl Assembler {
    pub(super) fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            queue: PacketQueue::default(),
            partial: None,
            needs_keyframe: true,
            size: None,
            frames: VecDeque::new(),
            requested_at: None,
            received: 0,
            dropped: 0,
            requests: 0,
        }
    }

    pub(super) fn size(&self) -> Option<(u32, u32)> {
        self.size
    }

    pub(super) fn handle(&mut self, packet: Packet, now: Timestamp) {
        // The first request waits for as long as a later one: the stream may begin with a keyframe.
        self.requested_at.get_or_insert(now);
        self.queue.handle(packet, now);
        self.advance(now);
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        self.advance(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let request = self.requested_at.filter(|_| self.needs_keyframe).map(|at| at + REQUEST_INTERVAL);
        [self.queue.poll_timeout(), request].into_iter().flatten().min()
    }

    pub(super) fn poll_frame(&mut self) -> Option<ArrivedFrame> {
        self.frames.pop_front()
    }

    /// Whether a keyframe is to be asked for now.
    pub(super) fn poll_keyframe_request(&mut self, now: Timestamp) -> bool {
        let Some(requested_at) = self.requested_at.filter(|_| self.needs_keyframe) else { return false };
        if now.since(requested_at) < REQUEST_INTERVAL {
            return false;
        }
        self.requested_at = Some(now);
        self.requests += 1;
        true
    }

    fn advance(&mut self, now: Timestamp) {
        while let Some(next) = self.queue.poll(now) {
            match next {
                Next::Packet(packet, arrived_at) => self.add(&packet, arrived_at, now),
                Next::Gap => self.lose(now),
            }
        }
    }

    /// Notes that packets are missing: the frame that they belong to is not whole, and no frame can be decoded until a keyframe.
    fn lose(&mut self, now: Timestamp) {
        if let Some(partial) = &mut self.partial {
            partial.is_damaged = true;
        }
        if !std::mem::replace(&mut self.needs_keyframe, true) {
            // Ask at once.
            self.requested_at = Some(now - REQUEST_INTERVAL);
        }
    }

    fn add(&mut self, packet: &Packet, arrived_at: Timestamp, now: Timestamp) {
        if packet.payload.is_empty() {
            // Padding, which probes the path.
            return;
        }
        let timestamp = packet.header.timestamp;
        if self.partial.as_ref().is_some_and(|partial| partial.timestamp != timestamp) {
            self.finish(now);
        }
        let codec = self.codec;
        let partial = self.partial.get_or_insert_with(|| Partial {
            timestamp,
            data: Pieces::new(codec),
            is_damaged: false,
            arrived_at,
        });
        partial.arrived_at = partial.arrived_at.max(arrived_at);
        // Nothing is added to a damaged frame, so that one that never ends takes no memory.
        if !partial.is_damaged {
            let is_added = partial.data.add(&packet.payload).is_some();
            partial.is_damaged = !is_added || partial.data.length() > MAX_FRAME_BYTES;
        }
        if packet.header.marker {
            self.finish(now);
        }
    }

    fn finish(&mut self, now: Timestamp) {
        let Some(partial) = self.partial.take() else { return };
        let Partial { timestamp, data, is_damaged, arrived_at } = partial;
        let data = data.finish().filter(|_| !is_damaged);
        let kind = data.as_ref().and_then(|data| kind_of(self.codec, data));
        let Some((data, kind)) = data.zip(kind) else {
            self.dropped += 1;
            self.lose(now);
            return;
        };
        self.received += 1;
        let is_key = kind == FrameKind::Key;
        if is_key {
            self.needs_keyframe = false;
            self.size = picture_size::of_keyframe(self.codec, &data).or(self.size);
        }
        if self.needs_keyframe {
            self.dropped += 1;
            return;
        }
        self.frames.push_back(ArrivedFrame {
            codec: self.codec,
            is_key,
            size: self.size,
            rtp_timestamp: timestamp,
            arrived_at,
            whole_at: now,
            data,
        });
    }
}

/// The pieces of a frame in the order of their packets.
#[derive(Debug)]
enum Pieces {
    Vp8(BytesMut),
    Vp9(BytesMut),
    Av1(Av1Unit),
    H264(H264Unit),
}

impl Pieces {
    fn new(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::Vp8 => Self::Vp8(BytesMut::new()),
            VideoCodec::Vp9 => Self::Vp9(BytesMut::new()),
            VideoCodec::Av1 => Self::Av1(Av1Unit::default()),
            VideoCodec::H264 => Self::H264(H264Unit::default()),
        }
    }

    /// Takes the next payload. `None` if it is damaged, or should begin the frame and does not.
    fn add(&mut self, payload: &Bytes) -> Option<()> {
        let (data, piece, begins) = match self {
            Self::Vp8(data) => {
                let mut packet = Vp8Packet::default();
                let piece = packet.depacketize(payload);
                (data, piece, packet.is_partition_head(payload) && packet.pid == 0)
            }
            Self::Vp9(data) => {
                let mut packet = Vp9Packet::default();
                let piece = packet.depacketize(payload);
                (data, piece, packet.is_partition_head(payload))
            }
            Self::Av1(unit) => return unit.add(payload),
            Self::H264(unit) => return unit.add(payload),
        };
        let piece = piece.ok().filter(|_| begins || !data.is_empty())?;
        data.extend_from_slice(&piece);
        Some(())
    }

    fn length(&self) -> usize {
        match self {
            Self::Vp8(data) | Self::Vp9(data) => data.len(),
            Self::Av1(unit) => unit.length(),
            Self::H264(unit) => unit.length(),
        }
    }

    /// The frame as a file has it. `None` if its end is missing.
    fn finish(self) -> Option<Bytes> {
        match self {
            Self::Vp8(data) | Self::Vp9(data) => Some(data.freeze()),
            Self::Av1(unit) => unit.finish(),
            Self::H264(unit) => unit.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{
        Frame, Track,
        packetizer::VideoPacketizer,
        testing::{self, AV1_KEY},
    };

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    /// The packets of a film with a keyframe every ten frames, in order, with the time at which each is sent.
    fn film(codec: VideoCodec, frames: u64, bytes: usize) -> (Vec<Frame>, Vec<(Packet, u64)>) {
        let mut packetizer = VideoPacketizer::new(codec);
        let mut number = 65_500_u16;
        let (mut sent, mut packets) = (Vec::new(), Vec::new());
        for at in 0..frames {
            let frame = frame(codec, 40 * at, at % 10 == 0, bytes);
            let payloads = packetizer.packetize(&frame);
            let last = payloads.len() - 1;
            for (position, payload) in payloads.into_iter().enumerate() {
                let mut packet = Packet { payload, ..Packet::default() };
                packet.header.sequence_number = number;
                packet.header.timestamp = 3600 * at as u32;
                packet.header.marker = position == last;
                number = number.wrapping_add(1);
                packets.push((packet, 40 * at));
            }
            sent.push(frame);
        }
        (sent, packets)
    }

    fn frame(codec: VideoCodec, at: u64, is_key: bool, bytes: usize) -> Frame {
        let mut frame = testing::frame(Track::Video, at, is_key, bytes);
        frame.data = match codec {
            VideoCodec::Vp8 => frame.data,
            VideoCodec::Vp9 => {
                let mut data = vec![0; bytes];
                let begin: &[u8] =
                    if is_key { &[0x82, 0x49, 0x83, 0x42, 0x20, 0x27, 0xf0, 0x16, 0x70] } else { &[0x86, 0] };
                data[..begin.len()].copy_from_slice(begin);
                data.into()
            }
            VideoCodec::Av1 => {
                // A delta frame has another type in its header.
                let mut data = AV1_KEY.to_vec();
                if !is_key {
                    data = vec![0x12, 0, 0x32, 2, 0x30, at as u8];
                }
                data.into()
            }
            VideoCodec::H264 => {
                let begin: &[u8] = if is_key { &testing::H264_KEY } else { &testing::H264_DELTA };
                [begin, &vec![at as u8 | 1; bytes]].concat().into()
            }
        };
        frame
    }

    fn run(assembler: &mut Assembler, packets: impl IntoIterator<Item = (Packet, u64)>) -> Vec<ArrivedFrame> {
        let mut frames = Vec::new();
        for (packet, at) in packets {
            assembler.handle(packet, ms(at));
            frames.extend(std::iter::from_fn(|| assembler.poll_frame()));
        }
        frames
    }

    /// The packets of a film of VP8, without one of the frame at 520 ms.
    fn with_loss_in_frame_13(frames: u64) -> Vec<(Packet, u64)> {
        let (_, mut packets) = film(VideoCodec::Vp8, frames, 3000);
        let per_frame = packets.len() / frames as usize;
        packets.remove(13 * per_frame + 1);
        packets
    }

    /// When keyframes are asked for while nothing arrives.
    fn requests(assembler: &mut Assembler, times: std::ops::Range<u64>) -> Vec<u64> {
        let mut requests = Vec::new();
        for at in times.step_by(10) {
            if assembler.poll_timeout().is_some_and(|due| due <= ms(at)) {
                assembler.handle_timeout(ms(at));
            }
            if assembler.poll_keyframe_request(ms(at)) {
                requests.push(at);
            }
        }
        requests
    }

    #[test]
    fn what_is_packetized_arrives_as_it_was() {
        for codec in VideoCodec::ALL {
            let (sent, packets) = film(codec, 30, 3000);
            let mut assembler = Assembler::new(codec);
            let arrived = run(&mut assembler, packets);
            assert_eq!(arrived.len(), 30, "{codec:?}");
            for (sent, arrived) in sent.iter().zip(&arrived) {
                assert_eq!(arrived.data, sent.data, "{codec:?}");
                assert_eq!(arrived.is_key, sent.is_key);
                assert_eq!(u64::from(arrived.rtp_timestamp), 90 * sent.time.as_millis() as u64);
            }
            assert_eq!((assembler.received, assembler.dropped), (30, 0));
        }
    }

    #[test]
    fn order_does_not_matter_within_the_patience() {
        let (_, mut packets) = film(VideoCodec::Vp8, 20, 3000);
        for pair in packets.chunks_mut(2) {
            pair.reverse();
        }
        // The first one that arrives begins the numbers.
        packets.swap(0, 1);
        assert_eq!(run(&mut Assembler::new(VideoCodec::Vp8), packets).len(), 20);
    }

    #[test]
    fn after_a_loss_nothing_comes_out_until_the_next_keyframe() {
        let mut assembler = Assembler::new(VideoCodec::Vp8);
        let frames = run(&mut assembler, with_loss_in_frame_13(40));
        let numbers: Vec<_> = frames.iter().map(|frame| frame.rtp_timestamp / 3600).collect();
        let expected: Vec<_> = (0..13).chain(20..40).collect();
        assert_eq!(numbers, expected);
        assert_eq!(assembler.dropped, 7);
        // The keyframe, frame 20, came while the lost packet was waited for.
        assert!(!assembler.poll_keyframe_request(ms(10_000)));
    }

    #[test]
    fn a_keyframe_is_asked_for_when_a_loss_is_given_up_and_then_at_intervals() {
        let mut assembler = Assembler::new(VideoCodec::Vp8);
        assert_eq!(run(&mut assembler, with_loss_in_frame_13(16)).len(), 13);
        // Frame 13 is of 520 ms, and a packet is waited for half a second.
        assert_eq!(requests(&mut assembler, 610..2500), [1020, 1520, 2020]);
        assert_eq!((assembler.requests, assembler.dropped), (3, 3));
    }

    #[test]
    fn a_frame_that_never_ends_takes_no_more_memory_than_the_longest_one() {
        for codec in VideoCodec::ALL {
            let (_, packets) = film(codec, 1, 3000);
            let mut packet = packets[0].0.clone();
            packet.header.marker = false;
            if codec == VideoCodec::Av1 {
                // One OBU, whose size is not said.
                packet.payload = [&[0x10, 0x30][..], &[0; 1200]].concat().into();
            }
            if codec == VideoCodec::H264 {
                packet.payload = [&[0x41][..], &[7; 1200]].concat().into();
            }
            let mut assembler = Assembler::new(codec);
            for number in 0..20_000_u16 {
                packet.header.sequence_number = number;
                assembler.handle(packet.clone(), ms(0));
            }
            let partial = assembler.partial.as_ref().unwrap();
            // A unit of H.264 gets a start code.
            assert!(partial.data.length() <= MAX_FRAME_BYTES + packet.payload.len() + 4, "{codec:?}");
        }
    }

    #[test]
    fn a_stream_that_does_not_begin_with_a_keyframe_is_asked_for_one() {
        let (_, packets) = film(VideoCodec::Vp8, 40, 300);
        let mut assembler = Assembler::new(VideoCodec::Vp8);
        assert_eq!(run(&mut assembler, packets.into_iter().skip(1).take(9)), []);
        assert_eq!(requests(&mut assembler, 360..2000), [540, 1040, 1540]);
    }

    #[test]
    fn no_payload_makes_the_assembler_panic() {
        for codec in VideoCodec::ALL {
            let (_, packets) = film(codec, 3, 2000);
            for (packet, _) in packets {
                for length in (0..packet.payload.len().min(24)).chain([packet.payload.len()]) {
                    for flip in 0..8 {
                        let mut payload = packet.payload[..length].to_vec();
                        if let Some(byte) = payload.get_mut(flip) {
                            *byte ^= 0xff;
                        }
                        let changed = Packet { payload: payload.into(), header: packet.header.clone() };
                        run(&mut Assembler::new(codec), [(changed, 0)]);
                    }
                }
            }
        }
    }
}
