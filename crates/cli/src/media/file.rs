//! A video file of any known container: what it contains, and its frames in order.

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use super::{
    Frame, MAX_FRAME_BYTES, Track, VideoCodec,
    bitstream::{FrameKind, has_other_profile, kind_of},
    file_info::FileInfo,
    file_problem::FileProblem,
    h264::{ProfileLevel, profile_level},
    ivf::{self, Ivf},
    matroska::{self, Matroska},
    mp4::{self, Mp4},
    ogg::{self, Ogg},
    track_header::TrackHeader,
};

const READ_AHEAD_BYTES: usize = 256 << 10;
/// Length of a frame whose successor is unknown.
const LAST_FRAME: Duration = Duration::from_millis(40);

/// What reading a whole file showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// From the first keyframe to the end of the last frame.
    pub duration: Duration,
    /// Of pictures and sound.
    pub bytes: u64,
    /// The pictures.
    pub frames: u64,
    /// The pictures with which a viewer can begin.
    pub keyframes: u64,
    /// The profile of the first keyframe of H.264.
    pub(crate) h264: Option<ProfileLevel>,
}

impl Summary {
    /// The mean bitrate of pictures and sound.
    pub(crate) fn bytes_per_second(&self) -> u64 {
        let milliseconds = self.duration.as_millis().max(1);
        u64::try_from(u128::from(self.bytes) * 1000 / milliseconds).unwrap_or(u64::MAX)
    }
}

/// An open file, read from its first keyframe on.
pub(crate) struct VideoFile<R: Read + Seek> {
    container: Container<R>,
    codec: VideoCodec,
    /// The time of the first keyframe.
    begin: Option<Duration>,
    /// The latest times of pictures and sound.
    latest: [Duration; 2],
}

enum Container<R: Read + Seek> {
    Ivf(Ivf<R>),
    Matroska(Box<Matroska<R>>),
    Mp4(Box<Mp4<R>>),
    Ogg(Box<Ogg<R>>),
}

impl VideoFile<BufReader<File>> {
    pub(crate) fn open_path(path: &Path) -> Result<(Self, FileInfo), FileProblem> {
        let file = File::open(path).map_err(FileProblem::Unreadable)?;
        Self::open(BufReader::with_capacity(READ_AHEAD_BYTES, file))
    }
}

impl<R: Read + Seek> VideoFile<R> {
    pub(crate) fn open(mut reader: R) -> Result<(Self, FileInfo), FileProblem> {
        let mut signature = Vec::new();
        (&mut reader).take(8).read_to_end(&mut signature).map_err(FileProblem::Unreadable)?;
        reader.seek(SeekFrom::Start(0)).map_err(FileProblem::Unreadable)?;
        let (container, info) = if signature.starts_with(ivf::SIGNATURE) {
            let (file, info) = Ivf::open(reader)?;
            (Container::Ivf(file), info)
        } else if signature.starts_with(matroska::SIGNATURE) {
            let (file, info) = Matroska::open(reader)?;
            (Container::Matroska(Box::new(file)), info)
        } else if mp4::is_signature(&signature) {
            let (file, info) = Mp4::open(reader)?;
            (Container::Mp4(Box::new(file)), info)
        } else if signature.starts_with(ogg::SIGNATURE) {
            let (file, info) = Ogg::open(reader)?;
            (Container::Ogg(Box::new(file)), info)
        } else {
            return Err(FileProblem::UnknownFormat);
        };
        Ok((Self { container, codec: info.codec, begin: None, latest: [Duration::ZERO; 2] }, info))
    }

    /// The next frame, from the first keyframe on, which is at the time 0.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, FileProblem> {
        loop {
            let frame = match &mut self.container {
                Container::Ivf(file) => file.next_frame()?,
                Container::Matroska(file) => file.next_frame()?,
                Container::Mp4(file) => file.next_frame()?,
                Container::Ogg(file) => file.next_frame()?,
            };
            let Some(mut frame) = frame else { return Ok(None) };
            if frame.data.is_empty() {
                // A frame that the encoder dropped.
                continue;
            }
            if frame.track == Track::Video {
                self.complete(&mut frame)?;
            }
            if self.begin.is_none() && frame.is_key {
                self.begin = Some(frame.time);
            }
            let Some(begin) = self.begin else { continue };
            let latest = &mut self.latest[frame.track as usize];
            frame.time = frame.time.saturating_sub(begin);
            // Decoders of pages show the pictures of H.264 in the order in which they get them.
            if frame.track == Track::Video && self.codec == VideoCodec::H264 && frame.time < *latest {
                return Err(FileProblem::Reordered);
            }
            frame.time = frame.time.max(*latest);
            *latest = frame.time;
            return Ok(Some(frame));
        }
    }

    /// Reads the kind of a picture, and adds what the container keeps apart from it.
    fn complete(&self, frame: &mut Frame) -> Result<(), FileProblem> {
        let header = match &self.container {
            Container::Ivf(_) | Container::Ogg(_) => &TrackHeader::Empty,
            Container::Matroska(file) => &file.header,
            Container::Mp4(file) => &file.header,
        };
        frame.data = header.frame(std::mem::take(&mut frame.data)).ok_or(FileProblem::Damaged)?;
        frame.is_key = kind_of(self.codec, &frame.data).ok_or(FileProblem::Damaged)? == FrameKind::Key;
        if frame.is_key {
            frame.data = header.complete(std::mem::take(&mut frame.data));
            if has_other_profile(self.codec, &frame.data) {
                let codec = format!("{} in a profile that pages do not decode", self.codec.as_str());
                return Err(FileProblem::UnknownCodec(codec));
            }
        }
        // The parameter sets of a container may be longer than any frame.
        if frame.data.len() > MAX_FRAME_BYTES { Err(FileProblem::Damaged) } else { Ok(()) }
    }

    /// Reads the whole file.
    pub(crate) fn summarize(mut self) -> Result<Summary, FileProblem> {
        let mut summary = Summary { duration: Duration::ZERO, bytes: 0, frames: 0, keyframes: 0, h264: None };
        let (mut last, mut interval) = (Duration::ZERO, LAST_FRAME);
        while let Some(frame) = self.next_frame()? {
            summary.bytes += frame.data.len() as u64;
            let mut end = frame.time + LAST_FRAME / 2;
            if frame.track == Track::Video {
                summary.frames += 1;
                summary.keyframes += u64::from(frame.is_key);
                if frame.is_key && self.codec == VideoCodec::H264 {
                    summary.h264 = summary.h264.or_else(|| profile_level(&frame.data));
                }
                if frame.time > last {
                    interval = (frame.time - last).min(Duration::from_secs(1));
                }
                last = frame.time;
                end = frame.time + interval;
            }
            summary.duration = summary.duration.max(end);
        }
        if summary.keyframes == 0 {
            return Err(FileProblem::NoKeyframe);
        }
        Ok(summary)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{super::testing, *};

    const SAMPLE: &[u8] = include_bytes!("../../../../assets/sample/sample.webm");

    fn summary_of(bytes: &[u8]) -> Result<Summary, FileProblem> {
        VideoFile::open(Cursor::new(bytes.to_vec()))?.0.summarize()
    }

    fn problem_of(bytes: &[u8]) -> &'static str {
        summary_of(bytes).expect_err("a file that cannot be provided").code()
    }

    #[test]
    fn a_webm_file_has_pictures_in_order_and_sound() {
        let (mut file, info) = VideoFile::open(Cursor::new(SAMPLE)).unwrap();
        assert_eq!((info.codec, info.has_audio, info.left_out), (VideoCodec::Vp8, true, None));
        let first = file.next_frame().unwrap().unwrap();
        assert!(first.is_key && first.time.is_zero());
        let (mut latest, mut sounds) = (Duration::ZERO, 0);
        while let Some(frame) = file.next_frame().unwrap() {
            match frame.track {
                Track::Video => {
                    assert!(frame.time >= latest);
                    latest = frame.time;
                }
                Track::Audio => sounds += 1,
            }
        }
        assert_eq!(sounds, 800, "20 ms each");
        let summary = summary_of(SAMPLE).unwrap();
        assert!((480..=500).contains(&summary.frames) && summary.keyframes >= 8, "{summary:?}");
        assert!(
            summary.duration.abs_diff(Duration::from_secs(16)) < Duration::from_millis(100),
            "{summary:?}"
        );
    }

    #[test]
    fn an_ivf_file_begins_with_its_first_keyframe() {
        let frames = [(10, &testing::DELTA[..]), (11, &testing::KEY), (12, &testing::DELTA)];
        let (mut file, info) = VideoFile::open(Cursor::new(testing::ivf(b"VP80", &frames))).unwrap();
        assert_eq!((info.codec, info.has_audio), (VideoCodec::Vp8, false));
        let first = file.next_frame().unwrap().unwrap();
        assert_eq!((first.is_key, first.time), (true, Duration::ZERO));
        let second = file.next_frame().unwrap().unwrap();
        assert_eq!((second.is_key, second.time), (false, Duration::from_millis(40)));
        assert_eq!(file.next_frame().unwrap(), None);
    }

    #[test]
    fn each_damaged_file_has_its_own_code() {
        let ivf = |code: &[u8; 4], frames: &[(u64, &[u8])]| testing::ivf(code, frames);
        assert_eq!(problem_of(b"no video at all"), "format-unknown");
        assert_eq!(problem_of(b""), "format-unknown");
        assert_eq!(problem_of(&ivf(b"MJPG", &[(0, &testing::KEY)])), "codec-unknown");
        assert_eq!(problem_of(&ivf(b"VP80", &[(0, &testing::DELTA)])), "no-keyframe");
        assert_eq!(problem_of(&ivf(b"VP90", &[(0, &testing::DELTA)])), "file-damaged");
        let whole = ivf(b"VP80", &[(0, &testing::KEY), (1, &testing::DELTA)]);
        assert_eq!(problem_of(&whole[..whole.len() - 1]), "file-truncated");
        assert_eq!(problem_of(&whole[..40]), "file-truncated");
        assert_eq!(problem_of(&SAMPLE[..SAMPLE.len() / 2]), "file-truncated");
        assert_eq!(problem_of(&SAMPLE[..1000]), "file-truncated");
        let without_tracks =
            testing::with_last_replaced(SAMPLE, &[0x16, 0x54, 0xae, 0x6b], &[0x16, 0x54, 0xae, 0x6c]);
        assert_eq!(problem_of(&without_tracks), "index-wrong");
        assert_eq!(problem_of(&testing::replaced(SAMPLE, b"V_VP8", b"V_XYZ")), "codec-unknown");
    }

    #[test]
    fn a_wrong_index_is_ignored_where_the_file_can_be_read_without_it() {
        let wrong = testing::webm_with_wrong_index(SAMPLE);
        assert_eq!(summary_of(&wrong).unwrap(), summary_of(SAMPLE).unwrap());
        // Also one that points into an element. A file that was cut is still one.
        let within = testing::replaced(
            &wrong,
            &[0x53, 0xab, 0x84, 0x16, 0x54, 0xae, 0x6b, 0x53, 0xac, 0x81],
            &[0x53, 0xab, 0x84, 0x16, 0x54, 0xae, 0x6b, 0x53, 0xac, 0x81, 0xff],
        );
        assert_eq!(summary_of(&within).unwrap(), summary_of(SAMPLE).unwrap());
        assert_eq!(problem_of(&wrong[..wrong.len() / 2]), "file-truncated");
    }

    #[test]
    fn a_frame_that_claims_to_be_huge_is_not_allocated() {
        let mut file = testing::ivf(b"VP80", &[(0, &testing::KEY)]);
        file[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(problem_of(&file), "file-damaged");
    }

    #[test]
    fn no_cut_and_no_changed_byte_of_a_file_makes_the_reader_panic() {
        let ivf = testing::ivf(b"AV01", &[(0, &testing::AV1_KEY), (1, &testing::AV1_KEY)]);
        for file in [&ivf[..], &SAMPLE[..6000]] {
            for at in 0..file.len() {
                let _ = summary_of(&file[..at]);
                let mut changed = file.to_vec();
                changed[at] ^= 0xff;
                let _ = summary_of(&changed);
            }
        }
    }
}
