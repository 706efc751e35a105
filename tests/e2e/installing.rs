//! Installing the page as an app.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let mut tests = stage.test_in_each(the_icons_match_the_manifest);
    tests.push(stage.test(it_can_be_installed));
    tests
}

/// Chromium reports that the page is installable without a service worker.
async fn it_can_be_installed(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    page.open("/room/installed").await?;
    page.until("the lobby is there", |page| page.shows("lobby")).await?;
    let answer = page.browser.driver.cdp().send_raw("Page.getInstallabilityErrors", json!({})).await?;
    let errors = answer["installabilityErrors"].as_array().context("a list of errors")?;
    // Every window of a test's browser is private.
    let errors: Vec<_> = errors.iter().filter(|error| error["errorId"] != "in-incognito").collect();
    ensure!(errors.is_empty(), "it cannot be installed: {errors:?}");
    Ok(())
}

async fn the_icons_match_the_manifest(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/").await?;
    has_icons(&page).await?;

    let host = scene.static_host("/sub/path/").await?;
    page.open(&host.url("")).await?;
    has_icons(&page).await
}

async fn has_icons(page: &Page) -> Result<()> {
    page.until("the first page is there", |page| page.shows("room-input")).await?;
    let wrong: Vec<String> = page.execute(WRONG_ICONS, vec![]).await?;
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

const WRONG_ICONS: &str = r#"
    return (async () => {
      const address = document.querySelector('link[rel="manifest"]').href;
      const manifest = await (await fetch(address)).json();
      const wrong = [];
      if (new URL(manifest.start_url, address).href !== document.baseURI) wrong.push(`it starts at ${manifest.start_url}`);
      for (const { src, sizes, purpose } of manifest.icons) {
        const icon = new Image();
        icon.src = new URL(src, address).href;
        await icon.decode().catch((error) => wrong.push(`${icon.src}: ${error}`));
        const size = `${icon.naturalWidth}x${icon.naturalHeight}`;
        if (sizes !== "any" && sizes !== size) wrong.push(`${src} is ${size}, not ${sizes}`);
      }
      if (!manifest.icons.some(({ purpose }) => purpose === "maskable")) wrong.push("no maskable icon");
      return wrong;
    })();"#;
