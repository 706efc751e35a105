//! Requests over plain HTTP.

use sightline_browser::{
    BrowserErrorKind,
    page::{http, location::Location},
};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn the_request_tells_a_server_that_answers_from_a_missing_one() {
    let origin = Location::current().origin;
    http::reach(&format!("{origin}/")).await.unwrap();
    // The runner serves this page; nothing listens on port 1 of this computer.
    let error = http::reach("http://127.0.0.1:1/").await.unwrap_err();
    assert_eq!(error.kind(), BrowserErrorKind::TypeError);
}
