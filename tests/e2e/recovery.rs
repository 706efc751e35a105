//! The network fails and returns without a reload. A short selection of `cargo xtask soak`. It uses an emulated link, so it needs
//! root.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    netlab::{FarApart, LinkProfile, where_there_are_namespaces},
    stage::{Pair, Scene, Stage},
};
use tokio::time::sleep;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    where_there_are_namespaces(vec![
        stage.test(a_call_comes_back_after_ten_seconds_without_network_or_server),
        stage.test(a_call_comes_back_after_twenty_seconds_without_a_path_between_two_browsers),
    ])
}

async fn a_call_comes_back_after_ten_seconds_without_network_or_server(scene: &Scene) -> Result<()> {
    let call = enter(scene, [Engine::Chromium, Engine::Chromium]).await?;
    call.ends.set_server_cut(true);
    goes_on_after_a_cut(&call, 10).await
}

async fn a_call_comes_back_after_twenty_seconds_without_a_path_between_two_browsers(
    scene: &Scene,
) -> Result<()> {
    let call = enter(scene, [Engine::Chromium, Engine::Firefox]).await?;
    goes_on_after_a_cut(&call, 20).await
}

async fn goes_on_after_a_cut(call: &FarApart, seconds: u64) -> Result<()> {
    let [ada, bob] = &call.pages;
    call.ends.set_cut(true);
    for (page, other) in [(ada, "Bob"), (bob, "Ada")] {
        let says_so = |state: &str| matches!(state, "recovering" | "away");
        page.until("the tile says that the connection is lost", |page| {
            page.tile(other).is_some_and(|tile| tile.state.as_deref().is_some_and(says_so))
        })
        .await?;
    }
    ada.say("said in the tunnel").await?;
    sleep(Duration::from_secs(seconds)).await;
    call.ends.set_cut(false);
    call.ends.set_server_cut(false);

    bob.until_received("said in the tunnel").await?;
    ada.until_delivered("said in the tunnel").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    tokio::try_join!(ada.until_sound_is_heard("Bob"), bob.until_sound_is_heard("Ada"))?;
    for page in [ada, bob] {
        let is_the_same: bool = page.execute("return window.sightlineUntouched === true", vec![]).await?;
        assert!(is_the_same, "the page was loaded again");
        let seen = page.look().await?;
        assert_eq!(seen.tiles.len(), 2, "{:#?}", seen.tiles);
    }
    Ok(())
}

/// Two connected members over a link of 10 ms.
pub(crate) async fn enter(scene: &Scene, pair: Pair) -> Result<FarApart> {
    let call = scene.far_apart(pair, &LinkProfile::delayed(Duration::from_millis(10))).await?;
    let [ada, bob] = &call.pages;
    for page in [ada, bob] {
        // Both browsers log sockets that do not open.
        for words in ["WebSocket", "connection to the server at ws://", "The connection to ws://"] {
            page.expect_console_error(words);
        }
        // Firefox logs this for every attempt that fails during the cut.
        page.expect_console_error("WebRTC: ICE failed");
    }
    ada.enter("tunnel", "Ada").await?;
    bob.enter("tunnel", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    for page in [ada, bob] {
        let _: () = page.execute("window.sightlineUntouched = true; return null", vec![]).await?;
    }
    Ok(call)
}
