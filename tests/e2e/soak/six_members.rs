//! Six members with their cameras on: what each sends by itself so that all stay usable, and what it costs one of them.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use libtest_mimic::Trial;
use serde::Deserialize;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};
use tokio::time::sleep;

const MEMBERS: usize = 6;
const SETTLING: Duration = Duration::from_secs(20);
const MEASURED: Duration = Duration::from_secs(10);

/// What was sent and received until now, of every connection that is open.
const TRAFFIC: &str = "
    const open = sightlineProbe.connections.filter((connection) => connection.connectionState === 'connected');
    return Promise.all(open.map((connection) => connection.getStats())).then((reports) => {
      const all = reports.flatMap((report) => [...report.values()]).filter((entry) => entry.kind === 'video');
      const inbound = all.filter((entry) => entry.type === 'inbound-rtp');
      const outbound = all.filter((entry) => entry.type === 'outbound-rtp');
      return {
        decoded: inbound.map((entry) => entry.framesDecoded ?? 0),
        frozen_s: inbound.reduce((sum, entry) => sum + (entry.totalFreezesDuration ?? 0), 0),
        sent_bytes: outbound.reduce((sum, entry) => sum + (entry.bytesSent ?? 0), 0),
        lines: outbound.map((entry) => entry.frameHeight ?? 0),
      };
    });";

#[derive(Debug, Deserialize)]
struct Traffic {
    decoded: Vec<u32>,
    frozen_s: f64,
    sent_bytes: u64,
    lines: Vec<u32>,
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![stage.long_test(six_members_see_each_other_move)]
}

async fn six_members_see_each_other_move(scene: &Scene) -> Result<()> {
    let pages = try_join_all((0..MEMBERS).map(|_| scene.page(Engine::Chromium))).await?;
    println!("\n{MEMBERS} members, {} s after the last came, {} s", SETTLING.as_secs(), MEASURED.as_secs());
    for (number, page) in pages.iter().enumerate() {
        page.enter("six", &format!("Member {number}")).await?;
    }
    for page in &pages {
        page.until("everyone is connected", |page| {
            let connected = |state: &Option<String>| state.as_deref() == Some("connected");
            page.other_tiles().iter().filter(|tile| connected(&tile.state)).count() == MEMBERS - 1
        })
        .await?;
    }
    sleep(SETTLING).await;
    let before = looks(&pages).await?;
    sleep(MEASURED).await;
    let after = looks(&pages).await?;
    println!(
        "{:>7} {:>12} {:>14} {:>16} {:>9} {:>14}",
        "member", "sends lines", "sends kbit/s", "sees fps", "frozen s", "ms of CPU / s"
    );
    for (number, ((before, cpu_before), (after, cpu_after))) in before.iter().zip(&after).enumerate() {
        let seconds = MEASURED.as_secs_f64();
        let fps: Vec<_> = before
            .decoded
            .iter()
            .zip(&after.decoded)
            .map(|(before, after)| format!("{:.0}", f64::from(after.saturating_sub(*before)) / seconds))
            .collect();
        println!(
            "{number:>7} {:>12} {:>14.0} {:>16} {:>9.1} {:>14.0}",
            after.lines.iter().max().copied().unwrap_or_default(),
            after.sent_bytes.saturating_sub(before.sent_bytes) as f64 * 8.0 / 1000.0 / seconds,
            fps.join(" "),
            after.frozen_s - before.frozen_s,
            cpu_after.saturating_sub(*cpu_before).as_secs_f64() * 1000.0 / seconds,
        );
        ensure!(after.decoded.len() == MEMBERS - 1, "not everyone is seen: {after:?}");
        ensure!(
            before.decoded.iter().zip(&after.decoded).all(|(before, after)| after > before),
            "a picture stands still: {before:?} {after:?}"
        );
    }
    Ok(())
}

async fn looks(pages: &[Arc<Page>]) -> Result<Vec<(Traffic, Duration)>> {
    try_join_all(pages.iter().map(|page| async {
        let traffic = page.execute(TRAFFIC, vec![]).await?;
        anyhow::Ok((traffic, page.browser.renderer_time().await?))
    }))
    .await
}
