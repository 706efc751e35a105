//! Both sides want to negotiate at the same time, again and again.
#![allow(clippy::print_stdout, reason = "a line for a person is its purpose")]

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    monitor::unix_ms,
    page::Page,
    stage::{Pair, Scene, Stage},
    wait::until,
};

const TIMES: usize = 200;
const PATIENCE: Duration = Duration::from_secs(20);

/// What the browser says when it wants an exchange, said again.
const WANT: &str = "
    const connection = sightlineProbe.connections.at(-1);
    window.sightlineExchanges ??= (() => {
      const seen = { stable: 0 };
      connection.addEventListener('signalingstatechange', () => (seen.stable += connection.signalingState === 'stable'));
      return seen;
    })();
    const before = sightlineExchanges.stable;
    connection.dispatchEvent(new Event('negotiationneeded'));
    return before;";
const STABLE: &str = "
    return sightlineProbe.connections.at(-1).signalingState === 'stable' ? sightlineExchanges.stable : -1;";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.long_tests_in_pairs(end_in_stable)
}

async fn end_in_stable(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("glare", "Ada").await?;
    bob.enter("glare", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    let mut took_ms = Vec::new();
    for _ in 0..TIMES {
        let began = unix_ms();
        let before: (i64, i64) = tokio::try_join!(ada.execute(WANT, vec![]), bob.execute(WANT, vec![]))?;
        until("both to be stable again, after an exchange", PATIENCE, async || {
            let (of_ada, of_bob) = tokio::try_join!(stable(&ada), stable(&bob))?;
            let is_over = of_ada > before.0 && of_bob > before.1;
            Ok(if is_over { Ok(()) } else { Err(format!("{before:?}, then {of_ada} and {of_bob}")) })
        })
        .await?;
        took_ms.push(unix_ms() - began);
    }
    for page in [&ada, &bob] {
        let connections: usize = page.execute("return sightlineProbe.connections.length", vec![]).await?;
        assert_eq!(connections, 1, "a connection was given up");
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    took_ms.sort_by(f64::total_cmp);
    println!(
        "\n{TIMES} renegotiations begun by both at once, {} and {}: median {:.0} ms, longest {:.0} ms (promised: 2000)",
        pair[0].name(),
        pair[1].name(),
        took_ms[TIMES / 2],
        took_ms[TIMES - 1],
    );
    Ok(())
}

async fn stable(page: &Page) -> Result<i64> {
    page.execute(STABLE, vec![]).await
}
