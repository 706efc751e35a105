//! What panel and ledger cost.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use sightline_e2e::{browser::Engine, page::Page, stage::Scene};
use tokio::time::{Instant, sleep};

/// What panel and ledger cost with one peer whose picture is seen: how long the main thread of Chromium's page was at
/// work, without frame callbacks, with them, and with the panel open. (Decoding and drawing are other threads' work.)
pub(super) async fn of_panel_and_ledger(scene: &Scene) -> Result<()> {
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
