//! The sample clip with stamps, across an emulated link: what the numbers in the picture say that the viewer's display showed is
//! the truth. They are read here by the display's own clock (`requestAnimationFrame`), in no way that the app reads them.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    netlab::LinkProfile,
    stage::{Scene, Stage},
};

use super::{
    stops,
    table::{self, Stood},
    viewer::watch,
};

/// From this excess on, it explains a stall that was found.
const KNOWN_MS: f64 = 50.0;

/// Notes each change of the number in Ada's picture: when it was seen, and the number.
const OBSERVE: &str = r#"
    const tile = document.querySelector('[data-testid="tile"][data-name="Ada"]');
    const video = tile.querySelector('video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 176, height: 8 });
    const paper = canvas.getContext('2d', { willReadFrequently: true });
    window.observed = [];
    window.unreadable = 0;
    const look = (now) => {
      requestAnimationFrame(look);
      if (!video.videoWidth) return;
      paper.drawImage(video, 0, 0, video.videoWidth, video.videoWidth / 22, 0, 0, 176, 8);
      const { data } = paper.getImageData(0, 0, 176, 8);
      const luma = (row, column) => {
        const at = ((row * 4 + 1) * 176 + column * 4 + 1) * 4;
        return data[at] + data[at + 1] + data[at + 2] + data[at + 4] + data[at + 5] + data[at + 6];
      };
      const [white, black] = [luma(0, 0) + luma(1, 43), luma(1, 0) + luma(0, 43)];
      const bit = (at) => (luma(0, at + 1) * 4 > white + black ? 1 : 0);
      let head = 0;
      for (let at = 0; at < 4; at++) head = head * 2 + bit(at);
      if (white - black < 240 || head !== 10) { unreadable++; return; }
      let number = 0;
      for (let at = 4; at < 36; at++) number = number * 2 + bit(at);
      if (observed.at(-1)?.[1] !== number) observed.push([performance.timeOrigin + now, number]);
    };
    requestAnimationFrame(look);"#;

/// The links: what they are called, and what they do.
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
    let () = bob.execute(OBSERVE, vec![]).await?;
    let said = watch(ada, bob, &stops()).await?;
    let observed: Vec<(f64, f64)> = bob.execute("return observed", vec![]).await?;
    let unreadable: u32 = bob.execute("return unreadable", vec![json!(null)]).await?;
    let interval_ms = 1000.0 / f64::from(fps);
    let known = observed.windows(2).filter_map(|pair| {
        let excess = pair[1].0 - pair[0].0 - interval_ms;
        (excess >= KNOWN_MS).then_some(Stood { end: pair[1].0, ms: excess, is_told: true })
    });
    let known = said.judged(known);
    let ledger = said.judged(said.ledger.iter().copied());
    let freezes = said.judged(said.freezes.iter().copied());
    let source = &said.report["sides"][0]["known_source"];
    println!(
        "{}",
        table::head(&format!(
            "Stamped clip, {fps} frames a second, {name}, delay {} ms, watched in {} ({} frames shown, {} lost, {} late, delay {} s on \
             average; {unreadable} looks without a number)",
            link.delay_ms,
            viewer.name(),
            source["frames_shown"],
            source["frames_lost"],
            source["frames_late"],
            source["delay_mean_s"],
        ))
    );
    println!("{}", table::line("ledger", &known, &ledger, 0.0));
    println!("{}", table::line("freezes", &known, &freezes, 0.0));
    println!("{}", table::line("freezes - 1/fps", &known, &freezes, interval_ms));
    for difference in table::differences(&known, &ledger) {
        println!("  ledger {difference}");
    }
    println!("{}", table::LEGEND);
    for page in &far.pages {
        page.open("about:blank").await?;
    }
    Ok(())
}
