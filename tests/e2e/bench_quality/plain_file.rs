//! A plain file, without stamps, over an emulated link. Its pictures carry their numbers in a strip that the app does not read: the truth
//! is when the viewer's display showed which number. The file itself stands still four times in each loop, and the path is cut at times.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    netlab::LinkProfile,
    stage::{Pair, Scene, Stage},
};
use tokio::time::sleep;

use super::{
    observer, reports,
    table::{self, Stood},
    viewer,
};

const FPS: u32 = 25;
const FRAMES: u32 = 500;
/// The frames of the file after which it stands still, and for how many frames.
const STANDSTILLS: [(u32, u32); 4] = [(75, 16), (180, 5), (290, 11), (400, 36)];
/// Lengths of the cuts, in milliseconds.
const CUTS_MS: [u64; 6] = [350, 900, 250, 1400, 600, 450];
/// Time between two cuts.
const BETWEEN: Duration = Duration::from_millis(13_700);

pub(super) fn trials(stage: &Arc<Stage>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for pair in [
        [Engine::Chromium, Engine::Chromium],
        [Engine::Chromium, Engine::Firefox],
        [Engine::Firefox, Engine::Chromium],
        [Engine::Firefox, Engine::Firefox],
    ] {
        let name = format!("bench_quality::plain_file::{}_{}", pair[0].name(), pair[1].name());
        trials.push(stage.long_test_named(name, async move |scene: &Scene| judge(scene, pair).await));
    }
    trials
}

async fn judge(scene: &Scene, pair: Pair) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let clip = numbered_clip(folder.path())?;
    let link = LinkProfile { delay_ms: 25.0, jitter_ms: 4.0, loss_ratio: 0.01, ..LinkProfile::default() };
    let far = scene.far_apart(pair, &link).await?;
    let [ada, bob] = &far.pages;
    ada.enter_with("plain", "Ada", "source=none&loop=1").await?;
    ada.choose_file("file-source-input", &clip).await?;
    bob.enter_with("plain", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    observer::begin(bob).await?;
    viewer::begin(bob).await?;
    for cut_ms in CUTS_MS {
        sleep(BETWEEN).await;
        far.ends.set_cut(true);
        sleep(Duration::from_millis(cut_ms)).await;
        far.ends.set_cut(false);
    }
    sleep(BETWEEN).await;
    let said = viewer::end(bob).await?;
    let seen = observer::seen(bob, 1000.0 / f64::from(FPS)).await?;
    let playout = &said.report["sides"][0]["playout"];
    println!(
        "\nPlain file, {FPS} frames a second, played in {}, watched in {} ({:.0} s, known by {}, {} of {} frames at most; {} looks \
         without a number)",
        pair[0].name(),
        pair[1].name(),
        (said.to_ms - said.from_ms) / 1e3,
        playout["source_known_by"],
        playout["source_frames_presented"],
        playout["source_frames"],
        seen.unreadable,
    );
    keep(&said, &seen.stood, pair)?;
    // Marks are exact to the frame here, so nothing near them is excused.
    let said = viewer::Said { excused: Vec::new(), ..said };
    table::print("seen on the display", &said.judged(seen.stood), &said, FPS);
    println!("{}", table::LEGEND);
    for page in &far.pages {
        page.open("about:blank").await?;
    }
    Ok(())
}

/// Leaves the report and what the display showed in the folder of the reports.
fn keep(said: &viewer::Said, stood: &[Stood], pair: Pair) -> Result<()> {
    let folder = reports("plain_file")?;
    let name = format!("{}-{}", pair[0].name(), pair[1].name());
    fs::write(folder.join(format!("{name}.report.json")), said.report.to_string())?;
    let stood: Vec<_> = stood
        .iter()
        .map(|stood| json!({ "end_ms": stood.end, "ms": stood.ms, "is_told": stood.is_told }))
        .collect();
    Ok(fs::write(folder.join(format!("{name}.display.json")), serde_json::to_string(&stood)?)?)
}

/// Makes the clip with ffmpeg. The strip has the layout of a stamp (`crates/core/src/measure/stamp/strip.rs`): white and black at the ends, the
/// head 1010, and the number of the frame in 32 bits.
fn numbered_clip(folder: &Path) -> Result<PathBuf> {
    let clip = folder.join("numbered.mp4");
    // A cell is 16 x 16 of 704 x 396 pixels.
    let cell = "floor(X/16)";
    let number = format!("mod(floor(N/pow(2\\,36-{cell}))\\,2)");
    let head = format!("mod({cell}\\,2)");
    let first_row = format!(
        "if(eq({cell}\\,0)\\,1\\,if(lte({cell}\\,4)\\,{head}\\,if(lte({cell}\\,36)\\,{number}\\,0)))"
    );
    let second_row = format!("eq({cell}\\,43)");
    let strip = format!("if(lt(Y\\,16)\\,{first_row}\\,{second_row})");
    let luma = format!("if(lt(Y\\,32)\\,16+219*({strip})\\,lum(X\\,Y))");
    let chroma = |plane: &str| format!("if(lt(Y\\,16)\\,128\\,{plane}(X\\,Y))");
    let kept = STANDSTILLS.map(|(after, frames)| format!("between(n\\,{}\\,{})", after + 1, after + frames));
    let filter = format!(
        "geq=lum='{luma}':cb='{}':cr='{}',select='not({})'",
        chroma("cb"),
        chroma("cr"),
        kept.join("+")
    );
    let source = format!("testsrc2=size=704x396:rate={FPS},trim=end_frame={FRAMES},format=yuv420p");
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", &source])
        .args([
            "-vf", &filter, "-vsync", "vfr", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast",
        ])
        .args(["-crf", "20", "-g", "50"])
        .arg(&clip)
        .status()
        .context("this part needs ffmpeg")?;
    if !made.success() || fs::metadata(&clip)?.len() == 0 {
        bail!("ffmpeg made no clip: {made}");
    }
    Ok(clip)
}
