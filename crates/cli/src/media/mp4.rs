//! MP4, with the boxes decoded by the crate `mp4-atom`. Frames come in the order of their times, wherever they are in the file.

use std::{
    io::{Read, Seek, SeekFrom},
    time::Duration,
};

use bytes::Bytes;
use mp4_atom::{Atom, Codec, Moof, Moov, Stbl, StszSamples, Trak};

use super::{
    Frame, MAX_FRAME_BYTES, Track, VideoCodec, file_info::FileInfo, file_problem::FileProblem,
    h264::Configuration, mp4_boxes::Boxes, mp4_fragments::Fragments, track_header::TrackHeader,
};

/// The type of the first box, after its size.
const FIRST_BOX: &[u8] = b"ftyp";
/// The longest index: four hours of pictures and sound have about 20 MiB.
const MAX_INDEX_BYTES: u64 = 64 << 20;
/// Frames of a track: a day of 60 a second.
pub(super) const MAX_SAMPLES: usize = 6_000_000;

/// Whether a file with this begin is an MP4 file.
pub(super) fn is_signature(begin: &[u8]) -> bool {
    begin.get(4..8) == Some(FIRST_BOX)
}

/// An open MP4 file.
pub(super) struct Mp4<R> {
    reader: R,
    /// Where the reader is.
    position: u64,
    /// In the order of their times.
    samples: std::vec::IntoIter<Sample>,
    pub(super) header: TrackHeader,
}

/// One frame in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) track: Track,
    pub(super) time: Duration,
    pub(super) offset: u64,
    pub(super) bytes: u32,
}

impl<R: Read + Seek> Mp4<R> {
    pub(super) fn open(mut reader: R) -> Result<(Self, FileInfo), FileProblem> {
        let mut boxes = Boxes::new(&mut reader)?;
        let index = read_index(&mut boxes)?;
        let first_of = |track: &Trak| track.mdia.minf.stbl.stsd.codecs.first().cloned();
        let handled_by = |kind: &[u8; 4]| {
            let handler = mp4_atom::FourCC::new(kind);
            index.trak.iter().filter(move |track| track.mdia.hdlr.handler == handler)
        };
        let video = handled_by(b"vide").next().ok_or(FileProblem::NoPictures)?;
        let h264 = |record| (VideoCodec::H264, TrackHeader::H264(Configuration::new(record)));
        let (codec, header) = match first_of(video) {
            Some(Codec::Vp08(_)) => (VideoCodec::Vp8, TrackHeader::Empty),
            Some(Codec::Vp09(_)) => (VideoCodec::Vp9, TrackHeader::Empty),
            Some(Codec::Av01(av01)) => (VideoCodec::Av1, TrackHeader::Av1(av01.av1c.config_obus)),
            Some(Codec::Avc1(avc1)) => h264(&avc1.avcc),
            Some(Codec::Avc3(avc3)) => h264(&avc3.avcc),
            other => return Err(FileProblem::UnknownCodec(name_of(other.as_ref()).to_owned())),
        };
        let audio = handled_by(b"soun").find(|track| matches!(first_of(track), Some(Codec::Opus(_))));
        let left_out = handled_by(b"soun").next().filter(|_| audio.is_none());
        let left_out = left_out.map(|track| name_of(first_of(track).as_ref()).to_owned());
        let (mut samples, decoded_until) = samples_of(video, Track::Video)?;
        let mut tracks = vec![(video, Track::Video, decoded_until)];
        if let Some(audio) = audio {
            let (sounds, decoded_until) = samples_of(audio, Track::Audio)?;
            samples.extend(sounds);
            tracks.push((audio, Track::Audio, decoded_until));
        }
        if index.mvex.is_some() {
            read_fragments(&mut boxes, Fragments::new(&index, &tracks), &mut samples)?;
        }
        let pictures = samples.iter().filter(|sample| sample.track == Track::Video);
        if codec == VideoCodec::H264 && !pictures.is_sorted_by_key(|sample| sample.time) {
            return Err(FileProblem::Reordered);
        }
        samples.sort_by_key(|sample| sample.time);
        let info = FileInfo { codec, has_audio: audio.is_some(), left_out };
        let position = reader.seek(SeekFrom::Start(0))?;
        Ok((Self { reader, position, samples: samples.into_iter(), header }, info))
    }

    /// The next frame; its kind is not known here.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, FileProblem> {
        let Some(Sample { track, time, offset, bytes }) = self.samples.next() else { return Ok(None) };
        let length = bytes as usize;
        if length > MAX_FRAME_BYTES {
            return Err(FileProblem::Damaged);
        }
        // An absolute position would empty the buffer of the reader for every frame.
        let step = i128::from(offset) - i128::from(self.position);
        self.reader.seek_relative(i64::try_from(step).map_err(|_| FileProblem::Truncated)?)?;
        let mut data = Vec::new();
        (&mut self.reader).take(u64::from(bytes)).read_to_end(&mut data)?;
        if data.len() < length {
            return Err(FileProblem::Truncated);
        }
        self.position = offset + u64::from(bytes);
        Ok(Some(Frame { track, time, is_key: false, data: Bytes::from(data) }))
    }
}

/// Finds the index among the boxes of the file, and reads it.
fn read_index(boxes: &mut Boxes<impl Read + Seek>) -> Result<Moov, FileProblem> {
    while let Some(found) = boxes.next()? {
        if &found.kind == b"moov" {
            let body = boxes.body(found, MAX_INDEX_BYTES)?;
            return Moov::decode_body(&mut body.as_slice()).map_err(|_| FileProblem::Damaged);
        }
    }
    // A recorder writes the index last, if it comes to that.
    Err(FileProblem::Truncated)
}

/// Reads the fragments behind the index.
fn read_fragments(
    boxes: &mut Boxes<impl Read + Seek>,
    mut fragments: Fragments,
    samples: &mut Vec<Sample>,
) -> Result<(), FileProblem> {
    while let Some(found) = boxes.next()? {
        if &found.kind == b"moof" {
            let body = boxes.body(found, MAX_INDEX_BYTES)?;
            let fragment = Moof::decode_body(&mut body.as_slice()).map_err(|_| FileProblem::Damaged)?;
            fragments.add(&fragment, found.at, samples)?;
        }
    }
    Ok(())
}

fn sample_count(table: &Stbl) -> usize {
    match &table.stsz.samples {
        StszSamples::Identical { count, .. } => *count as usize,
        StszSamples::Different { sizes } => sizes.len(),
    }
}

/// The frames of a track (ISO/IEC 14496-12, 8.6.1 and 8.7). Edit lists are not read: they cut off a beginning at most.
/// Returns the time at which the next frame would be decoded, too.
fn samples_of(track: &Trak, kind: Track) -> Result<(Vec<Sample>, u64), FileProblem> {
    let table = &track.mdia.minf.stbl;
    let count = sample_count(table);
    if count > MAX_SAMPLES {
        return Err(FileProblem::Damaged);
    }
    let timescale = u64::from(track.mdia.mdhd.timescale);
    if timescale == 0 {
        return Err(FileProblem::Damaged);
    }
    let bytes_of = |at: usize| match &table.stsz.samples {
        StszSamples::Identical { size, .. } => Some(*size),
        StszSamples::Different { sizes } => sizes.get(at).copied(),
    };
    let mut deltas = table.stts.entries.iter().flat_map(|run| repeated(run.sample_delta, run.sample_count));
    let shifts = table.ctts.iter().flat_map(|shifts| &shifts.entries);
    let mut shifts = shifts.flat_map(|run| repeated(run.sample_offset, run.sample_count));
    let mut chunks = ChunkRuns::new(table)?;
    let mut samples = Vec::new();
    let (mut decoded_at, mut place) = (0_u64, None);
    for at in 0..count {
        let (mut offset, mut left) = match place.take() {
            Some(place) => place,
            None => chunks.next().ok_or(FileProblem::Damaged)?,
        };
        let bytes = bytes_of(at).ok_or(FileProblem::Damaged)?;
        let shown_at = decoded_at.saturating_add_signed(shifts.next().unwrap_or(0));
        samples.push(Sample { track: kind, time: time_of(shown_at, timescale)?, offset, bytes });
        offset = offset.checked_add(u64::from(bytes)).ok_or(FileProblem::Damaged)?;
        left -= 1;
        place = (left > 0).then_some((offset, left));
        decoded_at = decoded_at.saturating_add(u64::from(deltas.next().unwrap_or(0)));
    }
    Ok((samples, decoded_at))
}

/// A time in the units of a track.
pub(super) fn time_of(units: u64, timescale: u64) -> Result<Duration, FileProblem> {
    let nanoseconds = (u128::from(units) * 1_000_000_000).checked_div(timescale.into());
    let nanoseconds = nanoseconds.and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    nanoseconds.map(Duration::from_nanos).ok_or(FileProblem::Damaged)
}

fn repeated<T: Copy>(value: T, count: u32) -> impl Iterator<Item = T> {
    std::iter::repeat_n(value, count as usize)
}

/// The chunks of a track, each with its place and the number of its samples, which is not 0.
struct ChunkRuns<'a> {
    table: &'a Stbl,
    /// The chunk that comes next, from 0.
    at: usize,
    /// The run that it is in.
    run: usize,
}

impl<'a> ChunkRuns<'a> {
    fn new(table: &'a Stbl) -> Result<Self, FileProblem> {
        let is_empty = table.stsc.entries.is_empty();
        if is_empty && sample_count(table) > 0 {
            Err(FileProblem::Damaged)
        } else {
            Ok(Self { table, at: 0, run: 0 })
        }
    }

    fn offset(&self, at: usize) -> Option<u64> {
        let short =
            self.table.stco.as_ref().and_then(|offsets| offsets.entries.get(at).copied().map(u64::from));
        short.or_else(|| self.table.co64.as_ref()?.entries.get(at).copied())
    }
}

impl Iterator for ChunkRuns<'_> {
    type Item = (u64, u32);

    fn next(&mut self) -> Option<(u64, u32)> {
        loop {
            let runs = &self.table.stsc.entries;
            // Chunks are numbered from 1.
            let begins_next =
                runs.get(self.run + 1).is_some_and(|next| next.first_chunk as usize <= self.at + 1);
            if begins_next {
                self.run += 1;
                continue;
            }
            let samples = runs.get(self.run)?.samples_per_chunk;
            let offset = self.offset(self.at)?;
            self.at += 1;
            if samples > 0 {
                return Some((offset, samples));
            }
        }
    }
}

fn name_of(codec: Option<&Codec>) -> &'static str {
    match codec {
        Some(Codec::Hev1(_) | Codec::Hvc1(_)) => "H.265",
        Some(Codec::Mp4a(_)) => "AAC",
        Some(Codec::Mp3(_)) => "MP3",
        Some(_) => "another codec",
        None => "no known codec",
    }
}

/// Small files for tests.
#[cfg(test)]
pub(super) mod testing {
    use mp4_atom::{
        Av01, Av1c, Ctts, CttsEntry, Encode, FourCC, Hdlr, Mdhd, Mdia, Minf, Stco, Stsc, StscEntry, Stsd,
        Stsz, Stts, SttsEntry, Vmhd,
    };

    use super::*;

    pub(in super::super) const SEQUENCE_HEADER: [u8; 3] = [0x0a, 1, 7];

    /// A file of AV1 with these frames, 25 a second, two in each chunk but the last.
    pub(super) fn mp4(frames: &[&[u8]], shift: i64) -> Vec<u8> {
        mp4_with(frames, shift, |_| {})
    }

    /// The same with a changed index.
    pub(in super::super) fn mp4_with(
        frames: &[&[u8]],
        shift: i64,
        change: impl FnOnce(&mut Moov),
    ) -> Vec<u8> {
        let mut file = b"\0\0\0\x10ftypisom\0\0\0\0".to_vec();
        let begin = file.len() + 8;
        let media: Vec<u8> = frames.concat();
        file.extend(u32::try_from(media.len() + 8).unwrap().to_be_bytes());
        file.extend(b"mdat");
        file.extend(&media);
        let mut offsets = Vec::new();
        let mut at = begin;
        for (number, frame) in frames.iter().enumerate() {
            if number % 2 == 0 {
                offsets.push(u32::try_from(at).unwrap());
            }
            at += frame.len();
        }
        let count = u32::try_from(frames.len()).unwrap();
        let run = |first_chunk, samples_per_chunk| StscEntry {
            first_chunk,
            samples_per_chunk,
            sample_description_index: 1,
        };
        let mut runs = vec![run(1, 2)];
        if count % 2 == 1 {
            runs.push(run(count.div_ceil(2), 1));
        }
        let av1c = Av1c { config_obus: SEQUENCE_HEADER.to_vec(), ..Av1c::default() };
        let sizes = frames.iter().map(|frame| u32::try_from(frame.len()).unwrap()).collect();
        let stbl = Stbl {
            stsd: Stsd { codecs: vec![Av01 { av1c, ..Av01::default() }.into()] },
            stts: Stts { entries: vec![SttsEntry { sample_count: count, sample_delta: 40 }] },
            ctts: (shift != 0)
                .then(|| Ctts { entries: vec![CttsEntry { sample_count: count, sample_offset: shift }] }),
            stsc: Stsc { entries: runs },
            stsz: Stsz { samples: StszSamples::Different { sizes } },
            stco: Some(Stco { entries: offsets }),
            ..Stbl::default()
        };
        let minf = Minf { vmhd: Some(Vmhd::default()), stbl, ..Minf::default() };
        let hdlr = Hdlr { handler: FourCC::new(b"vide"), name: String::new() };
        let mdhd = Mdhd { timescale: 1000, ..Mdhd::default() };
        let track = Trak { mdia: Mdia { mdhd, hdlr, minf }, ..Trak::default() };
        let mut moov = Moov { trak: vec![track], ..Moov::default() };
        change(&mut moov);
        let mut index = Vec::new();
        moov.encode(&mut index).unwrap();
        file.extend(index);
        file
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use mp4_atom::{Avc1, Avcc, Ctts, CttsEntry};

    use super::{
        super::{file::VideoFile, h264::ProfileLevel, testing::AV1_KEY},
        testing::{SEQUENCE_HEADER, mp4, mp4_with},
        *,
    };

    /// A frame without the sequence header, which is in the index.
    const FRAME: [u8; 3] = [0x32, 1, 0x10];

    fn open(file: Vec<u8>) -> Result<Vec<(Duration, bool, Bytes)>, FileProblem> {
        let (mut file, _) = VideoFile::open(Cursor::new(file))?;
        let mut frames = Vec::new();
        while let Some(frame) = file.next_frame()? {
            frames.push((frame.time, frame.is_key, frame.data));
        }
        Ok(frames)
    }

    #[test]
    fn frames_come_with_their_times_and_the_sequence_header_of_the_index() {
        let frames = open(mp4(&[&FRAME, &AV1_KEY, &FRAME, &FRAME, &AV1_KEY], 80)).unwrap();
        let times: Vec<_> = frames.iter().map(|(time, ..)| time.as_millis()).collect();
        assert_eq!(times, [0, 40, 80, 120, 160], "the first one is at 0");
        assert!(frames.iter().all(|(_, is_key, _)| *is_key));
        assert_eq!(frames[0].2, [&SEQUENCE_HEADER[..], &FRAME].concat());
        assert_eq!(frames[1].2, &AV1_KEY[..], "a frame that has one keeps its own");
    }

    fn h264(frames: &[&[u8]], shifts: &[i64]) -> Vec<u8> {
        let avcc = Avcc::new(&[0x67, 0x42, 0xc0, 0x1e, 0xd9], &[0x68, 0xce, 0x3c, 0x80]).unwrap();
        h264_with(avcc, frames, shifts)
    }

    fn h264_with(avcc: Avcc, frames: &[&[u8]], shifts: &[i64]) -> Vec<u8> {
        let shift = |sample_offset: &i64| CttsEntry { sample_count: 1, sample_offset: *sample_offset };
        mp4_with(frames, 0, |moov| {
            let table = &mut moov.trak[0].mdia.minf.stbl;
            table.stsd.codecs = vec![Avc1 { avcc, ..Avc1::default() }.into()];
            table.ctts = Some(Ctts { entries: shifts.iter().map(shift).collect() });
        })
    }

    #[test]
    fn h264_gets_start_codes_and_the_parameter_sets_of_the_index() {
        let frames: [&[u8]; 3] =
            [&[0, 0, 0, 2, 0x65, 0x88], &[0, 0, 0, 2, 0x41, 0x9a], &[0, 0, 0, 2, 0x65, 0x89]];
        let read = open(h264(&frames, &[80, 80, 80])).unwrap();
        let keys: Vec<_> = read.iter().map(|(time, is_key, _)| (time.as_millis(), *is_key)).collect();
        assert_eq!(keys, [(0, true), (40, false), (80, true)]);
        let sets =
            [&[0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9][..], &[0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]].concat();
        assert_eq!(read[0].2, [&sets[..], &[0, 0, 0, 1, 0x65, 0x88]].concat());
        assert_eq!(read[1].2, &[0, 0, 0, 1, 0x41, 0x9a][..]);
        let file = VideoFile::open(Cursor::new(h264(&frames, &[0, 0, 0]))).unwrap().0;
        assert_eq!(file.summarize().unwrap().h264, ProfileLevel::from_hex("42e01e"));
    }

    #[test]
    fn h264_with_b_frames_or_a_cut_unit_has_its_code() {
        let frames: [&[u8]; 3] =
            [&[0, 0, 0, 2, 0x65, 0x88], &[0, 0, 0, 2, 0x41, 0x9a], &[0, 0, 0, 2, 0x01, 0x9b]];
        // The third picture is shown before the second one.
        assert_eq!(open(h264(&frames, &[40, 80, 0])).unwrap_err().code(), "frames-reordered");
        assert_eq!(open(h264(&[&[0, 0, 0, 9, 0x65, 0x88]], &[0])).unwrap_err().code(), "file-damaged");
    }

    #[test]
    fn parameter_sets_that_are_longer_than_a_frame_can_be_are_not_put_before_each_keyframe() {
        let file = |sets: usize| {
            let mut avcc = Avcc::new(&[0x67, 0x42, 0xc0, 0x1e, 0xd9], &[0x68, 0xce, 0x3c, 0x80]).unwrap();
            avcc.sequence_parameter_sets.resize(31, vec![0x67; 65_535]);
            avcc.picture_parameter_sets.resize(sets, vec![0x68; 65_535]);
            h264_with(avcc, &[&[0, 0, 0, 2, 0x65, 0x88]], &[0])
        };
        assert!(open(file(200)).is_ok());
        assert_eq!(open(file(255)).unwrap_err().code(), "file-damaged");
    }

    #[test]
    fn a_cut_file_and_a_codec_that_is_not_sent_have_their_codes() {
        let whole = mp4(&[&FRAME, &FRAME], 0);
        let code = |file: Vec<u8>| open(file).expect_err("a file that cannot be provided").code();
        assert_eq!(code(whole[..whole.len() - 1].to_vec()), "file-truncated");
        assert_eq!(code(whole[..30].to_vec()), "file-truncated");
        let other: Vec<u8> = super::super::testing::replaced(&whole, b"av01", b"xx01");
        assert_eq!(code(other), "codec-unknown");
    }

    #[test]
    fn neither_more_frames_nor_longer_boxes_than_a_file_can_have_are_read() {
        // All frames are in one chunk, so the number of frames alone is wrong.
        let many = |count| {
            mp4_with(&[&FRAME, &FRAME], 0, move |moov| {
                let table = &mut moov.trak[0].mdia.minf.stbl;
                table.stsz.samples = StszSamples::Identical { count, size: 1 };
                table.stsc.entries[0].samples_per_chunk = u32::MAX;
            })
        };
        for count in [MAX_SAMPLES as u32 + 1, u32::MAX] {
            assert_eq!(open(many(count)).unwrap_err().code(), "file-damaged");
        }
        let mut long = mp4(&[&FRAME], 0)[..16].to_vec();
        long.extend(b"\0\0\0\x01moov");
        for size in [u64::MAX, u64::MAX - 16, 1 << 40] {
            let mut file = long.clone();
            file.extend(size.to_be_bytes());
            assert_eq!(open(file).unwrap_err().code(), "file-truncated");
        }
        let mut file = long;
        file.extend(8_u64.to_be_bytes());
        assert_eq!(open(file).unwrap_err().code(), "file-damaged", "a box within its own header");
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_the_reader_panic() {
        let av1 = mp4(&[&FRAME, &AV1_KEY, &FRAME], 40);
        let h264 = h264(&[&[0, 0, 0, 2, 0x65, 0x88], &[0, 0, 0, 2, 0x41, 0x9a]], &[0, 0]);
        for whole in [av1, h264] {
            for at in 0..whole.len() {
                let _ = open(whole[..at].to_vec());
                for value in [0, 1, 0x7f, 0xff] {
                    let mut changed = whole.clone();
                    changed[at] = value;
                    let _ = open(changed);
                }
            }
        }
    }
}
