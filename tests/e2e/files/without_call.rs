//! Files sent from the first page: no lobby, no devices, and two taps for the receiver.

use std::sync::Arc;

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

use super::{Folder, arrives, choosing::DROP_OR_PASTE};
use crate::{consent::captures, small_windows::keep};

pub(super) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_file_sent_from_the_first_page_arrives_after_two_taps_on_a_phone),
        stage.test_in_each(files_that_another_app_shares_wait_in_a_room_of_their_own),
        stage.test_in_each(files_that_are_dropped_or_pasted_on_the_first_page_wait_in_a_room_of_their_own),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn files_that_are_dropped_or_pasted_on_the_first_page_wait_in_a_room_of_their_own(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    for (event, name) in [("drop", "dropped.txt"), ("paste", "pasted.txt")] {
        ada.open("/?probe=person").await?;
        ada.until("the first page is there", |page| page.shows("send-files")).await?;
        until("the page takes files", PATIENCE, async || {
            let taken: bool = ada.execute(DROP_OR_PASTE, vec![json!(event), json!(name)]).await?;
            Ok(if taken { Ok(()) } else { Err("it did not".to_owned()) })
        })
        .await?;
        let room = ada.until("the file waits", |page| page.shows("transfer-backlog")).await?;
        let invitation = room.invitation.context("no invitation")?;
        assert!(invitation.contains("?files=1#"), "{invitation}");
        bob.open(&invitation.replace("?files=1", "?files=1&probe=person")).await?;
        bob.until("the lobby is there", |page| page.shows("join") && page.shows("protection")).await?;
        bob.click("join").await?;
        let offered = bob.until_transfer(name, "offered").await?;
        assert_eq!(bob.look().await?.transfers.len(), 1, "{offered:?}");
        bob.click("leave").await?;
    }
    assert!(captures(&ada).await?.is_empty(), "a device was asked for");
    Ok(())
}

async fn files_that_another_app_shares_wait_in_a_room_of_their_own(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let names = ["holiday 1.jpg", "Grüße 😀.txt"];
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.open("/?probe=installed").await?;
    until("the share worker runs", PATIENCE, async || {
        let runs: bool = ada.execute("return navigator.serviceWorker.controller !== null", vec![]).await?;
        Ok(if runs { Ok(()) } else { Err("it does not".to_owned()) })
    })
    .await?;
    let () = ada.execute(SHARE, vec![json!(names)]).await?;
    // Any web page can do the same, so a person decides.
    let asked = ada.until("the files are shown", |page| page.shows("shared-files")).await?;
    assert!(!asked.shows("room") && asked.path == "/", "{asked:?}");
    keep(&ada, &format!("shared-files-{}", engine.name())).await?;
    ada.click("shared-send").await?;
    let room = ada.until("the files wait", |page| page.shows("transfer-backlog")).await?;
    let invitation = room.invitation.context("no invitation")?;
    bob.open(&invitation.replace("?files=1", "?files=1&probe=person")).await?;
    bob.until("the lobby is there", |page| page.shows("join") && page.shows("protection")).await?;
    bob.click("join").await?;
    for name in names {
        bob.until_transfer(name, "offered").await?;
    }
    bob.click("transfer-accept-all").await?;
    for name in names {
        bob.until_transfer(name, "done").await?;
    }
    ada.open("/?shared").await?;
    ada.until("the page says that nothing came", |page| page.shows("shared-lost")).await?;
    Ok(())
}

/// Sends files to the page as the system does when a person shares them with the installed app.
const SHARE: &str = "
    const files = new DataTransfer();
    for (const name of arguments[0]) files.items.add(new File([`in ${name}`], name, { type: 'text/plain' }));
    const form = Object.assign(document.createElement('form'), {
      method: 'post', action: 'shared', enctype: 'multipart/form-data',
    });
    const input = Object.assign(document.createElement('input'), { type: 'file', name: 'files', multiple: true });
    input.files = files.files;
    form.append(input);
    document.body.append(form);
    form.submit();
    return null;";

async fn a_file_sent_from_the_first_page_arrives_after_two_taps_on_a_phone(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let (photo, sha256) = folder.file("photo.jpg", 2_000_000)?;
    let [ada, bob] = scene.pages_in([engine, engine]).await?;
    bob.set_viewport(390, 844).await?;

    ada.open("/?probe=person").await?;
    ada.click("send-files").await?;
    let room = ada
        .until("the link and its code are there", |page| page.shows("room") && page.shows("qr-code"))
        .await?;
    let invitation = room.invitation.context("no invitation")?;
    assert!(invitation.contains("?files=1#"), "{invitation}");
    ada.offer(&[&photo]).await?;
    ada.until("the file waits", |page| page.shows("transfer-backlog")).await?;

    bob.open(&invitation.replace("?files=1", "?files=1&probe=person")).await?;
    bob.until("the lobby is there", |page| page.shows("join") && page.shows("protection")).await?;
    bob.click("join").await?;
    bob.until("the file is offered", |page| page.shows("file-offer-accept")).await?;
    bob.click("file-offer-accept").await?;
    arrives(&bob, &ada, "photo.jpg", &sha256).await?;
    bob.until("the file can be saved", |page| page.shows("transfer-save")).await?;
    for page in [&ada, &bob] {
        assert!(captures(page).await?.is_empty(), "a device was asked for");
    }
    Ok(())
}
