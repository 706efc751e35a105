//! Ogg with VP8 and Opus, with the pages decoded by the crate `ogg`.
//!
//! A page has packets of one track, of up to a second or more, so the frames of both tracks are put in the order of their times here.

use std::{
    collections::{HashMap, VecDeque},
    io::Read,
    time::Duration,
};

use bytes::Bytes;
use ogg::{
    OggReadError, Packet,
    reading::{BasePacketReader, OggPage, PageParser},
};

use super::{
    Frame, MAX_FRAME_BYTES, Track, VideoCodec, file_info::FileInfo, file_problem::FileProblem, mp4::time_of,
    packetizer::opus_samples,
};

pub(super) const SIGNATURE: &[u8] = b"OggS";
const PAGE_HEADER_BYTES: usize = 27;
/// A page's last segment of this length goes on in the next page.
const WHOLE_SEGMENT: u8 = 255;
/// Tracks of a file.
const MAX_STREAMS: usize = 64;
/// Frames of one track that wait for the other track, which may have none for long.
const MAX_WAITING_BYTES: usize = 2 * MAX_FRAME_BYTES;
const MAX_WAITING_FRAMES: usize = 10_000;
/// The position of a page in which no packet ends.
const NO_POSITION: u64 = u64::MAX;
/// How headers begin. The second packet of a track has comments.
const VP8_HEADER: &[u8] = b"OVP80\x01";
const VP8_COMMENTS: &[u8] = b"OVP80\x02";
const OPUS_HEADER: &[u8] = b"OpusHead";
const OPUS_COMMENTS: &[u8] = b"OpusTags";
/// The clock of Opus in Ogg (RFC 7845, 4).
const OPUS_HZ: u64 = 48_000;

/// An open Ogg file.
pub(super) struct Ogg<R> {
    pages: Pages<R>,
    video: VideoStream,
    audio: Option<AudioStream>,
    /// Frames of pictures and of sound that wait for their turn.
    waiting: [VecDeque<Frame>; 2],
    waiting_bytes: usize,
    is_at_end: bool,
}

struct VideoStream {
    serial: u32,
    /// Seconds of a picture: numerator and denominator.
    unit: (u32, u32),
    /// Number of pictures so far that are shown.
    shown: u64,
    has_ended: bool,
}

struct AudioStream {
    serial: u32,
    /// Samples at the begin that are not played.
    pre_skip: u64,
    samples: u64,
    has_ended: bool,
}

impl<R: Read> Ogg<R> {
    pub(super) fn open(reader: R) -> Result<(Self, FileInfo), FileProblem> {
        let mut pages =
            Pages { reader, packets: BasePacketReader::new(), unfinished: HashMap::new(), is_begin: true };
        let (mut video, mut audio, mut left_out, mut other) = (None, None, None, None);
        let mut streams = 0;
        // The first page of each track comes before all others, with its header.
        let first = loop {
            let Some(page) = pages.next()? else { break None };
            if !page.is_first {
                break Some(page);
            }
            streams += 1;
            let serial = page.serial;
            let header = pages.take(page)?.pop().ok_or(FileProblem::Damaged)?.data;
            match codec_of(&header) {
                _ if streams > MAX_STREAMS => return Err(FileProblem::Damaged),
                Codec::Vp8 if video.is_none() => video = Some(VideoStream::new(serial, &header)?),
                Codec::Opus if audio.is_none() => audio = Some(AudioStream::new(serial, &header)?),
                Codec::OtherPictures(name) => other = other.or(Some(name)),
                Codec::OtherSound(name) => left_out = left_out.or(Some(name)),
                Codec::Vp8 | Codec::Opus | Codec::Unknown => {}
            }
        };
        let video = match (video, other) {
            (Some(video), _) => video,
            (None, Some(name)) => return Err(FileProblem::UnknownCodec(name.to_owned())),
            (None, None) => return Err(FileProblem::NoPictures),
        };
        let left_out = left_out.filter(|_| audio.is_none()).map(str::to_owned);
        let info = FileInfo { codec: VideoCodec::Vp8, has_audio: audio.is_some(), left_out };
        let waiting = [VecDeque::new(), VecDeque::new()];
        let mut file = Self { pages, video, audio, waiting, waiting_bytes: 0, is_at_end: first.is_none() };
        if let Some(page) = first {
            file.take(page)?;
        }
        Ok((file, info))
    }

    /// The next frame; its kind is not known here.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, FileProblem> {
        while !self.knows_next() {
            match self.pages.next()? {
                Some(page) => self.take(page)?,
                None => self.is_at_end = true,
            }
        }
        let [video, audio] = &self.waiting;
        let time_of = |frames: &VecDeque<Frame>| frames.front().map_or(Duration::MAX, |frame| frame.time);
        let next = if time_of(video) <= time_of(audio) { Track::Video } else { Track::Audio };
        let frame = self.waiting[next as usize].pop_front();
        if let Some(frame) = &frame {
            self.waiting_bytes -= frame.data.len();
        } else if !self.video.has_ended {
            return Err(FileProblem::Truncated);
        }
        Ok(frame)
    }

    /// Whether no earlier frame can come than those that wait.
    fn knows_next(&self) -> bool {
        let [video, audio] = &self.waiting;
        let is_audio_over = self.audio.as_ref().is_none_or(|audio| audio.has_ended);
        let has_both = (!video.is_empty() || self.video.has_ended) && (!audio.is_empty() || is_audio_over);
        let is_full = self.waiting_bytes >= MAX_WAITING_BYTES
            || self.waiting.iter().any(|frames| frames.len() >= MAX_WAITING_FRAMES);
        self.is_at_end || is_full || (has_both && !(video.is_empty() && audio.is_empty()))
    }

    /// Takes the frames of a page.
    fn take(&mut self, page: Page) -> Result<(), FileProblem> {
        let is_of_audio = self.audio.as_ref().is_some_and(|audio| audio.serial == page.serial);
        if page.serial != self.video.serial && !is_of_audio {
            return Ok(());
        }
        let (position, is_last) = (page.position, page.is_last);
        let packets = self.pages.take(page)?;
        let packets = packets.into_iter().map(|packet| packet.data);
        let frames = match &mut self.audio {
            Some(audio) if is_of_audio => audio.take(packets, position, is_last)?,
            _ => self.video.take(packets, position, is_last)?,
        };
        for frame in frames {
            self.waiting_bytes += frame.data.len();
            self.waiting[frame.track as usize].push_back(frame);
        }
        Ok(())
    }
}

impl VideoStream {
    /// From the header: its version, width, height and aspect ratio, then the pictures a second.
    fn new(serial: u32, header: &[u8]) -> Result<Self, FileProblem> {
        let number = |at: usize| {
            let bytes = header.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(bytes)).filter(|number| *number > 0)
        };
        let rate = number(18).zip(number(22)).ok_or(FileProblem::Damaged)?;
        Ok(Self { serial, unit: (rate.1, rate.0), shown: 0, has_ended: false })
    }

    fn take(
        &mut self,
        packets: impl Iterator<Item = Vec<u8>>,
        position: u64,
        is_last: bool,
    ) -> Result<Vec<Frame>, FileProblem> {
        // RFC 6386, 9.1: a frame that is not shown has no time of its own.
        let is_shown = |data: &Vec<u8>| data.first().is_some_and(|first| first & 0x10 != 0);
        let packets = packets.filter(|data| !data.starts_with(VP8_COMMENTS));
        let packets: Vec<_> = packets.map(|data| (u64::from(is_shown(&data)), data)).collect();
        let count: u64 = packets.iter().map(|(shown, _)| shown).sum();
        if position != NO_POSITION
            && let Some((last, _)) = packets.last()
        {
            // The number of pictures until the end of the page. A frame that is not shown counts as the next one that is.
            let end = (position >> 32).saturating_sub(1 - last);
            self.shown = self.shown.max(end.saturating_sub(count));
        }
        self.has_ended |= is_last;
        let (numerator, denominator) = self.unit;
        frames_of(Track::Video, packets, &mut self.shown, |shown| {
            let units = shown.checked_mul(numerator.into()).ok_or(FileProblem::Damaged)?;
            time_of(units, denominator.into())
        })
    }
}

impl AudioStream {
    /// From the header (RFC 7845, 5.1).
    fn new(serial: u32, header: &[u8]) -> Result<Self, FileProblem> {
        let pre_skip = header.get(10..12).and_then(|bytes| bytes.try_into().ok());
        let pre_skip = u16::from_le_bytes(pre_skip.ok_or(FileProblem::Damaged)?);
        Ok(Self { serial, pre_skip: pre_skip.into(), samples: 0, has_ended: false })
    }

    fn take(
        &mut self,
        packets: impl Iterator<Item = Vec<u8>>,
        position: u64,
        is_last: bool,
    ) -> Result<Vec<Frame>, FileProblem> {
        let sounds = packets.filter(|data| !data.starts_with(OPUS_COMMENTS));
        let sounds = sounds.map(|data| opus_samples(&data).map(|samples| (u64::from(samples), data)));
        let sounds: Vec<_> = sounds.collect::<Option<_>>().ok_or(FileProblem::Damaged)?;
        let count: u64 = sounds.iter().map(|(samples, _)| samples).sum();
        if position != NO_POSITION {
            // The last page may say that its end is not played.
            self.samples = self.samples.max(position.saturating_sub(count));
        }
        self.has_ended |= is_last;
        let pre_skip = self.pre_skip;
        let time_at = |samples: u64| time_of(samples.saturating_sub(pre_skip), OPUS_HZ);
        frames_of(Track::Audio, sounds, &mut self.samples, time_at)
    }
}

/// The frames of packets that follow each other, each with its length. `at` is where the first one begins, and then where the last one ends.
fn frames_of(
    track: Track,
    packets: Vec<(u64, Vec<u8>)>,
    at: &mut u64,
    time_at: impl Fn(u64) -> Result<Duration, FileProblem>,
) -> Result<Vec<Frame>, FileProblem> {
    let frames = packets.into_iter().map(|(length, data)| {
        let time = time_at(*at)?;
        *at = at.saturating_add(length);
        Ok(Frame { track, time, is_key: false, data: Bytes::from(data) })
    });
    frames.collect()
}

/// The codec of a track.
enum Codec {
    Vp8,
    Opus,
    OtherPictures(&'static str),
    OtherSound(&'static str),
    Unknown,
}

fn codec_of(header: &[u8]) -> Codec {
    let begins = |begin: &[u8]| header.starts_with(begin);
    match () {
        () if begins(VP8_HEADER) => Codec::Vp8,
        () if begins(OPUS_HEADER) => Codec::Opus,
        () if begins(b"\x80theora") => Codec::OtherPictures("Theora"),
        () if begins(b"BBCD\0") => Codec::OtherPictures("Dirac"),
        () if begins(b"\x01vorbis") => Codec::OtherSound("Vorbis"),
        () if begins(b"\x7fFLAC") => Codec::OtherSound("FLAC"),
        () if begins(b"Speex   ") => Codec::OtherSound("Speex"),
        () => Codec::Unknown,
    }
}

/// A page whose packets were not taken yet.
struct Page {
    serial: u32,
    is_first: bool,
    is_last: bool,
    position: u64,
    /// Whether a packet ends, and whether the last one goes on in the next page.
    has_end: bool,
    goes_on: bool,
    bytes: usize,
    page: OggPage,
}

struct Pages<R> {
    reader: R,
    packets: BasePacketReader,
    /// Bytes of the pages of a packet that goes on in the next page of a track.
    unfinished: HashMap<u32, usize>,
    is_begin: bool,
}

impl<R: Read> Pages<R> {
    fn next(&mut self) -> Result<Option<Page>, FileProblem> {
        let mut header = Vec::with_capacity(PAGE_HEADER_BYTES);
        (&mut self.reader).take(PAGE_HEADER_BYTES as u64).read_to_end(&mut header)?;
        if header.is_empty() && !self.is_begin {
            return Ok(None);
        }
        self.is_begin = false;
        let header: [u8; PAGE_HEADER_BYTES] = header.try_into().map_err(|_| FileProblem::Truncated)?;
        if !header.starts_with(SIGNATURE) {
            return Err(FileProblem::Damaged);
        }
        let [.., p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3] = header[..18] else {
            return Err(FileProblem::Damaged);
        };
        let (mut parser, count) = PageParser::new(header).map_err(problem_of)?;
        let mut segments = vec![0; count];
        self.reader.read_exact(&mut segments)?;
        // A page without segments ends no packet.
        let goes_on = segments.last().map_or(header[5] & 1 != 0, |last| *last == WHOLE_SEGMENT);
        let has_end = segments.iter().any(|segment| *segment < WHOLE_SEGMENT);
        let bytes = parser.parse_segments(segments);
        let mut body = vec![0; bytes];
        self.reader.read_exact(&mut body)?;
        let page = parser.parse_packet_data(body).map_err(problem_of)?;
        Ok(Some(Page {
            serial: u32::from_le_bytes([s0, s1, s2, s3]),
            is_first: header[5] & 2 != 0,
            is_last: header[5] & 4 != 0,
            position: u64::from_le_bytes([p0, p1, p2, p3, p4, p5, p6, p7]),
            has_end,
            goes_on,
            bytes,
            page,
        }))
    }

    /// The packets that end in a page.
    fn take(&mut self, page: Page) -> Result<Vec<Packet>, FileProblem> {
        let unfinished = self.unfinished.entry(page.serial).or_default();
        let begun = if page.has_end { 0 } else { *unfinished };
        // Pages without bytes cost memory, too.
        *unfinished = if page.goes_on { begun + PAGE_HEADER_BYTES + page.bytes } else { 0 };
        if *unfinished > MAX_FRAME_BYTES {
            return Err(FileProblem::Damaged);
        }
        self.packets.push_page(page.page).map_err(problem_of)?;
        let packets: Vec<_> = std::iter::from_fn(|| self.packets.read_packet()).collect();
        if packets.iter().any(|packet| packet.data.len() > MAX_FRAME_BYTES) {
            return Err(FileProblem::Damaged);
        }
        Ok(packets)
    }
}

fn problem_of(error: OggReadError) -> FileProblem {
    match error {
        OggReadError::ReadError(error) => error.into(),
        _ => FileProblem::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ogg::{PacketWriteEndInfo, PacketWriter};

    use super::{
        super::{
            file::{Summary, VideoFile},
            testing::{DELTA, KEY},
        },
        *,
    };

    const OPUS_20_MS: [u8; 3] = [0xfc, 0xff, 0xfe];

    /// The header of a track of 25 pictures a second.
    fn vp8_header() -> Vec<u8> {
        let mut header = VP8_HEADER.to_vec();
        header.extend([1, 0, 0, 16, 0, 16, 0, 0, 1, 0, 0, 1]);
        header.extend(25_u32.to_be_bytes());
        header.extend(1_u32.to_be_bytes());
        header
    }

    fn opus_header(pre_skip: u16) -> Vec<u8> {
        let mut header = OPUS_HEADER.to_vec();
        header.extend([1, 1]);
        header.extend(pre_skip.to_le_bytes());
        header.extend([0x80, 0xbb, 0, 0, 0, 0, 0]);
        header
    }

    /// Each packet with its track, its position and whether its page or its track ends with it.
    fn file(packets: &[(u32, u64, PacketWriteEndInfo, &[u8])]) -> Vec<u8> {
        let mut writer = PacketWriter::new(Cursor::new(Vec::new()));
        for (serial, position, end, data) in packets {
            writer.write_packet(data.to_vec(), *serial, *end, *position).unwrap();
        }
        writer.into_inner().into_inner()
    }

    use PacketWriteEndInfo::{EndPage, EndStream, NormalPacket};

    /// A page in the middle of a packet of track 1.
    fn page_within_packet(segments: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0\x01".to_vec();
        page.extend(NO_POSITION.to_le_bytes());
        page.extend(1_u32.to_le_bytes());
        page.extend([0; 8]);
        page.push(u8::try_from(segments.len()).unwrap());
        page.extend(segments);
        page.resize(page.len() + segments.iter().map(|bytes| usize::from(*bytes)).sum::<usize>(), 7);
        let shift = |sum: u32, _| (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        let checksum = page.iter().fold(0, |sum, byte| (0..8).fold(sum ^ (u32::from(*byte) << 24), shift));
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        page
    }

    fn open(bytes: &[u8]) -> Result<Vec<(Track, u64)>, FileProblem> {
        let (mut file, _) = VideoFile::open(Cursor::new(bytes.to_vec()))?;
        let mut frames = Vec::new();
        while let Some(frame) = file.next_frame()? {
            frames.push((frame.track, u64::try_from(frame.time.as_millis()).unwrap()));
        }
        Ok(frames)
    }

    fn code_of(bytes: &[u8]) -> &'static str {
        open(bytes).expect_err("a file that cannot be provided").code()
    }

    fn pictures_and_sound() -> Vec<u8> {
        let (video, audio) = (vp8_header(), opus_header(0));
        file(&[
            (1, 0, EndPage, &video),
            (2, 0, EndPage, &audio),
            (1, 0, EndPage, b"OVP80\x02 comments"),
            (2, 0, EndPage, b"OpusTags"),
            // 80 ms of sound in one page, before the pictures of that time.
            (2, 960, NormalPacket, &OPUS_20_MS),
            (2, 1920, NormalPacket, &OPUS_20_MS),
            (2, 2880, NormalPacket, &OPUS_20_MS),
            (2, 3840, EndStream, &OPUS_20_MS),
            (1, 1 << 32, EndPage, &KEY),
            (1, 2 << 32, EndStream, &DELTA),
        ])
    }

    #[test]
    fn pictures_and_sound_come_in_the_order_of_their_times() {
        let (video, audio) = (Track::Video, Track::Audio);
        let expected = [(video, 0), (audio, 0), (audio, 20), (video, 40), (audio, 40), (audio, 60)];
        assert_eq!(open(&pictures_and_sound()).unwrap(), expected);
    }

    #[test]
    fn the_position_of_a_page_says_when_pictures_were_missing() {
        let header = vp8_header();
        let frames = open(&file(&[
            (1, 0, EndPage, &header),
            (1, 1 << 32, EndPage, &KEY),
            // A frame that is not shown, then ten pictures later two that are.
            (1, 2 << 32, EndPage, &[DELTA[0] & !0x10, 0, 0, 0]),
            (1, NO_POSITION, NormalPacket, &DELTA),
            (1, 13 << 32, EndStream, &DELTA),
        ]));
        let times: Vec<_> = frames.unwrap().into_iter().map(|(_, time)| time).collect();
        assert_eq!(times, [0, 40, 440, 480]);
    }

    #[test]
    fn sound_begins_after_its_pre_skip() {
        let (video, audio) = (vp8_header(), opus_header(960));
        let frames = open(&file(&[
            (1, 0, EndPage, &video),
            (2, 0, EndPage, &audio),
            (1, 1 << 32, EndStream, &KEY),
            (2, 2880, NormalPacket, &OPUS_20_MS),
            (2, 2880, NormalPacket, &OPUS_20_MS),
            (2, 2880, EndStream, &OPUS_20_MS),
        ]));
        let sounds: Vec<_> =
            frames.unwrap().into_iter().filter(|(track, _)| *track == Track::Audio).collect();
        assert_eq!(sounds, [(Track::Audio, 0), (Track::Audio, 0), (Track::Audio, 20)]);
    }

    #[test]
    fn a_packet_of_many_pages_is_one_frame_and_an_endless_one_is_given_up() {
        let header = vp8_header();
        let mut key = KEY.to_vec();
        key.resize(200_000, 7);
        let whole = file(&[(1, 0, EndPage, &header), (1, 1 << 32, EndStream, &key)]);
        let summary: Summary = VideoFile::open(Cursor::new(whole.clone())).unwrap().0.summarize().unwrap();
        assert_eq!((summary.frames, summary.bytes), (1, 200_000));
        key.resize(MAX_FRAME_BYTES + 1, 7);
        assert_eq!(
            code_of(&file(&[(1, 0, EndPage, &header), (1, 1 << 32, EndStream, &key)])),
            "file-damaged"
        );
        assert_eq!(code_of(&whole[..100_000]), "file-truncated");
    }

    #[test]
    fn pages_without_bytes_do_not_hide_an_endless_packet() {
        let header = vp8_header();
        let begun = file(&[(1, 0, EndPage, &header), (1, 1 << 32, EndStream, &[7; 70_000])]);
        // Up to the second page of the packet.
        let begun = &begun[..begun.windows(4).rposition(|window| window == SIGNATURE).unwrap()];
        let (empty, full) = (page_within_packet(&[]), page_within_packet(&[WHOLE_SEGMENT; 255]));
        for pages in [[full, empty.clone()].concat(), empty] {
            let endless = [begun, &pages.repeat(2 * MAX_FRAME_BYTES / pages.len())].concat();
            assert_eq!(code_of(&endless), "file-damaged");
            assert_eq!(code_of(&endless[..begun.len() + 10 * pages.len()]), "file-truncated");
        }
    }

    #[test]
    fn each_codec_that_is_not_sent_has_its_sentence() {
        let theora = file(&[(1, 0, EndStream, b"\x80theora\x03\x02\x01")]);
        let problem = open(&theora).unwrap_err();
        assert_eq!(
            (problem.code(), problem.to_string().as_str()),
            (
                "codec-unknown",
                "its pictures are in Theora, and only VP8, VP9, AV1 and H.264 are sent without encoding"
            )
        );
        assert_eq!(code_of(&file(&[(1, 0, EndStream, &opus_header(0))])), "no-pictures");
        let (video, vorbis) = (vp8_header(), b"\x01vorbis");
        let with_vorbis =
            file(&[(1, 0, EndPage, &video), (2, 0, EndStream, vorbis), (1, 1 << 32, EndStream, &KEY)]);
        let info = VideoFile::open(Cursor::new(with_vorbis)).unwrap().1;
        assert_eq!((info.has_audio, info.left_out.as_deref()), (false, Some("Vorbis")));
    }

    #[test]
    fn a_cut_file_and_a_damaged_one_have_their_codes() {
        let whole = pictures_and_sound();
        for length in [10, 26, 40, whole.len() - 1] {
            assert_eq!(code_of(&whole[..length]), "file-truncated", "{length}");
        }
        // At the begin of a page, too: the last page of the pictures is missing.
        let last = whole.windows(4).rposition(|window| window == SIGNATURE).unwrap();
        assert_eq!(code_of(&whole[..last]), "file-truncated");
        let mut damaged = whole.clone();
        damaged[whole.len() - 1] ^= 1;
        assert_eq!(code_of(&damaged), "file-damaged", "the checksum of the page");
        let mut without_rate = vp8_header();
        without_rate[18..22].fill(0);
        assert_eq!(code_of(&file(&[(1, 0, EndStream, &without_rate)])), "file-damaged");
        let header = vp8_header();
        let mut many = Vec::new();
        for serial in 0..=64 {
            many.push((serial, 0, EndStream, &header[..]));
        }
        assert_eq!(code_of(&file(&many)), "file-damaged", "a file of endless tracks");
    }

    #[test]
    fn no_changed_packet_makes_the_reader_panic() {
        let (video, audio) = (vp8_header(), opus_header(312));
        let packets: [&[u8]; 4] = [&video, &audio, &KEY, &OPUS_20_MS];
        for at in 0..packets.len() {
            for place in 0..packets[at].len() {
                for value in [0, 1, 0x7f, 0xff] {
                    let mut changed = packets.map(<[u8]>::to_vec);
                    changed[at][place] = value;
                    for position in [0, 1 << 32, u64::MAX - 1, NO_POSITION] {
                        let _ = open(&file(&[
                            (1, 0, EndPage, &changed[0]),
                            (2, 0, EndPage, &changed[1]),
                            (1, position, EndPage, &changed[2]),
                            (2, position, EndStream, &changed[3]),
                            (1, position, EndStream, &DELTA),
                        ]));
                    }
                }
            }
        }
    }
}
