//! The network goes away and comes back; nobody reloads. Across an emulated link, so root is needed.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    netlab::{LinkProfile, where_there_are_namespaces},
    stage::{Scene, Stage},
};
use tokio::time::sleep;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    where_there_are_namespaces(vec![stage.test(a_call_comes_back_after_a_cut_of_ten_seconds)])
}

async fn a_call_comes_back_after_a_cut_of_ten_seconds(scene: &Scene) -> Result<()> {
    let call = scene
        .far_apart([Engine::Chromium, Engine::Firefox], &LinkProfile::delayed(Duration::from_millis(10)))
        .await?;
    let [ada, bob] = &call.pages;
    ada.enter("tunnel", "Ada").await?;
    bob.enter("tunnel", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    call.set_cut(true);
    sleep(Duration::from_secs(10)).await;
    call.set_cut(false);
    ada.say("are you there?").await?;
    bob.until_received("are you there?").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    Ok(())
}
