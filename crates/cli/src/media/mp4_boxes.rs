//! The boxes of an MP4 file, one after the other (ISO/IEC 14496-12, 4.2).

use std::io::{Read, Seek, SeekFrom};

use super::file_problem::FileProblem;

/// A file of a day with a fragment for each frame has as many.
const MAX_BOXES: u32 = 12_000_000;

/// One box at the highest level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileBox {
    pub(super) kind: [u8; 4],
    /// Where its header begins.
    pub(super) at: u64,
    pub(super) body_bytes: u64,
}

/// Walks over the boxes, and reads the bodies that are wanted.
pub(super) struct Boxes<R> {
    reader: R,
    /// Where the next box begins.
    at: u64,
    /// Where the reader is.
    position: u64,
    end: u64,
    left: u32,
}

impl<R: Read + Seek> Boxes<R> {
    pub(super) fn new(mut reader: R) -> Result<Self, FileProblem> {
        let end = reader.seek(SeekFrom::End(0))?;
        let position = reader.seek(SeekFrom::Start(0))?;
        Ok(Self { reader, at: 0, position, end, left: MAX_BOXES })
    }

    /// The next box; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<FileBox>, FileProblem> {
        if self.at == self.end {
            return Ok(None);
        }
        self.left = self.left.checked_sub(1).ok_or(FileProblem::Damaged)?;
        let at = self.at;
        // An absolute position would empty the buffer of the reader for every box.
        let step = i128::from(at) - i128::from(self.position);
        self.reader.seek_relative(i64::try_from(step).map_err(|_| FileProblem::Truncated)?)?;
        self.position = at;
        let mut header = [0; 8];
        self.read_exact(&mut header)?;
        let [s0, s1, s2, s3, kind @ ..] = header;
        let (header_bytes, size) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            // To the end of the file.
            0 => (8, self.end - at),
            // In the eight bytes after the type.
            1 => {
                let mut size = [0; 8];
                self.read_exact(&mut size)?;
                (16, u64::from_be_bytes(size))
            }
            size => (8, u64::from(size)),
        };
        let body_bytes = size.checked_sub(header_bytes).ok_or(FileProblem::Damaged)?;
        self.at = at.checked_add(size).filter(|next| *next <= self.end).ok_or(FileProblem::Truncated)?;
        Ok(Some(FileBox { kind, at, body_bytes }))
    }

    /// Reads the body of the box that came last.
    pub(super) fn body(&mut self, of: FileBox, max_bytes: u64) -> Result<Vec<u8>, FileProblem> {
        if of.body_bytes > max_bytes {
            return Err(FileProblem::Damaged);
        }
        let mut body = Vec::new();
        self.position += (&mut self.reader).take(of.body_bytes).read_to_end(&mut body)? as u64;
        if (body.len() as u64) < of.body_bytes { Err(FileProblem::Truncated) } else { Ok(body) }
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), FileProblem> {
        self.reader.read_exact(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn boxes_follow_each_other_whatever_is_read_of_them() {
        let file = b"\0\0\0\x0aoneeAB\0\0\0\x01twoo\0\0\0\0\0\0\0\x11C\0\0\0\0restDE".to_vec();
        let mut boxes = Boxes::new(Cursor::new(file)).unwrap();
        let one = boxes.next().unwrap().unwrap();
        assert_eq!(one, FileBox { kind: *b"onee", at: 0, body_bytes: 2 });
        assert_eq!(boxes.body(one, 2).unwrap(), b"AB");
        let two = boxes.next().unwrap().unwrap();
        assert_eq!(two, FileBox { kind: *b"twoo", at: 10, body_bytes: 1 });
        let rest = boxes.next().unwrap().unwrap();
        assert_eq!(rest, FileBox { kind: *b"rest", at: 27, body_bytes: 2 });
        assert_eq!(boxes.body(rest, 1).unwrap_err().code(), "file-damaged");
        assert_eq!(boxes.next().unwrap(), None);
    }

    #[test]
    fn boxes_without_end_are_given_up() {
        let mut boxes = Boxes::new(Cursor::new(b"\0\0\0\x08free".repeat(5))).unwrap();
        boxes.left = 4;
        for _ in 0..4 {
            assert!(boxes.next().unwrap().is_some());
        }
        assert_eq!(boxes.next().unwrap_err().code(), "file-damaged");
    }
}
