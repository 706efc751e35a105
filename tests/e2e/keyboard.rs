//! Using a call without a mouse.

use std::sync::Arc;

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
        stage.test_in_each(a_call_is_controlled_by_the_keyboard_alone),
        stage.test_in_each(caps_lock_and_other_layouts_keep_the_shortcuts),
        stage.test_in_each(escape_closes_the_topmost_panel_opened_by_key_or_click),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_call_is_controlled_by_the_keyboard_alone(scene: &Scene, engine: Engine) -> Result<()> {
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

    // Typed text is not a shortcut.
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

    ada.press_with_shift('l').await?;
    ada.until("leaving is asked for", |page| page.shows("leave-dialog")).await?;
    has_focus(&ada, "leave-stay").await?;
    ada.press("\u{e004}\u{e007}").await?;
    ada.until("Ada has left", |page| page.shows("you-left")).await?;
    bob.until("Ada's leaving was said", |page| page.tiles.len() == 1 && page.announcement.contains("Ada"))
        .await?;
    Ok(())
}

async fn caps_lock_and_other_layouts_keep_the_shortcuts(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.enter("layouts", "Ada").await?;
    let until_mic = async |state: &str| {
        page.until(&format!("the microphone is {state}"), |page| {
            page.own_tile().is_some_and(|tile| tile.mic.as_deref() == Some(state))
        })
        .await
    };
    until_mic("on").await?;
    // Caps Lock writes a capital without shift. Drivers hold shift for a capital.
    let press_with_caps_lock =
        async |letter: char| page.press_elsewhere(&letter.to_string(), &format!("Key{letter}"), false).await;
    press_with_caps_lock('M').await?;
    until_mic("off").await?;
    page.press_elsewhere("\u{44c}", "KeyM", false).await?;
    until_mic("on").await?;
    page.press_elsewhere("m", "Semicolon", false).await?;
    until_mic("off").await?;

    for letter in ['H', 'E', 'L', 'M'] {
        press_with_caps_lock(letter).await?;
    }
    let seen = until_mic("on").await?;
    ensure!(seen.shows("room") && !seen.shows("leave-dialog"), "{:?}", seen.shown);

    // Shortcuts do nothing behind a dialog, and further typing does not leave the room.
    page.press_elsewhere("\u{414}", "KeyL", true).await?;
    page.until("leaving is asked for", |page| page.shows("leave-dialog")).await?;
    has_focus(&page, "leave-stay").await?;
    page.press("mLO\u{e007}").await?;
    let seen = page.until("the question is gone", |page| !page.shows("leave-dialog")).await?;
    ensure!(
        seen.shows("room") && seen.own_tile().is_some_and(|tile| tile.mic.as_deref() == Some("on")),
        "{seen:#?}"
    );
    page.press_with_shift('l').await?;
    page.until("leaving is asked for", |page| page.shows("leave-dialog")).await?;
    page.press(ESCAPE).await?;
    page.until("the question is gone", |page| !page.shows("leave-dialog") && page.shows("room")).await?;
    page.press_with_shift('l').await?;
    page.click("leave-confirm").await?;
    page.until("the page has left", |page| page.shows("you-left")).await?;
    Ok(())
}

async fn escape_closes_the_topmost_panel_opened_by_key_or_click(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.set_viewport(900, 700).await?;
    bob.enter_with("escape", "Bob", "source=none").await?;
    ada.enter("escape", "Ada").await?;
    ada.until_connected_to("Bob").await?;
    let gone = async |what: &str| {
        ada.press(ESCAPE).await?;
        ada.until(&format!("{what} is gone"), |page| !page.shows(what)).await
    };
    for (key, what, toggle) in [
        ("o", "echo-cancellation", "settings-toggle"),
        ("i", "invitation", "share-link"),
        ("f", "stats-panel", "stats-toggle"),
        ("c", "chat-input", "chat-toggle"),
    ] {
        let () = ada.execute("document.activeElement.blur()", vec![]).await?;
        ada.press(key).await?;
        ada.until(&format!("{what} is there"), |page| page.shows(what)).await?;
        gone(what).await?;
        has_focus(&ada, toggle).await?;
        ada.click(toggle).await?;
        ada.until(&format!("{what} is there"), |page| page.shows(what)).await?;
        gone(what).await?;
        has_focus(&ada, toggle).await?;
    }

    // Escape closes the newest layer first.
    let () = ada.execute("document.activeElement.blur()", vec![]).await?;
    ada.press("f").await?;
    ada.until("the figures are there", |page| page.shows("stats-panel")).await?;
    ada.press("o").await?;
    ada.until("the settings are there", |page| page.shows("echo-cancellation")).await?;
    ada.press("?").await?;
    ada.until("the shortcuts are there", |page| page.shows("shortcuts")).await?;
    let seen = gone("shortcuts").await?;
    ensure!(seen.shows("echo-cancellation") && seen.shows("stats-panel"), "{:?}", seen.shown);
    let seen = gone("echo-cancellation").await?;
    ensure!(seen.shows("stats-panel"), "{:?}", seen.shown);
    gone("stats-panel").await?;

    // The same for a layer on a tile.
    ada.until("the way to Bob is known", |page| page.shows("tile-path")).await?;
    let () = ada.execute("document.querySelector('[data-testid=tile-path] summary').click()", vec![]).await?;
    until_true(&ada, "the addresses are shown", PATH_IS_OPEN, true).await?;
    ada.press(ESCAPE).await?;
    until_true(&ada, "the addresses are folded", PATH_IS_OPEN, false).await?;
    ada.focus("tile-fullscreen").await?;
    ada.press(ESCAPE).await?;
    until_true(
        &ada,
        "the tile's menu has no focus",
        "return !!document.activeElement.closest('.tile')",
        false,
    )
    .await?;
    Ok(())
}

async fn until_true(page: &Page, what: &str, script: &str, wanted: bool) -> Result<()> {
    until(what, PATIENCE, async || {
        let is: bool = page.execute(script, vec![]).await?;
        Ok(if is == wanted { Ok(()) } else { Err(is.to_string()) })
    })
    .await
}

const ESCAPE: &str = "\u{e00c}";
const PATH_IS_OPEN: &str = "return document.querySelector('[data-testid=tile-path]').open";

async fn has_focus(page: &Page, test_id: &str) -> Result<()> {
    page.until(&format!("{test_id} has the focus"), |page| page.focused.as_deref() == Some(test_id)).await?;
    Ok(())
}

fn is_off(state: Option<&str>) -> bool {
    state == Some("off")
}

/// How many times larger another member's tile is than the local one.
const STAGE_RATIO: &str = r#"
    const area = (selector) => {
      const { width, height } = document.querySelector(selector).getBoundingClientRect();
      return width * height;
    };
    return area(`[data-testid="tile"][data-name="${arguments[0]}"]`) / area('[data-testid="tile"][data-member="local"]');"#;
