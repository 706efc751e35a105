//! The file in which `watch` records the pictures and the sound of one member, and the thread that writes it.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek, Write},
    path::Path,
    thread::{self, JoinHandle},
    time::Duration,
};

use sightline_core::Timestamp;
use sightline_protocol::MemberId;
use tokio::{sync::mpsc, time::timeout};

use super::new_file::{NewFile, cannot_write};
use crate::{
    arrival::{ArrivedFrame, ArrivedSound, FrameOfMember, FrameSender, Media, frame_queue},
    failure::Failure,
    media::{
        file_writer::{FileFormat, FileWriter},
        rtp_clock::{AUDIO_HZ, VIDEO_HZ, ticks},
    },
};

/// Timestamps of a stream that grow by more than this belong to another stream, or were set anew.
const MAX_STEP: Duration = Duration::from_secs(10);
/// Sound of which nothing arrived for this long has ended: the connection was made anew, or a screen is no longer shared.
const SILENCE: Duration = Duration::from_secs(2);
/// How long the disk may take for the last frames.
const WRITING: Duration = Duration::from_secs(10);

/// A recording that runs.
pub(super) struct Recording {
    file: NewFile,
    thread: JoinHandle<io::Result<Recorded>>,
}

/// What was recorded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) frames: u32,
    /// Whether it ended because the member changed the codec.
    pub(super) has_other_codec: bool,
}

impl Recording {
    /// Makes the file, which must not exist yet. Frames that are sent are recorded until the sender is dropped.
    pub(super) fn begin(path: &Path) -> Result<(Self, FrameSender), Failure> {
        let (new, file) = NewFile::create(path)?;
        let (to, frames) = frame_queue();
        let format = FileFormat::of(path);
        let thread = thread::Builder::new().name("recording".to_owned());
        let thread = thread.spawn(move || record(file, format, frames));
        let thread = thread.map_err(|error| Failure::of_thread(&error))?;
        Ok((Self { file: new, thread }, to))
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Waits until everything is written. Without a frame, the file is removed.
    pub(super) async fn end(self) -> Result<Recorded, Failure> {
        let Self { mut file, thread } = self;
        let joining = tokio::task::spawn_blocking(move || thread.join());
        let recorded = match timeout(WRITING, joining).await {
            Ok(joined) => {
                joined.ok().and_then(Result::ok).unwrap_or_else(|| Err(io::ErrorKind::Other.into()))
            }
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let has_frames = match &recorded {
            Ok(recorded) => recorded.frames > 0,
            // What was written before an error can be played.
            Err(_) => fs::metadata(file.path()).is_ok_and(|metadata| metadata.len() > 0),
        };
        if has_frames {
            file.keep();
        }
        recorded.map_err(|error| cannot_write(file.path(), &error))
    }
}

fn record(file: File, format: FileFormat, mut frames: mpsc::Receiver<FrameOfMember>) -> io::Result<Recorded> {
    let mut recorder = Recorder::new(BufWriter::new(file), format);
    let mut write = || {
        while let Some(FrameOfMember { member, media, .. }) = frames.blocking_recv() {
            recorder.handle(&member, &media)?;
        }
        recorder.finish()
    };
    let written = write();
    if written.is_err()
        && let Some(writer) = recorder.writer
    {
        writer.mend()?;
    }
    written
}

/// Decides what is written of the frames of all members: those of the first one with a picture, and the first sound of that member.
struct Recorder<W: Write + Seek> {
    /// Until the keyframe with which the recording begins.
    file: Option<W>,
    format: FileFormat,
    writer: Option<FileWriter<W>>,
    member: Option<MemberId>,
    pictures: Option<Last>,
    /// When the first picture arrived.
    begun_at: Timestamp,
    sound: Option<SoundStream>,
    has_other_codec: bool,
}

/// The sound that is recorded.
#[derive(Debug, Clone, Copy)]
struct SoundStream {
    ssrc: u32,
    is_microphone: bool,
    last: Last,
}

impl SoundStream {
    /// Whether other sound takes the place of this one.
    fn yields_to(&self, other: &ArrivedSound) -> bool {
        let has_ended = other.arrived_at.since(self.last.arrived_at) >= SILENCE;
        has_ended || (self.is_microphone && !other.is_microphone)
    }
}

/// The frame before.
#[derive(Debug, Clone, Copy)]
struct Last {
    rtp_timestamp: u32,
    arrived_at: Timestamp,
    /// The time in the file, in units of the RTP timestamps.
    time: u64,
}

impl Last {
    /// The time of the next frame in the file. The timestamps of a stream say it; between two streams, the arrival does.
    fn next(self, rtp_timestamp: u32, arrived_at: Timestamp, hz: u32) -> Self {
        let step = u64::from(rtp_timestamp.wrapping_sub(self.rtp_timestamp));
        let is_same_stream = step <= ticks(MAX_STEP, hz);
        let waited = ticks(arrived_at.since(self.arrived_at), hz);
        let time = self.time + if is_same_stream { step } else { waited };
        Self { rtp_timestamp, arrived_at, time }
    }
}

impl<W: Write + Seek> Recorder<W> {
    fn new(file: W, format: FileFormat) -> Self {
        Self {
            file: Some(file),
            format,
            writer: None,
            member: None,
            pictures: None,
            begun_at: Timestamp::ZERO,
            sound: None,
            has_other_codec: false,
        }
    }

    fn handle(&mut self, member: &MemberId, media: &Media) -> io::Result<()> {
        if self.member.as_ref().is_some_and(|recorded| recorded != member) || self.has_other_codec {
            return Ok(());
        }
        match media {
            Media::Picture(frame) => self.handle_picture(member, frame),
            Media::Sound(sound) => self.handle_sound(sound),
        }
    }

    fn handle_picture(&mut self, member: &MemberId, frame: &ArrivedFrame) -> io::Result<()> {
        if self.writer.is_none()
            && let Some(size) = frame.size.filter(|_| frame.is_key)
        {
            self.writer = FileWriter::begin(&mut self.file, self.format, frame.codec, size, &frame.data)?;
            self.member = self.writer.as_ref().map(|_| member.clone());
            self.begun_at = frame.whole_at;
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if writer.codec() != frame.codec {
            self.has_other_codec = true;
            return Ok(());
        }
        let first = Last { rtp_timestamp: frame.rtp_timestamp, arrived_at: frame.whole_at, time: 0 };
        let now =
            self.pictures.map_or(first, |last| last.next(frame.rtp_timestamp, frame.whole_at, VIDEO_HZ));
        self.pictures = Some(now);
        writer.write_picture(now.time, frame.is_key, &frame.data)
    }

    /// Sound begins when it arrives beside the pictures, and goes on by its timestamps. That of the microphone is recorded while
    /// the pictures have none.
    fn handle_sound(&mut self, sound: &ArrivedSound) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let now = match self.sound {
            Some(before) if before.ssrc != sound.ssrc && !before.yields_to(sound) => return Ok(()),
            Some(SoundStream { ssrc, last, .. }) if ssrc == sound.ssrc => {
                let is_late = sound.rtp_timestamp.wrapping_sub(last.rtp_timestamp) > u32::MAX / 2;
                if is_late || sound.rtp_timestamp == last.rtp_timestamp {
                    return Ok(());
                }
                last.next(sound.rtp_timestamp, sound.arrived_at, AUDIO_HZ)
            }
            _ => Last {
                rtp_timestamp: sound.rtp_timestamp,
                arrived_at: sound.arrived_at,
                time: ticks(sound.arrived_at.since(self.begun_at), AUDIO_HZ),
            },
        };
        self.sound = Some(SoundStream { ssrc: sound.ssrc, is_microphone: sound.is_microphone, last: now });
        writer.write_sound(now.time * 1000 / u64::from(AUDIO_HZ), &sound.data)
    }

    fn finish(&mut self) -> io::Result<Recorded> {
        let Some(writer) = &mut self.writer else { return Ok(Recorded::default()) };
        writer.finish()?;
        Ok(Recorded { frames: writer.pictures(), has_other_codec: self.has_other_codec })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;

    use super::*;
    use crate::media::{
        Track, VideoCodec,
        file::VideoFile,
        testing::{DELTA, H264_KEY, KEY},
    };

    fn member(name: &str) -> MemberId {
        MemberId::new(name).unwrap()
    }

    fn frame(is_key: bool, ms: u32, codec: VideoCodec) -> ArrivedFrame {
        let at = Timestamp::from_origin(Duration::from_millis(ms.into()));
        ArrivedFrame {
            codec,
            is_key,
            size: Some((16, 16)),
            rtp_timestamp: 4_000_000_000_u32.wrapping_add(ms * 90),
            arrived_at: at,
            whole_at: at,
            data: Bytes::copy_from_slice(if is_key { &KEY } else { &DELTA }),
        }
    }

    /// The times of the recorded frames in milliseconds.
    fn recorded(frames: &[(&str, ArrivedFrame)]) -> (Vec<u128>, bool) {
        let mut bytes = Cursor::new(Vec::new());
        let mut recorder = Recorder::new(&mut bytes, FileFormat::Ivf);
        for (name, frame) in frames {
            recorder.handle(&member(name), &Media::Picture(frame.clone())).unwrap();
        }
        let ended = recorder.finish().unwrap();
        let (mut file, _) = VideoFile::open(Cursor::new(bytes.into_inner())).unwrap();
        let times: Vec<_> =
            std::iter::from_fn(|| file.next_frame().unwrap()).map(|frame| frame.time.as_millis()).collect();
        assert_eq!(times.len(), ended.frames as usize);
        (times, ended.has_other_codec)
    }

    #[test]
    fn a_recording_begins_with_a_keyframe_and_has_one_member() {
        const VP8: VideoCodec = VideoCodec::Vp8;
        let (times, _) = recorded(&[
            ("ada", frame(false, 0, VP8)),
            ("ada", frame(true, 40, VP8)),
            ("bob", frame(true, 50, VP8)),
            ("ada", frame(false, 80, VP8)),
        ]);
        assert_eq!(times, [0, 40]);
    }

    #[test]
    fn a_stream_that_is_replaced_goes_on_at_the_time_of_its_arrival() {
        let mut second = frame(true, 5_000, VideoCodec::Vp8);
        second.rtp_timestamp = 17;
        let mut third = frame(false, 5_040, VideoCodec::Vp8);
        third.rtp_timestamp = 17 + 3600;
        let (times, _) =
            recorded(&[("ada", frame(true, 1_000, VideoCodec::Vp8)), ("ada", second), ("ada", third)]);
        assert_eq!(times, [0, 4_000, 4_040]);
    }

    #[test]
    fn another_codec_ends_the_recording() {
        let (times, has_other_codec) =
            recorded(&[("ada", frame(true, 0, VideoCodec::Vp8)), ("ada", frame(true, 40, VideoCodec::Vp9))]);
        assert_eq!((times, has_other_codec), (vec![0], true));
    }

    #[test]
    fn a_keyframe_without_parameter_sets_does_not_begin_a_recording() {
        let h264 = |data: &[u8], ms| ArrivedFrame {
            data: Bytes::copy_from_slice(data),
            ..frame(true, ms, VideoCodec::H264)
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut recorder = Recorder::new(&mut bytes, FileFormat::Matroska);
        let ada = member("ada");
        // The slice alone, as an encoder sends it that repeats nothing.
        recorder.handle(&ada, &Media::Picture(h264(&H264_KEY[22..], 0))).unwrap();
        recorder.handle(&ada, &Media::Picture(h264(&H264_KEY, 40))).unwrap();
        assert_eq!(recorder.finish().unwrap().frames, 1);
        let (mut file, _) = VideoFile::open(Cursor::new(bytes.into_inner())).unwrap();
        assert_eq!(file.next_frame().unwrap().unwrap().data, H264_KEY[..]);
    }

    #[test]
    fn sound_is_recorded_from_the_first_picture_on_in_step_by_its_arrival() {
        let sound = |ssrc, ms: u64| {
            let arrived_at = Timestamp::from_origin(Duration::from_millis(ms));
            // The clock of the sender began elsewhere.
            let rtp_timestamp = 77_u32.wrapping_add(48 * ms as u32);
            Media::Sound(ArrivedSound {
                is_microphone: ssrc == 6,
                ssrc,
                rtp_timestamp,
                arrived_at,
                data: Bytes::from_static(&[0xfc, 1]),
            })
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut recorder = Recorder::new(&mut bytes, FileFormat::Matroska);
        let ada = member("ada");
        recorder.handle(&ada, &sound(5, 980)).unwrap();
        for ms in (1000..3000).step_by(20) {
            if ms % 40 == 0 {
                let picture = Media::Picture(frame(ms == 1000, ms as u32, VideoCodec::Vp8));
                recorder.handle(&ada, &picture).unwrap();
            }
            recorder.handle(&ada, &sound(5, ms + 5)).unwrap();
            // A second time, another stream, and another member.
            recorder.handle(&ada, &sound(5, ms + 5)).unwrap();
            recorder.handle(&ada, &sound(6, ms + 7)).unwrap();
            recorder.handle(&member("bob"), &sound(5, ms + 9)).unwrap();
        }
        assert_eq!(recorder.finish().unwrap().frames, 50);
        let (mut file, info) = VideoFile::open(Cursor::new(bytes.into_inner())).unwrap();
        assert!(info.has_audio);
        let frames = std::iter::from_fn(|| file.next_frame().unwrap());
        let sounds: Vec<_> = frames.filter(|frame| frame.track == Track::Audio).collect();
        assert_eq!(sounds.len(), 100);
        for (number, sound) in sounds.iter().enumerate() {
            assert_eq!(sound.time.as_millis(), 5 + 20 * number as u128);
        }
    }

    /// Records a picture at one second and these packets: whether of the microphone, SSRC, milliseconds. Returns the times in the
    /// file and the SSRCs of those that were recorded.
    fn recorded_sound(packets: &[(bool, u32, u64)]) -> Vec<(u128, u8)> {
        let mut bytes = Cursor::new(Vec::new());
        let mut recorder = Recorder::new(&mut bytes, FileFormat::Matroska);
        let ada = member("ada");
        recorder.handle(&ada, &Media::Picture(frame(true, 1000, VideoCodec::Vp8))).unwrap();
        for &(is_microphone, ssrc, ms) in packets {
            let arrived_at = Timestamp::from_origin(Duration::from_millis(ms));
            let data = Bytes::copy_from_slice(&[0xfc, ssrc as u8]);
            let rtp_timestamp = 48 * ms as u32;
            let sound = ArrivedSound { is_microphone, ssrc, rtp_timestamp, arrived_at, data };
            recorder.handle(&ada, &Media::Sound(sound)).unwrap();
        }
        recorder.finish().unwrap();
        let (mut file, _) = VideoFile::open(Cursor::new(bytes.into_inner())).unwrap();
        let frames = std::iter::from_fn(|| file.next_frame().unwrap());
        let sounds = frames.filter(|frame| frame.track == Track::Audio);
        sounds.map(|sound| (sound.time.as_millis(), sound.data[1])).collect()
    }

    #[test]
    fn the_sound_of_the_pictures_takes_the_place_of_the_microphone() {
        let packets = [(true, 1, 1000), (false, 2, 1020), (true, 1, 1020), (false, 2, 1040)];
        assert_eq!(recorded_sound(&packets), [(0, 1), (20, 2), (40, 2)]);
    }

    #[test]
    fn sound_that_ended_gives_way_to_that_of_a_new_connection_and_to_the_microphone() {
        let packets =
            [(false, 1, 1000), (false, 2, 2980), (false, 2, 3000), (true, 3, 4980), (true, 3, 5000)];
        assert_eq!(recorded_sound(&packets), [(0, 1), (2000, 2), (4000, 3)]);
    }

    #[test]
    fn no_timestamps_of_a_member_break_a_recording() {
        const JUMPS: [u32; 6] = [0, 899_999, 900_001, u32::MAX, u32::MAX / 2, 480_000];
        for format in [FileFormat::Ivf, FileFormat::Matroska] {
            let mut bytes = Cursor::new(Vec::new());
            let mut recorder = Recorder::new(&mut bytes, format);
            let (mut pictures, mut sounds) = (0_u32, 0_u32);
            for number in 0..600_usize {
                // Forwards and backwards, at two paces.
                pictures = pictures.wrapping_add(JUMPS[number * 5 % 6]);
                sounds = sounds.wrapping_add(JUMPS[number / 7 % 6]);
                let mut picture = frame(number % 50 == 0, 1000 + 20 * number as u32, VideoCodec::Vp8);
                let arrived_at = picture.arrived_at;
                picture.rtp_timestamp = pictures;
                let data = Bytes::from_static(&[0xfc, 1]);
                let (is_microphone, ssrc, rtp_timestamp) = (false, 5, sounds);
                let sound = ArrivedSound { is_microphone, ssrc, rtp_timestamp, arrived_at, data };
                recorder.handle(&member("ada"), &Media::Picture(picture)).unwrap();
                recorder.handle(&member("ada"), &Media::Sound(sound)).unwrap();
            }
            assert_eq!(recorder.finish().unwrap().frames, 600);
            let summary = VideoFile::open(Cursor::new(bytes.into_inner())).unwrap().0.summarize().unwrap();
            assert_eq!((summary.frames, summary.keyframes), (600, 12), "{format:?}");
        }
    }
}
