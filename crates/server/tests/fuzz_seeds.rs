//! The fuzz targets of what the server reads, over their seeds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the modules are those of another package")]
#![allow(clippy::print_stdout, reason = "a test that fails says at which input")]

#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../../../fuzz/src/server.rs"]
mod server;

#[test]
fn every_seed_of_a_server_target_has_the_properties_of_the_target() {
    for (target, property) in server::TARGETS {
        seeds::check(target, property);
    }
}

#[test]
fn every_changed_seed_of_a_server_target_has_the_properties_of_the_target() {
    for (target, property) in server::TARGETS {
        seeds::check_changed(target, property);
    }
}
