//! Calls over a relay: the server's own, and one elsewhere.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    page::Page,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_pairs(a_call_by_relay_alone_goes_over_the_servers_own),
        stage.test_in_pairs(a_relayed_call_outlives_its_credentials_and_restarts_with_fresh_ones),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_call_by_relay_alone_goes_over_the_servers_own(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.open("/room/relay?name=Ada&autojoin=1&relay=1").await?;
    bob.open("/room/relay?name=Bob&autojoin=1&relay=1").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    ada.say("by relay").await?;
    bob.until_received("by relay").await?;
    Ok(())
}

async fn a_relayed_call_outlives_its_credentials_and_restarts_with_fresh_ones(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    scene.serve(&["--turn-credential-life", "4"]).await?;
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.open("/room/expiry?name=Ada&autojoin=1&relay=1").await?;
    bob.open("/room/expiry?name=Bob&autojoin=1&relay=1").await?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    // The third after it: the first has expired, and its allocation lives on.
    let mut users = vec![relay_user(&ada).await?];
    while users.len() < 4 {
        let user = until("fresh credentials", PATIENCE, async || {
            let user = relay_user(&ada).await?;
            Ok(if users.contains(&user) { Err(user) } else { Ok(user) })
        })
        .await?;
        users.push(user);
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;

    let before = ufrag(&ada).await?;
    ada.execute::<()>("sightlineProbe.connections.at(-1).restartIce()", vec![]).await?;
    // With relayed candidates only, one in the new description is of an allocation that was made with fresh credentials.
    until("ICE restarts with a relayed candidate", PATIENCE, async || {
        let candidates =
            "return sightlineProbe.connections.at(-1).localDescription.sdp.includes('typ relay')";
        let is_gathered: bool = ada.execute(candidates, vec![]).await?;
        let now = ufrag(&ada).await?;
        Ok(if is_gathered && now != before { Ok(()) } else { Err(now) })
    })
    .await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    Ok(())
}

/// The user name with which the page's connection would make an allocation now.
async fn relay_user(page: &Page) -> Result<String> {
    let script = "return sightlineProbe.connections.at(-1).getConfiguration().iceServers.at(-1).username";
    page.execute(script, vec![]).await
}

/// Names the ICE generation.
async fn ufrag(page: &Page) -> Result<String> {
    let script = r"return sightlineProbe.connections.at(-1).localDescription.sdp.match(/ice-ufrag:(\S+)/)[1]";
    page.execute(script, vec![]).await
}

async fn until_relayed(page: &Page, other: &str) -> Result<()> {
    page.until("the path is a relay", |page| {
        page.tile(other).is_some_and(|tile| tile.path.as_deref() == Some("relay"))
    })
    .await?;
    Ok(())
}
