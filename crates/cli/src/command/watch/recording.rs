//! The file in which `watch` records the pictures of one member, and the thread that writes it.

use std::{
    fs::File,
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
    arrival::{ArrivedFrame, FrameOfMember, FrameSender, frame_queue},
    failure::Failure,
    media::ivf_writer::{self, IvfWriter},
};

/// Timestamps of a stream that grow by more than this belong to another stream, or were set anew.
const MAX_STEP: Duration = Duration::from_secs(10);
const HZ: u64 = 90_000;
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
        let thread = thread::Builder::new().name("recording".to_owned()).spawn(move || record(file, frames));
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
        // What was written before an error can be read.
        if !matches!(recorded, Ok(Recorded { frames: 0, .. })) {
            file.keep();
        }
        recorded.map_err(|error| cannot_write(file.path(), &error))
    }
}

fn record(file: File, mut frames: mpsc::Receiver<FrameOfMember>) -> io::Result<Recorded> {
    let mut recorder = Recorder::new(BufWriter::new(file));
    while let Some(FrameOfMember { member, frame, .. }) = frames.blocking_recv() {
        if let Err(error) = recorder.handle(&member, &frame) {
            // What was written before can be played.
            if let Some(file) = recorder.into_file() {
                let (mut file, _not_written) = file.into_parts();
                let (_, whole_bytes) = ivf_writer::mend(&mut file)?;
                file.set_len(whole_bytes)?;
            }
            return Err(error);
        }
    }
    recorder.finish()
}

/// Decides what is written of the frames of all members: those of the first one with a picture.
struct Recorder<W: Write + Seek> {
    /// Before the first keyframe.
    file: Option<W>,
    writer: Option<IvfWriter<W>>,
    member: Option<MemberId>,
    /// The RTP timestamp, the arrival and the time in the file of the frame before.
    last: Option<(u32, Timestamp, u64)>,
    has_other_codec: bool,
}

impl<W: Write + Seek> Recorder<W> {
    fn new(file: W) -> Self {
        Self { file: Some(file), writer: None, member: None, last: None, has_other_codec: false }
    }

    fn handle(&mut self, member: &MemberId, frame: &ArrivedFrame) -> io::Result<()> {
        if self.member.as_ref().is_some_and(|recorded| recorded != member) || self.has_other_codec {
            return Ok(());
        }
        if let Some(size) = frame.size.filter(|_| frame.is_key)
            && let Some(file) = self.file.take()
        {
            self.member = Some(member.clone());
            self.writer = Some(IvfWriter::begin(file, frame.codec, size)?);
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if writer.codec() != frame.codec {
            self.has_other_codec = true;
            return Ok(());
        }
        let time = self.last.map_or(0, |last| time_after(last, frame));
        self.last = Some((frame.rtp_timestamp, frame.whole_at, time));
        writer.write(time, &frame.data)
    }

    /// The file, if a frame was begun.
    fn into_file(self) -> Option<W> {
        self.writer.map(IvfWriter::into_file)
    }

    fn finish(self) -> io::Result<Recorded> {
        let Some(writer) = self.writer else { return Ok(Recorded::default()) };
        let frames = writer.frames();
        writer.finish()?;
        Ok(Recorded { frames, has_other_codec: self.has_other_codec })
    }
}

/// The time of a frame in the file. The timestamps of a stream say it; between two streams, the arrival does.
fn time_after((stamp, arrived_at, time): (u32, Timestamp, u64), frame: &ArrivedFrame) -> u64 {
    let step = u64::from(frame.rtp_timestamp.wrapping_sub(stamp));
    let is_same_stream = step <= MAX_STEP.as_secs() * HZ;
    let waited = u64::try_from(frame.whole_at.since(arrived_at).as_micros()).unwrap_or(u64::MAX / HZ);
    time + if is_same_stream { step } else { waited * HZ / 1_000_000 }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;

    use super::*;
    use crate::media::{
        VideoCodec,
        file::VideoFile,
        testing::{DELTA, KEY},
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
        let mut recorder = Recorder::new(&mut bytes);
        for (name, frame) in frames {
            recorder.handle(&member(name), frame).unwrap();
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
}
