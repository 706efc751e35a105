//! The cost of panel and ledger.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use sightline_e2e::{browser::Engine, page::Page, stage::Scene};
use tokio::time::{Instant, sleep};

const MEASURED: Duration = Duration::from_secs(20);
/// The start of a page is not measured.
const SETTLED: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;
/// Name, the viewer's parameters, and whether the panel is open; measured in turns.
const PAGES: [(&str, &str, bool); 4] = [
    ("call without frame callbacks", "source=none&probe=no-frame-callbacks", false),
    ("with callbacks that do nothing", "source=none&probe=idle-frame-callbacks", false),
    ("with the ledger", "source=none", false),
    ("with ledger and panel", "source=none", true),
];

/// The cost of panel and ledger with one visible peer: the busy time of the main thread of Chromium's page. (Decoding and drawing
/// run on other threads.) The browser's own cost of a callback for every frame is measured separately with callbacks that do
/// nothing.
pub(super) async fn of_panel_and_ledger(scene: &Scene) -> Result<()> {
    let (ada, bob) = (scene.page(Engine::Chromium).await?, scene.page(Engine::Chromium).await?);
    ada.enter_with("cost", "Ada", "source=camera&probe=painted-camera&fps=30").await?;
    let mut shares = PAGES.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((_, parameters, is_open), shares) in PAGES.iter().zip(&mut shares) {
            bob.enter_with("cost", "Bob", parameters).await?;
            bob.until_picture_moves("Ada").await?;
            if *is_open {
                bob.click("stats-toggle").await?;
            }
            sleep(SETTLED).await;
            let (started, before) = (Instant::now(), main_thread_s(&bob).await?);
            sleep(MEASURED).await;
            let worked_s = main_thread_s(&bob).await? - before;
            shares.push(worked_s / started.elapsed().as_secs_f64() * 100.0);
        }
    }
    println!(
        "\nMain thread at work, one peer at 30 frames a second, in percent of one core: median of {ROUNDS} times {} s each",
        MEASURED.as_secs()
    );
    let medians = shares.map(|mut shares| {
        shares.sort_unstable_by(f64::total_cmp);
        shares[ROUNDS / 2]
    });
    for ((name, ..), median) in PAGES.iter().zip(medians) {
        println!("{name:<32}{median:>6.2}");
    }
    println!("{:<32}{:>6.2}", "ledger and panel beyond asking", medians[3] - medians[1]);
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
