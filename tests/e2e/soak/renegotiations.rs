//! Both sides negotiate at the same time, many times.
#![allow(clippy::print_stdout, reason = "a line for a person is its purpose")]

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    glare::{connections, renegotiate_from_both_sides, rollbacks},
    monitor::unix_ms,
    stage::{Pair, Scene, Stage},
};
use tokio::time::{MissedTickBehavior, interval};

const TIMES: usize = 200;
/// From the beginning of one renegotiation to the next. A member that negotiates faster for half a minute exhausts its budget for
/// descriptions (`crates/core/src/budget/limits.rs`) and is muted for some seconds, which would spoil the measurement.
const INTERVAL: Duration = Duration::from_millis(500);

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.long_tests_in_pairs(end_in_stable)
}

async fn end_in_stable(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("glare", "Ada").await?;
    bob.enter("glare", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    let mut took_ms = Vec::new();
    let mut due = interval(INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..TIMES {
        due.tick().await;
        let began = unix_ms();
        renegotiate_from_both_sides([&ada, &bob]).await?;
        took_ms.push(unix_ms() - began);
    }
    for page in [&ada, &bob] {
        assert_eq!(connections(page).await?, 1, "a connection was given up");
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    took_ms.sort_by(f64::total_cmp);
    println!(
        "\n{TIMES} renegotiations begun by both at once, {} and {}: median {:.0} ms, longest {:.0} ms (promised: 2000); \
         in {} of them the offers met",
        pair[0].name(),
        pair[1].name(),
        took_ms[TIMES / 2],
        took_ms[TIMES - 1],
        rollbacks(&ada).await? + rollbacks(&bob).await?,
    );
    Ok(())
}
