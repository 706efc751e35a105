//! Accessibility: axe-core checks every page and state, light and dark, wide and narrow. The tests also check that no state
//! violates the page's Content Security Policy.

use std::{env, fs, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::{Devices, Engine, Profile},
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(pages_before_the_room_are_accessible),
        stage.test_in_each(the_room_is_accessible),
        vec![stage.test(the_room_is_accessible_on_a_phone)],
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn pages_before_the_room_are_accessible(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::Missing)).await?;
    for (name, path, test_id) in [
        ("the first page", "/", "room-input"),
        ("a page that is not there", "/nothing", "not-found"),
        ("a room name that is none", "/room/x", "notice"),
        ("the lobby with a notice", "/room/axe", "notice"),
    ] {
        page.open(path).await?;
        page.until(&format!("{name} is there"), |page| page.shows(test_id)).await?;
        is_open_to_all(&page, name).await?;
    }
    page.click("settings-toggle").await?;
    is_open_to_all(&page, "the lobby's settings").await
}

async fn the_room_is_accessible(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([engine, Engine::Chromium, Engine::Chromium]).await?;
    ada.enter("axe", "Ada").await?;
    is_open_to_all(&ada, "an empty room").await?;
    bob.enter("axe", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    ada.until_picture_moves("Bob").await?;
    bob.say("https://example.org/\nhello").await?;
    ada.until_received("hello").await?;
    ada.say("hello to you").await?;
    ada.until_delivered("hello to you").await?;
    is_open_to_all(&ada, "a call").await?;

    ada.focus("tile-fullscreen").await?;
    is_open_to_all(&ada, "a tile's menu").await?;

    eve.enter_with("axe", "Eve", "source=none").await?;
    ada.until_connected_to("Eve").await?;
    ada.until("a receiver can be chosen", |page| page.shows("chat-to")).await?;
    ada.click("hand-toggle").await?;
    ada.until("Ada's hand is raised", |page| page.shows("tile-hand")).await?;
    ada.click("reactions-toggle").await?;
    is_open_to_all(&ada, "hands, reactions and receivers").await?;
    ada.click("reaction").await?;
    for (toggle, sheet) in [("settings-toggle", "echo-cancellation"), ("share-link", "invitation")] {
        ada.click(toggle).await?;
        ada.until(&format!("{sheet} is there"), |page| page.shows(sheet)).await?;
        is_open_to_all(&ada, sheet).await?;
        ada.press("\u{e00c}").await?;
        ada.until(&format!("{sheet} is gone"), |page| !page.shows(sheet)).await?;
    }
    ada.press("?").await?;
    ada.until("the shortcuts are there", |page| page.shows("shortcuts")).await?;
    is_open_to_all(&ada, "the shortcuts").await?;
    ada.click("shortcuts-close").await?;

    ada.click("stats-toggle").await?;
    ada.until("a figure is there", |page| page.figures.iter().any(|figure| !figure.value.is_empty())).await?;
    let () = ada
        .execute("document.querySelectorAll('details').forEach((part) => { part.open = true; })", vec![])
        .await?;
    is_open_to_all(&ada, "the figures").await?;
    ada.click("stats-expand").await?;
    is_open_to_all(&ada, "the figures, wide").await?;
    ada.click("leave").await?;
    ada.until("Ada has left", |page| page.shows("you-left")).await?;
    is_open_to_all(&ada, "the page of who has left").await
}

async fn the_room_is_accessible_on_a_phone(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    page.set_size(360, 740).await?;
    page.open("/").await?;
    page.until("the first page is there", |page| page.shows("room-input")).await?;
    is_open_to_all(&page, "the first page").await?;
    page.open("/room/axe-phone").await?;
    page.until_preview_moves().await?;
    is_open_to_all(&page, "the lobby").await?;
    page.click("join").await?;
    page.until("the room is there", |page| page.shows("room") && !page.is_busy).await?;
    is_open_to_all(&page, "an empty room").await?;
    for toggle in ["settings-toggle", "share-link"] {
        page.click(toggle).await?;
        is_open_to_all(&page, toggle).await?;
        page.press("\u{e00c}").await?;
    }
    for toggle in ["chat-toggle", "stats-toggle", "tab-chat"] {
        page.click(toggle).await?;
        is_open_to_all(&page, toggle).await?;
    }
    Ok(())
}

async fn is_open_to_all(page: &Page, name: &str) -> Result<()> {
    let file = env::var("SIGHTLINE_AXE").context("`cargo xtask test e2e` installs axe-core")?;
    let axe = fs::read_to_string(&file).with_context(|| file.clone())?;
    let is_there: bool = page.execute("return !!window.axe", vec![]).await?;
    if !is_there {
        let _: serde_json::Value = page.execute(&axe, vec![]).await?;
    }
    for theme in ["light", "dark"] {
        // axe reads the page in several tasks. If the page changes between them, axe can miss the backgrounds.
        until(&format!("axe finds nothing on {name}, {theme}"), PATIENCE, async || {
            let found: Vec<String> = page.execute(JUDGE, vec![theme.into()]).await?;
            Ok(if found.is_empty() { Ok(()) } else { Err(found.join("\n")) })
        })
        .await?;
    }
    let broken = page.violations().await?;
    ensure!(broken.is_empty(), "{name}: against the policy: {broken:?}");
    Ok(())
}

/// Waits for the end of color transitions before the check.
const JUDGE: &str = r"
    const still = new CSSStyleSheet();
    still.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important; }');
    document.adoptedStyleSheets = [still];
    document.documentElement.dataset.theme = arguments[0];
    return axe
      .run(document, { resultTypes: ['violations'] })
      .then(({ violations }) =>
        violations.flatMap(({ id, help, nodes }) =>
          nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target} ${failureSummary}`)));";
