//! H.264: frames as byte streams of NAL units with start codes (ITU-T H.264, annex B), and their RTP payloads (RFC 6184).
//!
//! Containers keep the lengths of NAL units instead of start codes; [`from_lengths`] replaces them.

use bytes::{BufMut, Bytes, BytesMut};

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Types of NAL units (ITU-T H.264, table 7-1).
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const ACCESS_UNIT_DELIMITER: u8 = 9;
const END_OF_SEQUENCE: u8 = 10;
const END_OF_STREAM: u8 = 11;
const FILLER: u8 = 12;
const SPS_EXTENSION: u8 = 13;

/// Types of RTP payloads above those of NAL units (RFC 6184, 5.2), and parts of their headers.
pub(crate) const STAP_A: u8 = 24;
pub(crate) const FU_A: u8 = 28;
pub(crate) const FU_BEGIN: u8 = 0x80;
pub(crate) const FU_END: u8 = 0x40;
const FORBIDDEN_BIT: u8 = 0x80;
const IMPORTANCE: u8 = 0x60;
/// The type of a NAL unit or a payload in its first byte.
pub(crate) const TYPE: u8 = 0x1f;

/// Profile, constraints and level as a description names them (RFC 6184, 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProfileLevel(pub(crate) [u8; 3]);

impl ProfileLevel {
    /// With the spelling of the profile that browsers use. `None` for a profile that they do not decode.
    pub(crate) fn new([profile, constraints, level]: [u8; 3]) -> Option<Self> {
        let [profile, constraints] = match profile {
            // Baseline, Main and Extended within the limits of Constrained Baseline (RFC 6184, table 5).
            0x42 if constraints & 0x40 != 0 => [0x42, 0xe0],
            0x4d if constraints & 0x80 != 0 => [0x42, 0xe0],
            0x58 if constraints & 0xc0 == 0xc0 => [0x42, 0xe0],
            0x42 => [0x42, 0],
            0x4d => [0x4d, 0],
            0x64 if constraints & 0x0c == 0x0c => [0x64, 0x0c],
            0x64 => [0x64, 0],
            _ => return None,
        };
        Some(Self([profile, constraints, level]))
    }

    pub(crate) fn from_hex(hex: &str) -> Option<Self> {
        let is_hex = hex.len() == 6 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| is_hex)?;
        let [_, bytes @ ..] = number.to_be_bytes();
        Self::new(bytes)
    }

    /// Whether the profiles are equal, whatever the levels.
    pub(crate) fn has_profile_of(self, other: Self) -> bool {
        self.0[..2] == other.0[..2]
    }
}

/// What a container says about a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configuration {
    /// Length of the lengths before the NAL units.
    length_bytes: usize,
    /// The parameter sets with start codes.
    parameter_sets: Bytes,
}

impl Configuration {
    pub(super) fn new(record: &mp4_atom::Avcc) -> Self {
        let mut parameter_sets = BytesMut::new();
        for set in record.sequence_parameter_sets.iter().chain(&record.picture_parameter_sets) {
            put(&mut parameter_sets, set);
        }
        // Without any length there would be no end.
        let length_bytes = usize::from(record.length_size).max(1);
        Self { length_bytes, parameter_sets: parameter_sets.freeze() }
    }

    /// A frame of the container with start codes. `None` if it is damaged.
    pub(super) fn frame(&self, data: &[u8]) -> Option<Bytes> {
        from_lengths(data, self.length_bytes)
    }

    /// A keyframe with parameter sets.
    pub(super) fn complete(&self, keyframe: Bytes) -> Bytes {
        let has = |kind| NalUnits::of(&keyframe).any(|unit| kind_of(unit) == kind);
        if has(SPS) && has(PPS) {
            return keyframe;
        }
        [&self.parameter_sets[..], &keyframe].concat().into()
    }
}

/// Appends a NAL unit.
pub(crate) fn put(stream: &mut BytesMut, unit: &[u8]) {
    stream.put_slice(&START_CODE);
    stream.put_slice(unit);
}

fn from_lengths(mut data: &[u8], length_bytes: usize) -> Option<Bytes> {
    let mut stream = BytesMut::with_capacity(data.len() + 16);
    while !data.is_empty() {
        let (length, rest) = data.split_at_checked(length_bytes)?;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at_checked(length)?;
        if !unit.is_empty() {
            put(&mut stream, unit);
        }
        data = rest;
    }
    Some(stream.freeze())
}

/// A frame with the length of each unit in four bytes, as containers have it.
pub(super) fn with_lengths(stream: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(stream.len());
    for unit in NalUnits::of(stream) {
        whole.extend((unit.len() as u32).to_be_bytes());
        whole.extend(unit);
    }
    whole
}

/// What a container says about a track that begins with this keyframe (ISO/IEC 14496-15, 5.3.3). `None` without parameter sets.
pub(super) fn configuration_record(keyframe: &[u8]) -> Option<Vec<u8>> {
    const FROM_HIGH_ON: u8 = 100;
    let find = |kind| NalUnits::of(keyframe).find(|unit| kind_of(unit) == kind);
    let (sps, pps) = (find(SPS)?, find(PPS)?);
    let [_, profile, constraints, level, ..] = *sps else { return None };
    let mut record = vec![1, profile, constraints, level, 0xff, 0xe1];
    record.extend(u16::try_from(sps.len()).ok()?.to_be_bytes());
    record.extend(sps);
    record.push(1);
    record.extend(u16::try_from(pps.len()).ok()?.to_be_bytes());
    record.extend(pps);
    if profile >= FROM_HIGH_ON {
        // 4:2:0, eight bits, no extensions.
        record.extend([0xfd, 0xf8, 0xf8, 0]);
    }
    Some(record)
}

/// The NAL units of a byte stream, none of which is empty.
#[derive(Debug, Clone)]
pub(crate) struct NalUnits<'a>(&'a [u8]);

impl<'a> NalUnits<'a> {
    pub(crate) fn of(stream: &'a [u8]) -> Self {
        Self(start_code(stream).map_or(&[], |at| &stream[at + 3..]))
    }
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.0.is_empty() {
            let (unit, rest) = match start_code(self.0) {
                Some(at) => (&self.0[..at], &self.0[at + 3..]),
                None => (self.0, &[][..]),
            };
            self.0 = rest;
            // Zeros at the end belong to the stream: a unit ends with a bit that is set.
            let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if length > 0 {
                return Some(&unit[..length]);
            }
        }
        None
    }
}

/// The place of the next start code, without the zero that may be before it.
fn start_code(stream: &[u8]) -> Option<usize> {
    stream.windows(3).position(|bytes| bytes == [0, 0, 1])
}

fn kind_of(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & TYPE)
}

/// Whether decoding can begin with a frame. `None` if it is damaged or has no picture.
pub(super) fn is_keyframe(stream: &[u8]) -> Option<bool> {
    let mut is_keyframe = None;
    for unit in NalUnits::of(stream) {
        if unit[0] & FORBIDDEN_BIT != 0 {
            return None;
        }
        let kind = kind_of(unit);
        if (SLICE..=IDR_SLICE).contains(&kind) {
            is_keyframe.get_or_insert(kind == IDR_SLICE);
        }
    }
    is_keyframe
}

/// The sequence parameter set of a frame, without its header.
pub(crate) fn sequence_parameters(stream: &[u8]) -> Option<&[u8]> {
    let unit = NalUnits::of(stream).find(|unit| kind_of(unit) == SPS)?;
    Some(&unit[1..])
}

/// The profile of a keyframe. `None` if browsers do not decode it.
pub(super) fn profile_level(keyframe: &[u8]) -> Option<ProfileLevel> {
    ProfileLevel::new(sequence_parameters(keyframe)?.get(..3)?.try_into().ok()?)
}

/// The RTP payloads of a frame (packetization mode 1), each of at most `max_bytes`. The payloader of the crate `rtc` 0.21 drops parameter
/// sets where a frame has several of a kind, or has more than fit into one payload.
pub(super) fn payloads(stream: &[u8], max_bytes: usize) -> Vec<Bytes> {
    let mut payloads = Vec::new();
    let mut sets: Vec<&[u8]> = Vec::new();
    for unit in NalUnits::of(stream) {
        match kind_of(unit) {
            SPS | PPS | SPS_EXTENSION => sets.push(unit),
            ACCESS_UNIT_DELIMITER | END_OF_SEQUENCE | END_OF_STREAM | FILLER => {}
            // Without a meaning in a file; a receiver would take them for aggregates and fragments.
            0 | STAP_A.. => {}
            _ => {
                put_sets(&mut payloads, &std::mem::take(&mut sets), max_bytes);
                put_unit(&mut payloads, unit, max_bytes);
            }
        }
    }
    put_sets(&mut payloads, &sets, max_bytes);
    payloads
}

/// Parameter sets in one payload, if they fit.
fn put_sets(payloads: &mut Vec<Bytes>, sets: &[&[u8]], max_bytes: usize) {
    let bytes = 1 + sets.iter().map(|set| 2 + set.len()).sum::<usize>();
    if sets.len() < 2 || bytes > max_bytes {
        sets.iter().for_each(|set| put_unit(payloads, set, max_bytes));
        return;
    }
    let mut payload = BytesMut::with_capacity(bytes);
    let importance = sets.iter().map(|set| set[0] & IMPORTANCE).max().unwrap_or_default();
    payload.put_u8(importance | STAP_A);
    for set in sets {
        payload.put_u16(set.len() as u16);
        payload.put_slice(set);
    }
    payloads.push(payload.freeze());
}

/// A unit in one payload, or in fragments.
fn put_unit(payloads: &mut Vec<Bytes>, unit: &[u8], max_bytes: usize) {
    let [header, data @ ..] = unit else { return };
    if unit.len() <= max_bytes {
        payloads.push(Bytes::copy_from_slice(unit));
        return;
    }
    let pieces: Vec<_> = data.chunks(max_bytes - 2).collect();
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces.into_iter().enumerate() {
        let mut payload = BytesMut::with_capacity(2 + piece.len());
        payload.put_u8(header & IMPORTANCE | FU_A);
        let begin = if at == 0 { FU_BEGIN } else { 0 };
        let end = if at == last { FU_END } else { 0 };
        payload.put_u8(header & TYPE | begin | end);
        payload.put_slice(piece);
        payloads.push(payload.freeze());
    }
}

#[cfg(test)]
mod tests {
    use mp4_atom::Avcc;
    use rtc::rtp::{codec::h264::H264Packet, packetizer::Depacketizer};

    use super::{super::testing::H264_KEY, *};

    const SETS: [&[u8]; 2] = [&[0x67, 0x42, 0xc0, 0x1e, 0xd9], &[0x68, 0xce, 0x3c, 0x80]];

    #[test]
    fn lengths_become_start_codes() {
        let stream = from_lengths(&[0, 2, 0x65, 1, 0, 0, 0, 1, 0x06], 2).unwrap();
        assert_eq!(&stream[..], [0, 0, 0, 1, 0x65, 1, 0, 0, 0, 1, 0x06]);
        assert_eq!(from_lengths(&[0, 0, 0, 3, 0x65, 1], 4), None, "a unit that is cut");
        assert_eq!(from_lengths(&[0, 0], 4), None, "a length that is cut");
    }

    #[test]
    fn units_are_found_after_short_and_long_start_codes_without_zeros_at_their_end() {
        let units: Vec<_> =
            NalUnits::of(&[0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x65, 0, 7, 0, 0, 0, 0, 1, 0, 0, 1, 0x06]).collect();
        assert_eq!(units, [&[9, 0xf0][..], &[0x65, 0, 7], &[0x06]]);
        assert_eq!(NalUnits::of(&[0x65, 1]).count(), 0);
    }

    #[test]
    fn a_keyframe_is_one_whose_first_slice_is_idr() {
        assert_eq!(is_keyframe(&[0, 0, 1, 9, 0xf0, 0, 0, 1, 0x65, 0x88]), Some(true));
        assert_eq!(is_keyframe(&[0, 0, 1, 0x41, 0x9a, 0, 0, 1, 0x65]), Some(false));
        assert_eq!(is_keyframe(&[0, 0, 1, 0x67, 0x42]), None, "no picture");
        assert_eq!(is_keyframe(&[0, 0, 1, 0xe5, 0x88]), None, "the forbidden bit");
        assert_eq!(is_keyframe(&[0x65, 0x88]), None);
    }

    #[test]
    fn a_keyframe_gets_the_parameter_sets_of_the_track_unless_it_has_its_own() {
        let record = Avcc {
            length_size: 4,
            sequence_parameter_sets: vec![SETS[0].to_vec()],
            picture_parameter_sets: vec![SETS[1].to_vec()],
            ..Avcc::default()
        };
        let configuration = Configuration::new(&record);
        let frame = configuration.frame(&[0, 0, 0, 2, 0x65, 0x88]).unwrap();
        let whole = configuration.complete(frame);
        let units: Vec<_> = NalUnits::of(&whole).collect();
        assert_eq!(units, [SETS[0], SETS[1], &[0x65, 0x88]]);
        assert_eq!(configuration.complete(whole.clone()), whole);
    }

    #[test]
    fn profiles_have_the_names_that_browsers_give_them() {
        let name = |bytes| ProfileLevel::new(bytes).map(|ProfileLevel(name)| name);
        assert_eq!(name([0x42, 0xc0, 0x1e]), Some([0x42, 0xe0, 0x1e]));
        assert_eq!(name([0x42, 0x80, 0x1e]), Some([0x42, 0, 0x1e]));
        assert_eq!(name([0x4d, 0x40, 0x1f]), Some([0x4d, 0, 0x1f]));
        assert_eq!(name([0x64, 0, 0x28]), Some([0x64, 0, 0x28]));
        assert_eq!(name([0x7a, 0, 0x28]), None, "4:2:2");
        let of = |hex| ProfileLevel::from_hex(hex);
        assert!(of("42e01f").unwrap().has_profile_of(of("42C00A").unwrap()));
        assert!(!of("42e01f").unwrap().has_profile_of(of("42001f").unwrap()));
        assert_eq!((of("42e0"), of("42e0zz"), of("+42e01")), (None, None, None));
    }

    #[test]
    fn parameter_sets_go_before_a_keyframe_in_one_payload_and_long_units_in_fragments() {
        let mut stream = BytesMut::new();
        for unit in [&[9, 0xf0][..], SETS[0], SETS[1], &[&[0x65][..], &[7; 25]].concat(), &[0x41, 1, 2]] {
            put(&mut stream, unit);
        }
        let payloads = payloads(&stream, 16);
        let aggregate = [&[0x78, 0, 5][..], SETS[0], &[0, 4], SETS[1]].concat();
        assert_eq!(payloads[0], aggregate);
        assert_eq!(payloads[1], [&[0x7c, 0x85][..], &[7; 14]].concat());
        assert_eq!(payloads[2], [&[0x7c, 0x45][..], &[7; 11]].concat());
        assert_eq!(&payloads[3..], [&[0x41, 1, 2][..]]);
    }

    #[test]
    fn units_with_types_of_payloads_are_left_out() {
        let stream = [0, 0, 1, 0x65, 1, 0, 0, 1, 0x7c, 0x85, 1, 0, 0, 1, 0x78, 0, 9, 0, 0, 1, 0x60, 1];
        assert_eq!(payloads(&stream, 100), [&[0x65, 1][..]]);
    }

    #[test]
    fn another_depacketizer_understands_the_payloads() {
        let mut frame = BytesMut::from(&H264_KEY[..]);
        frame.put_slice(&[5; 5000]);
        let mut packet = H264Packet::default();
        let mut whole = Vec::new();
        for payload in payloads(&frame, 1180) {
            assert!(payload.len() <= 1180);
            whole.extend(packet.depacketize(&payload).unwrap());
        }
        assert!(NalUnits::of(&whole).eq(NalUnits::of(&frame)));
    }
}
