//! Small files for tests.

use std::time::Duration;

use bytes::Bytes;

use super::{Frame, Track};

/// The beginning of a VP8 keyframe.
pub(crate) const KEY: [u8; 10] = [0x10, 0, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0];
/// The beginning of another VP8 frame.
pub(crate) const DELTA: [u8; 4] = [0x11, 0, 0, 0];
/// A temporal unit of AV1 with a sequence header and a keyframe.
pub(crate) const AV1_KEY: [u8; 8] = [0x12, 0, 0x0a, 1, 7, 0x32, 1, 0x10];

/// Parameter sets of H.264 in Constrained Baseline and 640x360, and the beginning of a keyframe.
pub(crate) const H264_KEY: [u8; 34] = [
    0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x40, 0, 0, 0, 1, 0x68, 0xce, 0x3c,
    0x80, 0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21, 0xa0, 0x3f, 0x12, 0x34,
];
/// The beginning of another frame of H.264.
pub(crate) const H264_DELTA: [u8; 8] = [0, 0, 0, 1, 0x41, 0x9a, 0x21, 0x6c];

/// An IVF file with 25 units of time a second.
pub(crate) fn ivf(codec: &[u8; 4], frames: &[(u64, &[u8])]) -> Vec<u8> {
    let mut file = b"DKIF\0\0\x20\0".to_vec();
    file.extend(codec);
    file.extend([16, 0, 16, 0]);
    file.extend(25_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend([0; 8]);
    for (time, data) in frames {
        file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        file.extend(time.to_le_bytes());
        file.extend(*data);
    }
    file
}

/// The file with other bytes in place of some.
pub(crate) fn replaced(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = file.windows(from.len()).position(|window| window == from).unwrap();
    let mut file = file.to_vec();
    file[at..at + to.len()].copy_from_slice(to);
    file
}

/// The file with other bytes in place of some, where they are last.
pub(crate) fn with_last_replaced(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = file.windows(from.len()).rposition(|window| window == from).unwrap();
    let mut file = file.to_vec();
    file[at..at + to.len()].copy_from_slice(to);
    file
}

/// The file with an index whose place is another than its first element says.
pub(crate) fn webm_with_wrong_index(file: &[u8]) -> Vec<u8> {
    // SeekID of Cues, then SeekPosition with its length.
    let cues = [0x53, 0xab, 0x84, 0x1c, 0x53, 0xbb, 0x6b, 0x53, 0xac];
    let at = file.windows(cues.len()).position(|window| window == cues).unwrap() + cues.len();
    let length = usize::from(file[at] & 0x7f);
    let mut file = file.to_vec();
    // The same place as that of Info, which is a master element, too.
    let info = [0x53, 0xab, 0x84, 0x15, 0x49, 0xa9, 0x66, 0x53, 0xac];
    let from = file.windows(info.len()).position(|window| window == info).unwrap() + info.len();
    let from_length = usize::from(file[from] & 0x7f);
    let place = file[from + 1..=from + from_length].to_vec();
    let end = at + 1 + length;
    file[at + 1..end].fill(0);
    file[end - place.len()..end].copy_from_slice(&place);
    file
}

/// A frame of `bytes` bytes at this many milliseconds.
pub(crate) fn frame(track: Track, ms: u64, is_key: bool, bytes: usize) -> Frame {
    let mut data = vec![0; bytes.max(10)];
    let begin: &[u8] = if is_key { &KEY } else { &DELTA };
    data[..begin.len()].copy_from_slice(begin);
    Frame { track, time: Duration::from_millis(ms), is_key, data: Bytes::from(data) }
}
