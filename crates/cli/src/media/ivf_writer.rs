//! Writes frames that arrive into an IVF file, without encoding them again.

use std::io::{self, Seek, SeekFrom, Write};

use super::VideoCodec;

/// Units of time in a second: those of RTP.
const RATE: u32 = 90_000;
const HEADER_BYTES: usize = 32;

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
        header[16..20].copy_from_slice(&RATE.to_le_bytes());
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

    /// Writes the number of frames into the header.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.file.seek(SeekFrom::Start(24))?;
        self.file.write_all(&self.frames.to_le_bytes())?;
        self.file.flush()?;
        Ok(self.file)
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, time::Duration};

    use super::{super::file::VideoFile, *};
    use crate::media::testing::{DELTA, KEY};

    #[test]
    fn what_is_written_can_be_provided() {
        let mut writer = IvfWriter::begin(Cursor::new(Vec::new()), VideoCodec::Vp8, (16, 16)).unwrap();
        for (time, frame) in [(0, &KEY[..]), (3600, &DELTA), (3600, &DELTA), (7200, &KEY)] {
            writer.write(time, frame).unwrap();
        }
        assert_eq!((writer.codec(), writer.frames()), (VideoCodec::Vp8, 4));
        let bytes = writer.finish().unwrap().into_inner();
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
