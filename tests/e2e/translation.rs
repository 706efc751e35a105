//! A translating browser: it replaces the app's text nodes, except below `translate="no"`, and does so again with later text.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.test_in_each(a_translated_page_keeps_updating)
}

async fn a_translated_page_keeps_updating(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    bob.enter("translated", "Bob").await?;
    ada.open("/").await?;
    ada.until("the first page is there", |page| page.shows("room-input")).await?;
    let () = ada.execute(TRANSLATE, vec![]).await?;
    ada.fill("room-input", "translated").await?;
    ada.click("go").await?;
    ada.fill("name-input", "Ada").await?;
    ada.click("join").await?;
    ada.until_connected_to("Bob").await?;
    ada.until_picture_moves("Bob").await?;
    bob.until_connected_to("Ada").await?;

    ada.click("stats-toggle").await?;
    ada.click("stats-expand").await?;
    until_text_changes(&ada, "[data-metric=receive_bitrate] dd").await?;
    until_text_changes(&ada, "[data-metric=frames_per_second] dd, [data-metric=send_bitrate] dd").await?;
    ada.click("run-start").await?;
    until_text_changes(&ada, "[data-testid=run]").await?;
    ada.click("run-stop").await?;
    ada.click("stats-toggle").await?;

    bob.say("good morning").await?;
    let seen = ada.until_received("good morning").await?;
    ensure!(
        seen.message("good morning").is_some_and(|message| message.text.contains("Bob")),
        "{:#?}",
        seen.messages
    );
    ada.say("hello").await?;
    ada.until_delivered("hello").await?;
    // The excess of a draft that is too long.
    for excess in 1..=3 {
        let () = ada.execute(WRITE_DRAFT, vec!["x".repeat(16 * 1024 + excess).into()]).await?;
        until(&format!("{excess} to be shown as too much"), PATIENCE, async || {
            let shown: Option<String> = ada.execute(READ, vec!["[data-testid=chat-excess]".into()]).await?;
            let is_shown = shown.as_ref().is_some_and(|shown| shown.contains(&excess.to_string()));
            Ok(if is_shown { Ok(()) } else { Err(format!("{shown:?}")) })
        })
        .await?;
    }
    let () = ada.execute(WRITE_DRAFT, vec!["".into()]).await?;

    // Everything is opened, and the language is changed during the translation.
    for (toggle, what) in [("settings-toggle", "echo-cancellation"), ("share-link", "invitation")] {
        ada.click(toggle).await?;
        ada.until(&format!("{what} is there"), |page| page.shows(what)).await?;
        ada.press("\u{e00c}").await?;
        ada.until(&format!("{what} is gone"), |page| !page.shows(what)).await?;
    }
    for language in ["zh-CN", "en"] {
        ada.click("settings-toggle").await?;
        ada.until("the settings are there", |page| page.shows("language")).await?;
        let () = ada.execute(CHOOSE_LANGUAGE, vec![language.into()]).await?;
        ada.until(&format!("the page is {language}"), |page| page.language == language).await?;
        ada.press("\u{e00c}").await?;
    }
    bob.click("leave").await?;
    ada.until("Bob is gone", |page| page.tiles.len() == 1 && page.announcement.contains("Bob")).await?;
    let translated: u32 = ada.execute("return document.querySelectorAll('font').length", vec![]).await?;
    ensure!(translated > 10, "the translator touched only {translated} places");
    ada.click("leave").await?;
    // The report of the measurement is not saved.
    ada.click("leave-confirm").await?;
    ada.until("Ada has left", |page| page.shows("you-left")).await?;
    Ok(())
}

/// Waits until the text there was different three times.
async fn until_text_changes(page: &Page, selector: &str) -> Result<()> {
    let mut read: Vec<String> = Vec::new();
    until(&format!("{selector} to change"), PATIENCE, async || {
        let now: Option<String> = page.execute(READ, vec![selector.into()]).await?;
        read.extend(now.filter(|now| !read.contains(now)));
        Ok(if read.len() >= 3 { Ok(()) } else { Err(format!("{read:?}")) })
    })
    .await
}

const READ: &str =
    "return [...document.querySelectorAll(arguments[0])].map((part) => part.innerText).join(' ') || null";
const WRITE_DRAFT: &str = "
    const field = document.querySelector('[data-testid=chat-input]');
    field.value = arguments[0];
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));";
const CHOOSE_LANGUAGE: &str = "
    const select = document.querySelector('[data-testid=language]');
    select.value = arguments[0];
    select.dispatchEvent(new Event('change', { bubbles: true }));";
const TRANSLATE: &str = "
    const isLeftAlone = (node) =>
      node.parentElement?.closest('[translate=no], script, style, textarea, font') || !/\\p{L}/u.test(node.data);
    const translate = (root) => {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      const found = [];
      while (walker.nextNode()) if (!isLeftAlone(walker.currentNode)) found.push(walker.currentNode);
      for (const node of found) {
        const [outer, inner] = [document.createElement('font'), document.createElement('font')];
        inner.textContent = node.data;
        outer.append(inner);
        node.replaceWith(outer);
      }
    };
    translate(document.body);
    new MutationObserver(() => translate(document.body)).observe(document.body, { childList: true, subtree: true, characterData: true });";
