//! Leaving a room: the question before, the page afterwards, and the way back.

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
        stage.test_in_each(a_member_that_left_returns_only_by_one_click),
        stage.test_in_each(leaving_asks_if_a_file_would_be_lost_and_reports_the_loss),
        stage.test_in_each(leaving_asks_while_a_file_waits_for_a_member_to_join),
        stage.test_in_each(leaving_asks_during_a_measurement),
        stage.test_in_each(the_screen_stays_on_while_another_member_is_present),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_member_that_left_returns_only_by_one_click(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("goodbye", "Ada", "source=camera&relay=0").await?;
    bob.enter("goodbye", "Bob").await?;
    ada.until_picture_moves("Bob").await?;
    ada.say("until later").await?;
    ada.until_delivered("until later").await?;

    ada.click("leave").await?;
    ada.until("Ada has left", |page| page.shows("you-left") && !page.shows("room")).await?;
    ensure!(text(&ada, "left-conversation").await?.contains("not kept"));
    bob.until("Bob is alone", |page| page.tiles.len() == 1).await?;
    let alone: String = bob
        .execute("return document.querySelector('[data-testid=alone]')?.dataset.state ?? ''", vec![])
        .await?;
    ensure!(alone == "left", "the remaining member sees {alone:?}");

    ada.click("rejoin").await?;
    ada.until_connected_to("Bob").await?;
    ada.until_picture_moves("Bob").await?;
    bob.until_picture_moves("Ada").await?;

    // The address skipped the lobby on the first load. After leaving, a reload shows the lobby.
    ada.click("leave").await?;
    ada.until("Ada has left again", |page| page.shows("you-left")).await?;
    ada.reload().await?;
    ada.until("the lobby is there", |page| page.shows("lobby")).await?;
    Ok(())
}

async fn leaving_asks_if_a_file_would_be_lost_and_reports_the_loss(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("unsaved", "Ada", "source=none").await?;
    bob.enter_with("unsaved", "Bob", "source=none").await?;
    bob.until_connected_to("Ada").await?;
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("photo.jpg");
    std::fs::write(&file, vec![7; 300_000])?;
    bob.offer(&[&file]).await?;
    ada.until_transfer("photo.jpg", "offered").await?;
    ada.click_in_transfer("photo.jpg", "transfer-accept").await?;
    ada.until_transfer("photo.jpg", "done").await?;

    ada.click("leave").await?;
    ada.until("the question is there", |page| page.shows("leave-dialog")).await?;
    ensure!(text(&ada, "leave-lost").await?.contains("not saved"));
    ada.click("leave-stay").await?;
    ada.until("Ada stays", |page| page.shows("room") && !page.shows("leave-dialog")).await?;
    ada.click("leave").await?;
    ada.click("leave-confirm").await?;
    ada.until("Ada has left", |page| page.shows("you-left")).await?;
    ensure!(text(&ada, "left-lost").await?.contains("not saved"));
    Ok(())
}

async fn leaving_asks_while_a_file_waits_for_a_member_to_join(scene: &Scene, engine: Engine) -> Result<()> {
    let ada = scene.page(engine).await?;
    ada.enter_with("waits", "Ada", "source=none").await?;
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("photo.jpg");
    std::fs::write(&file, vec![7; 300_000])?;
    ada.offer(&[&file]).await?;
    ada.until("the file waits", |page| page.shows("transfer-backlog")).await?;
    ada.click("leave").await?;
    ada.until("the question is there", |page| page.shows("leave-dialog")).await?;
    ensure!(text(&ada, "leave-lost").await?.contains("not finished"));
    Ok(())
}

async fn leaving_asks_during_a_measurement(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("measured", "Ada", "source=none").await?;
    bob.enter("measured", "Bob").await?;
    ada.until_picture_moves("Bob").await?;
    ada.click("run-start").await?;
    ada.click("leave").await?;
    ada.until("the question is there", |page| page.shows("leave-dialog")).await?;
    ensure!(text(&ada, "leave-lost").await?.contains("measurement"));
    ada.click("leave-confirm").await?;
    ada.until("Ada has left", |page| page.shows("you-left")).await?;
    Ok(())
}

async fn the_screen_stays_on_while_another_member_is_present(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("awake", "Ada", "source=none").await?;
    ensure!(held_locks(&ada).await? == 0, "the screen stays on in an empty room");
    bob.enter_with("awake", "Bob", "source=none").await?;
    ada.until_connected_to("Bob").await?;
    until_locks(&ada, 1).await?;
    bob.click("leave").await?;
    until_locks(&ada, 0).await
}

async fn until_locks(page: &Page, count: usize) -> Result<()> {
    until(&format!("{count} locks on the screen"), PATIENCE, async || {
        let held = held_locks(page).await?;
        Ok(if held == count { Ok(()) } else { Err(format!("{held} are held")) })
    })
    .await
}

async fn held_locks(page: &Page) -> Result<usize> {
    page.execute("return sightlineProbe.wakeLocks.filter(({ released }) => !released).length", vec![]).await
}

async fn text(page: &Page, test_id: &str) -> Result<String> {
    let script = "return document.querySelector(`[data-testid=\"${arguments[0]}\"]`)?.textContent ?? ''";
    page.execute(script, vec![test_id.into()]).await
}
