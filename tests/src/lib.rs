//! The harness of the end-to-end tests: the built server, real browsers with fake devices, and a page driven through
//! its `data-testid` names.
//!
//! `cargo xtask test e2e` builds what is tested and runs `tests/e2e/`. Unix only: processes are ended by group.
#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a failing test tells a person what it saw")]

pub mod browser;
pub mod clip;
pub mod console;
pub mod coturn;
pub mod cpu;
mod descendants;
pub mod glare;
pub mod headless;
pub mod memory;
pub mod monitor;
#[cfg(target_os = "linux")]
pub mod netlab;
pub mod page;
pub mod portrait;
pub mod process;
pub mod proxy;
pub mod server;
pub mod snapshot;
pub mod stage;
pub mod static_host;
pub mod wait;
