//! A server on which only holders of its operator's token may open a room.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    server::create_token,
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.test_in_each(only_a_browser_with_the_operators_token_opens_a_room)
}

async fn only_a_browser_with_the_operators_token_opens_a_room(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("create.key");
    scene.serve(&["--create-token-file", &key.to_string_lossy()]).await?;
    let token = create_token(&key).await?;
    let [ada, bob] = scene.pages_in([engine, engine]).await?;

    bob.open("/room/closed?name=Bob&autojoin=1&source=none").await?;
    bob.until_notice("room-not-open").await?;

    ada.open(&format!("/#create-token={token}")).await?;
    ada.until("the permission is shown", |page| page.shows("create-token")).await?;
    let address: String = ada.execute("return location.href", vec![]).await?;
    ensure!(!address.contains("token"), "{address}");
    ada.enter_with("closed", "Ada", "source=none").await?;
    bob.enter_with("closed", "Bob", "source=none").await?;
    ada.until_connected_to("Bob").await?;
    ada.say("open").await?;
    bob.until_received("open").await?;

    ada.open("/").await?;
    ada.click("create-token-forget").await?;
    ada.until("the permission is gone", |page| !page.shows("create-token")).await?;
    ada.open("/room/another?name=Ada&autojoin=1&source=none").await?;
    ada.until_notice("room-not-open").await?;
    Ok(())
}
