//! What has to be true of every parser of text and bytes from outside, whatever it is given.
//!
//! [`client`] holds one function for each target of `fuzz_targets`. The ordinary tests of the core include the same file and run
//! it over `seeds`, so a property that a known input breaks is found without a fuzzer.

pub mod client;
