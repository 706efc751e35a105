//! The messages of TURN in a stream, where nothing but their length separates them (RFC 8656, section 12.5).

/// The head of a STUN message.
const STUN_HEAD_BYTES: usize = 20;
/// The head of a ChannelData message.
const CHANNEL_HEAD_BYTES: usize = 4;

/// A message at the beginning of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Length of the message.
    pub(crate) length: usize,
    /// Length in the stream, where ChannelData is padded to a multiple of four bytes.
    pub(crate) padded: usize,
}

/// The bytes are neither STUN nor ChannelData.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream contains something else than STUN and ChannelData")]
pub(crate) struct NotTurn;

impl Frame {
    /// The message that begins here, once its head is there.
    ///
    /// # Errors
    /// [`NotTurn`] where no message begins.
    pub(crate) fn at_start_of(bytes: &[u8]) -> Result<Option<Self>, NotTurn> {
        let [first, _, high, low, ..] = *bytes else { return Ok(None) };
        let body = usize::from(u16::from_be_bytes([high, low]));
        match first {
            0x00..=0x3f if body.is_multiple_of(4) => {
                Ok(Some(Self { length: STUN_HEAD_BYTES + body, padded: STUN_HEAD_BYTES + body }))
            }
            0x40..=0x7f => {
                let length = CHANNEL_HEAD_BYTES + body;
                Ok(Some(Self { length, padded: length.next_multiple_of(4) }))
            }
            _ => Err(NotTurn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_data_is_padded_in_a_stream_and_stun_never_needs_it() {
        let frame = |bytes: &[u8]| Frame::at_start_of(bytes).unwrap();
        assert_eq!(frame(&[0, 1, 0, 8, 9]), Some(Frame { length: 28, padded: 28 }));
        assert_eq!(frame(&[0x40, 0, 0, 5]), Some(Frame { length: 9, padded: 12 }));
        assert_eq!(frame(&[0x7f, 0xff, 0xff, 0xff]), Some(Frame { length: 65_539, padded: 65_540 }));
        assert_eq!(frame(&[0x40, 0, 0]), None);
        for other in [[0x80, 0, 0, 0], [0, 1, 0, 7]] {
            assert_eq!(Frame::at_start_of(&other), Err(NotTurn));
        }
    }
}
