//! From the click on Join to the first frame of the other member, in protected and unprotected rooms by turns.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

use crate::trust::SECRET;

const CALLS: usize = 20;

/// Joins and notes when the first frame of the only other member was shown, in milliseconds after the click.
const JOIN: &str = "
    globalThis.firstFrame = null;
    const clicked = performance.now();
    const look = () => {
        const video = document.querySelector('[data-testid=tile][data-name=Ada] video');
        if (!video) return requestAnimationFrame(look);
        video.requestVideoFrameCallback((now) => { globalThis.firstFrame = now - clicked; });
    };
    document.querySelector('[data-testid=join]').click();
    look();";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![stage.long_test(comes_as_fast_in_a_protected_room)]
}

async fn comes_as_fast_in_a_protected_room(scene: &Scene) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium; 2]).await?;
    let mut times = [Vec::new(), Vec::new()];
    for call in 0..CALLS {
        // Each kind is the first one as often.
        for kind in if call % 2 == 0 { [0, 1] } else { [1, 0] } {
            let fragment = if kind == 0 { String::new() } else { format!("#{SECRET}") };
            times[kind].push(first_frame_ms(&ada, &bob, &format!("first-{call}-{kind}"), &fragment).await?);
        }
    }
    println!("\n{:<14} {:>6} {:>6} {:>6} {:>6} {:>6}", "ms", "least", "25 %", "50 %", "75 %", "most");
    for (name, times) in ["not protected", "protected"].into_iter().zip(&times) {
        let [least, quarter, half, three_quarters, most] = quantiles(times);
        println!("{name:<14} {least:>6.0} {quarter:>6.0} {half:>6.0} {three_quarters:>6.0} {most:>6.0}");
    }
    let [open, protected] = &times;
    let differences: Vec<_> = protected.iter().zip(open).map(|(protected, open)| protected - open).collect();
    let [_, quarter, half, three_quarters, _] = quantiles(&differences);
    println!("difference of neighbors: median {half:.0}, from {quarter:.0} to {three_quarters:.0}");
    Ok(())
}

async fn first_frame_ms(ada: &Page, bob: &Page, room: &str, fragment: &str) -> Result<f64> {
    ada.open(&format!(
        "/room/{room}?name=Ada&autojoin=1&source=camera&width=640&height=360&fps=30{fragment}"
    ))
    .await?;
    ada.until("Ada is in the room", |page| page.connection.as_deref() == Some("connected")).await?;
    ada.until_picture_moves("Ada").await?;
    bob.open(&format!("/room/{room}?name=Bob&source=none{fragment}")).await?;
    // What the lobby loads ahead is there.
    until("the split module of the room", PATIENCE, async || {
        let is_there: bool = bob
            .execute("return document.querySelector('[data-testid=file-source-input]') !== null", vec![])
            .await?;
        Ok(is_there.then_some(()).ok_or_else(|| "not loaded".to_owned()))
    })
    .await?;
    let () = bob.execute(JOIN, vec![]).await?;
    let time = until("the first frame", PATIENCE, async || {
        let time: Option<f64> = bob.execute("return globalThis.firstFrame", vec![]).await?;
        Ok(time.ok_or_else(|| "no frame".to_owned()))
    })
    .await?;
    for page in [ada, bob] {
        page.open("about:blank").await?;
    }
    Ok(time)
}

/// The least value, the quartiles, and the greatest.
fn quantiles(values: &[f64]) -> [f64; 5] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [0, 1, 2, 3, 4].map(|quarter| sorted.get((sorted.len() - 1) * quarter / 4).copied().unwrap_or_default())
}
