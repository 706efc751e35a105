//! Long tests for `cargo xtask soak`, which print real times. They run only if `SIGHTLINE_SOAK` is set; the network tests need
//! root.

mod cuts;
mod files;
mod first_frame;
mod messages;
mod reload;
mod renegotiations;
mod server_kill;
mod six_members;

use std::{env, sync::Arc};

use libtest_mimic::Trial;
use sightline_e2e::{netlab::where_there_are_namespaces, stage::Stage};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    if env::var_os("SIGHTLINE_SOAK").is_none() {
        return Vec::new();
    }
    let across_a_link =
        [cuts::tests(stage), messages::tests(stage), files::tests(stage)].into_iter().flatten().collect();
    [
        where_there_are_namespaces(across_a_link),
        crate::hostile_server::long_tests(stage),
        first_frame::tests(stage),
        server_kill::tests(stage),
        renegotiations::tests(stage),
        reload::tests(stage),
        six_members::tests(stage),
    ]
    .into_iter()
    .flatten()
    .collect()
}
