//! A small still picture from outside, checked before a browser decodes it.
//!
//! Owns the rules for such a picture: a JPEG file of at most [`MAX_PICTURE_BYTES`] bytes and [`MAX_PICTURE_SIDE`] pixels a side. Without
//! the second rule a file of a few kilobytes could make a browser allocate gigabytes. It never decodes the pixels.
//!
//! Invariant: a [`StillPicture`] keeps these rules, wherever it came from.

use std::{fmt, sync::Arc};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sightline_protocol::{
    JpegText,
    limits::{MAX_PICTURE_BYTES, MAX_PICTURE_SIDE},
};

const DATA_URL: &str = "data:image/jpeg;base64,";

/// Markers of a JPEG file (ITU-T T.81, table B.1).
mod marker {
    pub(super) const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
    pub(super) const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    pub(super) const START_OF_SCAN: u8 = 0xda;
    /// Baseline, extended sequential and progressive, each with Huffman codes.
    pub(super) const FRAMES: [u8; 3] = [0xc0, 0xc1, 0xc2];
    /// Tables, restart interval, comment; and the application segments, which have a range.
    pub(super) const TABLES: [u8; 4] = [0xc4, 0xdb, 0xdd, 0xfe];
    pub(super) const APPLICATION: std::ops::RangeInclusive<u8> = 0xe0..=0xef;
}

/// A small JPEG file. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct StillPicture(Arc<[u8]>);

/// Why bytes are no [`StillPicture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureInvalid {
    /// More than [`MAX_PICTURE_BYTES`].
    #[error("the picture has too many bytes")]
    TooLong,
    /// Another format, or a damaged file.
    #[error("this is no JPEG file")]
    NotJpeg,
    /// More than [`MAX_PICTURE_SIDE`] pixels wide or high.
    #[error("the picture has too many pixels")]
    TooManyPixels,
}

impl StillPicture {
    /// Checks the bytes of a file.
    ///
    /// # Errors
    /// [`PictureInvalid`] says why the file is not shown.
    pub fn new(bytes: &[u8]) -> Result<Self, PictureInvalid> {
        if bytes.len() > MAX_PICTURE_BYTES {
            return Err(PictureInvalid::TooLong);
        }
        let (width, height) = size(bytes).ok_or(PictureInvalid::NotJpeg)?;
        if width.max(height) > MAX_PICTURE_SIDE {
            return Err(PictureInvalid::TooManyPixels);
        }
        Ok(Self(bytes.into()))
    }

    /// Takes a picture as it is sent in an unprotected room.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn from_text(text: &JpegText) -> Result<Self, PictureInvalid> {
        Self::new(&URL_SAFE_NO_PAD.decode(text.as_str()).map_err(|_| PictureInvalid::NotJpeg)?)
    }

    /// Takes a picture as `HTMLCanvasElement.toDataURL("image/jpeg")` returns it.
    ///
    /// # Errors
    /// As for [`Self::new`]. A browser that cannot write JPEG returns another format.
    pub fn from_data_url(url: &str) -> Result<Self, PictureInvalid> {
        let encoded = url.strip_prefix(DATA_URL).ok_or(PictureInvalid::NotJpeg)?;
        if encoded.len() > MAX_PICTURE_BYTES / 3 * 4 {
            return Err(PictureInvalid::TooLong);
        }
        Self::new(&STANDARD.decode(encoded).map_err(|_| PictureInvalid::NotJpeg)?)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The picture as it is sent in an unprotected room.
    #[must_use]
    pub fn to_text(&self) -> Option<JpegText> {
        JpegText::new(URL_SAFE_NO_PAD.encode(&self.0)).ok()
    }

    /// An address of the picture, for the `src` of an `<img>`.
    #[must_use]
    pub fn to_data_url(&self) -> String {
        format!("{DATA_URL}{}", STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for StillPicture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StillPicture({} bytes)", self.0.len())
    }
}

/// Width and height in the header of a JPEG file; `None` if the header is not complete, or has anything that a camera's picture has not.
fn size(file: &[u8]) -> Option<(u16, u16)> {
    let mut rest = file.strip_prefix(&marker::START_OF_IMAGE)?.strip_suffix(&marker::END_OF_IMAGE)?;
    let mut found = None;
    loop {
        let (code, behind) = match rest {
            // A marker may be preceded by any number of fill bytes.
            [0xff, 0xff, ..] => {
                rest = rest.get(1..)?;
                continue;
            }
            [0xff, code, behind @ ..] => (*code, behind),
            _ => return None,
        };
        let (length, _) = behind.split_first_chunk::<2>()?;
        // The length counts its own two bytes.
        let length = usize::from(u16::from_be_bytes(*length));
        let segment = behind.get(2..length)?;
        rest = behind.get(length..)?;
        match code {
            code if marker::FRAMES.contains(&code) && found.is_none() => {
                let [8, high, low, wide, narrow, ..] = segment else { return None };
                let height = u16::from_be_bytes([*high, *low]);
                let width = u16::from_be_bytes([*wide, *narrow]);
                // A height of 0 would be told after the first scan.
                found = Some((width, height)).filter(|_| width > 0 && height > 0);
                found?;
            }
            marker::START_OF_SCAN => return found,
            code if marker::TABLES.contains(&code) || marker::APPLICATION.contains(&code) => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a picture of this size, with a scan of `scan` bytes.
    fn jpeg(width: u16, height: u16, scan: usize) -> Vec<u8> {
        let ([wide, narrow], [high, low]) = (width.to_be_bytes(), height.to_be_bytes());
        let mut file = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, b'J', b'F', 0xff, 0xff, 0xdb, 0, 3, 0];
        file.extend([0xff, 0xc0, 0, 11, 8, high, low, wide, narrow, 1, 1, 0x11, 0]);
        file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        file.extend(vec![0x55; scan]);
        file.extend([0xff, 0xd9]);
        file
    }

    #[test]
    fn a_small_jpeg_file_is_a_picture_and_stays_the_same_on_the_way() {
        let picture = StillPicture::new(&jpeg(320, 240, 64)).unwrap();
        assert_eq!(StillPicture::from_text(&picture.to_text().unwrap()), Ok(picture.clone()));
        assert_eq!(StillPicture::from_data_url(&picture.to_data_url()), Ok(picture.clone()));
        assert!(picture.to_data_url().starts_with("data:image/jpeg;base64,/9j/"));
        assert_eq!(format!("{picture:?}"), format!("StillPicture({} bytes)", picture.as_bytes().len()));
    }

    #[test]
    fn a_file_of_a_real_encoder_is_a_picture_and_so_is_a_progressive_one() {
        assert!(StillPicture::new(include_bytes!("../../../fuzz/seeds/still_picture/camera")).is_ok());
        let mut progressive = jpeg(16, 16, 9);
        let frame = progressive.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        progressive[frame + 1] = 0xc2;
        assert!(StillPicture::new(&progressive).is_ok());
    }

    #[test]
    fn a_picture_with_too_many_bytes_or_pixels_is_not_shown() {
        let free = MAX_PICTURE_BYTES - jpeg(1, 1, 0).len();
        assert!(StillPicture::new(&jpeg(320, 320, free)).is_ok());
        assert_eq!(StillPicture::new(&jpeg(320, 320, free + 1)), Err(PictureInvalid::TooLong));
        for (width, height) in [(321, 1), (1, 321), (u16::MAX, u16::MAX)] {
            assert_eq!(StillPicture::new(&jpeg(width, height, 9)), Err(PictureInvalid::TooManyPixels));
        }
        let url = format!("{DATA_URL}{}", "A".repeat(MAX_PICTURE_BYTES / 3 * 4 + 4));
        assert_eq!(StillPicture::from_data_url(&url), Err(PictureInvalid::TooLong));
    }

    #[test]
    fn anything_but_a_whole_jpeg_file_is_not_shown() {
        let sound = jpeg(16, 16, 9);
        for end in 0..sound.len() {
            assert_eq!(StillPicture::new(&sound[..end]), Err(PictureInvalid::NotJpeg), "cut at {end}");
        }
        for other in
            [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF"]
        {
            assert_eq!(StillPicture::new(other), Err(PictureInvalid::NotJpeg));
        }
        assert_eq!(
            StillPicture::from_data_url("data:image/png;base64,iVBORw0KGgo="),
            Err(PictureInvalid::NotJpeg)
        );
        assert_eq!(StillPicture::from_data_url("data:image/jpeg;base64,*"), Err(PictureInvalid::NotJpeg));
        // Without height, lossless, with arithmetic codes, and with a second frame.
        assert_eq!(StillPicture::new(&jpeg(16, 0, 9)), Err(PictureInvalid::NotJpeg));
        let frame = sound.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        for code in [0xc3, 0xc9, 0xd8, 0x00] {
            let mut other = sound.clone();
            other[frame + 1] = code;
            assert_eq!(StillPicture::new(&other), Err(PictureInvalid::NotJpeg), "{code:x}");
        }
        let mut twice = sound.clone();
        twice.splice(frame..frame, sound[frame..frame + 13].to_vec());
        assert_eq!(StillPicture::new(&twice), Err(PictureInvalid::NotJpeg));
    }
}
