//! Writes frames that arrive into a Matroska file (WebM, unless the pictures are H.264), without encoding them again.
//!
//! Contract: pictures begin with a keyframe. A file is whole up to the last cluster that was written, whatever happens then.

use std::io::{self, Seek, SeekFrom, Write};

use super::{VideoCodec, bitstream, h264};

/// Identifiers of elements (RFC 9559, section 27.1).
const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const CODEC_PRIVATE: u32 = 0x63a2;
const CLUSTER: u32 = 0x1f43_b675;
const SIMPLE_BLOCK: u32 = 0xa3;

/// An OBU that begins a temporal unit of AV1.
const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0];
const PICTURES: u8 = 1;
const SOUND: u8 = 2;
const KEYFRAME: u8 = 0x80;
/// A size that is not known yet, in eight bytes.
const UNKNOWN_SIZE: u64 = 0x01ff_ffff_ffff_ffff;
const KNOWN_SIZE: u64 = 0x0100_0000_0000_0000;
/// A cluster ends with the first keyframe after this time.
const CLUSTER_MS: u64 = 1000;
/// No block of a cluster is further from its begin: a block has 16 bits for the distance.
const MAX_CLUSTER_MS: u64 = 5000;
const MAX_CLUSTER_BYTES: usize = 8 << 20;
const APPLICATION: &[u8] = b"sightline-peer";

/// A Matroska file that grows.
pub(crate) struct MatroskaWriter<W: Write + Seek> {
    file: W,
    codec: VideoCodec,
    size: (u32, u32),
    /// What the container says about the pictures.
    private: Vec<u8>,
    places: Option<Places>,
    cluster: Cluster,
    pictures: u32,
    has_sound: bool,
    end_ms: u64,
    whole_bytes: u64,
}

/// What is written at the end.
#[derive(Debug, Clone, Copy)]
struct Places {
    segment: u64,
    duration: u64,
}

#[derive(Debug, Default)]
struct Cluster {
    begin_ms: Option<u64>,
    blocks: Vec<u8>,
}

impl Cluster {
    /// How far a time is from the begin.
    fn distance(&self, ms: u64) -> u64 {
        self.begin_ms.map_or(0, |begin| begin.abs_diff(ms))
    }
}

impl<W: Write + Seek> MatroskaWriter<W> {
    /// Begins a file whose first picture is this keyframe. Returns the file if the keyframe lacks what the container needs.
    pub(crate) fn begin(file: W, codec: VideoCodec, size: (u32, u32), keyframe: &[u8]) -> Result<Self, W> {
        let private = match codec {
            VideoCodec::Vp8 | VideoCodec::Vp9 => Some(Vec::new()),
            VideoCodec::Av1 => av1_configuration(keyframe),
            VideoCodec::H264 => h264::configuration_record(keyframe),
        };
        let Some(private) = private else { return Err(file) };
        Ok(Self {
            file,
            codec,
            size,
            private,
            places: None,
            cluster: Cluster::default(),
            pictures: 0,
            has_sound: false,
            end_ms: 0,
            whole_bytes: 0,
        })
    }

    pub(crate) fn codec(&self) -> VideoCodec {
        self.codec
    }

    pub(crate) fn pictures(&self) -> u32 {
        self.pictures
    }

    /// Appends a picture.
    pub(crate) fn write_picture(&mut self, ms: u64, is_key: bool, data: &[u8]) -> io::Result<()> {
        // The header tells whether there is sound, so it waits for some.
        let is_decided = self.places.is_some() || self.has_sound;
        if is_key && is_decided && self.cluster.distance(ms) >= CLUSTER_MS {
            self.flush_cluster()?;
        }
        self.pictures = self.pictures.saturating_add(1);
        let lengths;
        let data = match self.codec {
            VideoCodec::H264 => {
                lengths = h264::with_lengths(data);
                &lengths[..]
            }
            // The container marks the begin of a unit by itself.
            VideoCodec::Av1 => data.strip_prefix(&TEMPORAL_DELIMITER).unwrap_or(data),
            VideoCodec::Vp8 | VideoCodec::Vp9 => data,
        };
        self.put_block(PICTURES, ms, if is_key { KEYFRAME } else { 0 }, data)
    }

    /// Appends an Opus packet. Sound before the first picture is left out, and sound that begins after the first cluster.
    pub(crate) fn write_sound(&mut self, ms: u64, data: &[u8]) -> io::Result<()> {
        let has_track = self.places.is_none() || self.has_sound;
        if self.pictures == 0 || !has_track {
            return Ok(());
        }
        self.has_sound = true;
        self.put_block(SOUND, ms, KEYFRAME, data)
    }

    /// Writes what waits, and the duration.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush_cluster()?;
        if let Some(places) = self.places {
            self.file.seek(SeekFrom::Start(places.segment))?;
            let segment_bytes = self.whole_bytes - places.segment - 8;
            self.file.write_all(&(KNOWN_SIZE | segment_bytes).to_be_bytes())?;
            self.file.seek(SeekFrom::Start(places.duration))?;
            self.file.write_all(&(self.end_ms as f64).to_be_bytes())?;
        }
        self.file.flush()
    }

    /// The file as it is, and how much of it is whole.
    pub(crate) fn into_file(self) -> (W, u64) {
        (self.file, self.whole_bytes)
    }

    fn put_block(&mut self, track: u8, ms: u64, flags: u8, data: &[u8]) -> io::Result<()> {
        if self.cluster.distance(ms) > MAX_CLUSTER_MS || self.cluster.blocks.len() > MAX_CLUSTER_BYTES {
            self.flush_cluster()?;
        }
        let begin = *self.cluster.begin_ms.get_or_insert(ms);
        // A track may be behind the other one. The two bytes have room for the distance.
        let relative = ms.wrapping_sub(begin) as i16;
        let mut block = vec![0x80 | track];
        block.extend(relative.to_be_bytes());
        block.push(flags);
        block.extend_from_slice(data);
        put(&mut self.cluster.blocks, SIMPLE_BLOCK, &block);
        self.end_ms = self.end_ms.max(ms + 20);
        Ok(())
    }

    fn flush_cluster(&mut self) -> io::Result<()> {
        let Cluster { begin_ms, blocks } = std::mem::take(&mut self.cluster);
        let Some(begin_ms) = begin_ms else { return Ok(()) };
        let mut bytes = Vec::with_capacity(blocks.len() + 64);
        if self.places.is_none() {
            self.places = Some(self.put_header(&mut bytes));
        }
        let mut cluster = Vec::with_capacity(blocks.len() + 16);
        put_number(&mut cluster, 0xe7, begin_ms);
        cluster.extend(blocks);
        put(&mut bytes, CLUSTER, &cluster);
        self.file.write_all(&bytes)?;
        self.file.flush()?;
        self.whole_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Everything before the first cluster, which tells whether there is sound.
    fn put_header(&self, bytes: &mut Vec<u8>) -> Places {
        let mut ebml = Vec::new();
        // Versions, lengths of identifiers and sizes.
        for (id, value) in [(0x4286, 1), (0x42f7, 1), (0x42f2, 4), (0x42f3, 8)] {
            put_number(&mut ebml, id, value);
        }
        let document: &[u8] = if self.codec == VideoCodec::H264 { b"matroska" } else { b"webm" };
        put(&mut ebml, 0x4282, document);
        put_number(&mut ebml, 0x4287, 4);
        put_number(&mut ebml, 0x4285, 2);
        put(bytes, EBML, &ebml);
        put_id(bytes, SEGMENT);
        let segment = bytes.len() as u64;
        bytes.extend(UNKNOWN_SIZE.to_be_bytes());

        let mut info = Vec::new();
        // A unit of time has a million nanoseconds.
        put_number(&mut info, 0x2a_d7b1, 1_000_000);
        put(&mut info, 0x4d80, APPLICATION);
        put(&mut info, 0x5741, APPLICATION);
        put(&mut info, DURATION, &0_f64.to_be_bytes());
        put(bytes, INFO, &info);
        let duration = bytes.len() as u64 - 8;

        let mut tracks = Vec::new();
        put(&mut tracks, TRACK, &self.picture_track());
        if self.has_sound {
            put(&mut tracks, TRACK, &sound_track());
        }
        put(bytes, TRACKS, &tracks);
        Places { segment, duration }
    }

    fn picture_track(&self) -> Vec<u8> {
        let name: &[u8] = match self.codec {
            VideoCodec::Vp8 => b"V_VP8",
            VideoCodec::Vp9 => b"V_VP9",
            VideoCodec::Av1 => b"V_AV1",
            VideoCodec::H264 => b"V_MPEG4/ISO/AVC",
        };
        let mut track = track_head(PICTURES, 1, name);
        if !self.private.is_empty() {
            put(&mut track, CODEC_PRIVATE, &self.private);
        }
        let mut video = Vec::new();
        put_number(&mut video, 0xb0, u64::from(self.size.0));
        put_number(&mut video, 0xba, u64::from(self.size.1));
        put(&mut track, 0xe0, &video);
        track
    }
}

fn sound_track() -> Vec<u8> {
    let mut track = track_head(SOUND, 2, b"A_OPUS");
    // RFC 7845, 5.1: version 1, two channels, nothing to skip, 48 kHz, no gain, one stream.
    put(&mut track, CODEC_PRIVATE, b"OpusHead\x01\x02\0\0\x80\xbb\0\0\0\0\0");
    // How much a decoder needs before a position, in nanoseconds.
    put_number(&mut track, 0x56bb, 80_000_000);
    let mut audio = Vec::new();
    put(&mut audio, 0xb5, &48_000_f64.to_be_bytes());
    put_number(&mut audio, 0x9f, 2);
    put(&mut track, 0xe1, &audio);
    track
}

fn track_head(number: u8, kind: u64, codec: &[u8]) -> Vec<u8> {
    let mut track = Vec::new();
    // Number, identifier, kind, no lacing.
    for (id, value) in [(0xd7, u64::from(number)), (0x73c5, u64::from(number)), (0x83, kind), (0x9c, 0)] {
        put_number(&mut track, id, value);
    }
    put(&mut track, 0x86, codec);
    track
}

/// The configuration of AV1 ("AV1 Codec ISO Media File Format Binding", 2.3): profile 0 with 8 bits and 4:2:0, which pages send.
fn av1_configuration(keyframe: &[u8]) -> Option<Vec<u8>> {
    const HAS_SIZE_SEQUENCE_HEADER: u8 = 0x0a;
    let header = bitstream::sequence_header(keyframe)?;
    let size = u8::try_from(header.len()).ok().filter(|size| *size < 0x80)?;
    // Of a header that is not reduced and has no timing: operating point, then five bits of the level.
    let level = if header.first()? & 0x0c == 0 { header.get(3)? >> 3 & 0x1f } else { 0 };
    Some([&[0x81, level, 0x0c, 0, HAS_SIZE_SEQUENCE_HEADER, size], header].concat())
}

fn put_id(bytes: &mut Vec<u8>, id: u32) {
    let id = id.to_be_bytes();
    let begin = id.iter().position(|byte| *byte != 0).unwrap_or(3);
    bytes.extend(&id[begin..]);
}

/// Appends an element with its size in eight bytes.
fn put(bytes: &mut Vec<u8>, id: u32, body: &[u8]) {
    put_id(bytes, id);
    bytes.extend((KNOWN_SIZE | body.len() as u64).to_be_bytes());
    bytes.extend_from_slice(body);
}

fn put_number(bytes: &mut Vec<u8>, id: u32, number: u64) {
    put(bytes, id, &number.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{
        super::{
            Frame, Track,
            file::VideoFile,
            testing::{AV1_KEY, DELTA, H264_DELTA, H264_KEY, KEY},
        },
        *,
    };

    const VP9_KEY: [u8; 10] = [0x82, 0x49, 0x83, 0x42, 0x20, 0x27, 0xf0, 0x16, 0x70, 0x00];
    const OPUS: [u8; 3] = [0xfc, 1, 2];

    fn writer(codec: VideoCodec, keyframe: &[u8]) -> MatroskaWriter<Cursor<Vec<u8>>> {
        MatroskaWriter::begin(Cursor::new(Vec::new()), codec, (640, 360), keyframe).ok().unwrap()
    }

    fn finished(mut file: MatroskaWriter<Cursor<Vec<u8>>>) -> Vec<u8> {
        file.finish().unwrap();
        file.into_file().0.into_inner()
    }

    fn frames_of(bytes: Vec<u8>) -> Vec<Frame> {
        let (mut file, _) = VideoFile::open(Cursor::new(bytes)).unwrap();
        std::iter::from_fn(|| file.next_frame().unwrap()).collect()
    }

    /// In milliseconds.
    fn times(frames: &[Frame], track: Track) -> impl Iterator<Item = u128> {
        frames.iter().filter(move |frame| frame.track == track).map(|frame| frame.time.as_millis())
    }

    #[test]
    fn pictures_of_each_codec_are_read_as_they_were_written() {
        for (codec, key, delta) in [
            (VideoCodec::Vp8, &KEY[..], &DELTA[..]),
            (VideoCodec::Vp9, &VP9_KEY, &[0x86, 0]),
            (VideoCodec::Av1, &AV1_KEY, &[0x12, 0, 0x32, 2, 0x30, 0]),
            (VideoCodec::H264, &H264_KEY, &H264_DELTA),
        ] {
            let mut file = writer(codec, key);
            for number in 0..100 {
                let is_key = number % 50 == 0;
                file.write_picture(40 * number, is_key, if is_key { key } else { delta }).unwrap();
            }
            let read = frames_of(finished(file));
            assert_eq!(read.len(), 100, "{codec:?}");
            for (number, frame) in read.iter().enumerate() {
                assert_eq!((frame.time.as_millis(), frame.is_key), (40 * number as u128, number % 50 == 0));
                let written = if frame.is_key { key } else { delta };
                let written = if codec == VideoCodec::Av1 { &written[2..] } else { written };
                assert_eq!(frame.data, written, "{codec:?}");
            }
        }
    }

    #[test]
    fn sound_is_a_track_beside_the_pictures_and_without_any_there_is_no_track() {
        for has_sound in [true, false] {
            let mut file = writer(VideoCodec::Vp8, &KEY);
            file.write_sound(0, &OPUS).unwrap();
            for number in 0..100 {
                file.write_picture(40 * number, number == 0, if number == 0 { &KEY } else { &DELTA })
                    .unwrap();
                if has_sound {
                    file.write_sound(40 * number + 10, &OPUS).unwrap();
                    file.write_sound(40 * number + 30, &OPUS).unwrap();
                }
            }
            let bytes = finished(file);
            let (opened, info) = VideoFile::open(Cursor::new(bytes.clone())).unwrap();
            assert_eq!(info.has_audio, has_sound);
            assert_eq!(opened.summarize().unwrap().duration.as_millis() / 100, 40);
            let sounds = frames_of(bytes).into_iter().filter(|frame| frame.track == Track::Audio);
            let times: Vec<_> = sounds.map(|frame| frame.time.as_millis()).collect();
            let expected: Vec<_> = (0..200).map(|number| 10 + 20 * number).collect();
            assert_eq!(times, if has_sound { expected } else { vec![] });
        }
    }

    #[test]
    fn a_file_is_whole_up_to_its_last_cluster() {
        let mut file = writer(VideoCodec::Vp8, &KEY);
        for number in 0..100 {
            let is_key = number % 30 == 0;
            file.write_picture(40 * number, is_key, if is_key { &KEY } else { &DELTA }).unwrap();
            file.write_sound(40 * number, &OPUS).unwrap();
        }
        let (bytes, whole_bytes) = file.into_file();
        let mut bytes = bytes.into_inner();
        bytes.truncate(usize::try_from(whole_bytes).unwrap());
        assert_eq!(frames_of(bytes).len(), 2 * 90);
    }

    #[test]
    fn sound_goes_on_in_time_and_to_the_disk_while_no_picture_comes() {
        let mut file = writer(VideoCodec::Vp8, &KEY);
        file.write_picture(0, true, &KEY).unwrap();
        for number in 0..6000 {
            file.write_sound(20 * number, &OPUS).unwrap();
        }
        assert!(file.cluster.blocks.len() < 300 * 20, "{} bytes wait", file.cluster.blocks.len());
        file.write_picture(120_000, false, &DELTA).unwrap();
        let read = frames_of(finished(file));
        assert!(times(&read, Track::Audio).eq((0..6000).map(|number| 20 * number)));
        assert!(times(&read, Track::Video).eq([0, 120_000]));
    }

    #[test]
    fn tracks_that_are_far_apart_keep_their_times() {
        let mut file = writer(VideoCodec::Vp8, &KEY);
        for number in 0..20 {
            file.write_picture(40 * number, number == 0, if number == 0 { &KEY } else { &DELTA }).unwrap();
            file.write_sound(3_600_000 + 20 * number, &OPUS).unwrap();
        }
        let read = frames_of(finished(file));
        assert!(times(&read, Track::Video).eq((0..20).map(|number| 40 * number)));
        assert!(times(&read, Track::Audio).eq((0..20).map(|number| 3_600_000 + 20 * number)));
    }
}
