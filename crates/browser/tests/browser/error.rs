//! Errors made from thrown values.

use sightline_browser::{BrowserError, BrowserErrorKind};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::DomException;

#[wasm_bindgen_test]
fn a_dom_exception_keeps_its_name_and_message() {
    for (name, kind) in [
        ("NotAllowedError", BrowserErrorKind::NotAllowed),
        ("NotFoundError", BrowserErrorKind::NotFound),
        ("NotReadableError", BrowserErrorKind::NotReadable),
        ("AbortError", BrowserErrorKind::Abort),
        ("SecurityError", BrowserErrorKind::Security),
        ("InvalidStateError", BrowserErrorKind::InvalidState),
        ("NotSupportedError", BrowserErrorKind::NotSupported),
        ("DataError", BrowserErrorKind::Other),
    ] {
        let thrown = DomException::new_with_message_and_name("because", name).unwrap();
        let error = BrowserError::from(JsValue::from(thrown));
        assert_eq!((error.name.as_str(), error.message.as_str()), (name, "because"));
        assert_eq!(error.kind(), kind);
    }
}

#[wasm_bindgen_test]
fn any_other_thrown_value_becomes_an_error() {
    let error = BrowserError::from(JsValue::from(js_sys::TypeError::new("bad argument")));
    assert_eq!(error.to_string(), "TypeError: bad argument");
    assert_eq!(error.kind(), BrowserErrorKind::TypeError);
    assert_eq!(BrowserError::from(JsValue::from_str("text")).to_string(), "Error: text");
    assert_eq!(BrowserError::from(JsValue::UNDEFINED).to_string(), "Error: ");
}
