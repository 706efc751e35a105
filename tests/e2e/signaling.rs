//! The server goes away and returns while calls go on.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    stage::{Pair, Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_pairs(a_call_survives_the_server_and_everyone_keeps_their_place),
        vec![
            stage.test(a_stopped_server_exits_cleanly_and_the_call_continues),
            stage.test(a_missing_server_gives_a_notice_until_it_is_back_and_the_page_joins),
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_call_survives_the_server_and_everyone_keeps_their_place(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("survive", "Ada").await?;
    bob.enter("survive", "Bob").await?;
    let before = ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    for page in [&ada, &bob] {
        page.expect_no_server();
    }

    scene.server().await?.kill().await?;
    for page in [&ada, &bob] {
        page.until("it is seeking the server", |page| page.connection.as_deref() == Some("reconnecting"))
            .await?;
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    ada.say("no server, no problem").await?;
    bob.until_received("no server, no problem").await?;
    ada.until_delivered("no server, no problem").await?;

    scene.server().await?.come_back().await?;
    for page in [&ada, &bob] {
        page.until("the server is found", |page| page.connection.as_deref() == Some("connected")).await?;
    }
    let after =
        ada.until("Bob is still there", |page| page.is_connected_to("Bob") && page.tiles.len() == 2).await?;
    let member = |page: &sightline_e2e::snapshot::Snapshot| page.tile("Bob").map(|tile| tile.member.clone());
    assert_eq!(member(&before), member(&after), "the place was another's");
    let connections: usize = ada.execute("return sightlineProbe.connections.length", vec![]).await?;
    assert_eq!(connections, 1, "a healthy peer connection was touched");
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    Ok(())
}

async fn a_stopped_server_exits_cleanly_and_the_call_continues(scene: &Scene) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, Engine::Firefox]).await?;
    ada.enter("stop", "Ada").await?;
    bob.enter("stop", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    for page in [&ada, &bob] {
        page.expect_no_server();
    }

    scene.server().await?.terminate().await?;
    ada.until("it is seeking the server", |page| page.connection.as_deref() == Some("reconnecting")).await?;
    ada.until_picture_moves("Bob").await?;
    scene.server().await?.come_back().await?;
    ada.until("the server is found", |page| page.connection.as_deref() == Some("connected")).await?;
    Ok(())
}

async fn a_missing_server_gives_a_notice_until_it_is_back_and_the_page_joins(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    page.open("/room/patience").await?;
    page.until("the lobby is there", |page| page.shows("lobby")).await?;
    page.expect_no_server();
    scene.server().await?.kill().await?;
    page.click("join").await?;
    page.until_notice("server-unreachable").await?;
    scene.server().await?.come_back().await?;
    page.until("it is connected", |page| page.connection.as_deref() == Some("connected")).await?;
    page.until("the notice is gone", |page| !page.has_notice("server-unreachable")).await?;
    Ok(())
}
