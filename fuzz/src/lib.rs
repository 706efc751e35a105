//! Properties that parsers of text and bytes from outside must have for any input.
//!
//! [`client`], [`native`] and [`server`] hold one function for each target of `fuzz_targets`. The ordinary tests of the crates include
//! the same files and run them over `seeds`, so a property that a known input breaks is found without a fuzzer.

pub mod client;
pub mod native;
pub mod server;
