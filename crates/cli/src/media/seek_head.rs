//! A Matroska file whose SeekHead is wrong, read without it.
//!
//! The SeekHead says where the other elements are. `matroska-demuxer` 0.8 believes it, and looks for the elements itself only
//! where there is none. So a wrong one is read as a Void element of the same length (RFC 9559, 5.1.1; RFC 8794, 11.3.2).

use std::io::{self, Read, Seek, SeekFrom};

const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
const SEEK_HEAD: [u8; 4] = [0x11, 0x4d, 0x9b, 0x74];
const CRC_32: u8 = 0xbf;
const VOID: u8 = 0xec;
/// The longest element whose size fits three bytes, beside the one that means "unknown".
const MAX_VOID_BYTES: u64 = (1 << 21) - 2;

/// Four bytes that are read in place of those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patch {
    at: u64,
    bytes: [u8; 4],
}

impl Patch {
    /// The patch that hides the SeekHead at the begin of the file; `None` if there is none.
    pub(super) fn over_seek_head(reader: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        reader.seek(SeekFrom::Start(0))?;
        let mut begin = Vec::new();
        reader.take(4096).read_to_end(&mut begin)?;
        Ok(Self::in_begin(&begin))
    }

    fn in_begin(begin: &[u8]) -> Option<Self> {
        let mut at = 0;
        let header_bytes = element(begin, &mut at, EBML)?;
        at = at.checked_add(usize::try_from(header_bytes).ok()?)?;
        element(begin, &mut at, SEGMENT)?;
        if *begin.get(at)? == CRC_32 {
            // A checksum of four bytes, with its id and its size.
            at += 6;
        }
        let seek_head = at;
        let length = element(begin, &mut at, SEEK_HEAD)?;
        // The old size is part of what is skipped.
        let size_bytes = (at - seek_head - SEEK_HEAD.len()) as u64;
        let void_bytes = length.checked_add(size_bytes).filter(|bytes| *bytes <= MAX_VOID_BYTES)?;
        let [.., high, middle, low] = void_bytes.to_be_bytes();
        Some(Self { at: seek_head as u64, bytes: [VOID, 0x20 | high, middle, low] })
    }
}

/// The size of an element with this id at a position, which moves to its contents.
fn element(bytes: &[u8], at: &mut usize, id: [u8; 4]) -> Option<u64> {
    let rest = bytes.get(*at..)?.strip_prefix(&id)?;
    let first = *rest.first()?;
    let marker = 0x80_u8.checked_shr(first.leading_zeros())?;
    let length = first.leading_zeros() as usize + 1;
    let tail = rest.get(1..length)?;
    let size = tail.iter().fold(u64::from(first & !marker), |size, byte| size << 8 | u64::from(*byte));
    *at += id.len() + length;
    Some(size)
}

/// A file in which some bytes may be read as others.
#[derive(Debug)]
pub(super) struct Overlay<R> {
    reader: R,
    position: u64,
    patch: Option<Patch>,
}

impl<R: Read + Seek> Overlay<R> {
    pub(super) fn new(mut reader: R, patch: Option<Patch>) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(0))?;
        Ok(Self { reader, position: 0, patch })
    }
}

impl<R: Read> Read for Overlay<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Some(patch) = self.patch {
            for (at, byte) in (patch.at..).zip(patch.bytes) {
                let within = at.checked_sub(self.position).and_then(|within| usize::try_from(within).ok());
                if let Some(place) = within.and_then(|within| buffer[..read].get_mut(within)) {
                    *place = byte;
                }
            }
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Seek> Seek for Overlay<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.reader.seek(to)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A header, a segment, and a SeekHead with one byte.
    const FILE: [u8; 25] = [
        0x1a, 0x45, 0xdf, 0xa3, 0x82, 1, 2, 0x18, 0x53, 0x80, 0x67, 0x01, 0, 0, 0, 0, 0, 0, 6, 0x11, 0x4d,
        0x9b, 0x74, 0x81, 7,
    ];

    #[test]
    fn a_seek_head_is_read_as_a_void_of_its_length() {
        let patch = Patch::over_seek_head(&mut Cursor::new(FILE)).unwrap().unwrap();
        assert_eq!(patch, Patch { at: 19, bytes: [0xec, 0x20, 0, 2] });
        let mut whole = Vec::new();
        Overlay::new(Cursor::new(FILE), Some(patch)).unwrap().read_to_end(&mut whole).unwrap();
        assert_eq!(whole[..19], FILE[..19]);
        assert_eq!(whole[19..], [0xec, 0x20, 0, 2, 0x81, 7]);
        // In pieces, too.
        let mut overlay = Overlay::new(Cursor::new(FILE), Some(patch)).unwrap();
        overlay.seek(SeekFrom::Start(20)).unwrap();
        let mut piece = [0; 2];
        overlay.read_exact(&mut piece).unwrap();
        assert_eq!(piece, [0x20, 0]);
    }

    #[test]
    fn a_file_without_a_seek_head_has_no_patch() {
        let mut without = FILE;
        without[19] = 0x15;
        assert_eq!(Patch::in_begin(&without), None);
        for length in 0..FILE.len() {
            let _ = Patch::in_begin(&FILE[..length]);
            let mut changed = FILE;
            changed[length] ^= 0xff;
            let _ = Patch::in_begin(&changed);
        }
    }
}
