//! Random bits from a secure generator.

use wasm_bindgen::prelude::*;

/// 128 random bits from the browser's cryptographic generator, for an id.
///
/// Throws a JavaScript exception without such a generator, since a guessable id is worse than no call.
#[must_use]
pub fn bits() -> u128 {
    let mut bytes = [0; 16];
    get_random_values(&mut bytes);
    u128::from_le_bytes(bytes)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(buffer: &mut [u8]);
}
