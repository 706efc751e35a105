//! Without a server: the tabs of one browser call each other.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};
use thirtyfour::WindowHandle;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(two_tabs_of_a_static_host_call_each_other_without_a_server),
        stage.test_in_each(two_tabs_call_each_other_without_the_server_if_the_address_asks_for_it),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn two_tabs_of_a_static_host_call_each_other_without_a_server(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let host = scene.static_host("/sub/path/").await?;
    let page = scene.page(engine).await?;
    // There is no file for the room or for the server's check: the host answers with 404.html, and browsers log that.
    page.expect_console_error("404");
    let [ada, bob] =
        enter_both(&page, |name| host.url(&format!("room/tabs?name={name}&source=camera&autojoin=1")))
            .await?;
    page.until_notice("tabs-only").await?;

    page.say("can you see me?").await?;
    page.until_delivered("can you see me?").await?;
    page.until_picture_moves("Ada").await?;
    show(&page, &ada).await?;
    page.until_received("can you see me?").await?;
    page.until_picture_moves("Bob").await?;
    let invitation: String =
        page.execute("return document.querySelector('[data-testid=share-link]').dataset.url", vec![]).await?;
    ensure!(invitation == host.url("room/tabs"), "the invitation is {invitation}");

    show(&page, &bob).await?;
    page.reload().await?;
    page.until_connected_to("Ada").await?;
    page.until_picture_moves("Ada").await?;
    show(&page, &ada).await?;
    page.until("there is one Bob, connected", |page| page.tiles.len() == 2 && page.is_connected_to("Bob"))
        .await?;
    page.until_picture_moves("Bob").await?;

    show(&page, &bob).await?;
    page.click("leave").await?;
    show(&page, &ada).await?;
    page.until("Bob is gone", |page| page.tiles.len() == 1).await?;
    Ok(())
}

async fn two_tabs_call_each_other_without_the_server_if_the_address_asks_for_it(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    let [ada, _] =
        enter_both(&page, |name| format!("/room/past?name={name}&source=camera&autojoin=1&signalling=tabs"))
            .await?;
    page.until_picture_moves("Ada").await?;
    show(&page, &ada).await?;
    page.until_picture_moves("Bob").await
}

/// Ada's window, and Bob's, which is in front.
pub(crate) async fn enter_both(page: &Page, address: impl Fn(&str) -> String) -> Result<[WindowHandle; 2]> {
    let driver = &page.browser.driver;
    let ada = driver.window().await?;
    page.open(&address("Ada")).await?;
    page.until("Ada is in the room", |page| page.connection.as_deref() == Some("connected")).await?;
    let bob = driver.new_window().await?;
    show(page, &bob).await?;
    page.open(&address("Bob")).await?;
    page.until_connected_to("Ada").await?;
    Ok([ada, bob])
}

pub(crate) async fn show(page: &Page, window: &WindowHandle) -> Result<()> {
    Ok(page.browser.driver.switch_to_window(window.clone()).await?)
}
