//! A frame of H.264 from its RTP payloads (RFC 6184, 5.6 to 5.8).

use bytes::{Bytes, BytesMut};

use crate::media::h264::{self, FU_A, FU_BEGIN, FU_END, STAP_A, TYPE};

/// The NAL units of a frame that arrives.
#[derive(Debug, Default)]
pub(super) struct H264Unit {
    whole: BytesMut,
    /// A unit whose end is to come.
    fragment: Option<BytesMut>,
}

impl H264Unit {
    /// Takes the next payload. `None` if it is damaged, or does not continue what came before.
    pub(super) fn add(&mut self, payload: &[u8]) -> Option<()> {
        let (&header, rest) = payload.split_first()?;
        if header & TYPE == FU_A {
            return self.add_fragment(header, rest);
        }
        if self.fragment.is_some() {
            return None;
        }
        match header & TYPE {
            1..STAP_A => h264::put(&mut self.whole, payload),
            STAP_A => self.add_aggregate(rest)?,
            _ => return None,
        }
        Some(())
    }

    fn add_aggregate(&mut self, mut units: &[u8]) -> Option<()> {
        while !units.is_empty() {
            let (length, rest) = units.split_first_chunk()?;
            let (unit, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            if !unit.is_empty() {
                h264::put(&mut self.whole, unit);
            }
            units = rest;
        }
        Some(())
    }

    fn add_fragment(&mut self, indicator: u8, rest: &[u8]) -> Option<()> {
        let (&header, data) = rest.split_first()?;
        let begins = header & FU_BEGIN != 0;
        if begins == self.fragment.is_some() {
            return None;
        }
        let mut unit = self.fragment.take().unwrap_or_default();
        if begins {
            unit.extend_from_slice(&[indicator & !TYPE | header & TYPE]);
        }
        unit.extend_from_slice(data);
        if header & FU_END == 0 {
            self.fragment = Some(unit);
        } else {
            h264::put(&mut self.whole, &unit);
        }
        Some(())
    }

    /// Bytes so far.
    pub(super) fn length(&self) -> usize {
        self.whole.len() + self.fragment.as_ref().map_or(0, BytesMut::len)
    }

    /// The frame with start codes. `None` if a unit is not complete.
    pub(super) fn finish(self) -> Option<Bytes> {
        self.fragment.is_none().then(|| self.whole.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(payloads: &[&[u8]]) -> Option<Bytes> {
        let mut unit = H264Unit::default();
        for payload in payloads {
            unit.add(payload)?;
        }
        unit.finish()
    }

    #[test]
    fn units_come_alone_together_or_in_fragments() {
        let whole = unit(&[
            &[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 2],
            &[0x06, 9],
            &[0x7c, 0x85, 1, 2],
            &[0x7c, 0x05, 3],
            &[0x7c, 0x45, 4],
        ]);
        let expected = [&[0x67, 1][..], &[0x68, 2], &[0x06, 9], &[0x65, 1, 2, 3, 4]]
            .map(|unit| [&[0, 0, 0, 1], unit].concat());
        assert_eq!(whole.unwrap(), expected.concat());
    }

    #[test]
    fn what_does_not_fit_together_is_damaged() {
        assert_eq!(unit(&[&[0x7c, 0x05, 3]]), None, "the begin is missing");
        assert_eq!(unit(&[&[0x7c, 0x85, 3]]), None, "the end is missing");
        assert_eq!(unit(&[&[0x7c, 0x85, 3], &[0x41, 1]]), None, "the rest of the first unit is missing");
        assert_eq!(unit(&[&[0x7c, 0x85, 3], &[0x7c, 0x85, 3]]), None);
        assert_eq!(unit(&[&[0x78, 0, 9, 0x67]]), None, "a unit that is longer than the payload");
        assert_eq!(unit(&[&[0x78, 0]]), None);
        assert_eq!(unit(&[&[0x7c]]), None);
        assert_eq!(unit(&[&[0x7d, 0x85, 0, 0, 3]]), None, "FU-B is of another packetization mode");
        assert_eq!(unit(&[&[]]), None);
    }

    #[test]
    fn a_fragment_whose_end_never_comes_counts_among_the_bytes() {
        let mut unit = H264Unit::default();
        unit.add(&[0x7c, 0x85, 1, 2]).unwrap();
        for _ in 0..10 {
            unit.add(&[&[0x7c, 0x05][..], &[3; 100]].concat()).unwrap();
        }
        // The header of the unit, and all pieces.
        assert_eq!(unit.length(), 1 + 2 + 10 * 100);
    }
}
