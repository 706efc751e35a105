//! Properties of the parsers of `sightline-peer` for files of this computer and for what members send.

use std::io::Cursor;

use sightline_cli::{arrival, media};

/// A property that holds for any input; panics if it does not.
pub type Property = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Property); 4] =
    [("ivf_file", ivf_file), ("mp4_file", mp4_file), ("ogg_file", ogg_file), ("rtp_payloads", rtp_payloads)];

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

/// Video files to provide: a file of any container that can be shown has a keyframe.
pub fn mp4_file(file: &[u8]) {
    let Ok(summary) = media::examine(Cursor::new(file)) else { return };
    assert!((1..=summary.frames).contains(&summary.keyframes), "{summary:?}");
}

/// Video files to provide: what is counted of an Ogg file is in the file, once.
pub fn ogg_file(file: &[u8]) {
    let Ok(summary) = media::examine(Cursor::new(file)) else { return };
    assert!((1..=summary.frames).contains(&summary.keyframes), "{summary:?}");
    if file.starts_with(b"OggS") {
        assert!(summary.bytes <= file.len() as u64, "{summary:?}");
    }
}

/// RTP payloads of a member: frames are not empty, and have no more bytes than headers explain.
pub fn rtp_payloads(bytes: &[u8]) {
    let frames = frames_of(bytes);
    assert!(frames.iter().all(|frame| !frame.is_empty()));
    // AV1 in a file has a size for each OBU, and a delimiter before each frame.
    assert!(frames.iter().map(Vec::len).sum::<usize>() <= 3 * bytes.len());
}

/// The frames in an input: the codec, then each payload with its marker and its length in the byte before it.
pub fn frames_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (codec, mut rest) = bytes.split_first().unwrap_or((&0, &[]));
    let mut payloads = Vec::new();
    while let Some((head, after)) = rest.split_first() {
        let (payload, after) = after.split_at(after.len().min(usize::from(head & 0x7f)));
        payloads.push((head & 0x80 != 0, payload));
        rest = after;
    }
    arrival::assemble(usize::from(*codec), &payloads)
}
