//! The abilities of the browser.

use sightline_browser::page::environment;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn a_page_of_this_computer_has_everything_a_call_needs() {
    assert!(environment::is_secure_context());
    assert!(environment::has_web_rtc());
    assert!(environment::has_media_devices());
    assert!(environment::has_display_capture());
    assert!(!environment::languages().is_empty());
}
