//! The sample clip with stamps over an emulated link: the truth is when the viewer's display showed which number.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    netlab::LinkProfile,
    stage::{Scene, Stage},
};

use super::{
    observer::{self, Seen},
    stops, table,
    viewer::watch,
};

/// The names and profiles of the links.
fn links() -> [(&'static str, LinkProfile); 2] {
    let delayed = LinkProfile { delay_ms: 30.0, ..LinkProfile::default() };
    [
        ("loss_5_percent", LinkProfile { loss_ratio: 0.05, ..delayed.clone() }),
        ("rate_500_kbit_s", LinkProfile { rate_bps: Some(500_000), ..delayed }),
    ]
}

pub(super) fn trials(stage: &Arc<Stage>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for viewer in [Engine::Chromium, Engine::Firefox] {
        for (name, link) in links() {
            for fps in [30, 15] {
                let link = link.clone();
                let title = format!("bench_quality::link::{name}_{}_{fps}", viewer.name());
                trials.push(stage.long_test_named(title, async move |scene: &Scene| {
                    judge(scene, viewer, name, &link, fps).await
                }));
            }
        }
    }
    trials
}

async fn judge(scene: &Scene, viewer: Engine, name: &str, link: &LinkProfile, fps: u32) -> Result<()> {
    let far = scene.far_apart([Engine::Chromium, viewer], link).await?;
    let [ada, bob] = &far.pages;
    let parameters = format!("source=file&sample=1&stamp=1&fps={fps}&probe=held-frames");
    ada.enter_with("stamped", "Ada", &parameters).await?;
    ada.click("source-loop").await?;
    bob.enter_with("stamped", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    observer::begin(bob).await?;
    let said = watch(ada, bob, &stops()).await?;
    let interval_ms = 1000.0 / f64::from(fps);
    let Seen { stood, stood_unusually, unreadable } = observer::seen(bob, interval_ms).await?;
    let source = &said.report["sides"][0]["known_source"];
    println!(
        "\nStamped clip, {fps} frames a second, {name}, delay {} ms, watched in {} ({} frames shown, {} lost, {} late, delay {} s on \
         average; {unreadable} looks without a number)",
        link.delay_ms,
        viewer.name(),
        source["frames_shown"],
        source["frames_lost"],
        source["frames_late"],
        source["delay_mean_s"],
    );
    table::print("beyond 1/fps", &said.judged(stood), &said, fps);
    table::print("beyond the usual", &said.judged(stood_unusually), &said, fps);
    println!("{}", table::LEGEND);
    for page in &far.pages {
        page.open("about:blank").await?;
    }
    Ok(())
}
