//! Clocks and timers.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use sightline_browser::page::clock;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn the_shorter_sleep_ends_first_and_the_clock_goes_on() {
    let before = clock::now();
    let long = pin!(clock::sleep(Duration::from_secs(3600)));
    let short = pin!(clock::sleep_until(before + Duration::from_millis(20)));
    assert!(matches!(select(long, short).await, Either::Right(_)));
    assert!(clock::now() > before);
}

#[wasm_bindgen_test]
async fn a_sleep_without_end_does_not_end_at_once() {
    let forever = pin!(clock::sleep(Duration::MAX));
    let short = pin!(clock::sleep(Duration::from_millis(20)));
    assert!(matches!(select(forever, short).await, Either::Right(_)));
}

#[wasm_bindgen_test]
fn the_wall_clock_is_in_this_century() {
    assert!(clock::unix_ms() > 1_700_000_000_000);
}
