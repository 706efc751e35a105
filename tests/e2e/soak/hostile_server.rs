//! A server that attacks protected calls of real pages in every way that the native machine is tested with: of each attempt nobody
//! may stand in between, and the pages have to report what was changed.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    signaling_proxy::SignalingProxy,
    snapshot::{Snapshot, Tile},
    stage::{MIXED_PAIRS, PAIRS, Pair, Scene, Stage},
};
use tokio::time::{Instant, sleep};

use super::attacker::{Attacker, FORGED_NAME, Trick};
use crate::trust::{SECRET, code_of, open_lock};

/// A call that comes is there within this time.
const WATCHED: Duration = Duration::from_secs(6);
const NAMES: [&str; 3] = ["Ada", "Bob", "Cy"];
const NOTICE: &str = "signals-refused";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    // Who comes later makes the first offer, so the mixed pair has two orders.
    let pairs = PAIRS.into_iter().chain(MIXED_PAIRS.into_iter().filter(|pair| !PAIRS.contains(pair)));
    pairs
        .map(|pair| {
            let name =
                format!("soak::hostile_server::stands_in_no_call_{}_{}", pair[0].name(), pair[1].name());
            stage.long_test_named(name, async move |scene: &Scene| {
                stands_in_no_call_and_changes_nothing_unseen(scene, pair).await
            })
        })
        .collect()
}

async fn stands_in_no_call_and_changes_nothing_unseen(scene: &Scene, pair: Pair) -> Result<()> {
    let pages = scene.pages_in([pair[0], pair[1], Engine::Chromium]).await?;
    let port = scene.server().await?.port();
    println!("\n{} and {}: changed messages, reported by, call", pair[0].name(), pair[1].name());
    for trick in Trick::ALL {
        let pages = pages.get(..if trick.needs_a_third() { 3 } else { 2 }).unwrap_or_default();
        attempt(trick, pages, port).await?;
        for page in pages {
            page.open("about:blank").await?;
        }
    }
    Ok(())
}

async fn attempt(trick: Trick, pages: &[Arc<Page>], port: u16) -> Result<()> {
    let attacker = Arc::new(Mutex::new(Attacker::new(trick)));
    let (there, back) = (Arc::clone(&attacker), Arc::clone(&attacker));
    let proxy = SignalingProxy::start_in_both_directions(
        port,
        move |message| there.lock().unwrap_or_else(PoisonError::into_inner).change_of_page(message),
        move |message| back.lock().unwrap_or_else(PoisonError::into_inner).change_of_server(message),
    )
    .await?;
    let room = format!("attack-{trick:?}").to_lowercase();
    for (page, name) in pages.iter().zip(NAMES) {
        let url = format!("/room/{room}?name={name}&autojoin=1&source=none#{SECRET}");
        page.open(&proxy.url(&url)).await?;
        page.until(&format!("{name} is in the room"), |page| page.shows("room")).await?;
    }
    let seen = watched(pages).await?;
    let changed = attacker.lock().unwrap_or_else(PoisonError::into_inner).changed;
    let reporting: Vec<_> = seen.iter().map(reports).collect();
    let calls: usize = seen.iter().map(|seen| others(seen).filter(|tile| is_connected(tile)).count()).sum();
    println!("{trick:?}: {changed}, {reporting:?}, {calls} ends of calls");
    ensure!(changed > 0, "{trick:?}: the server changed nothing");
    ensure!(!trick.is_reported() || reporting.contains(&true), "{trick:?} was not reported: {seen:#?}");
    for seen in &seen {
        for tile in others(seen) {
            ensure!(!tile.text.contains(FORGED_NAME), "{trick:?}: a forged name is shown: {seen:#?}");
            ensure!(!NAMES.contains(&&*tile.name) || !trick.takes_the_name(), "{trick:?}: {seen:#?}");
            ensure!(
                !is_connected(tile) || tile.trust.as_deref() == Some("protected"),
                "{trick:?}: {seen:#?}"
            );
        }
    }
    for (at, (page, name)) in pages.iter().zip(NAMES).enumerate() {
        for (other, other_name) in pages.iter().zip(NAMES).skip(at + 1) {
            let is_call = |page: &Snapshot, with: &str| page.tile(with).is_some_and(is_connected);
            if is_call(&page.look().await?, other_name) && is_call(&other.look().await?, name) {
                open_lock(page, other_name).await?;
                open_lock(other, name).await?;
                let codes = [code_of(page, other_name).await?, code_of(other, name).await?];
                ensure!(codes[0] == codes[1], "{trick:?}: somebody stands between {name} and {other_name}");
            }
        }
    }
    Ok(())
}

/// What the pages show once all are connected, or after some seconds.
async fn watched(pages: &[Arc<Page>]) -> Result<Vec<Snapshot>> {
    let began = Instant::now();
    loop {
        let mut seen = Vec::new();
        for page in pages {
            seen.push(page.look().await?);
        }
        let are_connected = seen.iter().all(|seen| others(seen).any(is_connected));
        if began.elapsed() >= WATCHED || are_connected && seen.iter().any(reports) {
            return Ok(seen);
        }
        sleep(Duration::from_millis(250)).await;
    }
}

fn reports(seen: &Snapshot) -> bool {
    seen.notices.iter().any(|notice| notice.code == NOTICE)
}

fn others(seen: &Snapshot) -> impl Iterator<Item = &Tile> {
    seen.tiles.iter().filter(|tile| tile.member != "local")
}

fn is_connected(tile: &Tile) -> bool {
    tile.state.as_deref() == Some("connected")
}
