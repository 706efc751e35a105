//! Cuts of all lengths in all pairs of browsers: the time from the network's return until picture, sound and chat are back.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail};
use libtest_mimic::Trial;
use sightline_e2e::{
    monitor::{Back, unix_ms},
    netlab::FarApart,
    page::Page,
    stage::{Pair, Scene, Stage},
};
use tokio::time::sleep;

use crate::recovery::enter;

const CUTS_S: [u64; 7] = [3, 5, 10, 15, 20, 30, 60];
/// After this time a connection does not return by itself.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The promised times in seconds, with and without a cut server connection.
const PROMISED_S: [(bool, f64); 2] = [(false, 5.0), (true, 10.0)];

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let network_alone = stage.long_tests_in_pairs(network_alone);
    network_alone.into_iter().chain(stage.long_tests_in_pairs(network_and_server)).collect()
}

async fn network_alone(scene: &Scene, pair: Pair) -> Result<()> {
    all_cuts(scene, pair, false).await
}

async fn network_and_server(scene: &Scene, pair: Pair) -> Result<()> {
    all_cuts(scene, pair, true).await
}

async fn all_cuts(scene: &Scene, pair: Pair, with_server: bool) -> Result<()> {
    let call = enter(scene, pair).await?;
    let [ada, bob] = &call.pages;
    ada.watch("Bob").await?;
    bob.watch("Ada").await?;
    for page in [ada, bob] {
        page.keep_saying(Duration::from_millis(500)).await?;
    }
    let mut rows = Vec::new();
    for seconds in CUTS_S {
        // Connections that are only a few seconds old would behave differently from those of a call.
        sleep(Duration::from_secs(8)).await;
        rows.push((seconds, cut(&call, seconds, with_server).await?));
    }
    print(pair, with_server, &rows);
    Ok(())
}

/// The times on both pages, and how often each page's connection was rebuilt by then.
async fn cut(call: &FarApart, seconds: u64, with_server: bool) -> Result<[(Back, usize); 2]> {
    call.ends.set_server_cut(with_server);
    call.ends.set_cut(true);
    sleep(Duration::from_secs(seconds)).await;
    call.ends.set_cut(false);
    call.ends.set_server_cut(false);
    let returned_at = unix_ms();
    let [ada, bob] = &call.pages;
    loop {
        let (of_ada, of_bob) = tokio::try_join!(ada.back_after(returned_at), bob.back_after(returned_at))?;
        if of_ada.is_complete() && of_bob.is_complete() {
            return Ok([(of_ada, built(ada).await?), (of_bob, built(bob).await?)]);
        }
        if unix_ms() - returned_at > PATIENCE.as_secs_f64() * 1000.0 {
            bail!("after a cut of {seconds} s not everything is back: {of_ada:?} {of_bob:?}");
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn built(page: &Page) -> Result<usize> {
    page.execute("return sightlineProbe.connections.length", vec![]).await
}

fn print(pair: Pair, with_server: bool, rows: &[(u64, [(Back, usize); 2])]) {
    let promised_s = PROMISED_S.iter().find(|(server, _)| *server == with_server).map_or(0.0, |(_, s)| *s);
    let what = if with_server { "network and server" } else { "network" };
    println!("\n{} and {}, {what} cut; promised within {promised_s} s", pair[0].name(), pair[1].name());
    println!(
        "{:>6} {:>20} {:>20} {:>20} {:>12} {:>8}",
        "cut s", "picture s", "sound s", "chat s", "connections", "blanks"
    );
    for (seconds, [a, b]) in rows {
        let both = |of: fn(&Back) -> Option<f64>| {
            let s = |back: &Back| of(back).unwrap_or(f64::NAN) / 1000.0;
            format!("{:.1} / {:.1}", s(&a.0), s(&b.0))
        };
        let late = a.0.slowest_ms().max(b.0.slowest_ms()) > promised_s * 1000.0;
        println!(
            "{seconds:>6} {:>20} {:>20} {:>20} {:>12} {:>8}{}",
            both(|back| back.picture_ms),
            both(|back| back.sound_ms),
            both(|back| back.chat_ms),
            format!("{} / {}", a.1, b.1),
            format!("{} / {}", a.0.blanks, b.0.blanks),
            if late { "  LATE" } else { "" },
        );
    }
}
