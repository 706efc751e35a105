//! The conversation survives a reload, and waits for absent members.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_conversation_survives_a_reload_reaches_away_members_and_ends_with_leaving),
        stage.test_in_each(incomplete_links_block_no_page_and_a_link_needs_no_space_before_it),
        stage.test_in_each(only_a_sent_message_empties_the_message_field),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_conversation_survives_a_reload_reaches_away_members_and_ends_with_leaving(
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
    assert!(seen.messages[0].text.contains("Ada"), "the author is kept: {:?}", seen.messages);

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
    assert!(bob.look().await?.messages.is_empty(), "messages are still stored on the device");
    Ok(())
}

async fn incomplete_links_block_no_page_and_a_link_needs_no_space_before_it(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, engine]).await?;
    for page in [&ada, &bob] {
        let name = if Arc::ptr_eq(page, &ada) { "Ada" } else { "Bob" };
        page.enter_with("half-links", name, "source=none").await?;
    }
    ada.until_connected_to("Bob").await?;
    for start in ["http://-", "http://a@"] {
        write(&ada, &format!("{}{}", start.repeat(50), ")".repeat(4_000))).await?;
        ada.click("chat-send").await?;
    }
    write(&ada, "你好https://example.org/a。http://[::1]:8080/x «Https://example.org…»").await?;
    ada.click("chat-send").await?;
    let links = ["https://example.org/a", "http://[::1]:8080/x", "https://example.org/"];
    let shows_all = |page: &sightline_e2e::snapshot::Snapshot| {
        page.messages.len() == 3
            && page.messages[0].links.is_empty()
            && page.messages[1].links.is_empty()
            && page.messages[2].links == links
    };
    for page in [&ada, &bob] {
        page.until("the half-links are text and the links are links", shows_all).await?;
    }
    bob.reload().await?;
    bob.until("they are again after a reload", shows_all).await?;
    bob.until_connected_to("Ada").await?;
    bob.say("still here").await?;
    ada.until_received("still here").await?;
    Ok(())
}

async fn only_a_sent_message_empties_the_message_field(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.enter_with("drafts", "\u{ad}A\u{3164}da\u{202e}\u{e0041}", "source=none").await?;
    let seen = page.until("there is a tile", |page| !page.tiles.is_empty()).await?;
    assert_eq!(seen.tiles[0].name, "Ada");

    let unseen = "\u{200b}\n\u{2800} \u{3164}\u{e0041}";
    write(&page, unseen).await?;
    page.click("chat-send").await?;
    assert_eq!(draft(&page).await?, unseen, "an unsent draft stays");

    let longest = "x".repeat(16 * 1024);
    write(&page, &format!("{longest}\n")).await?;
    page.click("chat-send").await?;
    page.until("it is sent", |page| page.messages.len() == 1).await?;
    assert_eq!(draft(&page).await?, "");

    let too_long = format!("{longest}你好");
    write(&page, &too_long).await?;
    page.click("chat-send").await?;
    let seen = page
        .until("it is too long", |page| page.notices.iter().any(|notice| notice.code == "message-too-long"))
        .await?;
    assert_eq!(seen.messages.len(), 1, "the invisible or the overlong message was sent");
    assert!(seen.shows("chat-excess"));
    let excess = "return document.querySelector('[data-testid=\"chat-excess\"]').dataset.characters";
    assert_eq!(page.execute::<String>(excess, vec![]).await?, "2");
    assert_eq!(draft(&page).await?, too_long);

    write(&page, "short").await?;
    page.click("chat-send").await?;
    page.until("it is sent and nothing is wrong any more", |page| {
        page.messages.len() == 2 && page.notices.is_empty() && !page.shows("chat-excess")
    })
    .await?;
    Ok(())
}

/// Puts a draft into the field at once, as a paste does.
async fn write(page: &Page, text: &str) -> Result<()> {
    page.until("there is a field to write in", |page| page.shows("chat-input")).await?;
    page.execute(
        "const field = document.querySelector('[data-testid=\"chat-input\"]');
         field.value = arguments[0];
         field.dispatchEvent(new InputEvent('input', { bubbles: true }));",
        vec![json!(text)],
    )
    .await
}

async fn draft(page: &Page) -> Result<String> {
    page.execute("return document.querySelector('[data-testid=\"chat-input\"]').value", vec![]).await
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
