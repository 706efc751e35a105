//! IVF: a header of 32 bytes, then frames with their length and timestamp.

use std::{io::Read, time::Duration};

use bytes::Bytes;

use super::{Frame, MAX_FRAME_BYTES, Track, VideoCodec, file_info::FileInfo, file_problem::FileProblem};

pub(super) const SIGNATURE: &[u8] = b"DKIF";
const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 12;

/// How the header names a codec.
pub(super) const fn code_of(codec: VideoCodec) -> &'static [u8; 4] {
    match codec {
        VideoCodec::Vp8 => b"VP80",
        VideoCodec::Vp9 => b"VP90",
        VideoCodec::Av1 => b"AV01",
        VideoCodec::H264 => b"H264",
    }
}

/// An open IVF file.
pub(super) struct Ivf<R> {
    reader: R,
    /// Seconds of a unit of time: numerator and denominator.
    unit: (u32, u32),
}

impl<R: Read> Ivf<R> {
    pub(super) fn open(mut reader: R) -> Result<(Self, FileInfo), FileProblem> {
        let mut header = [0; HEADER_BYTES];
        reader.read_exact(&mut header)?;
        let code = &header[8..12];
        let codec = VideoCodec::ALL.into_iter().find(|codec| code == code_of(*codec));
        let codec =
            codec.ok_or_else(|| FileProblem::UnknownCodec(String::from_utf8_lossy(code).into_owned()))?;
        let header_bytes = usize::from(u16::from_le_bytes([header[6], header[7]]));
        let beyond = header_bytes.checked_sub(HEADER_BYTES).ok_or(FileProblem::Damaged)?;
        reader.read_exact(&mut vec![0; beyond])?;
        let unit = (u32_at(&header, 20), u32_at(&header, 16));
        if unit.0 == 0 || unit.1 == 0 {
            return Err(FileProblem::Damaged);
        }
        let info = FileInfo { codec, has_audio: false, left_out: None };
        Ok((Self { reader, unit }, info))
    }

    /// The next frame; its kind is not known here.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, FileProblem> {
        let mut header = Vec::with_capacity(FRAME_HEADER_BYTES);
        (&mut self.reader).take(FRAME_HEADER_BYTES as u64).read_to_end(&mut header)?;
        if header.is_empty() {
            return Ok(None);
        }
        let header: [u8; FRAME_HEADER_BYTES] = header.try_into().map_err(|_| FileProblem::Truncated)?;
        let length = u32_at(&header, 0) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(FileProblem::Damaged);
        }
        let mut data = Vec::new();
        (&mut self.reader).take(length as u64).read_to_end(&mut data)?;
        if data.len() < length {
            return Err(FileProblem::Truncated);
        }
        let units = u64::from(u32_at(&header, 4)) | u64::from(u32_at(&header, 8)) << 32;
        let nanoseconds =
            u128::from(units) * u128::from(self.unit.0) * 1_000_000_000 / u128::from(self.unit.1);
        let time = Duration::from_nanos(u64::try_from(nanoseconds).map_err(|_| FileProblem::Damaged)?);
        Ok(Some(Frame { track: Track::Video, time, is_key: false, data: Bytes::from(data) }))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}
