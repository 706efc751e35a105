//! The actions on one picture.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.test_in_each(the_buttons_of_a_tile_are_shown_only_after_it_is_pressed)
}

/// Headless Chromium has no mouse in this test, as on a phone; elsewhere pointing is part of pressing.
async fn the_buttons_of_a_tile_are_shown_only_after_it_is_pressed(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    page.enter("tile", "Ada").await?;
    page.until("the tile has its buttons", |page| page.shows("tile-fullscreen")).await?;
    page.click("chat-input").await?;
    until_buttons_are_seen(&page, false).await?;
    page.click("tile").await?;
    until_buttons_are_seen(&page, true).await?;
    page.click("chat-input").await?;
    until_buttons_are_seen(&page, false).await
}

async fn until_buttons_are_seen(page: &Page, wanted: bool) -> Result<()> {
    const OPACITY: &str = "
        return Number(getComputedStyle(document.querySelector('[data-testid=tile-fullscreen]').parentElement).opacity)";
    let what = if wanted { "the buttons to be seen" } else { "the picture to be alone" };
    until(what, PATIENCE, async || {
        let opacity: f64 = page.execute(OPACITY, vec![]).await?;
        let is_so = opacity == if wanted { 1.0 } else { 0.0 };
        Ok(if is_so { Ok(()) } else { Err(format!("opacity {opacity}")) })
    })
    .await
}
