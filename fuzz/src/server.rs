//! What the server reads.

use sightline_server::turn::decode::{
    Decoded, MAX_REQUEST_ATTRIBUTES, MAX_REQUEST_BYTES, Undecodable, decode,
};

/// STUN and ChannelData: bounded, within what was sent, and the same whatever follows in a stream.
pub fn turn_message(bytes: &[u8]) {
    let followed = [bytes, &[0xff; 4]].concat();
    match decode(bytes) {
        Ok(Decoded::Request(request)) => {
            assert!(request.as_bytes().len() <= MAX_REQUEST_BYTES);
            assert!(request.iter_attributes().count() <= MAX_REQUEST_ATTRIBUTES);
            let Ok(Decoded::Request(again)) = decode(&followed) else { panic!("not read again") };
            assert_eq!(again.as_bytes(), request.as_bytes());
        }
        Ok(Decoded::Send { peer, data }) => {
            let (whole, part) = (bytes.as_ptr_range(), data.as_ptr_range());
            assert!(whole.start <= part.start && part.end <= whole.end && data.len() < bytes.len());
            let Ok(Decoded::Send { peer: peer_again, data: data_again }) = decode(&followed) else {
                panic!("not read again")
            };
            assert_eq!((peer_again, data_again), (peer, data));
        }
        Ok(Decoded::ChannelData { number, data }) => {
            let length = u16::try_from(data.len()).expect("a length of 16 bits");
            let written = [&number.to_be_bytes(), &length.to_be_bytes(), data].concat();
            assert!(bytes.starts_with(&written) && (0x4000..0x8000).contains(&number));
        }
        Ok(Decoded::Idle) => assert!(matches!(decode(&followed), Ok(Decoded::Idle))),
        Err(Undecodable::TooLong) => {
            assert!(matches!(decode(&followed), Err(Undecodable::TooLong)));
        }
        Err(Undecodable::Malformed) => {}
    }
}
