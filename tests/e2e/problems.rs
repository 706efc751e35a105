//! Problems: each has its sentence, and the room can be entered where that makes sense.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::{Devices, Engine, Profile},
    page::Page,
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_member_without_a_camera_gets_a_notice_and_joins),
        stage.test_in_each(a_member_with_refused_permission_gets_a_notice_and_joins),
        stage.test_in_each(a_member_with_an_open_permission_prompt_gets_a_notice_and_joins),
        stage.test_in_each(a_camera_in_use_by_another_program_gives_a_notice),
        stage.test_in_each(an_insecure_page_gives_a_notice),
        stage.test_in_each(a_browser_without_webrtc_gives_a_notice),
        stage.test_in_each(a_page_that_cannot_be_loaded_gives_a_notice_and_is_requested_again),
        stage.test_in_each(parts_that_cannot_be_loaded_let_the_call_go_on_and_are_requested_until_they_come),
        stage.test_in_each(the_page_waits_for_the_engine_and_requests_it_again),
        vec![stage.test(sound_that_the_browser_blocked_plays_after_a_click)],
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_member_without_a_camera_gets_a_notice_and_joins(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::Missing)).await?;
    expect_notice_and_working_chat(scene, &page, "", "no-device").await
}

async fn a_member_with_refused_permission_gets_a_notice_and_joins(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::Refused)).await?;
    expect_notice_and_working_chat(scene, &page, "", "permission-denied").await
}

async fn a_member_with_an_open_permission_prompt_gets_a_notice_and_joins(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    expect_notice_and_working_chat(scene, &page, "probe=prompt-ignored", "permission-pending").await
}

async fn a_camera_in_use_by_another_program_gives_a_notice(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    expect_notice_and_working_chat(scene, &page, "probe=camera-busy", "device-in-use").await
}

async fn an_insecure_page_gives_a_notice(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    let port = scene.server().await?.port();
    page.open(&format!("http://insecure.test:{port}/room/insecure")).await?;
    page.until_notice("insecure-context").await?;
    Ok(())
}

async fn a_browser_without_webrtc_gives_a_notice(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/too-old?probe=no-webrtc").await?;
    page.until_notice("unsupported-browser").await?;
    Ok(())
}

async fn a_page_that_cannot_be_loaded_gives_a_notice_and_is_requested_again(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/check?probe=late-pages").await?;
    page.expect_console_error("no network");
    page.execute::<()>("sightlineProbe.modules('lose')", vec![]).await?;
    page.until_notice("part-unavailable").await?;
    page.execute::<()>("sightlineProbe.modules('come')", vec![]).await?;
    page.click_in_notice("part-unavailable").await?;
    page.until("the page is there", |page| page.shows("check-start")).await?;
    Ok(())
}

async fn parts_that_cannot_be_loaded_let_the_call_go_on_and_are_requested_until_they_come(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.expect_console_error("no network");
    ada.open("/room/parts?name=Ada&probe=late-room-parts").await?;
    ada.until("the lobby is there", |page| page.shows("join")).await?;
    ada.execute::<()>("sightlineProbe.modules('lose')", vec![]).await?;
    let lobby = ada.until_notice("part-unavailable").await?;
    assert!(lobby.shows("join") && lobby.notices.len() == 1, "{lobby:?}");

    bob.enter("parts", "Bob").await?;
    ada.open("/room/parts?name=Ada&autojoin=1&probe=late-room-parts").await?;
    ada.until_connected_to("Bob").await?;
    ada.until_picture_moves("Bob").await?;
    ada.execute::<()>("sightlineProbe.modules('lose')", vec![]).await?;
    let without = ada.until_notice("part-unavailable").await?;
    assert!(!without.shows("toggle-mic"), "{without:?}");
    assert_eq!(without.notices.len(), 1, "{without:?}");
    ada.execute::<()>("sightlineProbe.modules('come')", vec![]).await?;
    ada.until("the controls are there, and the notice is gone", |page| {
        page.shows("toggle-mic") && !page.has_notice("part-unavailable")
    })
    .await?;
    ada.until("the others are there too", |page| page.shows("settings-toggle") && page.shows("chat-input"))
        .await?;
    Ok(())
}

async fn the_page_waits_for_the_engine_and_requests_it_again(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/late?name=Ada&autojoin=1&probe=late-engine").await?;
    let waiting = page.until("the room's frame is there", |page| page.shows("room-frame")).await?;
    assert!(!waiting.shows("room") && waiting.notices.is_empty(), "{waiting:?}");
    page.expect_console_error("no network");
    page.execute::<()>("sightlineProbe.modules('lose')", vec![]).await?;
    page.until_notice("server-unreachable").await?;
    page.execute::<()>("sightlineProbe.modules('come')", vec![]).await?;
    page.until("it is in the room", |page| page.connection.as_deref() == Some("connected")).await?;
    page.until("the notice is gone", |page| !page.has_notice("server-unreachable")).await?;
    Ok(())
}

async fn sound_that_the_browser_blocked_plays_after_a_click(scene: &Scene) -> Result<()> {
    let quiet = Profile::of(Engine::Chromium).with_devices(Devices::Missing).without_autoplay();
    let ada = scene.page_in(quiet).await?;
    let bob = scene.page(Engine::Chromium).await?;
    bob.enter("quiet", "Bob").await?;
    ada.enter_with("quiet", "Ada", "source=none").await?;
    ada.until_connected_to("Bob").await?;
    ada.until_notice("autoplay-blocked").await?;
    ada.click_in_notice("autoplay-blocked").await?;
    ada.until("the notice is gone", |page| !page.has_notice("autoplay-blocked")).await?;
    ada.until_picture_moves("Bob").await?;
    assert!(ada.plays_aloud("Bob").await?);
    Ok(())
}

/// Checks that the lobby shows the notice `code`, that the page can still join, and that both members exchange messages.
async fn expect_notice_and_working_chat(
    scene: &Scene,
    page: &Page,
    parameters: &str,
    code: &str,
) -> Result<()> {
    let other = scene.page(Engine::Chromium).await?;
    other.enter(code, "Bob").await?;
    page.open(&format!("/room/{code}?{parameters}")).await?;
    page.until_notice(code).await?;
    page.fill("name-input", "Ada").await?;
    page.click("join").await?;
    page.until_connected_to("Bob").await?;
    page.until_picture_moves("Bob").await?;
    page.until("the local camera is off", |page| {
        page.own_tile().is_some_and(|own| own.camera.as_deref() == Some("off"))
    })
    .await?;
    page.say("can you read me?").await?;
    other.until_received("can you read me?").await?;
    other.say("loud and clear").await?;
    page.until_received("loud and clear").await?;
    Ok(())
}
