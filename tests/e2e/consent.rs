//! What a link may do before a click: nothing. `probe=person` simulates a browser that is not driven by a program.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::Value;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    snapshot::Snapshot,
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_link_captures_nothing_and_does_not_join_before_a_click),
        stage.test_in_each(one_click_does_what_the_link_asks_for_with_the_microphone_off),
        stage.test_in_each(a_reload_rejoins_and_an_address_does_not),
        stage.test_in_each(a_link_to_a_screen_or_a_file_waits_for_a_click_too),
        stage.test_in_each(links_join_with_the_camera_if_the_device_setting_allows_it),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_link_captures_nothing_and_does_not_join_before_a_click(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    for query in [
        "source=camera",
        "autojoin=1&source=camera&run_s=5&relay=1",
        "autojoin=1&source=screen&probe=screen",
        "autojoin=1&source=file&sample=1",
        "autojoin=1&source=none",
        "autojoin=1",
        "lang=en",
    ] {
        page.open(&format!("/room/consent?name=Eve&probe=person&{query}")).await?;
        let has_wishes = query.contains("source");
        // The late parts of the lobby are loaded.
        let lobby = page
            .until(&format!("the lobby is there for {query}"), |page| {
                page.shows("settings-toggle") && page.shows("link-wishes") == has_wishes
            })
            .await?;
        ensure!(lobby.shows("join") && !lobby.shows("source-pause"), "{query}: {lobby:#?}");
        nothing_is_captured(&page, query).await?;
    }
    // The same by way of the first page.
    page.open("/?probe=person&autojoin=1&source=camera").await?;
    page.click("new-room").await?;
    page.until("the lobby is there", |page| page.shows("settings-toggle")).await?;
    nothing_is_captured(&page, "the first page").await
}

async fn one_click_does_what_the_link_asks_for_with_the_microphone_off(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/wish?name=Eve&probe=person&autojoin=1&source=camera&relay=1&max_bitrate=300000").await?;
    page.click("join").await?;
    until_own_camera(&page, "off").await?;
    let asked = captures(&page).await?;
    ensure!(asked.iter().all(|capture| capture.video && !capture.audio) && !asked.is_empty(), "{asked:?}");
    // Neither the name nor the settings in the address are kept for another visit.
    let kept: Vec<String> = page.execute("return Object.keys(localStorage)", vec![]).await?;
    let kept: Vec<_> = kept.iter().filter(|key| key.contains("name") || key.contains("setting")).collect();
    ensure!(kept.is_empty(), "{kept:?}");
    Ok(())
}

async fn a_reload_rejoins_and_an_address_does_not(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/back?probe=person").await?;
    page.fill("name-input", "Ada").await?;
    page.click("join").await?;
    until_own_camera(&page, "on").await?;
    // Before the server's answer there is no seat to come back to, and a reload shows the lobby.
    page.until("she is in the room", |page| page.connection.as_deref() == Some("connected")).await?;
    page.reload().await?;
    until_own_camera(&page, "on").await?;
    // Another site leads here again: the same tab, which still has its seat.
    page.open("about:blank").await?;
    page.open("/room/back?probe=person").await?;
    page.until("the lobby is there", |page| page.shows("settings-toggle") && page.shows("join")).await?;
    nothing_is_captured(&page, "the address of a room that was left by its address").await?;
    // The preview needs a separate click.
    page.click("show-preview").await?;
    page.until_preview_moves().await
}

async fn a_link_to_a_screen_or_a_file_waits_for_a_click_too(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    for (source, query) in [("screen", "probe=screen&source=screen"), ("file", "source=file&sample=1")] {
        page.open(&format!("/room/{source}-wish?name=Eve&probe=person&autojoin=1&{query}")).await?;
        page.until("the requests of the link are listed", |page| page.shows("link-wishes")).await?;
        page.click("join").await?;
        page.until_picture_moves("Eve").await?;
        let shown: String = page
            .execute("return document.querySelector('[data-member=local]').dataset.source", vec![])
            .await?;
        ensure!(shown == source, "{shown} instead of {source}");
        page.click("leave").await?;
        page.until("Eve has left", |page| page.shows("you-left")).await?;
    }
    Ok(())
}

async fn links_join_with_the_camera_if_the_device_setting_allows_it(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/switch?probe=person").await?;
    page.click("settings-toggle").await?;
    page.click("links-may-join").await?;
    page.open("/room/switched?name=Eve&probe=person&autojoin=1&source=camera").await?;
    until_own_camera(&page, "off").await?;
    ensure!(captures(&page).await?.iter().all(|capture| !capture.audio), "the microphone was asked for");
    Ok(())
}

/// Waits until the member is in the room with the camera on and this state of the microphone.
async fn until_own_camera(page: &Page, mic: &str) -> Result<Snapshot> {
    page.until(&format!("the camera is on in the room, the microphone {mic}"), |page| {
        page.shows("room")
            && page
                .own_tile()
                .is_some_and(|tile| tile.camera.as_deref() == Some("on") && tile.mic.as_deref() == Some(mic))
    })
    .await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Capture {
    video: bool,
    audio: bool,
}

pub(crate) async fn captures(page: &Page) -> Result<Vec<Capture>> {
    page.execute("return sightlineProbe.captures", vec![]).await
}

async fn nothing_is_captured(page: &Page, what: &str) -> Result<()> {
    // A connection may wait for a member: it has gathered nothing, and nobody knows of it.
    const TRACES: &str =
        "return [sightlineProbe.captures,
        sightlineProbe.made.filter(({ iceGatheringState }) => iceGatheringState !== 'new').length, sightlineProbe.joins]";
    let (asked, connections, joins): (Vec<Value>, u32, u32) = page.execute(TRACES, vec![]).await?;
    ensure!(asked.is_empty() && connections == 0, "{what}: {asked:?}, {connections} connections");
    ensure!(joins == 0, "{what}: the server knows of the person");
    let () = page.execute("if (navigator.webdriver) throw new Error('the mask is off')", vec![]).await?;
    Ok(())
}
