//! The harness of the end-to-end tests: the built server, real browsers with fake devices, and a page driven through
//! its `data-testid` names.
//!
//! `cargo xtask test e2e` builds the client and the server and runs `tests/e2e/`. Unix only: processes are ended by group.
//!
//! | module | subject |
//! |---|---|
//! | [`stage`], `places`, [`wait`] | running the tests, with a scene for each; room for their pages; waiting for conditions |
//! | [`browser`], [`page`], [`snapshot`], [`console`] | a browser with fake devices; driving and reading a page; its console |
//! | [`server`], [`static_host`], [`proxy`], [`signaling_proxy`], [`coturn`] | the servers of a test |
//! | `netlab` | browsers behind emulated links and routers |
//! | [`headless`], [`native_peer`] | members without a browser: a socket only, and `sightline-peer` |
//! | [`monitor`], [`glare`] | measuring recovery; negotiations from both sides at once |
//! | [`clip`], [`portrait`] | video files and painted people |
//! | [`process`], [`cpu`], [`memory`] | child processes, and what they use |
//! | `slowness` | processes that get little processor time |
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
pub mod native_peer;
#[cfg(target_os = "linux")]
pub mod netlab;
pub mod page;
mod places;
pub mod portrait;
#[cfg(target_os = "linux")]
mod priority;
pub mod process;
pub mod proxy;
pub mod server;
pub mod signaling_proxy;
#[cfg(target_os = "linux")]
pub mod slowness;
pub mod snapshot;
pub mod stage;
pub mod static_host;
pub mod wait;
