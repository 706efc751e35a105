//! Runs the fuzz targets of the client's parsers over their seeds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the modules are those of another package")]
#![allow(clippy::print_stdout, reason = "a test that fails says at which input")]

#[path = "../../../fuzz/src/client.rs"]
mod client;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

#[test]
fn every_seed_of_a_client_target_has_the_properties_of_the_target() {
    for (target, property) in client::TARGETS {
        seeds::check(target, property);
    }
}
