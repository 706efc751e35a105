//! The README's pictures. Taken only if `SIGHTLINE_SCREENSHOTS` names a folder (`cargo xtask screenshots`), so that a test run
//! changes no file.

use std::{env, fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::{Devices, Engine, Profile},
    page::Page,
    portrait::Portrait,
    stage::{Scene, Stage},
    wait::until,
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    folder().map(|_| stage.long_test(screenshots_of_home_lobby_and_a_call_of_three)).into_iter().collect()
}

async fn screenshots_of_home_lobby_and_a_call_of_three(scene: &Scene) -> Result<()> {
    let seen =
        |portrait| scene.page_in(Profile::of(Engine::Chromium).with_devices(Devices::Portrait(portrait)));
    let ada = seen(Portrait::Ada).await?;
    let bob = seen(Portrait::Bob).await?;
    let eve = seen(Portrait::Eve).await?;
    ada.set_size(1280, 960).await?;
    ada.open("/").await?;
    ada.until("the first page is there", |page| page.shows("go")).await?;
    keep(&ada, "home").await?;

    ada.open(&format!("/room/design-review#{SECRET}")).await?;
    ada.fill("name-input", "Ada").await?;
    ada.until("there is a preview", |page| page.shows("preview")).await?;
    ada.until_preview_moves().await?;
    keep(&ada, "lobby").await?;

    ada.click("join").await?;
    for (page, name) in [(&bob, "Bob"), (&eve, "Eve")] {
        page.enter_with("design-review", name, &format!("source=camera#{SECRET}")).await?;
    }
    for name in ["Bob", "Eve"] {
        ada.until_picture_moves(name).await?;
    }
    bob.until_connected_to("Eve").await?;
    bob.say("The new build is up: https://example.org/build/42").await?;
    eve.until_received("The new build").await?;
    eve.say("Looking at it now.\nThe picture is sharp here.").await?;
    ada.until_received("Looking at it now.").await?;
    ada.say("Same here, and not one freeze.").await?;
    ada.until_delivered("Same here").await?;
    keep(&ada, "call").await?;

    ada.click("stats-toggle").await?;
    ada.click("stats-expand").await?;
    until("charts with something on them", LONG, async || {
        let samples: u32 = ada.execute(SAMPLES, vec![]).await?;
        Ok(if samples >= 45 { Ok(()) } else { Err(format!("{samples} samples")) })
    })
    .await?;
    keep(&ada, "panel").await?;
    let () = ada.execute(SHOW_CHARTS, vec![]).await?;
    keep(&ada, "charts").await?;

    ada.click("stats-toggle").await?;
    ada.set_size(390, 844).await?;
    keep(&ada, "phone").await
}

/// Of the room, as in an invitation.
const SECRET: &str = "7Fq2mX9cLr0sKd3WvTbYhA";

const LONG: Duration = Duration::from_secs(120);
const SAMPLES: &str = "
    return Math.min(...[...document.querySelectorAll('[data-testid=charts]')].map((charts) => Number(charts.dataset.samples)));";
const SHOW_CHARTS: &str = "document.querySelector('[data-testid=charts]').scrollIntoView()";

async fn keep(page: &Page, name: &str) -> Result<()> {
    let Some(folder) = folder() else { return Ok(()) };
    fs::create_dir_all(&folder)?;
    page.browser.driver.screenshot(&folder.join(format!("{name}.png"))).await?;
    Ok(())
}

fn folder() -> Option<PathBuf> {
    env::var_os("SIGHTLINE_SCREENSHOTS").map(PathBuf::from)
}
