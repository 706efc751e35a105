//! Asking a server by plain HTTP.

use sightline_browser::{
    BrowserErrorKind,
    page::{http, location::Location},
};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn a_server_that_answers_is_told_from_one_that_is_not_there() {
    let origin = Location::current().origin;
    http::reach(&format!("{origin}/")).await.unwrap();
    // The page's server is the runner's; port 1 of this computer is nobody's.
    let error = http::reach("http://127.0.0.1:1/").await.unwrap_err();
    assert_eq!(error.kind(), BrowserErrorKind::TypeError);
}
