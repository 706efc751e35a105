//! Clocks and timers.

use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use js_sys::Promise;
use sightline_core::Timestamp;
use wasm_bindgen_futures::JsFuture;

use super::window::window;

/// The longest timeout of `setTimeout`: a number of milliseconds beyond an `i32` fires at once.
const LONGEST_TIMEOUT_MS: u128 = i32::MAX as u128;

/// The time since the page was opened, on a clock that never goes back (`performance.now()`).
#[must_use]
pub fn now() -> Timestamp {
    let since_origin_ms = window().performance().map_or(0.0, |performance| performance.now());
    Timestamp::from_origin(Duration::from_micros((since_origin_ms * 1000.0) as u64))
}

/// Milliseconds since 1970 on the computer's clock, which may be wrong and may jump.
#[must_use]
pub fn unix_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// Waits for `duration`, rounded up to a millisecond; at most 24 days. Dropping the future cancels the timer.
pub async fn sleep(duration: Duration) {
    let timeout_ms = duration.as_nanos().div_ceil(1_000_000).min(LONGEST_TIMEOUT_MS);
    TimeoutFuture::new(timeout_ms as u32).await;
}

/// Waits until the clock shows `deadline`. Dropping the future cancels the timer.
pub async fn sleep_until(deadline: Timestamp) {
    sleep(deadline.since(now())).await;
}

/// Waits until the browser has painted its next frame. A hidden page paints none.
pub async fn painted() {
    let frame = Promise::new(&mut |resolve, _| {
        // A window without frames paints nothing that could be waited for.
        if window().request_animation_frame(&resolve).is_err() {
            let _ = resolve.call0(&resolve);
        }
    });
    let _ = JsFuture::from(frame).await;
    // The callbacks of a frame run before it is painted, and tasks after it.
    sleep(Duration::ZERO).await;
}
