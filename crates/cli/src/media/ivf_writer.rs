//! Writes frames that arrive into an IVF file, without encoding them again.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{VideoCodec, rtp_clock::VIDEO_HZ};

const HEADER_BYTES: usize = 32;
/// Where the header has the number of frames.
const COUNT_AT: u64 = 24;
/// Length and time before each frame.
const FRAME_HEADER_BYTES: u64 = 12;

/// An IVF file that grows.
pub(crate) struct IvfWriter<W: Write + Seek> {
    file: W,
    codec: VideoCodec,
    frames: u32,
    /// The time of the last frame.
    last: Option<u64>,
}

impl<W: Write + Seek> IvfWriter<W> {
    /// Begins a file with the size of the first picture.
    pub(crate) fn begin(mut file: W, codec: VideoCodec, size: (u32, u32)) -> io::Result<Self> {
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(super::ivf::SIGNATURE);
        header[6..8].copy_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
        header[8..12].copy_from_slice(super::ivf::code_of(codec));
        let (width, height) = size;
        for (at, side) in [(12, width), (14, height)] {
            header[at..at + 2].copy_from_slice(&u16::try_from(side).unwrap_or(u16::MAX).to_le_bytes());
        }
        header[16..20].copy_from_slice(&VIDEO_HZ.to_le_bytes());
        header[20..24].copy_from_slice(&1_u32.to_le_bytes());
        file.write_all(&header)?;
        Ok(Self { file, codec, frames: 0, last: None })
    }

    pub(crate) fn codec(&self) -> VideoCodec {
        self.codec
    }

    pub(crate) fn frames(&self) -> u32 {
        self.frames
    }

    /// Appends a frame at a time in units of 1/90,000 s. Times in a file grow.
    pub(crate) fn write(&mut self, time: u64, data: &[u8]) -> io::Result<()> {
        let time = self.last.map_or(time, |last| time.max(last + 1));
        let length = u32::try_from(data.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&time.to_le_bytes())?;
        self.file.write_all(data)?;
        self.last = Some(time);
        self.frames = self.frames.saturating_add(1);
        Ok(())
    }

    /// The file as it is.
    pub(crate) fn into_file(self) -> W {
        self.file
    }

    /// Writes the number of frames into the header.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(COUNT_AT))?;
        self.file.write_all(&self.frames.to_le_bytes())?;
        self.file.flush()
    }
}

/// Ends a file whose last frame may be cut: writes the number of whole frames into the header, and returns it with their length in bytes.
pub(crate) fn mend(file: &mut (impl Read + Write + Seek)) -> io::Result<(u32, u64)> {
    let end = file.seek(SeekFrom::End(0))?;
    let (mut at, mut frames) = (HEADER_BYTES as u64, 0_u32);
    while let Some(data_at) = at.checked_add(FRAME_HEADER_BYTES).filter(|data_at| *data_at <= end) {
        let mut length = [0; 4];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut length)?;
        let next = data_at + u64::from(u32::from_le_bytes(length));
        if next > end {
            break;
        }
        (at, frames) = (next, frames.saturating_add(1));
    }
    if frames > 0 {
        file.seek(SeekFrom::Start(COUNT_AT))?;
        file.write_all(&frames.to_le_bytes())?;
    }
    Ok((frames, at))
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, time::Duration};

    use super::{super::file::VideoFile, *};
    use crate::media::testing::{DELTA, KEY};

    #[test]
    fn a_file_that_is_cut_anywhere_ends_with_its_last_whole_frame() {
        let mut writer = IvfWriter::begin(Cursor::new(Vec::new()), VideoCodec::Vp8, (16, 16)).unwrap();
        let mut ends = vec![HEADER_BYTES as u64];
        for (number, frame) in [&KEY[..], &DELTA, &DELTA].into_iter().enumerate() {
            writer.write(number as u64, frame).unwrap();
            ends.push(ends[number] + FRAME_HEADER_BYTES + frame.len() as u64);
        }
        let bytes = writer.into_file().into_inner();
        for length in HEADER_BYTES..=bytes.len() {
            let mut cut = Cursor::new(bytes[..length].to_vec());
            let (frames, end) = mend(&mut cut).unwrap();
            let expected = ends.iter().rposition(|end| *end <= length as u64).unwrap();
            assert_eq!((frames as usize, end), (expected, ends[expected]));
            assert_eq!(cut.into_inner()[24..28], frames.to_le_bytes());
        }
    }

    #[test]
    fn what_is_written_can_be_provided() {
        let mut writer = IvfWriter::begin(Cursor::new(Vec::new()), VideoCodec::Vp8, (16, 16)).unwrap();
        for (time, frame) in [(0, &KEY[..]), (3600, &DELTA), (3600, &DELTA), (7200, &KEY)] {
            writer.write(time, frame).unwrap();
        }
        assert_eq!((writer.codec(), writer.frames()), (VideoCodec::Vp8, 4));
        writer.finish().unwrap();
        let bytes = writer.into_file().into_inner();
        assert_eq!(bytes[24..28], [4, 0, 0, 0]);
        let (mut file, info) = VideoFile::open(Cursor::new(bytes)).unwrap();
        assert_eq!(info.codec, VideoCodec::Vp8);
        let frames: Vec<_> = std::iter::from_fn(|| file.next_frame().unwrap()).collect();
        let keys: Vec<_> = frames.iter().map(|frame| frame.is_key).collect();
        assert_eq!(keys, [true, false, false, true]);
        assert_eq!(frames[1].time, Duration::from_millis(40));
        assert!(frames[2].time > frames[1].time, "times grow");
        assert_eq!(frames[3].time, Duration::from_millis(80));
    }
}
