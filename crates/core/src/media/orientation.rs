//! Whether an MP4 or QuickTime file says that its pictures are to be turned (ISO/IEC 14496-12, 8.3.2).
//!
//! Firefox 153 captures the frames of a `<video>` as they are stored, not as it shows them, and the captured track does not say
//! so: half a turn keeps the size. So this module reads the file itself, a few bytes of each box on the way to the matrix.

use std::ops::Range;

/// Bytes read at each box: its header and the part of the content that matters.
const READ_BYTES: u64 = 128;
/// Number of boxes read in one file: a fragmented file has thousands, all of them behind its index.
const MAX_BOXES: usize = 256;

/// Looks for the matrix of the first video track.
///
/// Read [`Self::poll_read`] from the file and give it to [`Self::handle_read`], until there is nothing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrientationFinder {
    at: u64,
    /// The ends of the file and of the boxes around `at`, outermost first.
    ends: Vec<End>,
    boxes: usize,
    track: Track,
    is_turned: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    offset: u64,
    is_track: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Track {
    is_video: bool,
    is_turned: bool,
}

impl OrientationFinder {
    /// A finder for a file of this length, in bytes.
    #[must_use]
    pub fn new(file_bytes: u64) -> Self {
        let file = End { offset: file_bytes, is_track: false };
        Self { at: 0, ends: vec![file], boxes: 0, track: Track::default(), is_turned: None }
    }

    /// The bytes to read next; `None` once [`Self::is_turned`] is known.
    #[must_use]
    pub fn poll_read(&self) -> Option<Range<u64>> {
        let file = self.ends.first().filter(|_| self.is_turned.is_none())?;
        Some(self.at..(self.at + READ_BYTES).min(file.offset))
    }

    /// Whether the pictures are to be turned or mirrored; false for other kinds of files.
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.is_turned.unwrap_or_default()
    }

    /// Takes the bytes that [`Self::poll_read`] asked for; empty if they could not be read.
    pub fn handle_read(&mut self, bytes: &[u8]) {
        if self.is_turned.is_some() {
            return;
        }
        self.boxes += 1;
        if self.boxes > MAX_BOXES || self.step(bytes).is_none() {
            self.is_turned = Some(false);
        }
    }

    /// Goes to the next box; `None` where there is none.
    fn step(&mut self, bytes: &[u8]) -> Option<()> {
        let around = self.ends.last()?.offset;
        let header = Header::read(bytes, around.checked_sub(self.at)?)?;
        let content = bytes.get(header.bytes..)?;
        let end = self.at.checked_add(header.size).filter(|end| *end <= around)?;
        match &header.name {
            b"moov" | b"mdia" | b"trak" => {
                let is_track = &header.name == b"trak";
                if is_track {
                    self.track = Track::default();
                }
                self.ends.push(End { offset: end, is_track });
                self.at += header.bytes as u64;
            }
            b"tkhd" => {
                self.track.is_turned = is_matrix_turned(content)?;
                self.at = end;
            }
            b"hdlr" => {
                self.track.is_video = content.get(8..12)? == b"vide";
                self.at = end;
            }
            _ => self.at = end,
        }
        // Leave the boxes that end here.
        while let Some(end) = self.ends.last().copied().filter(|end| end.offset <= self.at) {
            self.ends.pop();
            if end.is_track && self.track.is_video {
                self.is_turned = Some(self.track.is_turned);
                break;
            }
        }
        (!self.ends.is_empty()).then_some(())
    }
}

struct Header {
    name: [u8; 4],
    /// Size of the whole box, in bytes.
    size: u64,
    /// Size of the header, in bytes.
    bytes: usize,
}

impl Header {
    /// Reads the header of a box that has at most `room` bytes.
    fn read(bytes: &[u8], room: u64) -> Option<Self> {
        let name = bytes.get(4..8)?.try_into().ok()?;
        let (size, header) = match u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) {
            0 => (room, 8),
            1 => (u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?), 16),
            size => (u64::from(size), 8),
        };
        (size >= header as u64).then_some(Self { name, size, bytes: header })
    }
}

/// Whether a `tkhd` box says that the picture is not upright, by the four numbers of its matrix that rotate.
fn is_matrix_turned(content: &[u8]) -> Option<bool> {
    // Version 1 has longer times.
    let start = if *content.first()? == 1 { 52 } else { 40 };
    let number = |at: usize| {
        let bytes = content.get(start + at..start + at + 4)?;
        Some(i32::from_be_bytes(bytes.try_into().ok()?))
    };
    let [a, b, c, d] = [number(0)?, number(4)?, number(12)?, number(16)?];
    Some(!(a > 0 && b == 0 && c == 0 && d > 0))
}
