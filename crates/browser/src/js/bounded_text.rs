//! Reads the text of a message, unless it is too long.

use js_sys::JsString;
use sightline_protocol::limits::MAX_FRAME_BYTES;
use wasm_bindgen::{JsCast, JsValue};

/// The kind of data in a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BoundedText {
    /// Text of at most [`MAX_FRAME_BYTES`].
    Text(String),
    /// Longer text, which is not copied.
    TooLong,
    /// Data that is not text.
    NotText,
}

/// Reads `data` if it is text within the limit.
pub(crate) fn bounded_text(data: &JsValue) -> BoundedText {
    let Some(text) = data.dyn_ref::<JsString>() else { return BoundedText::NotText };
    // A text never has more UTF-16 units than bytes of UTF-8.
    if text.length() as usize > MAX_FRAME_BYTES {
        return BoundedText::TooLong;
    }
    let text = String::from(text);
    if text.len() > MAX_FRAME_BYTES { BoundedText::TooLong } else { BoundedText::Text(text) }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::*;

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    fn the_limit_is_of_bytes_not_of_characters() {
        let of = |text: &str| bounded_text(&JsValue::from_str(text));
        let longest = "x".repeat(MAX_FRAME_BYTES);
        assert_eq!(of(&longest), BoundedText::Text(longest.clone()));
        assert_eq!(of(&(longest + "x")), BoundedText::TooLong);
        assert_eq!(of(&"名".repeat(MAX_FRAME_BYTES / 3 + 1)), BoundedText::TooLong);
        assert_eq!(of(""), BoundedText::Text(String::new()));
    }

    #[wasm_bindgen_test]
    fn bytes_and_objects_are_not_text() {
        assert_eq!(bounded_text(&js_sys::ArrayBuffer::new(3).into()), BoundedText::NotText);
        assert_eq!(bounded_text(&JsValue::NULL), BoundedText::NotText);
    }
}
