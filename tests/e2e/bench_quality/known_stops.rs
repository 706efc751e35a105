//! A canvas as camera, on loopback: its painter knows when it stopped, which is the truth. The viewer's display is observed too:
//! on a busy computer the picture also stands still at other times, which explains further findings.

use anyhow::Result;
use sightline_e2e::stage::{Pair, Scene};

use super::{
    observer, stops,
    table::{self, Stood},
    viewer::watch,
};

/// Paints a picture with this rate in the first browser and watches it in the second.
pub(super) async fn judge(scene: &Scene, [painter, viewer]: Pair, fps: u32) -> Result<()> {
    let [ada, bob] = scene.pages_in([painter, viewer]).await?;
    let room = format!("quality-{}-{}-{fps}", painter.name(), viewer.name());
    ada.enter_with(&room, "Ada", &format!("source=camera&probe=painted-camera&fps={fps}")).await?;
    bob.enter_with(&room, "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    observer::begin(&bob).await?;
    let said = watch(&ada, &bob, &stops()).await?;
    let known: Vec<(f64, f64, f64)> = ada.execute("return sightlineSource.stops", vec![]).await?;
    let steadiness: f64 = ada.execute(LATE_FRAMES, vec![fps.into()]).await?;
    let known = said.judged(known.into_iter().map(|(start, ms, told_ms)| Stood {
        end: start + ms,
        ms,
        is_told: told_ms > 0.0,
        is_at_source: true,
    }));
    let seen = observer::seen(&bob, 1000.0 / f64::from(fps)).await?;
    let seen = said.judged(seen.stood);
    let untold = seen.iter().map(|stood| Stood { is_told: false, ..*stood });
    let known: Vec<_> = known.into_iter().chain(untold).collect();
    println!(
        "\nKnown stops, {fps} frames a second, painted in {}, watched in {} ({:.1} % of the frames painted 10 ms late or more)",
        painter.name(),
        viewer.name(),
        steadiness * 100.0
    );
    table::print("told to the source", &known, &said, fps);
    table::print("seen on the display", &seen, &said, fps);
    println!("{}", table::LEGEND);
    for page in [ada, bob] {
        page.open("about:blank").await?;
    }
    Ok(())
}

/// Share of the painted frames that were late although no stop was asked for.
const LATE_FRAMES: &str = r"
    const [fps] = arguments;
    const { painted, stops } = sightlineSource;
    const told = stops.filter(([, , told]) => told).length;
    const late = painted.filter((at, index) => index && at - painted[index - 1] - 1000 / fps >= 10);
    return Math.max(0, late.length - told) / painted.length;";
