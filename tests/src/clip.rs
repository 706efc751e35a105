//! A small clip (`tests/fixtures/clip.mp4`): unchanged, turned, truncated and damaged.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::{Context, Result};

/// Red, green, blue and white quarters, from the top left, with a box that runs through the middle, and a tone; 8 s.
const CLIP: &[u8] = include_bytes!("../fixtures/clip.mp4");

/// The same pictures at 15 frames per second, where the picture stands still for 600 ms after 7 s.
const GAP: &[u8] = include_bytes!("../fixtures/gap.mp4");

/// Bytes between the two halves of [`write_spread`]: more than a browser reads ahead.
const GAP_BYTES: u32 = 200 << 20;

/// The unchanged clip.
#[must_use]
pub fn whole() -> Vec<u8> {
    CLIP.to_vec()
}

/// The clip with a standstill of 600 ms shortly before its end.
#[must_use]
pub fn with_gap() -> Vec<u8> {
    GAP.to_vec()
}

/// The clip as a phone records it when it is turned clockwise by this many quarters: the matrix of its video track says so
/// (ISO/IEC 14496-12, 8.3.2).
///
/// # Errors
/// If the clip is invalid.
pub fn turned(quarters: u32) -> Result<Vec<u8>> {
    const ONE: i32 = 0x1_0000;
    let (a, b) = match quarters % 4 {
        0 => (ONE, 0),
        1 => (0, ONE),
        2 => (-ONE, 0),
        _ => (0, -ONE),
    };
    let mut clip = whole();
    // The first track is the video. In version 0 the matrix is behind 40 bytes.
    let matrix = find(&clip, b"tkhd")? + 4 + 40;
    let rows = [a, b, 0, -b, a, 0, 0, 0, 0x4000_0000];
    for (row, at) in rows.into_iter().zip((matrix..).step_by(4)) {
        clip[at..at + 4].copy_from_slice(&row.to_be_bytes());
    }
    Ok(clip)
}

/// The clip without the second half of its pictures and sound.
///
/// # Errors
/// If the clip is invalid.
pub fn cut() -> Result<Vec<u8>> {
    Ok(CLIP[..middle()?].to_vec())
}

/// The pictures of the clip as an IVF file, for a program that reads no MP4.
///
/// # Errors
/// If the clip is invalid.
pub fn pictures_as_ivf() -> Result<Vec<u8>> {
    const FRAMES_PER_SECOND: u32 = 15;
    let mut ivf = b"DKIF\0\0\x20\0VP90".to_vec();
    ivf.extend([160, 0, 96, 0]);
    ivf.extend([FRAMES_PER_SECOND, 1, 0, 0].map(u32::to_le_bytes).concat());
    // The first track is the video, and each of its chunks is one frame.
    let (sizes, places) = (find(CLIP, b"stsz")? + 8, find(CLIP, b"stco")? + 8);
    for frame in 0..be32(CLIP, places)? {
        let size = be32(CLIP, sizes + 8 + 4 * frame as usize)?;
        let place = be32(CLIP, places + 4 + 4 * frame as usize)? as usize;
        ivf.extend(size.to_le_bytes());
        ivf.extend(u64::from(frame).to_le_bytes());
        ivf.extend(CLIP.get(place..place + size as usize).context("the clip is too short")?);
    }
    Ok(ivf)
}

/// Only the index of the clip, without pictures and sound.
///
/// # Errors
/// If the clip is invalid.
pub fn index_alone() -> Result<Vec<u8>> {
    Ok(CLIP[..find(CLIP, b"mdat")? - 4].to_vec())
}

/// The clip with random bytes in place of the second half of its pictures and sound.
///
/// # Errors
/// If the clip is invalid.
pub fn damaged() -> Result<Vec<u8>> {
    let mut clip = whole();
    let mut noise = 1_u32;
    for byte in &mut clip[middle()?..] {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (noise >> 24) as u8;
    }
    Ok(clip)
}

/// Writes the clip with a gap in the file between its two halves, so that the browser does not read the second half before it
/// plays.
///
/// # Errors
/// If the file cannot be written, or the clip is invalid.
pub fn write_spread(path: &Path) -> Result<()> {
    let mut clip = whole();
    let middle = middle()?;
    let mut from = 0;
    while let Ok(found) = find(&clip[from..], b"stco") {
        let list = from + found + 8;
        let length = be32(&clip, list)?;
        for at in (0..length as usize).map(|entry| list + 4 + 4 * entry) {
            let offset = be32(&clip, at)?;
            if offset as usize >= middle {
                clip[at..at + 4].copy_from_slice(&(offset + GAP_BYTES).to_be_bytes());
            }
        }
        from = list;
    }
    let mdat = find(&clip, b"mdat")? - 4;
    let length = be32(&clip, mdat)? + GAP_BYTES;
    clip[mdat..mdat + 4].copy_from_slice(&length.to_be_bytes());
    let mut file = File::create(path)?;
    file.write_all(&clip[..middle])?;
    file.seek(SeekFrom::Start(middle as u64 + u64::from(GAP_BYTES)))?;
    file.write_all(&clip[middle..])?;
    Ok(())
}

/// The position of a frame in the middle.
fn middle() -> Result<usize> {
    let list = find(CLIP, b"stco")? + 8;
    let frames = be32(CLIP, list)? as usize;
    Ok(be32(CLIP, list + 4 + frames / 2 * 4)? as usize)
}

fn find(clip: &[u8], word: &[u8; 4]) -> Result<usize> {
    clip.windows(4).position(|window| window == word).context("a box is missing in the clip")
}

fn be32(clip: &[u8], at: usize) -> Result<u32> {
    let bytes = clip.get(at..at + 4).context("the clip is too short")?;
    Ok(u32::from_be_bytes(bytes.try_into()?))
}
