//! A gigabyte through cuts, a killed server, loss and reloads.
#![allow(clippy::print_stdout, reason = "a line for a person is its purpose")]

use std::{env, sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::stage::{Pair, Scene, Stage};
use tokio::time::Instant;

use crate::files_across_cuts::arrives;

const DEFAULT_MIB: u64 = 1024;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.long_tests_in_pairs(keep_every_byte)
}

async fn keep_every_byte(scene: &Scene, pair: Pair) -> Result<()> {
    let mib = env::var("SIGHTLINE_SOAK_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(DEFAULT_MIB);
    let began = Instant::now();
    let sent = arrives(scene, pair, mib << 20, Duration::from_secs(900)).await?;
    println!(
        "\n{mib} MiB from {} to {} with 5 % loss, 2 cuts, a killed server and a reload of each page: {:.0} s, {:.1} MiB sent again",
        pair[0].name(),
        pair[1].name(),
        began.elapsed().as_secs_f64(),
        sent.saturating_sub(mib << 20) as f64 / f64::from(1 << 20)
    );
    Ok(())
}
