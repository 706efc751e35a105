//! Matroska and WebM, by the crate `matroska-demuxer`. Frames are read in order, so the index is not used.

use std::{
    io::{self, Read, Seek},
    time::Duration,
};

use bytes::Bytes;
use matroska_demuxer::{DemuxError, Frame as Block, MatroskaFile, TrackEntry, TrackType};
use mp4_atom::{Atom, Avcc};

use super::{
    Frame, MAX_FRAME_BYTES, Track, VideoCodec,
    file_info::FileInfo,
    file_problem::FileProblem,
    h264::Configuration,
    seek_head::{Overlay, Patch},
    track_header::TrackHeader,
};

/// The identifier of an EBML header.
pub(super) const SIGNATURE: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];
/// An end that comes earlier than this before the end that the file declares is that of a cut file: headers may be rounded, and
/// sound may be longer than the pictures.
const EARLY_END: Duration = Duration::from_millis(1500);

/// An open Matroska file.
pub(super) struct Matroska<R: Read + Seek> {
    file: MatroskaFile<Overlay<R>>,
    block: Block,
    video: u64,
    audio: Option<u64>,
    pub(super) header: TrackHeader,
    duration: Option<Duration>,
    reached: Duration,
}

impl<R: Read + Seek> Matroska<R> {
    pub(super) fn open(mut reader: R) -> Result<(Self, FileInfo), FileProblem> {
        let patch = patch_of_wrong_seek_head(&mut reader)?;
        let file = MatroskaFile::open(Overlay::new(reader, patch)?).map_err(opening_problem)?;
        let is_of = |kind| move |track: &&TrackEntry| track.track_type() == kind;
        let video = file.tracks().iter().find(is_of(TrackType::Video)).ok_or(FileProblem::NoPictures)?;
        if video.content_encodings().is_some_and(|encodings| !encodings.is_empty()) {
            return Err(FileProblem::UnknownCodec("a compressed or encrypted track".to_owned()));
        }
        let codec = match video.codec_id() {
            "V_VP8" => VideoCodec::Vp8,
            "V_VP9" => VideoCodec::Vp9,
            "V_AV1" => VideoCodec::Av1,
            "V_MPEG4/ISO/AVC" => VideoCodec::H264,
            other => return Err(FileProblem::UnknownCodec(other.to_owned())),
        };
        let private = video.codec_private().unwrap_or_default();
        let header = match codec {
            VideoCodec::Vp8 | VideoCodec::Vp9 => TrackHeader::Empty,
            // ISO/IEC 14496-15 binding of AV1: four bytes, then the OBUs of the configuration.
            VideoCodec::Av1 => TrackHeader::Av1(private.get(4..).unwrap_or_default().to_vec()),
            VideoCodec::H264 => {
                let record = Avcc::decode_body(&mut &*private).map_err(|_| FileProblem::Damaged)?;
                TrackHeader::H264(Configuration::new(&record))
            }
        };
        let is_opus =
            |track: &&TrackEntry| track.codec_id() == "A_OPUS" && track.content_encodings().is_none();
        let mut sounds = file.tracks().iter().filter(is_of(TrackType::Audio));
        let first_sound = sounds.clone().next();
        let audio = sounds.find(is_opus).map(|track| track.track_number().get());
        let left_out = first_sound.filter(|_| audio.is_none()).map(|track| track.codec_id().to_owned());
        let scale = file.info().timestamp_scale().get();
        let duration = file.info().duration().filter(|ticks| ticks.is_finite() && *ticks > 0.0);
        let duration = duration
            .and_then(|ticks| Duration::try_from_secs_f64(ticks * scale as f64 / 1_000_000_000.0).ok());
        let info = FileInfo { codec, has_audio: audio.is_some(), left_out };
        let video = video.track_number().get();
        let block = Block::default();
        Ok((Self { file, block, video, audio, header, duration, reached: Duration::ZERO }, info))
    }

    /// The next frame; its kind is not known here.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, FileProblem> {
        let scale = self.file.info().timestamp_scale().get();
        loop {
            if !self.file.next_frame(&mut self.block).map_err(reading_problem)? {
                let is_early = self.duration.is_some_and(|duration| self.reached + EARLY_END < duration);
                return if is_early { Err(FileProblem::Truncated) } else { Ok(None) };
            }
            let track = match self.block.track {
                track if track == self.video => Track::Video,
                track if Some(track) == self.audio => Track::Audio,
                _ => continue,
            };
            if self.block.data.len() > MAX_FRAME_BYTES {
                return Err(FileProblem::Damaged);
            }
            let time = self.block.timestamp.checked_mul(scale).ok_or(FileProblem::Damaged)?;
            let time = Duration::from_nanos(time);
            self.reached = self.reached.max(time);
            let data = Bytes::copy_from_slice(&self.block.data);
            return Ok(Some(Frame { track, time, is_key: false, data }));
        }
    }
}

/// What hides the SeekHead, if the file can be opened without it only.
fn patch_of_wrong_seek_head(reader: &mut (impl Read + Seek)) -> Result<Option<Patch>, FileProblem> {
    let problem = match MatroskaFile::open(Overlay::new(&mut *reader, None)?) {
        Ok(_) => return Ok(None),
        Err(problem) => opening_problem(problem),
    };
    if matches!(problem, FileProblem::Unreadable(_)) {
        return Err(problem);
    }
    let Some(patch) = Patch::over_seek_head(reader)? else { return Err(problem) };
    match MatroskaFile::open(Overlay::new(&mut *reader, Some(patch))?) {
        Ok(_) => Ok(Some(patch)),
        Err(_) => Err(problem),
    }
}

fn opening_problem(error: DemuxError) -> FileProblem {
    match error {
        DemuxError::UnexpectedElement(_) => FileProblem::WrongIndex,
        error => reading_problem(error),
    }
}

fn reading_problem(error: DemuxError) -> FileProblem {
    match error {
        DemuxError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => FileProblem::Truncated,
        DemuxError::IoError(error) => FileProblem::Unreadable(error),
        DemuxError::ElementSizeExceedsStream { .. } => FileProblem::Truncated,
        _ => FileProblem::Damaged,
    }
}
