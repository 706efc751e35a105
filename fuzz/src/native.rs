//! Properties of the parsers of `sightline-peer` for files of this computer.

use std::io::Cursor;

use sightline_cli::media;

/// A property that holds for any input; panics if it does not.
pub type Property = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Property); 1] = [("ivf_file", ivf_file)];

/// Bytes before the frames, and before each frame.
const HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 12;

/// Video files to provide: what is counted of an IVF file is in the file.
pub fn ivf_file(file: &[u8]) {
    let Ok(summary) = media::examine(Cursor::new(file)) else { return };
    assert!((1..=summary.frames).contains(&summary.keyframes), "{summary:?}");
    if file.starts_with(b"DKIF") {
        let headers = HEADER_BYTES + FRAME_HEADER_BYTES * summary.frames;
        assert!(headers + summary.bytes <= file.len() as u64, "{summary:?}");
    }
}
