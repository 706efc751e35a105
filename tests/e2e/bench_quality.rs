//! How right the ledger is, for `cargo xtask bench quality`: a source that stops for known times, and what the ledger and
//! the browser's own freeze figures say of it. No test: it judges nothing, and runs only where `SIGHTLINE_BENCH` says
//! `quality`.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{env, fmt::Write, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Value, json};
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::until,
};
use tokio::time::{Instant, sleep};

/// Each is injected as often as `SIGHTLINE_BENCH_ROUNDS` says, in an order that mixes short and long.
const STOPS_MS: [u32; 10] = [200, 1000, 100, 500, 2000, 300, 150, 700, 250, 1500];
/// The picture moves so long between two stops, and some more that differs.
const BETWEEN_MS: u32 = 1700;
/// From this length on, a stall that is not found counts.
const COUNTED_MS: f64 = 200.0;
/// A stall is shown so much later than its source stopped, at most.
const LATEST_MS: f64 = 1000.0;

/// A time in which the picture stood still, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Stood {
    end: f64,
    ms: f64,
}

/// Counts what the browser itself calls freezes, ten times a second.
const WATCH_FREEZES: &str = r"
    window.freezes = [];
    let last = null;
    setInterval(async () => {
      for (const connection of sightlineProbe.connections) {
        if (connection.connectionState !== 'connected') continue;
        for (const entry of (await connection.getStats()).values()) {
          if (entry.type !== 'inbound-rtp' || entry.kind !== 'video' || entry.freezeCount === undefined) continue;
          if (last && entry.freezeCount > last[0]) {
            const count = entry.freezeCount - last[0];
            const ms = (entry.totalFreezesDuration - last[1]) * 1000 / count;
            for (let at = 0; at < count; at++) freezes.push([performance.timeOrigin + performance.now(), ms]);
          }
          last = [entry.freezeCount, entry.totalFreezesDuration];
        }
      }
    }, 100);";

const INJECT: &str = r"
    const [stops, between] = arguments;
    window.injected = 0;
    (async () => {
      for (const [at, ms] of stops.entries()) {
        await new Promise((resolve) => setTimeout(resolve, between + (at * 137) % 900 + (stops[at - 1] ?? 0)));
        sightlineSource.stopFor(ms);
        injected++;
      }
    })();";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let is_wanted = env::var("SIGHTLINE_BENCH").is_ok_and(|bench| bench == "quality");
    is_wanted.then(|| stage.long_test(how_right_the_ledger_is)).into_iter().collect()
}

async fn how_right_the_ledger_is(scene: &Scene) -> Result<()> {
    let rounds: usize =
        env::var("SIGHTLINE_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2);
    let stops: Vec<u32> = STOPS_MS.repeat(rounds);
    let mut table = format!(
        "{:<10}{:>4}  {:<8}{:>7}{:>7}{:>7}{:>9}{:>8}{:>7}{:>11}{:>11}\n",
        "browser",
        "fps",
        "whose",
        "known",
        "found",
        "false",
        "precision",
        "recall",
        "F1",
        "median ms",
        "greatest ms"
    );
    for engine in [Engine::Chromium, Engine::Firefox] {
        for fps in [30_u32, 15, 7] {
            let (known, ours, browsers) = measure(scene, engine, fps, &stops).await?;
            for (whose, found, less_ms) in [
                ("ledger", &ours, 0.0),
                ("freezes", &browsers, 0.0),
                // What the W3C counts is the whole gap.
                ("- 1/fps", &browsers, 1000.0 / f64::from(fps)),
            ] {
                judge(
                    &mut table,
                    &format!("{:<10}{fps:>4}  {whose:<8}", engine.name()),
                    &known,
                    found,
                    less_ms,
                )?;
            }
        }
    }
    println!("\n{table}");
    println!(
        "known, recall, errors: stops of {COUNTED_MS} ms and more; false: what nothing of at least 50 ms at the source explains.\n\
         An error is how much longer or shorter than the source stood still, beyond one interval."
    );
    cost(scene).await
}

async fn measure(
    scene: &Scene,
    engine: Engine,
    fps: u32,
    stops: &[u32],
) -> Result<(Vec<Stood>, Vec<Stood>, Vec<Stood>)> {
    let (ada, bob) = (scene.page(engine).await?, scene.page(engine).await?);
    let room = format!("quality-{}-{fps}", engine.name());
    ada.enter_with(&room, "Ada", &format!("source=camera&probe=painted-camera&fps={fps}")).await?;
    bob.enter_with(&room, "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    // The first seconds, in which the encoder finds its way, are not what is measured.
    sleep(Duration::from_secs(5)).await;
    let () = bob.execute(WATCH_FREEZES, vec![]).await?;
    bob.click("run-start").await?;
    sleep(Duration::from_secs(2)).await;
    let () = ada.execute(INJECT, vec![json!(stops), json!(BETWEEN_MS)]).await?;
    until("every stop", Duration::from_secs(900), async || {
        let injected: usize = ada.execute("return injected", vec![]).await?;
        Ok(if injected == stops.len() { Ok(()) } else { Err(format!("{injected}")) })
    })
    .await?;
    sleep(Duration::from_secs(5)).await;
    bob.click("run-stop").await?;
    bob.click("export-json").await?;
    let report: String = bob.execute("return sightlineProbe.saved.at(-1).text()", vec![]).await?;
    let report: Value = serde_json::from_str(&report)?;
    let zero_ms = report["started_at_unix_ms"].as_f64().context("no start")?;
    let end_ms = zero_ms + report["duration_s"].as_f64().unwrap_or_default() * 1e3;
    let ours = report["sides"][0]["playout"]["stalls"].as_array().cloned().unwrap_or_default();
    let ours = ours.iter().filter_map(|stall| {
        let ms = stall["duration_s"].as_f64()? * 1e3;
        Some(Stood { end: zero_ms + stall["start_s"].as_f64()? * 1e3 + ms, ms })
    });
    #[derive(Deserialize)]
    struct Pairs(Vec<(f64, f64)>);
    let Pairs(known) = ada.execute("return sightlineSource.stops", vec![]).await?;
    let Pairs(freezes) = bob.execute("return freezes", vec![]).await?;
    let known = known.into_iter().map(|(start, ms)| Stood { end: start + ms, ms });
    let freezes = freezes.into_iter().map(|(end, ms)| Stood { end, ms });
    let known = known.filter(|stood| stood.end > zero_ms + 500.0 && stood.end < end_ms);
    let result = (known.collect(), ours.collect(), freezes.filter(|stood| stood.end < end_ms).collect());
    for page in [ada, bob] {
        page.open("about:blank").await?;
    }
    Ok(result)
}

fn judge(table: &mut String, name: &str, known: &[Stood], found: &[Stood], less_ms: f64) -> Result<()> {
    // Each that was found belongs to the source's stop that ended last before it.
    let source_of = |found: &Stood| {
        known.iter().rposition(|known| (-100.0..LATEST_MS).contains(&(found.end - known.end)))
    };
    let owners: Vec<_> = found.iter().map(source_of).collect();
    let counted: Vec<_> = (0..known.len()).filter(|at| known[*at].ms >= COUNTED_MS).collect();
    let mut errors: Vec<f64> = counted
        .iter()
        .filter_map(|at| {
            let found = found.iter().zip(&owners).filter(|(_, owner)| **owner == Some(*at));
            let best = found.map(|(found, _)| (found.ms - less_ms - known[*at].ms).abs());
            best.min_by(f64::total_cmp)
        })
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    let true_positives = errors.len() as f64;
    let false_positives = owners.iter().filter(|owner| owner.is_none()).count();
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 1.0 };
    let precision = ratio(true_positives, true_positives + false_positives as f64);
    let recall = ratio(true_positives, counted.len() as f64);
    let f1 = ratio(2.0 * precision * recall, precision + recall);
    let median = errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN);
    let greatest = errors.last().copied().unwrap_or(f64::NAN);
    writeln!(
        table,
        "{name}{:>7}{:>7}{false_positives:>7}{precision:>9.3}{recall:>8.3}{f1:>7.3}{median:>11.0}{greatest:>11.0}",
        counted.len(),
        errors.len(),
    )?;
    Ok(())
}

/// What panel and ledger cost with one peer whose picture is seen: how long the main thread of Chromium's page was at
/// work, without frame callbacks, with them, and with the panel open. (Decoding and drawing are other threads' work.)
async fn cost(scene: &Scene) -> Result<()> {
    const MEASURED: Duration = Duration::from_secs(20);
    let (ada, bob) = (scene.page(Engine::Chromium).await?, scene.page(Engine::Chromium).await?);
    ada.enter_with("cost", "Ada", "source=camera&probe=painted-camera&fps=30").await?;
    let mut shares = Vec::new();
    for (parameters, is_open) in
        [("source=none&probe=no-frame-callbacks", false), ("source=none", false), ("source=none", true)]
    {
        bob.enter_with("cost", "Bob", parameters).await?;
        bob.until_picture_moves("Ada").await?;
        if is_open {
            bob.click("stats-toggle").await?;
        }
        sleep(Duration::from_secs(5)).await;
        let (started, before) = (Instant::now(), main_thread_s(&bob).await?);
        sleep(MEASURED).await;
        let worked_s = main_thread_s(&bob).await? - before;
        shares.push(worked_s / started.elapsed().as_secs_f64() * 100.0);
    }
    println!(
        "\nMain thread at work, one peer at 30 frames a second, in percent of one core, {} s each:\n\
         call without frame callbacks {:.2}; with the ledger {:.2}; with ledger and panel {:.2}",
        MEASURED.as_secs(),
        shares[0],
        shares[1],
        shares[2],
    );
    Ok(())
}

async fn main_thread_s(page: &Page) -> Result<f64> {
    let cdp = page.browser.driver.cdp();
    cdp.send_raw("Performance.enable", json!({})).await?;
    let answer = cdp.send_raw("Performance.getMetrics", json!({})).await?;
    let metrics = answer["metrics"].as_array().cloned().unwrap_or_default();
    let task = metrics.iter().find(|metric| metric["name"] == "TaskDuration");
    task.and_then(|task| task["value"].as_f64()).context("no TaskDuration")
}
