//! Secure random bits.

use sightline_browser::page::random;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn random_numbers_use_every_bit_and_do_not_repeat() {
    let drawn: Vec<u128> = (0..200).map(|_| random::bits()).collect();
    assert_eq!(drawn.iter().fold(0, |seen, bits| seen | bits), u128::MAX);
    assert_eq!(drawn.iter().fold(u128::MAX, |seen, bits| seen & bits), 0);
    for (at, bits) in drawn.iter().enumerate() {
        assert!(!drawn[..at].contains(bits));
    }
}
