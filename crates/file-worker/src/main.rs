//! The worker that reads, hashes and stores the files of transfers.
//!
//! It makes no decisions: `sightline_core::transfer` decides in the page, and sends it the messages of
//! `sightline_browser::files`. It handles one message at a time.
//!
//! | module | subject |
//! |---|---|
//! | `worker` | the message loop |
//! | `source`, `identify` | a file that is sent: cut into frames, identified |
//! | `sink`, `disk`, `memory` | a file that is received, and where it is stored |
//! | `failure` | the browser's errors, as the page hears of them |

#[cfg(target_arch = "wasm32")]
mod disk;
#[cfg(target_arch = "wasm32")]
mod failure;
#[cfg(target_arch = "wasm32")]
mod identify;
#[cfg(target_arch = "wasm32")]
mod memory;
#[cfg(target_arch = "wasm32")]
mod sink;
#[cfg(target_arch = "wasm32")]
mod source;
#[cfg(target_arch = "wasm32")]
mod worker;

#[cfg(target_arch = "wasm32")]
fn main() {
    wasm_bindgen_futures::spawn_local(worker::run());
}

/// Only so that the workspace also builds natively.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}
