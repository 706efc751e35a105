//! A temporal unit of AV1 from its RTP payloads ("RTP Payload Format For AV1", 4.4 and 5).
//!
//! The depacketizer of the crate `rtc` 0.21 panics at an OBU that is shorter than its header.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::bitstream::leb128;

/// How a file marks the begin of a temporal unit; RTP leaves the mark out.
const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0];

const CONTINUES: u8 = 0x80;
const CONTINUES_IN_NEXT: u8 = 0x40;
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;

/// The OBUs of a temporal unit that arrives.
#[derive(Debug, Default)]
pub(super) struct Av1Unit {
    whole: BytesMut,
    /// An OBU that continues in the next payload.
    fragment: Option<BytesMut>,
}

impl Av1Unit {
    /// Takes the next payload. `None` if it is damaged, or does not continue what came before.
    pub(super) fn add(&mut self, payload: &[u8]) -> Option<()> {
        let (&header, mut rest) = payload.split_first()?;
        let count = usize::from(header >> 4 & 3);
        let mut at = 0;
        while !rest.is_empty() {
            at += 1;
            // The last of a known number of elements has no length.
            let length = if at == count { rest.len() } else { take_length(&mut rest)? };
            let element = rest.get(..length)?;
            rest = rest.get(length..)?;
            let continues = at == 1 && header & CONTINUES != 0;
            if continues != self.fragment.is_some() {
                return None;
            }
            let mut obu = self.fragment.take().unwrap_or_default();
            obu.extend_from_slice(element);
            if rest.is_empty() && header & CONTINUES_IN_NEXT != 0 {
                self.fragment = Some(obu);
            } else {
                self.put(&obu)?;
            }
        }
        (count == 0 || at == count).then_some(())
    }

    /// Bytes so far.
    pub(super) fn length(&self) -> usize {
        self.whole.len() + self.fragment.as_ref().map_or(0, BytesMut::len)
    }

    /// The temporal unit as a file has it. `None` if an OBU is not complete.
    pub(super) fn finish(self) -> Option<Bytes> {
        let mut unit = BytesMut::from(&TEMPORAL_DELIMITER[..]);
        unit.put_slice(&self.whole);
        self.fragment.is_none().then(|| unit.freeze())
    }

    /// Appends an OBU with its size, which a file needs (AV1 specification, 5.3).
    fn put(&mut self, obu: &[u8]) -> Option<()> {
        let header = *obu.first()?;
        let header_bytes = if header & HAS_EXTENSION == 0 { 1 } else { 2 };
        let payload = obu.get(header_bytes..)?;
        if header & HAS_SIZE != 0 {
            // Senders should leave the size out.
            let (size, length_bytes) = leb128(payload)?;
            let is_right = usize::try_from(size).ok()?.checked_add(length_bytes)? == payload.len();
            self.whole.put_slice(obu);
            return is_right.then_some(());
        }
        self.whole.put_u8(header | HAS_SIZE);
        self.whole.put_slice(&obu[1..header_bytes]);
        let mut size = payload.len();
        while size >= 0x80 {
            self.whole.put_u8(size as u8 & 0x7f | 0x80);
            size >>= 7;
        }
        self.whole.put_u8(size as u8);
        self.whole.put_slice(payload);
        Some(())
    }
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, read) = leb128(bytes)?;
    *bytes = bytes.get(read..)?;
    usize::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(payloads: &[&[u8]]) -> Option<Bytes> {
        let mut unit = Av1Unit::default();
        for payload in payloads {
            unit.add(payload)?;
        }
        unit.finish()
    }

    #[test]
    fn obus_get_the_sizes_that_a_file_needs() {
        // Two elements: a sequence header with its length before it, a frame without.
        let whole = unit(&[&[0x28, 2, 0x08, 7, 0x30, 0x10, 9]]).unwrap();
        assert_eq!(&whole[..], [0x12, 0, 0x0a, 1, 7, 0x32, 2, 0x10, 9]);
        // The same with the lengths of all elements.
        assert_eq!(unit(&[&[0x08, 2, 0x08, 7, 3, 0x30, 0x10, 9]]).unwrap(), whole);
    }

    #[test]
    fn an_obu_may_be_spread_over_payloads() {
        let whole = unit(&[&[0x50, 0x30, 0x10], &[0xd0, 1, 2], &[0x90, 3]]).unwrap();
        assert_eq!(&whole[..], [0x12, 0, 0x32, 4, 0x10, 1, 2, 3]);
    }

    #[test]
    fn what_does_not_fit_together_is_damaged() {
        assert_eq!(unit(&[&[0x50, 0x30, 0x10], &[0x10, 0x30]]), None, "the rest of the first OBU is missing");
        assert_eq!(unit(&[&[0x90, 3]]), None, "the begin is missing");
        assert_eq!(unit(&[&[0x50, 0x30, 0x10]]), None, "the end is missing");
        assert_eq!(unit(&[&[0x10, 0x36]]), None, "an OBU that is shorter than its header");
        assert_eq!(unit(&[&[0x10, 0x32, 5, 1]]), None, "a wrong size");
        assert_eq!(unit(&[&[0x08, 200, 1, 1]]), None, "an element that is longer than the payload");
        assert_eq!(unit(&[&[]]), None);
    }
}
