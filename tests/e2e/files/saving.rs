//! Saving many received files at once, clearing the list, and what a row shows.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

use super::{Folder, two};
use crate::small_windows::keep;

/// The second one is longer than any row.
const NAMES: [&str; 3] =
    ["plan.txt", "photos-of-the-journey-through-the-mountains-2026-08-14.jpeg", "Makefile"];

pub(super) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(received_files_are_saved_together_in_a_folder_or_an_archive_and_cleared),
        stage.test_in_each(a_message_is_copied_with_one_tap),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn received_files_are_saved_together_in_a_folder_or_an_archive_and_cleared(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = scene.pages_in([engine, engine]).await?;
    ada.enter_with("files", "Ada", "source=none").await?;
    bob.enter_with("files", "Bob", "source=none&lang=zh-CN").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    for (saved_in, theme, (width, height)) in
        [("folder", "light", (390, 844)), ("archive", "dark", (1280, 800))]
    {
        bob.set_viewport(width, height).await?;
        let () =
            bob.execute("document.documentElement.dataset.theme = arguments[0]", vec![json!(theme)]).await?;
        let mut expected = Vec::new();
        for name in NAMES {
            let name = format!("{saved_in}-{name}");
            let (path, sha256) = folder.file(&name, 1_500_000)?;
            ada.offer(&[&path]).await?;
            expected.push((name, sha256));
        }
        bob.until("all are offered", |page| {
            page.transfers.iter().filter(|transfer| transfer.state == "offered").count() == NAMES.len()
        })
        .await?;
        if bob.look().await?.shows("file-offer-show") {
            bob.click("file-offer-show").await?;
        }
        is_in_view(&bob, &format!("{saved_in}-{}", NAMES[2])).await?;
        keep(&bob, &format!("files-offered-{saved_in}")).await?;
        bob.click("transfer-accept-all").await?;
        for (name, sha256) in &expected {
            assert_eq!(bob.until_transfer(name, "done").await?.hash.as_ref(), Some(sha256));
        }
        let shown: bool = bob.execute(SHOWS_THE_END, vec![json!(format!("{saved_in}-{}", NAMES[1]))]).await?;
        assert!(shown, "the extension of the long name is cut off");
        keep(&bob, &format!("files-done-{saved_in}")).await?;

        let () = bob.execute(PREPARE, vec![json!(saved_in)]).await?;
        bob.click("transfer-save-all").await?;
        bob.until("all are saved", |page| !page.shows("transfer-save-all")).await?;
        let mut saved: Vec<(String, String)> = bob.execute(READ, vec![json!(saved_in)]).await?;
        saved.sort();
        expected.sort();
        assert_eq!(saved, expected);
        bob.click("transfer-clear").await?;
        bob.until("the list is empty", |page| page.transfers.is_empty()).await?;
    }
    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    assert!(bob.look().await?.transfers.is_empty(), "a cleared file came back");
    Ok(())
}

async fn a_message_is_copied_with_one_tap(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = two(scene, [Engine::Chromium, engine]).await?;
    ada.say("https://example.org/a/b?c=d#e").await?;
    bob.until_received("example.org").await?;
    let () = bob.execute(RECORD_CLIPBOARD, vec![]).await?;
    bob.focus("chat-copy").await?;
    bob.click("chat-copy").await?;
    until("the clipboard has the link", PATIENCE, async || {
        let copied: Option<String> = bob.execute("return window.copied ?? null", vec![]).await?;
        Ok(if copied.as_deref() == Some("https://example.org/a/b?c=d#e") {
            Ok(())
        } else {
            Err(format!("{copied:?}"))
        })
    })
    .await?;
    keep(&bob, "message-copied").await
}

/// Whether the row of a transfer is inside the visible part of the list.
async fn is_in_view(page: &Page, name: &str) -> Result<()> {
    until(&format!("{name} scrolled into view"), PATIENCE, async || {
        let is_seen: bool = page.execute(IS_IN_VIEW, vec![json!(name)]).await?;
        Ok(if is_seen { Ok(()) } else { Err("it is outside".to_owned()) })
    })
    .await?;
    let above: bool = page.execute(IS_ANSWER_IN_VIEW, vec![]).await?;
    ensure!(above, "the button that accepts all scrolled out of view");
    Ok(())
}

const IS_IN_VIEW: &str = "
    const row = document.querySelector(`[data-testid=\"transfer\"][data-name=\"${arguments[0]}\"]`);
    const [inner, outer] = [row, document.querySelector('[data-testid=shelf]')].map((part) => part.getBoundingClientRect());
    return inner.height > 0 && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;";
const IS_ANSWER_IN_VIEW: &str = "
    const button = document.querySelector('[data-testid=transfer-accept-all]');
    const { left, top, width, height } = button.getBoundingClientRect();
    return button.contains(document.elementFromPoint(left + width / 2, top + height / 2));";
/// Whether a row's name is too long for it, and its end is visible nevertheless.
const SHOWS_THE_END: &str = "
    const row = document.querySelector(`[data-testid=\"transfer\"][data-name=\"${arguments[0]}\"]`);
    const [name, begin, end] = ['.transfer-name', '.short-name-begin', '.short-name-end'].map((part) => row.querySelector(part));
    return begin.scrollWidth > begin.clientWidth
      && end.innerText.endsWith('.jpeg')
      && end.getBoundingClientRect().right <= name.getBoundingClientRect().right + 1;";
/// Stands in for the dialog that a test cannot answer, or for a browser without it.
const PREPARE: &str = "
    if (arguments[0] === 'folder') {
      window.showDirectoryPicker = async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle('saved', { create: true });
      return;
    }
    window.showDirectoryPicker = undefined;
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      window.archive = blob;
      return make.call(URL, blob);
    };";
/// Names and hashes of what was saved. The archive is read from its directory.
const READ: &str = "
    const sha256 = async (blob) => {
      const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    const found = [];
    if (arguments[0] === 'folder') {
      return (async () => {
        const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('saved');
        for await (const [name, handle] of folder.entries()) found.push([name, await sha256(await handle.getFile())]);
        return found;
      })();
    }
    return (async () => {
      const archive = window.archive;
      const view = new DataView(await archive.arrayBuffer());
      const end = view.byteLength - 22;
      let at = view.getUint32(end + 16, true);
      for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
        const [size, name, extra] = [view.getUint32(at + 24, true), view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
        const place = view.getUint32(at + 42, true);
        const first = place + 30 + view.getUint16(place + 26, true) + view.getUint16(place + 28, true);
        const text = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, name));
        found.push([text, await sha256(archive.slice(first, first + size))]);
        at += 46 + name + extra;
      }
      return found;
    })();";
const RECORD_CLIPBOARD: &str = "
    Object.defineProperty(navigator, 'clipboard', {
      configurable: true,
      value: { writeText: async (text) => { window.copied = text; } },
    });";
