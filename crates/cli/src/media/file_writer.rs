//! A video file that frames are written into as they arrive, of either container.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, Write},
    path::Path,
};

use super::{
    VideoCodec,
    ivf_writer::{self, IvfWriter},
    matroska_writer::MatroskaWriter,
    rtp_clock::VIDEO_HZ,
};

/// The container of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// Pictures alone.
    Ivf,
    /// Pictures and sound: WebM or Matroska.
    Matroska,
}

impl FileFormat {
    /// The format that a name asks for.
    pub(crate) fn of(path: &Path) -> Self {
        let is_matroska = path.extension().is_some_and(|extension| {
            ["webm", "mkv"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        });
        if is_matroska { Self::Matroska } else { Self::Ivf }
    }
}

/// A file that grows.
pub(crate) enum FileWriter<W: Write + Seek> {
    Ivf(IvfWriter<W>),
    Matroska(Box<MatroskaWriter<W>>),
}

impl<W: Write + Seek> FileWriter<W> {
    /// Begins a file with its first keyframe. Leaves `file` where it is if the keyframe lacks what the container needs.
    pub(crate) fn begin(
        file: &mut Option<W>,
        format: FileFormat,
        codec: VideoCodec,
        size: (u32, u32),
        keyframe: &[u8],
    ) -> io::Result<Option<Self>> {
        let Some(taken) = file.take() else { return Ok(None) };
        match format {
            FileFormat::Ivf => Ok(Some(Self::Ivf(IvfWriter::begin(taken, codec, size)?))),
            FileFormat::Matroska => match MatroskaWriter::begin(taken, codec, size, keyframe) {
                Ok(writer) => Ok(Some(Self::Matroska(Box::new(writer)))),
                Err(untouched) => {
                    *file = Some(untouched);
                    Ok(None)
                }
            },
        }
    }

    pub(crate) fn codec(&self) -> VideoCodec {
        match self {
            Self::Ivf(file) => file.codec(),
            Self::Matroska(file) => file.codec(),
        }
    }

    /// Number of pictures.
    pub(crate) fn pictures(&self) -> u32 {
        match self {
            Self::Ivf(file) => file.frames(),
            Self::Matroska(file) => file.pictures(),
        }
    }

    /// Appends a picture at a time in units of 1/90,000 s.
    pub(crate) fn write_picture(&mut self, time: u64, is_key: bool, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Ivf(file) => file.write(time, data),
            Self::Matroska(file) => file.write_picture(time * 1000 / u64::from(VIDEO_HZ), is_key, data),
        }
    }

    /// Appends an Opus packet at a time in milliseconds. IVF has no sound.
    pub(crate) fn write_sound(&mut self, ms: u64, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Ivf(_) => Ok(()),
            Self::Matroska(file) => file.write_sound(ms, data),
        }
    }

    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Ivf(file) => file.finish(),
            Self::Matroska(file) => file.finish(),
        }
    }
}

impl FileWriter<BufWriter<File>> {
    /// Ends a file that could not be written further: what was written before can be played. Without a whole frame the file is empty.
    pub(crate) fn mend(self) -> io::Result<()> {
        match self {
            Self::Ivf(file) => {
                let (mut file, _not_written) = file.into_file().into_parts();
                let (frames, whole_bytes) = ivf_writer::mend(&mut file)?;
                file.set_len(if frames > 0 { whole_bytes } else { 0 })
            }
            Self::Matroska(file) => {
                let (file, whole_bytes) = file.into_file();
                file.into_parts().0.set_len(whole_bytes)
            }
        }
    }
}
