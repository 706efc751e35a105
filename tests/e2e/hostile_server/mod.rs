//! A server that attacks protected calls of pages and of `sightline-peer`: of each attempt nobody may stand in between, and what was
//! changed has to be reported. The ordinary run tries each attack with one pair, and each pair with some attacks;
//! `cargo xtask soak hostile_server` tries all with all.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

mod attacker;
mod party;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    signaling_proxy::SignalingProxy,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};
use tokio::time::{Instant, sleep};

use self::{
    attacker::{Attacker, FORGED_NAME, Trick},
    party::{Kind, Party, Seen},
};

/// The ordinary run has more to do.
const BRIEF: Effort = Effort { watched: Duration::from_secs(3), prints: false };
#[cfg(target_os = "linux")]
const FULL: Effort = Effort { watched: Duration::from_secs(6), prints: true };

#[derive(Clone, Copy)]
struct Effort {
    /// A call that comes is there within this time.
    watched: Duration,
    prints: bool,
}

const NAMES: [&str; 3] = ["Ada", "Bob", "Cy"];
const KINDS: [Kind; 3] = [Kind::Page(Engine::Chromium), Kind::Page(Engine::Firefox), Kind::Terminal];

/// Every pair in both orders, because whoever comes later makes the first offer.
fn pairs() -> impl Iterator<Item = [Kind; 2]> {
    KINDS.into_iter().flat_map(|first| KINDS.map(|second| [first, second]))
}

/// Each attack with one pair.
pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let count = pairs().count();
    pairs()
        .enumerate()
        .map(|(at, pair)| {
            let tricks: Vec<_> = Trick::ALL.into_iter().skip(at).step_by(count).collect();
            stage.test_named(name_of("hostile_server", pair), async move |scene: &Scene| {
                stands_in_no_call_and_changes_nothing_unseen(scene, pair, &tricks, BRIEF).await
            })
        })
        .collect()
}

/// Each attack with each pair.
#[cfg(target_os = "linux")]
pub(crate) fn long_tests(stage: &Arc<Stage>) -> Vec<Trial> {
    pairs()
        .map(|pair| {
            stage.long_test_named(name_of("soak::hostile_server", pair), async move |scene: &Scene| {
                stands_in_no_call_and_changes_nothing_unseen(scene, pair, &Trick::ALL, FULL).await
            })
        })
        .collect()
}

fn name_of(module: &str, [first, second]: [Kind; 2]) -> String {
    let (first, second) = (first.name(), second.name());
    format!("{module}::stands_in_no_call_and_changes_nothing_unseen::{first}_{second}")
}

async fn stands_in_no_call_and_changes_nothing_unseen(
    scene: &Scene,
    pair: [Kind; 2],
    tricks: &[Trick],
    effort: Effort,
) -> Result<()> {
    let has_pages = pair.iter().any(|kind| matches!(kind, Kind::Page(_)));
    let third = if has_pages { Kind::Page(Engine::Chromium) } else { Kind::Terminal };
    let needs_a_third = tricks.iter().any(|trick| trick.needs_a_third());
    let kinds: Vec<_> = pair.into_iter().chain(needs_a_third.then_some(third)).collect();
    let mut parties = party::all(scene, &kinds).await?;
    let port = scene.server().await?.port();
    if effort.prints {
        println!("\n{} and {}: changed messages, reported by, call", pair[0].name(), pair[1].name());
    }
    for trick in tricks {
        let count = if trick.needs_a_third() { 3 } else { 2 };
        attempt(*trick, parties.get_mut(..count).unwrap_or_default(), port, effort).await?;
        for party in &mut parties {
            party.leave().await?;
        }
    }
    Ok(())
}

async fn attempt(trick: Trick, parties: &mut [Party], port: u16, effort: Effort) -> Result<()> {
    let attacker = Arc::new(Mutex::new(Attacker::new(trick)));
    let (there, back) = (Arc::clone(&attacker), Arc::clone(&attacker));
    let proxy = SignalingProxy::start_in_both_directions(
        port,
        move |message| there.lock().unwrap_or_else(PoisonError::into_inner).change_of_page(message),
        move |message| back.lock().unwrap_or_else(PoisonError::into_inner).change_of_server(message),
    )
    .await?;
    let room = format!("attack-{trick:?}").to_lowercase();
    for (party, name) in parties.iter_mut().zip(NAMES) {
        party.enter(&proxy.url(""), &room, name).await?;
    }
    let seen = what_they_see(parties, effort.watched).await?;
    let changed = attacker.lock().unwrap_or_else(PoisonError::into_inner).changed;
    let reporting: Vec<_> = seen.iter().map(|seen| seen.reports).collect();
    let connected = |seen: &Seen| seen.others.iter().filter(|other| other.is_connected).count();
    let calls: usize = seen.iter().map(connected).sum();
    if effort.prints {
        println!("{trick:?}: {changed}, {reporting:?}, {calls} ends of calls");
    }
    for (party, name) in parties.iter().zip(NAMES) {
        party.keep(&format!("{trick:?}-{name}").to_lowercase()).await?;
    }
    ensure!(changed > 0, "{trick:?}: the server changed nothing");
    ensure!(!trick.is_reported() || reporting.contains(&true), "{trick:?} was not reported: {seen:#?}");
    for seen in &seen {
        ensure!(!seen.knocks.iter().any(|name| name.contains(FORGED_NAME)), "{trick:?}: {seen:#?}");
        for other in &seen.others {
            ensure!(!other.text.contains(FORGED_NAME), "{trick:?}: a forged name is shown: {seen:#?}");
            ensure!(!NAMES.contains(&&*other.name) || !trick.takes_the_name(), "{trick:?}: {seen:#?}");
            ensure!(!other.is_connected || other.is_protected, "{trick:?}: {seen:#?}");
            let calls_of_that_name =
                seen.others.iter().filter(|each| each.is_connected && each.name == other.name);
            ensure!(other.name.is_empty() || calls_of_that_name.count() <= 1, "{trick:?}: {seen:#?}");
        }
    }
    agree_on_codes(trick, parties).await
}

/// Whoever is in a call with somebody gets the same code, which a server in between could not make. While a connection is built again, one
/// of the two may have the next code already.
async fn agree_on_codes(trick: Trick, parties: &mut [Party]) -> Result<()> {
    for at in 0..parties.len() {
        let (before, after) = parties.split_at_mut(at);
        let Some((party, name)) = after.first_mut().zip(NAMES.get(at)) else { continue };
        for (other, other_name) in before.iter_mut().zip(NAMES) {
            let what = format!("{trick:?}: {name} and {other_name} have the same code");
            until(&what, PATIENCE, async || {
                let seen = [party.look().await?, other.look().await?];
                if !seen[0].is_connected_to(other_name) || !seen[1].is_connected_to(name) {
                    return Ok(Ok(()));
                }
                let codes = [party.code_of(other_name).await?, other.code_of(name).await?];
                let is_same = codes[0].is_some() && codes[0] == codes[1];
                Ok(is_same.then_some(()).ok_or_else(|| format!("{codes:?}")))
            })
            .await?;
        }
    }
    Ok(())
}

/// What is seen once all are connected and somebody reports something, or after some seconds.
async fn what_they_see(parties: &mut [Party], watched: Duration) -> Result<Vec<Seen>> {
    let began = Instant::now();
    loop {
        let mut seen = Vec::new();
        for party in parties.iter_mut() {
            seen.push(party.look().await?);
        }
        let are_connected = seen.iter().all(|seen| seen.others.iter().any(|other| other.is_connected));
        if began.elapsed() >= watched || are_connected && seen.iter().any(|seen| seen.reports) {
            return Ok(seen);
        }
        sleep(Duration::from_millis(250)).await;
    }
}
