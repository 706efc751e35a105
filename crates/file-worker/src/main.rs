//! The worker that reads, hashes and stores the files of transfers.
//!
//! It has no opinions: `sightline_core::transfer` decides in the page, and talks to it by the messages of
//! `sightline_browser::files`. They are handled one after the other.

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

/// Only there so that the workspace builds natively too.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}
