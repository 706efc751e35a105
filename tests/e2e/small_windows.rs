//! Small windows: a phone in landscape, a page at 200 %.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(the_message_field_can_be_reached_in_every_window),
        stage.test_in_each(the_labels_of_a_tile_never_overlap),
        stage.test_in_each(the_other_picture_is_the_largest_thing_and_every_control_is_reached),
        stage.test_in_each(the_lobby_shows_the_name_and_join_without_scrolling),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The last two are 1280 x 800 and 844 x 390 at 200 %.
const SIZES: [(u32, u32); 10] = [
    (360, 320),
    (568, 320),
    (412, 360),
    (320, 256),
    (360, 640),
    (844, 390),
    (1280, 320),
    (1100, 700),
    (640, 400),
    (422, 195),
];

async fn the_message_field_can_be_reached_in_every_window(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.enter("small", "Ada").await?;
    for (width, height) in SIZES {
        page.set_viewport(width, height).await?;
        let seen = page.look().await?;
        if seen.shows("chat-toggle") {
            page.click("chat-toggle").await?;
        }
        page.until("there is a field", |page| page.shows("chat-input")).await?;
        for test_id in ["chat-input", "chat-send"] {
            is_reached(&page, test_id, &format!("{test_id} at {width} x {height}")).await?;
        }
        keep(&page, &format!("chat-{width}x{height}")).await?;
        page.say(&format!("{width} by {height}")).await?;
        page.until("what was written is there", |page| {
            page.message(&format!("{width} by {height}")).is_some()
        })
        .await?;
        if seen.shows("chat-toggle") {
            page.press("\u{e00c}").await?;
            page.until("the chat is folded", |page| !page.shows("chat-input")).await?;
        }
    }
    Ok(())
}

async fn the_labels_of_a_tile_never_overlap(scene: &Scene, engine: Engine) -> Result<()> {
    let [bob, ada] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("labels", "Ada", "source=file&sample=1").await?;
    bob.enter("labels", "Bob").await?;
    bob.until_picture_moves("Ada").await?;
    bob.until("the way to Ada is known", |page| page.shows("tile-path")).await?;
    for state in ["paused", "ended"] {
        if state == "paused" {
            ada.click("source-pause").await?;
        } else {
            let () = ada.execute(SEEK_TO_END, vec![]).await?;
            ada.click("source-play").await?;
        }
        until(&format!("the film is {state} for Bob"), PATIENCE, async || {
            let now: Option<String> = bob.execute(PLAYBACK, vec![]).await?;
            Ok(if now.as_deref() == Some(state) { Ok(()) } else { Err(format!("{now:?}")) })
        })
        .await?;
        for (width, height) in
            [(1280, 800), (900, 600), (640, 400), (568, 320), (412, 740), (360, 640), (360, 320)]
        {
            bob.set_viewport(width, height).await?;
            let overlaps: Vec<String> = bob.execute(OVERLAPS, vec![]).await?;
            keep(&bob, &format!("labels-{state}-{width}x{height}")).await?;
            ensure!(overlaps.is_empty(), "{state} at {width} x {height}: {overlaps:?}");
        }
    }
    Ok(())
}

/// The last one is 844 x 390 at 150 %.
const PHONES: [(u32, u32); 6] = [(360, 640), (412, 915), (844, 390), (667, 375), (568, 320), (563, 260)];

async fn the_other_picture_is_the_largest_thing_and_every_control_is_reached(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [bob, ada] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter("phones", "Ada").await?;
    bob.enter("phones", "Bob").await?;
    bob.until_picture_moves("Ada").await?;
    for (width, height) in PHONES {
        bob.set_viewport(width, height).await?;
        for test_id in [
            "toggle-mic",
            "toggle-camera",
            "hand-toggle",
            "reactions-toggle",
            "chat-toggle",
            "stats-toggle",
            "leave",
        ] {
            is_reached(&bob, test_id, &format!("{test_id} at {width} x {height}")).await?;
        }
        let [own, other, window]: [f64; 3] = bob.execute(AREAS, vec![]).await?;
        keep(&bob, &format!("call-{width}x{height}")).await?;
        ensure!(4.0 * own <= other, "at {width} x {height} one's own picture has {own} of {other} pixels");
        ensure!(
            3.0 * other >= window,
            "at {width} x {height} the other picture has {other} of {window} pixels"
        );
    }
    Ok(())
}

async fn the_lobby_shows_the_name_and_join_without_scrolling(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/phones?source=camera").await?;
    page.until("the preview shows a picture", |page| page.shows("join")).await?;
    // The first one is a browser's window on a small laptop.
    for (width, height) in [(1280, 660)].into_iter().chain(PHONES) {
        page.set_viewport(width, height).await?;
        for test_id in ["name-input", "join"] {
            is_reached(&page, test_id, &format!("{test_id} at {width} x {height}")).await?;
        }
        keep(&page, &format!("lobby-{width}x{height}")).await?;
    }
    Ok(())
}

async fn is_reached(page: &Page, test_id: &str, what: &str) -> Result<()> {
    until(&format!("{what} to be reached"), PATIENCE, async || {
        let above: Option<String> = page.execute(ABOVE, vec![test_id.into()]).await?;
        Ok(above.map_or(Ok(()), Err))
    })
    .await
}

/// Saves a picture for a person, if `SIGHTLINE_SMALL_WINDOWS` names a folder.
pub(crate) async fn keep(page: &Page, name: &str) -> Result<()> {
    let Some(folder) = env::var_os("SIGHTLINE_SMALL_WINDOWS").map(PathBuf::from) else { return Ok(()) };
    let engine = page.browser.profile.engine.name();
    Ok(page.browser.driver.screenshot(&folder.join(format!("{name}-{engine}.png"))).await?)
}

/// The element over the middle of another one; nothing if there is none.
const ABOVE: &str = "
    const element = document.querySelector(`[data-testid=\"${arguments[0]}\"]`);
    const { left, top, width, height } = element.getBoundingClientRect();
    const found = document.elementFromPoint(left + width / 2, top + height / 2);
    if (found && element.contains(found)) return null;
    return `${found?.outerHTML.slice(0, 80)} at ${[left, top, width, height]} of ${[innerWidth, innerHeight]}`;";
const SEEK_TO_END: &str = "
    const slider = document.querySelector('[data-testid=source-seek]');
    slider.value = Number(slider.max) - 0.2;
    slider.dispatchEvent(new Event('change', { bubbles: true }));";
const PLAYBACK: &str =
    "return document.querySelector('[data-testid=tile][data-name=Ada]')?.dataset.playback ?? null";
/// The areas of one's own tile, the other one, and the window.
const AREAS: &str = "
    const area = (selector) => {
      const { width, height } = document.querySelector(selector).getBoundingClientRect();
      return width * height;
    };
    return [area('[data-testid=tile][data-member=local]'), area('[data-testid=tile][data-name=Ada]'), innerWidth * innerHeight];";
/// Pairs of labels in one tile that share more than a pixel.
const OVERLAPS: &str = "
    const found = [];
    for (const tile of document.querySelectorAll('.tile')) {
      const labels = [...tile.querySelectorAll('.tile-path, .tile-playback, .tile-label')]
        .filter((label) => label.checkVisibility() && label.getBoundingClientRect().width > 0);
      labels.forEach((one, at) => labels.slice(at + 1).forEach((other) => {
        const [a, b] = [one, other].map((label) => label.getBoundingClientRect());
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 1) found.push(`${one.className} and ${other.className} of ${tile.dataset.name}`);
      }));
    }
    return found;";
