//! The size of the picture that a keyframe contains, from its header.

use crate::media::{VideoCodec, bitstream, h264};

/// Width and height in pixels; `None` if the header is damaged or has parts that are not read here.
pub(super) fn of_keyframe(codec: VideoCodec, frame: &[u8]) -> Option<(u32, u32)> {
    let size = match codec {
        VideoCodec::Vp8 => vp8(frame),
        VideoCodec::Vp9 => vp9(frame),
        VideoCodec::Av1 => av1(bitstream::sequence_header(frame)?),
        VideoCodec::H264 => h264(h264::sequence_parameters(frame)?),
    };
    size.filter(|(width, height)| *width > 0 && *height > 0)
}

/// RFC 6386, 9.1: 14 bits each after the start code; the two above them are for scaling.
fn vp8(frame: &[u8]) -> Option<(u32, u32)> {
    let [width_low, width_high, height_low, height_high] = *frame.get(6..10)? else { return None };
    let size = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((size(width_low, width_high), size(height_low, height_high)))
}

/// VP9 bitstream specification, 6.2: profile 0, whose color configuration has no bit depth.
fn vp9(frame: &[u8]) -> Option<(u32, u32)> {
    const RGB: u32 = 7;
    let mut bits = Bits::new(frame);
    // Frame marker, profile, show_existing_frame, frame_type.
    if bits.take(2)? != 2 || bits.take(2)? != 0 || bits.take(1)? != 0 || bits.take(1)? != 0 {
        return None;
    }
    // show_frame, error_resilient_mode, the sync code.
    bits.take(2)?;
    if bits.take(24)? != 0x49_83_42 {
        return None;
    }
    if bits.take(3)? == RGB {
        return None;
    }
    // color_range
    bits.take(1)?;
    Some((bits.take(16)? + 1, bits.take(16)? + 1))
}

/// AV1 specification, 5.5. A sequence header with timing information is not read: encoders for calls write none.
fn av1(header: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(header);
    // seq_profile, still_picture
    bits.take(4)?;
    let is_reduced = bits.take(1)? == 1;
    if is_reduced {
        bits.take(5)?;
    } else {
        let has_timing = bits.take(1)? == 1;
        if has_timing {
            return None;
        }
        let has_display_delay = bits.take(1)? == 1;
        let points = bits.take(5)? + 1;
        for _ in 0..points {
            bits.take(12)?;
            let level = bits.take(5)?;
            if level > 7 {
                bits.take(1)?;
            }
            if has_display_delay && bits.take(1)? == 1 {
                bits.take(4)?;
            }
        }
    }
    let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
    Some((bits.take(width_bits)? + 1, bits.take(height_bits)? + 1))
}

/// ITU-T H.264, 7.3.2.1.1.
fn h264(parameters: &[u8]) -> Option<(u32, u32)> {
    const LARGEST: u32 = 1 << 14;
    /// Profiles with a chroma format in the parameters.
    const WITH_CHROMA: [u32; 11] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139];
    // A 3 after two zeros prevents a start code (7.4.1).
    let mut plain = Vec::with_capacity(parameters.len());
    for &byte in parameters {
        if byte != 3 || !plain.ends_with(&[0, 0]) {
            plain.push(byte);
        }
    }
    let mut bits = Bits::new(&plain);
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.exponential()?;
    let mut chroma = 1;
    if WITH_CHROMA.contains(&profile) {
        chroma = bits.exponential()?;
        if chroma == 3 {
            bits.take(1)?;
        }
        // Bit depths, lossless mode.
        bits.exponential()?;
        bits.exponential()?;
        bits.take(1)?;
        let has_scaling_lists = bits.take(1)? == 1;
        if has_scaling_lists {
            return None;
        }
    }
    bits.exponential()?;
    match bits.exponential()? {
        0 => drop(bits.exponential()?),
        1 => {
            bits.take(1)?;
            bits.exponential()?;
            bits.exponential()?;
            for _ in 0..bits.exponential()?.min(255) {
                bits.exponential()?;
            }
        }
        _ => {}
    }
    // Reference frames, gaps.
    bits.exponential()?;
    bits.take(1)?;
    let (columns, rows) = (bits.exponential()?.checked_add(1)?, bits.exponential()?.checked_add(1)?);
    let is_frame = bits.take(1)? == 1;
    if !is_frame {
        bits.take(1)?;
    }
    bits.take(1)?;
    let fields = if is_frame { 1 } else { 2 };
    let width = columns.checked_mul(16).filter(|width| *width <= LARGEST)?;
    let height = rows.checked_mul(16 * fields).filter(|height| *height <= LARGEST)?;
    let is_cropped = bits.take(1)? == 1;
    if !is_cropped {
        return Some((width, height));
    }
    let (unit_x, unit_y) = match chroma {
        1 => (2, 2 * fields),
        2 => (2, fields),
        _ => (1, fields),
    };
    let mut crop = || bits.exponential();
    let (left, right, top, bottom) = (crop()?, crop()?, crop()?, crop()?);
    let cropped =
        |size: u32, from: u32, to: u32, unit: u32| size.checked_sub(from.checked_add(to)?.checked_mul(unit)?);
    Some((cropped(width, left, right, unit_x)?, cropped(height, top, bottom, unit_y)?))
}

/// Bits from the highest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A number of at most 32 bits.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            number = number << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(number)
    }

    /// A number in the Exp-Golomb code (ITU-T H.264, 9.1).
    fn exponential(&mut self) -> Option<u32> {
        const MOST_ZEROS: u32 = 31;
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            // More would not fit, and a member may send megabytes of them.
            (zeros <= MOST_ZEROS).then_some(())?;
        }
        Some(((1_u64 << zeros) - 1) as u32 + self.take(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::testing::H264_KEY;

    #[test]
    fn a_vp8_keyframe_says_its_size_without_the_bits_for_scaling() {
        let frame = [0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 0x42, 0x68, 0x81];
        assert_eq!(of_keyframe(VideoCodec::Vp8, &frame), Some((640, 360)));
        assert_eq!(of_keyframe(VideoCodec::Vp8, &frame[..9]), None);
    }

    #[test]
    fn a_vp9_keyframe_says_its_size() {
        // 640x360: the first 10 bytes of a keyframe that libvpx wrote.
        let frame = [0x82, 0x49, 0x83, 0x42, 0x20, 0x27, 0xf0, 0x16, 0x70, 0x00];
        assert_eq!(of_keyframe(VideoCodec::Vp9, &frame), Some((640, 360)));
        assert_eq!(
            of_keyframe(VideoCodec::Vp9, &[0x82, 0x49, 0x83, 0x43, 0x20, 0x27, 0xf0, 0x16, 0x70]),
            None
        );
    }

    #[test]
    fn an_av1_sequence_header_says_the_size() {
        // Temporal delimiter, sequence header of 320x240 as libaom writes it, a frame.
        let unit = [
            0x12, 0x00, 0x0a, 0x0b, 0x00, 0x00, 0x00, 0x04, 0x3c, 0xff, 0xbc, 0xff, 0xfa, 0xf9, 0x80, 0x32,
            0x01, 0x10,
        ];
        assert_eq!(of_keyframe(VideoCodec::Av1, &unit), Some((320, 240)));
        assert_eq!(of_keyframe(VideoCodec::Av1, &[0x12, 0, 0x32, 1, 0x10]), None);
    }

    #[test]
    fn h264_parameters_say_the_size_without_what_is_cropped() {
        assert_eq!(of_keyframe(VideoCodec::H264, &H264_KEY), Some((640, 360)));
        // 1280x720 in High, as x264 writes it, with bytes that prevent start codes.
        let unit = [
            0, 0, 0, 1, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00,
            0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
        ];
        assert_eq!(of_keyframe(VideoCodec::H264, &unit), Some((1280, 720)));
        for length in 0..14 {
            let _ = of_keyframe(VideoCodec::H264, &unit[..length]);
        }
        assert_eq!(of_keyframe(VideoCodec::H264, &unit[..12]), None);
    }

    #[test]
    fn exponential_codes_are_read_up_to_32_bits_and_no_further() {
        let read = |bytes: &[u8]| {
            let mut bits = Bits::new(bytes);
            (bits.exponential(), bits.at)
        };
        assert_eq!(read(&[0x80]), (Some(0), 1));
        assert_eq!(read(&[0b0010_1000]), (Some(4), 5));
        assert_eq!(read(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]), (Some(u32::MAX - 1), 63));
        assert_eq!(read(&[0, 0, 0, 1, 0xff]), (None, 40));
        assert_eq!(read(&[0; 1000]), (None, 32));
    }

    #[test]
    fn no_cut_header_makes_the_reader_panic() {
        for codec in VideoCodec::ALL {
            for length in 0..24 {
                for byte in [0, 0x0a, 0x82, 0xff] {
                    let _ = of_keyframe(codec, &vec![byte; length]);
                }
            }
        }
    }
}
