//! How fast files go, for `cargo xtask bench transfer`: beside bare channels and beside stop-and-wait, between the same two
//! browsers across the same link. No test: it judges nothing, and runs only where `SIGHTLINE_BENCH` says `transfer`.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

mod raw;

use std::{env, sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    netlab::{FarApart, LinkProfile, where_there_are_namespaces},
    stage::{Scene, Stage},
};

use self::raw::Cell;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let is_wanted = env::var("SIGHTLINE_BENCH").is_ok_and(|bench| bench == "transfer");
    if !is_wanted {
        return Vec::new();
    }
    where_there_are_namespaces(vec![stage.long_test(how_fast_files_go)])
}

async fn how_fast_files_go(scene: &Scene) -> Result<()> {
    let FarApart { pages, link, .. } =
        &scene.far_apart([Engine::Chromium, Engine::Chromium], &LinkProfile::default()).await?;
    let [ada, bob] = pages;
    raw::prepare([ada, bob]).await?;
    for (rtt_ms, bytes) in [(20_u64, 16_000_000), (100, 10_000_000)] {
        link.set_both(&LinkProfile::delayed(Duration::from_millis(rtt_ms) / 2));
        let took = raw::stop_and_wait([ada, bob], bytes).await?;
        println!("{rtt_ms} ms stop-and-wait {:.1}", bytes as f64 / took.as_secs_f64() / 1e6);
        for connections in [1, 4, 8, 16] {
            for message_bytes in [16 * 1024, 64 * 1024, 256 * 1024] {
                for buffer_bytes in [256 * 1024, 1024 * 1024] {
                    let cell = Cell { message_bytes, buffer_bytes, connections };
                    let took = raw::send([ada, bob], bytes, cell).await?;
                    println!("{rtt_ms} ms {cell:?} {:.1}", bytes as f64 / took.as_secs_f64() / 1e6);
                }
            }
        }
    }
    Ok(())
}
