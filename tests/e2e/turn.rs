//! Calls over a relay: the server's own, and one elsewhere.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    page::Page,
    stage::{Pair, Scene, Stage},
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
    let first = relay_user(&ada).await?;
    // The third after it: the first has expired, and its allocation lives on.
    let mut users = vec![first];
    while users.len() < 4 {
        let now = relay_user(&ada).await?;
        if !users.contains(&now) {
            users.push(now);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;

    let before = ufrag(&ada).await?;
    ada.execute::<()>("sightlineProbe.connections.at(-1).restartIce()", &[]).await?;
    while ufrag(&ada).await? == before || !is_stable(&ada).await? {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let allocated = selected_port(&ada).await?;
    while selected_port(&ada).await? == allocated && allocated.is_some() {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    Ok(())
}

async fn until_relayed(page: &Page, other: &str) -> Result<()> {
    page.until("the path is a relay", |page| {
        page.tile(other).is_some_and(|tile| tile.path.as_deref() == Some("relay"))
    })
    .await?;
    Ok(())
}
