//! Files that differ only in their bytes.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sha2::{Digest, Sha256};
use sightline_e2e::{
    browser::Engine,
    page::Page,
    snapshot::Snapshot,
    stage::{Scene, Stage},
};

use super::{Folder, two};

pub(super) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.test_in_each(two_files_that_are_equal_in_name_size_and_time_keep_their_own_bytes_after_a_reload)
}

async fn two_files_that_are_equal_in_name_size_and_time_keep_their_own_bytes_after_a_reload(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let root = folder.path().join("work");
    let hashes = folder_of_equals(&root)?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    choose_equals(&ada, engine, &root).await?;
    bob.until("both are offered", |page| page.transfers.len() == 2).await?;
    // The first one stops on its way, the other before it began.
    let () = ada.execute(HOLD_BACK_BOTH, vec![json!([2_000_000, 0])]).await?;
    bob.click("transfer-accept-all").await?;
    let is_held = |page: &Snapshot| page.transfers.iter().all(|transfer| transfer.state == "paused");
    ada.until("both are held back", is_held).await?;
    ada.reload().await?;
    ada.until_connected_to("Bob").await?;
    ada.until("both are asked for again", |page| page.transfers.len() == 2 && is_held(page)).await?;
    choose_equals(&ada, engine, &root).await?;
    let is_done = |page: &Snapshot| page.transfers.iter().all(|transfer| transfer.state == "done");
    let sent = ada.until_for(PATIENCE, "both are sent", is_done).await?;
    let received = bob.until_for(PATIENCE, "both are there", is_done).await?;
    assert_eq!((sent.transfers.len(), received.transfers.len()), (2, 2), "nothing is offered twice");
    for (folder, sha256) in ["work/a", "work/b"].into_iter().zip(&hashes) {
        let of = |page: &Snapshot| {
            page.transfers.iter().find(|transfer| transfer.text.contains(folder)).cloned().unwrap_or_default()
        };
        assert_eq!(of(&sent).hash.as_ref(), Some(sha256), "{folder}");
        assert_eq!(of(&received).hash.as_ref(), Some(sha256), "{folder}");
        assert_eq!(bob.stored_sha256(&of(&received).id).await?, *sha256, "{folder}");
    }
    Ok(())
}

/// Creates a folder with `a/data.bin` and `b/data.bin`, equal in size and time. Returns the SHA-256 of each.
fn folder_of_equals(root: &Path) -> Result<[String; 2]> {
    let mut hashes = [String::new(), String::new()];
    for (at, folder) in ["a", "b"].into_iter().enumerate() {
        let bytes: Vec<u8> =
            (0..EQUALS_BYTES).map(|byte| (byte * 31 + byte / 256 + at * 100) as u8).collect();
        fs::create_dir_all(root.join(folder))?;
        let path = root.join(folder).join("data.bin");
        fs::write(&path, &bytes)?;
        let file = fs::OpenOptions::new().write(true).open(&path)?;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))?;
        hashes[at] = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    }
    Ok(hashes)
}

async fn choose_equals(page: &Page, engine: Engine, root: &Path) -> Result<()> {
    match engine {
        Engine::Chromium => page.choose_file("folder-input", root).await,
        Engine::Firefox => page.execute(CHOOSE_EQUALS, vec![json!(EQUALS_BYTES)]).await,
    }
}

/// Size of each file of [`folder_of_equals`], in bytes.
const EQUALS_BYTES: usize = 16_000_000;

const PATIENCE: Duration = Duration::from_secs(90);

/// Clicks on pause as soon as each transfer shows this many bytes.
const HOLD_BACK_BOTH: &str = "
    const [bytes] = arguments;
    const transfers = document.querySelectorAll('[data-testid=\"transfer\"]');
    bytes.forEach((least, at) => {
      const hold = () => {
        const pause = transfers[at].querySelector('[data-testid=\"transfer-pause\"]');
        const isTime = pause && Number(transfers[at].dataset.bytes) >= least;
        if (isTime) pause.click();
        return isTime;
      };
      const watch = new MutationObserver(() => hold() && watch.disconnect());
      if (!hold()) watch.observe(transfers[at], { attributes: true, childList: true, subtree: true });
    });
    return null;";

/// Chooses the folder of [`folder_of_equals`] where a driver cannot choose folders.
const CHOOSE_EQUALS: &str = "
    const [size] = arguments;
    const input = document.querySelector('[data-testid=\"folder-input\"]');
    const chosen = new DataTransfer();
    const paths = new Map();
    ['work/a/data.bin', 'work/b/data.bin'].forEach((path, at) => {
      const bytes = new Uint8Array(size);
      for (let byte = 0; byte < size; byte += 1) bytes[byte] = byte * 31 + Math.floor(byte / 256) + at * 100;
      const file = new File([bytes], 'data.bin', { lastModified: 1_700_000_000_000 });
      chosen.items.add(file);
      paths.set(at, path);
    });
    input.files = chosen.files;
    [...input.files].forEach((file, at) => {
      Object.defineProperty(file, 'webkitRelativePath', { value: paths.get(at) });
    });
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return null;";
