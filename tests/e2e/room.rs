//! More than two people, and the departure of one of them.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::{Engine, Profile},
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        vec![
            stage.test(a_third_member_connects_to_both_and_receives_the_messages),
            stage.test(a_visitor_of_a_full_room_gets_a_notice_and_the_call_continues),
            stage.test(a_message_in_an_empty_room_is_shown_as_undeliverable),
            stage.test(a_second_tab_with_the_same_place_replaces_the_first),
        ],
        stage.test_in_each(a_reloaded_page_has_one_tile_and_its_place_again),
        stage.test_in_each(a_browser_that_loses_power_disappears_and_the_room_goes_on),
        stage.test_in_each(members_who_publish_nothing_write_to_each_other),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_third_member_connects_to_both_and_receives_the_messages(scene: &Scene) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([Engine::Chromium, Engine::Firefox, Engine::Chromium]).await?;
    ada.enter("three", "Ada").await?;
    bob.enter("three", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    eve.enter("three", "Eve").await?;
    for (page, others) in [(&ada, ["Bob", "Eve"]), (&bob, ["Ada", "Eve"]), (&eve, ["Ada", "Bob"])] {
        for other in others {
            page.until_connected_to(other).await?;
            page.until_picture_moves(other).await?;
        }
        assert_eq!(page.look().await?.tiles.len(), 3);
    }

    bob.say("hello you two").await?;
    ada.until_received("hello you two").await?;
    eve.until_received("hello you two").await?;
    bob.until_delivered("hello you two").await?;

    eve.click("leave").await?;
    ada.until("Eve is gone and Bob is there", |page| page.tiles.len() == 2 && page.is_connected_to("Bob"))
        .await?;
    ada.until_picture_moves("Bob").await
}

async fn a_visitor_of_a_full_room_gets_a_notice_and_the_call_continues(scene: &Scene) -> Result<()> {
    scene.serve(&["--room-limit", "2"]).await?;
    let [ada, bob, eve] = scene.pages_in([Engine::Chromium, Engine::Chromium, Engine::Firefox]).await?;
    ada.enter("full", "Ada").await?;
    bob.enter("full", "Bob").await?;
    ada.until_connected_to("Bob").await?;

    eve.open("/room/full?name=Eve&autojoin=1").await?;
    eve.until_notice("room-full").await?;
    ada.until_picture_moves("Bob").await?;
    let seen = ada.look().await?;
    assert!(seen.tile("Eve").is_none() && seen.tiles.len() == 2, "{:#?}", seen.tiles);

    bob.click("leave").await?;
    ada.until("Bob is gone", |page| page.tiles.len() == 1).await?;
    eve.enter("full", "Eve").await?;
    ada.until_connected_to("Eve").await?;
    Ok(())
}

async fn a_message_in_an_empty_room_is_shown_as_undeliverable(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    page.enter("alone", "Ada").await?;
    page.say("is anybody there?").await?;
    page.until("the message is shown as undeliverable", |page| {
        page.message("is anybody there?").is_some_and(|message| message.state == "undeliverable")
    })
    .await?;
    Ok(())
}

async fn a_second_tab_with_the_same_place_replaces_the_first(scene: &Scene) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, Engine::Firefox]).await?;
    ada.enter("twice", "Ada").await?;
    bob.enter("twice", "Bob").await?;
    ada.until_connected_to("Bob").await?;

    // Does what "Duplicate tab" does: the copy starts with the same sessionStorage. `window.open` copies it as well.
    let _: () = ada.execute("window.open(location.href); return null", vec![]).await?;
    let windows = ada.browser.driver.windows().await?;
    assert_eq!(windows.len(), 2);
    ada.until_notice("replaced").await?;
    bob.until("there is one Ada", |page| page.tiles.len() == 2 && page.is_connected_to("Ada")).await?;
    bob.until_picture_moves("Ada").await
}

async fn a_reloaded_page_has_one_tile_and_its_place_again(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, engine]).await?;
    ada.enter("reload", "Ada").await?;
    bob.enter("reload", "Bob").await?;
    let before = ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;

    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    let after = ada
        .until("there is one Bob, connected", |page| page.tiles.len() == 2 && page.is_connected_to("Bob"))
        .await?;
    let member = |page: &sightline_e2e::snapshot::Snapshot| page.tile("Bob").map(|tile| tile.member.clone());
    assert_eq!(member(&before), member(&after), "the place was another's");
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    ada.say("back again?").await?;
    bob.until_received("back again?").await?;
    Ok(())
}

async fn a_browser_that_loses_power_disappears_and_the_room_goes_on(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, Engine::Chromium]).await?;
    let eve = scene.page_in(Profile::of(engine)).await?;
    // Six large pictures at once leave too little of two cores to connect in time.
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob"), (&eve, "Eve")] {
        page.enter_with("power", name, "source=camera&width=320&height=180&fps=10").await?;
    }
    ada.until_connected_to("Eve").await?;
    bob.until_connected_to("Eve").await?;

    scene.lose_power(&eve).await?;
    for (page, other) in [(&ada, "Bob"), (&bob, "Ada")] {
        page.until_for(LONG, "Eve is gone", |page| page.tiles.len() == 2 && page.tile("Eve").is_none())
            .await?;
        page.until_picture_moves(other).await?;
    }
    ada.say("still here").await?;
    ada.until_delivered("still here").await?;
    Ok(())
}

async fn members_who_publish_nothing_write_to_each_other(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, engine]).await?;
    ada.enter_with("text-only", "Ada", "source=none").await?;
    bob.enter_with("text-only", "Bob", "source=none").await?;
    ada.until_connected_to("Bob").await?;
    bob.until("Ada shows no picture", |page| {
        page.tile("Ada").is_some_and(|tile| tile.camera.as_deref() == Some("off"))
    })
    .await?;
    ada.say("words alone").await?;
    bob.until_received("words alone").await?;
    ada.until_delivered("words alone").await?;
    Ok(())
}

/// The seat of an absent member is held for half a minute.
const LONG: std::time::Duration = std::time::Duration::from_secs(60);
