//! The conversation outlives the page, and waits for who is away.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.test_in_each(it_survives_a_reload_waits_for_who_is_away_and_is_gone_after_leaving)
}

async fn it_survives_a_reload_waits_for_who_is_away_and_is_gone_after_leaving(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, engine]).await?;
    for page in [&ada, &bob] {
        page.enter_with("kept", if Arc::ptr_eq(page, &ada) { "Ada" } else { "Bob" }, "source=none").await?;
    }
    ada.until_connected_to("Bob").await?;
    ada.say("first, from Ada").await?;
    bob.until_received("first, from Ada").await?;
    bob.say("second, from Bob").await?;
    ada.until_received("second, from Bob").await?;

    bob.reload().await?;
    shows(&bob, &["first, from Ada", "second, from Bob"]).await?;
    bob.until_connected_to("Ada").await?;
    let seen = bob.look().await?;
    assert!(seen.messages[0].text.contains("Ada"), "who wrote it is kept: {:?}", seen.messages);

    bob.open("about:blank").await?;
    ada.until("Bob is away", |page| {
        page.tile("Bob").is_none_or(|tile| tile.state.as_deref() == Some("away"))
    })
    .await?;
    ada.say("third, while Bob was away").await?;
    bob.enter_with("kept", "Bob", "source=none").await?;
    bob.until_received("third, while Bob was away").await?;
    ada.until_delivered("third, while Bob was away").await?;
    shows(&bob, &["first, from Ada", "second, from Bob", "third, while Bob was away"]).await?;

    bob.click("leave").await?;
    bob.until("Bob is out of the room", |page| !page.shows("room")).await?;
    bob.enter_with("kept", "Bob", "source=none").await?;
    bob.until_connected_to("Ada").await?;
    assert!(bob.look().await?.messages.is_empty(), "what was said is still on the device");
    Ok(())
}

/// Waits until exactly these messages are shown, in this order.
async fn shows(page: &Page, texts: &[&str]) -> Result<()> {
    page.until(&format!("there are {texts:?}"), |page| {
        page.messages.len() == texts.len()
            && page.messages.iter().zip(texts).all(|(message, text)| message.text.contains(text))
    })
    .await?;
    Ok(())
}
