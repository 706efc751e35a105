//! The time from the click on join to the first remote frame, for `cargo xtask bench start`, beside a minimal call of `PeerJS` and
//! one of plain JavaScript. Not a test: it judges nothing, and runs only if `SIGHTLINE_BENCH` is `start`.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

mod ends;
mod systems;
mod table;

use std::{env, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    netlab::where_there_are_namespaces,
    page::Page,
    stage::{Scene, Stage},
};
use tokio::time::{sleep, timeout};

use self::{
    ends::{Ends, Network},
    systems::System,
    table::{Call, Table},
};

/// How long the waiting page has to itself before the other one comes.
const SETTLING: Duration = Duration::from_millis(1500);
/// A call that takes longer counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the browser that joins was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    /// The same browser each time, so that everything is in its caches.
    Warm,
    /// A browser with a fresh profile.
    Cold,
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    if !env::var("SIGHTLINE_BENCH").is_ok_and(|bench| bench == "start") {
        return Vec::new();
    }
    let loopback = stage.endless_test(from_the_click_to_the_first_frame_on_loopback);
    let emulated =
        where_there_are_namespaces(vec![stage.endless_test(from_the_click_to_the_first_frame_on_4g)]);
    [loopback].into_iter().chain(emulated).filter(|trial| is_wanted("NETWORKS", trial.name())).collect()
}

async fn from_the_click_to_the_first_frame_on_loopback(scene: &Scene) -> Result<()> {
    measure(scene, Network::Loopback).await
}

async fn from_the_click_to_the_first_frame_on_4g(scene: &Scene) -> Result<()> {
    measure(scene, Network::Emulated4g).await
}

async fn measure(scene: &Scene, network: Network) -> Result<()> {
    let engine = match env::var("SIGHTLINE_BENCH_BROWSER").as_deref() {
        Ok("firefox") => Engine::Firefox,
        _ => Engine::Chromium,
    };
    let ends = Ends::open(scene, network, engine).await?;
    let lobby = Duration::from_millis(number("LOBBY_MS").unwrap_or(1000));
    for visit in [Visit::Warm, Visit::Cold] {
        if !is_wanted("VISITS", if visit == Visit::Warm { "warm" } else { "cold" }) {
            continue;
        }
        let mut table =
            Table::new(format!("{}, {visit:?}, {}", network.name(), engine.name()).to_lowercase());
        let systems: Vec<_> =
            System::ALL.into_iter().filter(|system| is_wanted("SYSTEMS", system.name())).collect();
        // One call of each system that does not count fills the caches.
        let first = if visit == Visit::Warm { -1 } else { 0 };
        for repetition in first..i64::try_from(number("REPETITIONS").unwrap_or(20))? {
            // Each system is first equally often.
            let turn = usize::try_from(repetition.max(0))? % systems.len();
            for system in systems[turn..].iter().chain(&systems[..turn]) {
                let room = format!("start-{visit:?}-{}-{}", repetition + 1, system.name()).to_lowercase();
                let call = call(&ends, visit, *system, &room, lobby).await;
                let call = call.with_context(|| format!("{system:?}, repetition {repetition}"));
                match call {
                    Ok(call) if repetition >= 0 => table.add(*system, call),
                    Ok(_) => {}
                    Err(error) => {
                        println!("{error:#}");
                        table.add_failure(*system);
                    }
                }
            }
        }
        table.print();
    }
    Ok(())
}

/// Whether a list in the environment of the command names this, or there is no list.
fn is_wanted(list: &str, name: &str) -> bool {
    match env::var(format!("SIGHTLINE_BENCH_{list}")) {
        Ok(wanted) if !wanted.is_empty() => wanted.split(',').any(|wanted| name.ends_with(wanted)),
        _ => true,
    }
}

/// A number in the environment of the command.
fn number(name: &str) -> Option<u64> {
    env::var(format!("SIGHTLINE_BENCH_{name}")).ok()?.parse().ok()
}

/// One page waits, and another one joins it.
async fn call(ends: &Ends, visit: Visit, system: System, room: &str, lobby: Duration) -> Result<Call> {
    let waiting = ends.waiting(system)?;
    system.wait(&waiting, room).await?;
    sleep(SETTLING).await;
    let joining = ends.joining(system, visit).await?;
    let outcome = join(system, &waiting, &joining, room, lobby).await;
    // The next call must not have to compete with this one.
    for page in [&waiting, &joining] {
        page.open("about:blank").await?;
    }
    outcome
}

async fn join(system: System, waiting: &Page, joining: &Page, room: &str, lobby: Duration) -> Result<Call> {
    system.open_lobby(joining, room).await?;
    sleep(lobby).await;
    joining.click("join").await?;
    let first = async |page: &Page| {
        let first = page.execute::<f64>("return startTrace.first", vec![]);
        timeout(PATIENCE, first).await.context("no remote frame came")?
    };
    let joining_first = first(joining).await?;
    let waiting_first = first(waiting).await?;
    let clicked: f64 = joining.execute("return startTrace.clicked", vec![]).await?;
    let marks =
        async |page: &Page| page.execute::<Vec<(String, f64)>>("return startTrace.marks", vec![]).await;
    let (joining, waiting) = (marks(joining).await?, marks(waiting).await?);
    Ok(Call::new(clicked, [joining_first, waiting_first], [joining, waiting]))
}
