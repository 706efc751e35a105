//! Everything that arrives over one connection: its streams, the frames since the last report, and the report.

use rtc::rtp::Packet;
use sightline_core::{
    Timestamp,
    measure::{NotedFrame, ShownFrame, StatsEntry},
};

use super::{
    assembler::{ArrivedFrame, Assembler},
    counters::Counters,
};
use crate::media::{
    VideoCodec,
    packetizer::opus_samples,
    rtp_clock::{AUDIO_HZ, VIDEO_HZ},
};

/// Streams of one connection. A sender that replaces a stream begins another; the oldest one is forgotten.
const MAX_STREAMS: usize = 8;
/// Frames between two reports, which come every second.
const MAX_FRAMES: usize = 2048;

/// What a stream is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Video(VideoCodec),
    Opus,
}

/// Which stream a packet belongs to. A sender that changes the codec goes on with the same SSRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamKey {
    pub(crate) ssrc: u32,
    pub(crate) payload_type: u8,
    pub(crate) format: Format,
}

/// What arrives over one connection.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    streams: Vec<Stream>,
    /// The frames since the last report, oldest first.
    frames: Vec<NotedFrame>,
    presented: u32,
}

#[derive(Debug)]
struct Stream {
    key: StreamKey,
    counters: Counters,
    assembler: Option<Assembler>,
    samples: u64,
}

impl Arrivals {
    /// Takes a packet. Returns the frames that are whole now.
    pub(crate) fn handle(&mut self, key: StreamKey, packet: Packet, now: Timestamp) -> Vec<ArrivedFrame> {
        let stream = self.stream(key);
        stream.counters.handle(&packet, now);
        match &mut stream.assembler {
            Some(assembler) => assembler.handle(packet, now),
            None => stream.samples += u64::from(opus_samples(&packet.payload).unwrap_or_default()),
        }
        self.take_whole(key)
    }

    /// Gives up what was waited for long enough. Returns the frames that are whole now.
    pub(crate) fn handle_timeout(&mut self, key: StreamKey, now: Timestamp) -> Vec<ArrivedFrame> {
        if let Some(assembler) = &mut self.stream(key).assembler {
            assembler.handle_timeout(now);
        }
        self.take_whole(key)
    }

    /// When [`Self::handle_timeout`] is to be called for a stream.
    pub(crate) fn poll_timeout(&self, key: StreamKey) -> Option<Timestamp> {
        self.find(key)?.assembler.as_ref()?.poll_timeout()
    }

    /// Whether a keyframe of a stream is to be asked for now.
    pub(crate) fn poll_keyframe_request(&mut self, key: StreamKey, now: Timestamp) -> bool {
        let assembler = self.stream(key).assembler.as_mut();
        assembler.is_some_and(|assembler| assembler.poll_keyframe_request(now))
    }

    /// The frames since the call before.
    pub(crate) fn take_frames(&mut self) -> Vec<NotedFrame> {
        std::mem::take(&mut self.frames)
    }

    /// Whether there is a stream of pictures.
    pub(crate) fn has_picture(&self) -> bool {
        self.streams.iter().any(|stream| stream.assembler.is_some())
    }

    /// The entries of a stats report that are about received streams (W3C webrtc-stats). What only a decoder knows is left out.
    pub(crate) fn entries(&self, unix_ms: u64) -> Vec<StatsEntry> {
        self.streams.iter().flat_map(|stream| stream.entries(unix_ms)).collect()
    }

    fn take_whole(&mut self, key: StreamKey) -> Vec<ArrivedFrame> {
        let Some(assembler) = &mut self.stream(key).assembler else { return Vec::new() };
        let whole: Vec<_> = std::iter::from_fn(|| assembler.poll_frame()).collect();
        for frame in &whole {
            self.note(frame);
        }
        whole
    }

    fn note(&mut self, frame: &ArrivedFrame) {
        self.presented = self.presented.wrapping_add(1);
        if self.frames.len() == MAX_FRAMES {
            self.frames.remove(0);
        }
        let (width, height) = frame.size.unwrap_or_default();
        let shown = ShownFrame {
            shown_at: frame.whole_at,
            seen_at: frame.whole_at,
            presented_frames: self.presented,
            width,
            height,
            rtp_timestamp: Some(frame.rtp_timestamp),
            received_at: Some(frame.arrived_at),
            captured_at: None,
            processing: None,
        };
        self.frames.push(NotedFrame { shown, stamp: None });
    }

    fn find(&self, key: StreamKey) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.key == key)
    }

    fn stream(&mut self, key: StreamKey) -> &mut Stream {
        let known = self.streams.iter().position(|stream| stream.key == key);
        let at = known.unwrap_or_else(|| {
            if self.streams.len() == MAX_STREAMS {
                self.streams.remove(0);
            }
            self.streams.push(Stream::new(key));
            self.streams.len() - 1
        });
        &mut self.streams[at]
    }
}

impl Stream {
    fn new(key: StreamKey) -> Self {
        let (clock_rate, assembler) = match key.format {
            Format::Video(codec) => (VIDEO_HZ, Some(Assembler::new(codec))),
            Format::Opus => (AUDIO_HZ, None),
        };
        Self { key, counters: Counters::new(clock_rate), assembler, samples: 0 }
    }

    fn entries(&self, unix_ms: u64) -> [StatsEntry; 2] {
        let StreamKey { ssrc, payload_type, format } = self.key;
        let (kind, mime_type, clock_rate) = match format {
            Format::Video(codec) => ("video", codec.mime_type(), VIDEO_HZ),
            Format::Opus => ("audio", "audio/opus", AUDIO_HZ),
        };
        let count = |number: u64| Some(number as f64);
        let codec = StatsEntry {
            entry_type: "codec".to_owned(),
            id: format!("codec-{payload_type}"),
            timestamp: unix_ms as f64,
            mime_type: Some(mime_type.to_owned()),
            clock_rate: Some(f64::from(clock_rate)),
            payload_type: Some(f64::from(payload_type)),
            ..StatsEntry::default()
        };
        let mut inbound = StatsEntry {
            entry_type: "inbound-rtp".to_owned(),
            id: format!("inbound-{ssrc}-{payload_type}"),
            timestamp: unix_ms as f64,
            kind: Some(kind.to_owned()),
            ssrc: Some(ssrc),
            codec_id: Some(codec.id.clone()),
            packets_received: count(self.counters.packets),
            packets_lost: count(self.counters.lost()),
            bytes_received: count(self.counters.bytes),
            header_bytes_received: count(self.counters.header_bytes),
            jitter: Some(self.counters.jitter_s()),
            ..StatsEntry::default()
        };
        match &self.assembler {
            Some(assembler) => {
                inbound.frames_received = count(assembler.received);
                inbound.frames_dropped = count(assembler.dropped);
                inbound.pli_count = count(assembler.requests);
                let size = assembler.size();
                inbound.frame_width = size.map(|(width, _)| f64::from(width));
                inbound.frame_height = size.map(|(_, height)| f64::from(height));
            }
            None => inbound.total_samples_received = count(self.samples),
        }
        [codec, inbound]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::{Track, packetizer::VideoPacketizer, testing};

    const KEY: StreamKey = StreamKey { ssrc: 7, payload_type: 120, format: Format::Video(VideoCodec::Vp8) };

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    /// 25 frames of a second, with a keyframe at the begin.
    fn second() -> Vec<(Packet, u64)> {
        let mut packetizer = VideoPacketizer::new(VideoCodec::Vp8);
        let mut packets = Vec::new();
        for at in 0..25_u16 {
            let frame = testing::frame(Track::Video, u64::from(at) * 40, at == 0, 500);
            let payload = packetizer.packetize(&frame).remove(0);
            let mut packet = Packet { payload, ..Packet::default() };
            packet.header.sequence_number = at;
            packet.header.timestamp = 3600 * u32::from(at);
            packet.header.marker = true;
            packets.push((packet, 40 * u64::from(at)));
        }
        packets
    }

    #[test]
    fn a_report_says_what_arrived_and_nothing_that_only_a_decoder_knows() {
        let mut arrivals = Arrivals::default();
        let whole: usize =
            second().into_iter().map(|(packet, at)| arrivals.handle(KEY, packet, ms(at)).len()).sum();
        assert_eq!(whole, 25);
        let opus = StreamKey { ssrc: 8, payload_type: 111, format: Format::Opus };
        let sound = Packet { payload: bytes::Bytes::from_static(&[0xfc; 20]), ..Packet::default() };
        assert_eq!(arrivals.handle(opus, sound, ms(960)), []);
        let entries = arrivals.entries(5);
        let of = |kind: &str| entries.iter().find(|entry| entry.kind.as_deref() == Some(kind)).unwrap();
        let (video, audio) = (of("video"), of("audio"));
        assert_eq!((video.frames_received, video.frames_dropped), (Some(25.0), Some(0.0)));
        assert_eq!((video.frame_width, video.frame_height), (Some(16.0), Some(16.0)));
        assert_eq!((video.packets_lost, video.frames_decoded, video.freeze_count), (Some(0.0), None, None));
        assert_eq!((audio.total_samples_received, audio.concealed_samples), (Some(960.0), None));
        let codec = entries.iter().find(|entry| Some(&entry.id) == video.codec_id.as_ref()).unwrap();
        assert_eq!(codec.mime_type.as_deref(), Some("video/VP8"));
    }

    #[test]
    fn each_frame_is_noted_once_with_the_time_at_which_it_was_whole() {
        let mut arrivals = Arrivals::default();
        for (packet, at) in second() {
            arrivals.handle(KEY, packet, ms(at));
        }
        let frames = arrivals.take_frames();
        assert_eq!(frames.len(), 25);
        for (number, frame) in frames.iter().enumerate() {
            assert_eq!(frame.shown.shown_at, ms(40 * number as u64));
            assert_eq!(frame.shown.presented_frames as usize, number + 1);
        }
        assert_eq!(arrivals.take_frames(), []);
    }

    #[test]
    fn streams_and_frames_are_bounded() {
        let mut arrivals = Arrivals::default();
        for ssrc in 0..1000 {
            for (packet, at) in second().into_iter().take(5) {
                arrivals.handle(StreamKey { ssrc, ..KEY }, packet, ms(at));
            }
        }
        assert!(arrivals.streams.len() <= MAX_STREAMS && arrivals.frames.len() <= MAX_FRAMES);
    }
}
