//! A page is reloaded during a call: how long the other side sees the old member.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use serde::Deserialize;
use sightline_e2e::{
    monitor::unix_ms,
    stage::{Pair, Scene, Stage},
};

const RELOADS: usize = 5;

/// Checks every 20 ms how the member with the name in `arguments[0]` is shown.
const WATCH: &str = "
    const name = arguments[0];
    const seen = (window.sightlineGhost = { states: [], most: 0 });
    setInterval(() => {
      const tiles = [...document.querySelectorAll('[data-testid=\"tile\"]')].filter((tile) => tile.dataset.name === name);
      const state = tiles.map((tile) => tile.dataset.state).join();
      seen.most = Math.max(seen.most, tiles.length);
      if (seen.states.at(-1)?.state !== state) seen.states.push({ at: performance.timeOrigin + performance.now(), state });
    }, 20);
    return null;";

#[derive(Debug, Deserialize)]
struct Seen {
    states: Vec<State>,
    /// Most tiles of that member at the same time.
    most: usize,
}

#[derive(Debug, Deserialize)]
struct State {
    at: f64,
    state: String,
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.long_tests_in_pairs(leaves_no_ghost)
}

async fn leaves_no_ghost(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("reload", "Ada").await?;
    bob.enter("reload", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    let () = ada.execute(WATCH, vec!["Bob".into()]).await?;
    println!(
        "\n{} sees {} reload: ghost gone after s / connected again after s",
        pair[0].name(),
        pair[1].name()
    );
    for _ in 0..RELOADS {
        let began = unix_ms();
        bob.reload().await?;
        bob.until_connected_to("Ada").await?;
        ada.until_connected_to("Bob").await?;
        let seen: Seen = ada.execute("return sightlineGhost", vec![]).await?;
        let after = || seen.states.iter().filter(|state| state.at > began);
        let gone =
            after().find(|state| state.state != "connected").map_or(f64::NAN, |state| state.at - began);
        let back =
            after().rfind(|state| state.state == "connected").map_or(f64::NAN, |state| state.at - began);
        println!("{:>8.2} / {:.2}", gone / 1000.0, back / 1000.0);
        assert_eq!(seen.most, 1, "the ghost stood beside the page that came back");
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    Ok(())
}
