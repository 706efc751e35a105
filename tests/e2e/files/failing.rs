//! Files that cannot be read, stored or sent any further.

use std::{fs, io::Write, sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    snapshot::Snapshot,
    stage::{Scene, Stage},
};

use super::{Folder, another_arrives, arrives, hold_back, two};

pub(super) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let in_each = [
        stage.test_in_each(files_that_cannot_be_read_or_stored_fail_on_both_sides_and_others_arrive),
        stage.test_in_each(a_file_that_changes_while_it_is_sent_fails_on_both_sides_and_others_arrive),
        stage.test_in_each(a_file_for_a_member_that_left_waits_and_says_so),
    ];
    let in_one = stage.test(cleared_storage_fails_a_transfer_on_both_sides_and_others_arrive);
    in_each.into_iter().flatten().chain([in_one]).collect()
}

async fn files_that_cannot_be_read_or_stored_fail_on_both_sides_and_others_arrive(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (removed, _) = folder.file("removed.bin", 40_000_000)?;
    let (good, sha256) = folder.file("good.bin", 2_000_000)?;
    ada.offer(&[&removed, &good]).await?;
    bob.until_transfer("good.bin", "offered").await?;
    fs::remove_file(&removed)?;
    bob.click("transfer-accept-all").await?;
    for page in [&ada, &bob] {
        let failed = page.until_transfer("removed.bin", "failed").await?;
        let code = failed.code.as_deref();
        assert!(matches!(code, Some("file-unreadable" | "file-changed")), "{failed:?}");
    }
    arrives(&bob, &ada, "good.bin", &sha256).await?;

    // More than any disk can hold.
    let huge: bool = ada.execute(CHOOSE_HUGE, vec![json!("huge.bin")]).await?;
    assert!(huge);
    bob.until_transfer("huge.bin", "offered").await?;
    bob.click_in_transfer("huge.bin", "transfer-accept").await?;
    for page in [&bob, &ada] {
        let failed = page.until_transfer("huge.bin", "failed").await?;
        assert_eq!(failed.code.as_deref(), Some("disk-full"), "{failed:?}");
    }
    another_arrives(&folder, &ada, &bob).await
}

async fn a_file_that_changes_while_it_is_sent_fails_on_both_sides_and_others_arrive(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (film, _) = folder.file("film.bin", 40_000_000)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    hold_back(&ada, "film.bin", 1_000_000).await?;
    // In place, with the same length.
    let mut file = fs::OpenOptions::new().write(true).open(&film)?;
    file.write_all(b"Another beginning")?;
    drop(file);
    ada.click_in_transfer("film.bin", "transfer-pause").await?;
    for page in [&ada, &bob] {
        let failed = page.until_transfer("film.bin", "failed").await?;
        assert_eq!(failed.code.as_deref(), Some("file-changed"), "{failed:?}");
    }
    another_arrives(&folder, &ada, &bob).await
}

async fn a_file_for_a_member_that_left_waits_and_says_so(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (film, _) = folder.file("film.bin", 64 * 1024 * 1024)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    hold_back(&ada, "film.bin", 1_000_000).await?;
    ada.expect_console_error("ICE failed");
    scene.lose_power(&bob).await?;
    let is_gone =
        |page: &Snapshot| page.transfer("film.bin").is_some_and(|transfer| transfer.reach == "gone");
    let page = ada.until_for(GONE_PATIENCE, "the other side is gone", is_gone).await?;
    let transfer = page.transfer("film.bin").cloned().unwrap_or_default();
    assert_eq!(transfer.state, "paused");
    assert!(transfer.text.contains("it goes on if they come back"), "{transfer:?}");
    Ok(())
}

/// Clears the site's data, as a person does. Only Chromium lets a test do that.
async fn cleared_storage_fails_a_transfer_on_both_sides_and_others_arrive(scene: &Scene) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [Engine::Chromium, Engine::Chromium]).await?;
    let (film, _) = folder.file("film.bin", 64 * 1024 * 1024)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    hold_back(&ada, "film.bin", 1_000_000).await?;
    let origin: String = bob.execute("return location.origin", vec![]).await?;
    let clearing = json!({ "origin": origin, "storageTypes": "file_systems" });
    bob.browser.driver.cdp().send_raw("Storage.clearDataForOrigin", clearing).await?;
    ada.click_in_transfer("film.bin", "transfer-pause").await?;
    for page in [&bob, &ada] {
        let failed = page.until_transfer("film.bin", "failed").await?;
        // A private window reports that the disk is full.
        let code = failed.code.as_deref();
        assert!(matches!(code, Some("storage-refused" | "disk-full")), "{failed:?}");
    }
    another_arrives(&folder, &ada, &bob).await
}

/// Time for a browser to notice that the other side lost power, and for the server to give up the seat.
const GONE_PATIENCE: Duration = Duration::from_secs(90);

/// Chooses a file that claims to have four petabytes.
const CHOOSE_HUGE: &str = "
    const [name] = arguments;
    const input = document.querySelector('[data-testid=\"file-input\"]');
    const chosen = new DataTransfer();
    chosen.items.add(new File(['some text'], name, { lastModified: 7 }));
    const { get } = Object.getOwnPropertyDescriptor(Blob.prototype, 'size');
    Object.defineProperty(Blob.prototype, 'size', {
      get() {
        return this.name === name ? 2 ** 52 : get.call(this);
      },
    });
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return true;";
