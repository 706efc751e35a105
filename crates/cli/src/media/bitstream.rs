//! What frames say about themselves: whether decoding can begin with them, and whether they are whole.

use bytes::{BufMut, Bytes, BytesMut};

use super::{VideoCodec, h264};

/// AV1 OBU types (AV1 specification, 6.2.2).
const OBU_SEQUENCE_HEADER: u8 = 1;
const OBU_FRAME_HEADER: u8 = 3;
const OBU_FRAME: u8 = 6;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// Decoding can begin here.
    Key,
    /// Needs earlier frames.
    Delta,
}

/// Reads the kind of a frame. `None` if the frame is damaged.
pub(crate) fn kind_of(codec: VideoCodec, frame: &[u8]) -> Option<FrameKind> {
    let is_key = match codec {
        // RFC 6386, 9.1: the lowest bit is 0 in a keyframe, whose start code follows.
        VideoCodec::Vp8 => {
            let is_key = frame.first()? & 1 == 0;
            if is_key && frame.get(3..6)? != [0x9d, 0x01, 0x2a] {
                return None;
            }
            is_key
        }
        VideoCodec::Vp9 => is_vp9_keyframe(frame)?,
        VideoCodec::Av1 => is_av1_keyframe(frame)?,
        VideoCodec::H264 => h264::is_keyframe(frame)?,
    };
    Some(if is_key { FrameKind::Key } else { FrameKind::Delta })
}

/// Whether a keyframe is in a profile that pages do not decode: another one than 0, and for H.264 one above High.
pub(crate) fn has_other_profile(codec: VideoCodec, keyframe: &[u8]) -> bool {
    match codec {
        VideoCodec::Vp8 => false,
        VideoCodec::Vp9 => keyframe.first().is_some_and(|first| first >> 4 & 3 != 0),
        VideoCodec::Av1 => Obus(keyframe).flatten().any(|obu| {
            obu.kind == OBU_SEQUENCE_HEADER && obu.payload.first().is_some_and(|first| first >> 5 != 0)
        }),
        VideoCodec::H264 => h264::profile_level(keyframe).is_none(),
    }
}

/// VP9 bitstream specification, 6.2: frame marker, profile, `show_existing_frame`, `frame_type`.
fn is_vp9_keyframe(frame: &[u8]) -> Option<bool> {
    let first = *frame.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let is_profile_3 = first >> 4 & 3 == 3;
    // Profile 3 has a reserved bit, which must be 0.
    let rest = if is_profile_3 { first << 5 } else { first << 4 };
    let shows_existing = rest & 0x80 != 0;
    let is_delta = rest & 0x40 != 0;
    Some(!shows_existing && !is_delta)
}

/// Whether a temporal unit begins with a shown keyframe. Checks the sizes of all OBUs, because the packetizer relies on them.
fn is_av1_keyframe(unit: &[u8]) -> Option<bool> {
    let mut frame = None;
    for obu in Obus(unit) {
        let obu = obu?;
        if frame.is_none() && matches!(obu.kind, OBU_FRAME_HEADER | OBU_FRAME) {
            let header = *obu.payload.first()?;
            // AV1 specification, 5.9.2: show_existing_frame, frame_type (2 bits, 0 is a keyframe), show_frame.
            frame = Some(header & 0x80 == 0 && header >> 5 & 3 == 0 && header & 0x10 != 0);
        }
    }
    frame
}

/// The temporal unit with the sequence header before it, if it has none: some files keep it only in the track's header.
pub(crate) fn with_sequence_header(unit: Bytes, sequence_header: &[u8]) -> Bytes {
    let has_header = Obus(&unit).flatten().any(|obu| obu.kind == OBU_SEQUENCE_HEADER);
    let is_whole = Obus(sequence_header).all(|obu| obu.is_some());
    if has_header || sequence_header.is_empty() || !is_whole {
        return unit;
    }
    let mut whole = BytesMut::with_capacity(sequence_header.len() + unit.len());
    whole.put_slice(sequence_header);
    whole.put_slice(&unit);
    whole.freeze()
}

/// The sequence header of a temporal unit, without its OBU header.
pub(crate) fn sequence_header(unit: &[u8]) -> Option<&[u8]> {
    let header = Obus(unit).flatten().find(|obu| obu.kind == OBU_SEQUENCE_HEADER)?;
    Some(header.payload)
}

struct Obu<'a> {
    kind: u8,
    payload: &'a [u8],
}

/// The OBUs of a temporal unit; ends with `None` at one that is cut.
struct Obus<'a>(&'a [u8]);

impl<'a> Iterator for Obus<'a> {
    type Item = Option<Obu<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let obu = self.read();
        if obu.is_none() {
            self.0 = &[];
        }
        Some(obu)
    }
}

impl<'a> Obus<'a> {
    fn read(&mut self) -> Option<Obu<'a>> {
        let header = *self.0.first()?;
        let (has_extension, has_size) = (header & 4 != 0, header & 2 != 0);
        let mut rest = self.0.get(if has_extension { 2 } else { 1 }..)?;
        let mut size = rest.len();
        if has_size {
            let (read, bytes) = leb128(rest)?;
            rest = rest.get(bytes..)?;
            size = usize::try_from(read).ok()?;
        }
        let payload = rest.get(..size)?;
        self.0 = rest.get(size..)?;
        Some(Obu { kind: header >> 3 & 15, payload })
    }
}

/// A number of at most 32 bits in LEB128, with its length.
pub(crate) fn leb128(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (value <= u64::from(u32::MAX)).then_some((value, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_are_recognized_in_each_codec() {
        let key = Some(FrameKind::Key);
        let delta = Some(FrameKind::Delta);
        assert_eq!(kind_of(VideoCodec::Vp8, &[0x10, 0, 0, 0x9d, 1, 0x2a, 0, 0]), key);
        assert_eq!(kind_of(VideoCodec::Vp8, &[0x11, 0, 0]), delta);
        assert_eq!(kind_of(VideoCodec::Vp9, &[0x82, 0x49, 0x83, 0x42]), key);
        assert_eq!(kind_of(VideoCodec::Vp9, &[0x86, 0]), delta);
        assert_eq!(kind_of(VideoCodec::Vp9, &[0x88]), delta, "a frame that is shown again is no keyframe");
        // A temporal delimiter, then a frame with size 2.
        assert_eq!(kind_of(VideoCodec::Av1, &[0x12, 0, 0x32, 2, 0x10, 0]), key);
        assert_eq!(kind_of(VideoCodec::Av1, &[0x12, 0, 0x32, 2, 0x30, 0]), delta);
    }

    #[test]
    fn only_profile_0_is_one_that_all_pages_decode() {
        assert!(!has_other_profile(VideoCodec::Vp9, &[0x82, 0x49, 0x83, 0x42]));
        assert!(has_other_profile(VideoCodec::Vp9, &[0x92, 0x49, 0x83, 0x42]));
        assert!(!has_other_profile(VideoCodec::Av1, &[0x0a, 1, 0x07, 0x32, 1, 0x10]));
        assert!(has_other_profile(VideoCodec::Av1, &[0x0a, 1, 0x27, 0x32, 1, 0x10]));
    }

    #[test]
    fn a_damaged_frame_has_no_kind() {
        assert_eq!(kind_of(VideoCodec::Vp8, &[]), None);
        assert_eq!(kind_of(VideoCodec::Vp8, &[0x10, 0, 0, 1, 2, 3]), None);
        assert_eq!(kind_of(VideoCodec::Vp9, &[0x42]), None);
        assert_eq!(
            kind_of(VideoCodec::Av1, &[0x32, 200, 1, 0x10]),
            None,
            "an OBU that is longer than the frame"
        );
        assert_eq!(kind_of(VideoCodec::Av1, &[0x32, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(kind_of(VideoCodec::Av1, &[0x12, 0]), None, "no frame");
    }

    #[test]
    fn a_keyframe_gets_the_sequence_header_that_it_lacks() {
        let header = [0x0a, 1, 7];
        let frame = Bytes::from_static(&[0x32, 1, 0x10]);
        let whole = with_sequence_header(frame.clone(), &header);
        assert_eq!(&whole[..], [0x0a, 1, 7, 0x32, 1, 0x10]);
        assert_eq!(with_sequence_header(whole.clone(), &header), whole);
        assert_eq!(with_sequence_header(frame.clone(), &[0x0a, 9]), frame, "a cut header is not used");
    }
}
