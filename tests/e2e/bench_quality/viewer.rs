//! The viewer: a run with its ledger, and the browser's own freeze statistics.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sightline_e2e::{page::Page, wait::until};
use tokio::time::sleep;

use super::{BETWEEN_MS, table::Stood};

/// A declared pause excuses stalls up to this long after it (docs/measuring.md).
const MARK_REACH_MS: f64 = 1000.0;

/// Counts the browser's own freezes, ten times a second.
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
        window.sightlineSource.stopFor(ms);
        window.injected++;
      }
    })();";

/// The statements about the picture, in milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) ledger: Vec<Stood>,
    pub(super) freezes: Vec<Stood>,
    /// Beginning of the run without its first half second.
    pub(super) from_ms: f64,
    pub(super) to_ms: f64,
    /// Times that are not judged, because it was declared that the picture may stand still.
    pub(super) excused: Vec<(f64, f64)>,
    pub(super) report: Value,
}

impl Said {
    /// The stalls within the run that were not excused.
    pub(super) fn judged(&self, stood: impl IntoIterator<Item = Stood>) -> Vec<Stood> {
        let is_excused = |stood: &Stood| {
            self.excused.iter().any(|(from, to)| *from <= stood.end && stood.end - stood.ms <= *to)
        };
        let is_judged = |stood: &Stood| (self.from_ms..self.to_ms).contains(&stood.end) && !is_excused(stood);
        stood.into_iter().filter(is_judged).collect()
    }
}

/// Runs a measurement at `viewer` while `source` stops for each of these times.
pub(super) async fn watch(source: &Page, viewer: &Page, stops: &[u32]) -> Result<Said> {
    begin(viewer).await?;
    let () = source.execute(INJECT, vec![json!(stops), json!(BETWEEN_MS)]).await?;
    until("every stop", Duration::from_secs(900), async || {
        let injected: usize = source.execute("return window.injected", vec![]).await?;
        Ok(if injected == stops.len() { Ok(()) } else { Err(format!("{injected}")) })
    })
    .await?;
    sleep(Duration::from_secs(5)).await;
    end(viewer).await
}

/// Begins a run after the first seconds, in which the encoder adapts.
pub(super) async fn begin(viewer: &Page) -> Result<()> {
    sleep(Duration::from_secs(6)).await;
    let () = viewer.execute(WATCH_FREEZES, vec![]).await?;
    viewer.click("run-start").await?;
    sleep(Duration::from_secs(2)).await;
    Ok(())
}

/// Ends the run.
pub(super) async fn end(viewer: &Page) -> Result<Said> {
    viewer.click("run-stop").await?;
    viewer.click("export-json").await?;
    let report: String = viewer.execute("return sightlineProbe.saved.at(-1).text()", vec![]).await?;
    let report: Value = serde_json::from_str(&report)?;
    let zero_ms = report["started_at_unix_ms"].as_f64().context("no start")?;
    let playout = &report["sides"][0]["playout"];
    let entries = |name: &str| playout[name].as_array().cloned().unwrap_or_default();
    let to_ms = zero_ms + report["duration_s"].as_f64().unwrap_or_default() * 1e3;
    let at = |seconds: &Value| seconds.as_f64().map(|seconds| zero_ms + seconds * 1e3);
    let ledger = entries("stalls").into_iter().filter_map(|stall| {
        let ms = stall["duration_s"].as_f64()? * 1e3;
        Some(Stood { end: at(&stall["start_s"])? + ms, ms, is_told: true, is_at_source: false })
    });
    let excused = entries("marks").into_iter().filter_map(|mark| {
        let to = at(&mark["to_s"]).unwrap_or(f64::INFINITY);
        Some((at(&mark["from_s"])? - MARK_REACH_MS, to + MARK_REACH_MS))
    });
    let (ledger, excused) = (ledger.collect(), excused.collect());
    let freezes: Vec<(f64, f64)> = viewer.execute("return freezes", vec![]).await?;
    let freezes =
        freezes.into_iter().map(|(end, ms)| Stood { end, ms, is_told: true, is_at_source: false }).collect();
    Ok(Said { ledger, freezes, from_ms: zero_ms + 500.0, to_ms, excused, report })
}
