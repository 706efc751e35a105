//! A call without a mouse.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.test_in_each(a_call_is_led_by_the_keyboard_alone)
}

async fn a_call_is_led_by_the_keyboard_alone(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    bob.enter("keys", "Bob").await?;
    ada.open("/room/keys?probe=screen").await?;
    ada.fill("name-input", "Ada").await?;
    ada.press("\u{e007}").await?;
    ada.until_connected_to("Bob").await?;
    has_focus(&ada, "room").await?;
    bob.until("Ada's coming was said", |page| page.announcement.contains("Ada")).await?;

    ada.press("m").await?;
    bob.until("Ada is silent", |page| is_off(page.tile("Ada").and_then(|tile| tile.mic.as_deref()))).await?;
    ada.press("v").await?;
    bob.until("Ada is not seen", |page| is_off(page.tile("Ada").and_then(|tile| tile.camera.as_deref())))
        .await?;

    // What is typed is no shortcut.
    ada.press("c").await?;
    has_focus(&ada, "chat-input").await?;
    ada.press("mvsfL?").await?;
    ada.press("\u{e007}").await?;
    bob.until_received("mvsfL?").await?;
    let seen = ada.look().await?;
    ensure!(is_off(seen.own_tile().and_then(|tile| tile.mic.as_deref())), "{seen:#?}");
    ensure!(!seen.shows("stats-panel") && !seen.shows("shortcuts"), "{:?}", seen.shown);

    let () = ada.execute("document.activeElement.blur()", vec![]).await?;
    ada.press("f").await?;
    ada.until("the figures are there", |page| page.shows("stats-panel")).await?;
    ada.focus("stats-expand").await?;
    ada.press("\u{e00c}").await?;
    ada.until("the figures are gone", |page| !page.shows("stats-panel")).await?;
    has_focus(&ada, "stats-toggle").await?;

    ada.press("?").await?;
    ada.until("the shortcuts are there", |page| page.shows("shortcuts")).await?;
    ada.press("\u{e00c}").await?;
    ada.until("the shortcuts are gone", |page| !page.shows("shortcuts")).await?;
    has_focus(&ada, "stats-toggle").await?;

    ada.press("s").await?;
    bob.until("Ada shows a screen", |page| !is_off(page.tile("Ada").and_then(|tile| tile.camera.as_deref())))
        .await?;
    bob.until_picture_moves("Ada").await?;
    let ratio: f64 = bob.execute(STAGE_RATIO, vec!["Ada".into()]).await?;
    ensure!(ratio > 4.0, "Ada's screen is only {ratio} times as large as Bob's own picture");

    ada.press("L").await?;
    ada.until("the first page is there", |page| page.shows("room-input")).await?;
    bob.until("Ada's leaving was said", |page| page.tiles.len() == 1 && page.announcement.contains("Ada"))
        .await?;
    Ok(())
}

async fn has_focus(page: &Page, test_id: &str) -> Result<()> {
    page.until(&format!("{test_id} has the focus"), |page| page.focused.as_deref() == Some(test_id)).await?;
    Ok(())
}

fn is_off(state: Option<&str>) -> bool {
    state == Some("off")
}

/// How many times larger a member's tile is than one's own.
const STAGE_RATIO: &str = r#"
    const area = (selector) => {
      const { width, height } = document.querySelector(selector).getBoundingClientRect();
      return width * height;
    };
    return area(`[data-testid="tile"][data-name="${arguments[0]}"]`) / area('[data-testid="tile"][data-member="local"]');"#;
