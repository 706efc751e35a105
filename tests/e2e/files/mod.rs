//! Transfers of files between two people.

mod arriving;
mod choosing;
mod equal_files;
mod failing;
mod queue;
mod saving;
mod without_call;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sha2::{Digest, Sha256};
use sightline_e2e::{
    page::Page,
    stage::{Pair, Scene, Stage},
};
use tempfile::TempDir;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        arriving::tests(stage),
        choosing::tests(stage),
        equal_files::tests(stage),
        queue::tests(stage),
        failing::tests(stage),
        saving::tests(stage),
        without_call::tests(stage),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Temporary files of this computer.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(TempDir::new()?))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Creates an incompressible file, different for each name. Returns its path and SHA-256.
    pub(crate) fn file(&self, name: &str, size_bytes: usize) -> Result<(PathBuf, String)> {
        let mut state = name.bytes().fold(1_u64, |state, byte| state.wrapping_mul(31) + u64::from(byte));
        let mut bytes = Vec::with_capacity(size_bytes + 8);
        while bytes.len() < size_bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        bytes.truncate(size_bytes);
        let path = self.0.path().join(name);
        fs::write(&path, &bytes)?;
        Ok((path, Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

/// Two connected members without cameras.
async fn two(scene: &Scene, pair: Pair) -> Result<[Arc<Page>; 2]> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter_with("files", "Ada", "source=none").await?;
    bob.enter_with("files", "Bob", "source=none").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    Ok([ada, bob])
}

async fn arrives(to: &Page, from: &Page, name: &str, sha256: &str) -> Result<()> {
    let received = to.until_transfer(name, "done").await?;
    let sent = from.until_transfer(name, "done").await?;
    assert_eq!(received.hash.as_deref(), Some(sha256));
    assert_eq!(sent.hash.as_deref(), Some(sha256));
    assert_eq!((received.bytes, sent.bytes), (received.size, sent.size));
    assert_eq!(to.stored_sha256(&received.id).await?, sha256);
    assert!(received.can_be_saved && !sent.can_be_saved);
    Ok(())
}

/// Sends another file after those failures.
async fn another_arrives(folder: &Folder, from: &Page, to: &Page) -> Result<()> {
    let (last, sha256) = folder.file("last.bin", 1_000_000)?;
    from.offer(&[&last]).await?;
    to.until_transfer("last.bin", "offered").await?;
    to.click_in_transfer("last.bin", "transfer-accept").await?;
    arrives(to, from, "last.bin", &sha256).await
}

/// Pauses a transfer once it has this many bytes. The page itself does it, since from outside it may be over before the click.
async fn hold_back(page: &Page, name: &str, bytes: u64) -> Result<()> {
    let () = page.execute(HOLD_BACK, vec![json!(name), json!(bytes)]).await?;
    page.until_transfer(name, "paused").await?;
    Ok(())
}

/// Clicks on pause as soon as a transfer shows this many bytes.
const HOLD_BACK: &str = "
    const [name, bytes] = arguments;
    const transfer = document.querySelector(`[data-testid=\"transfer\"][data-name=\"${name}\"]`);
    const hold = () => {
      const pause = transfer.querySelector('[data-testid=\"transfer-pause\"]');
      const isTime = pause && Number(transfer.dataset.bytes) >= bytes;
      if (isTime) pause.click();
      return isTime;
    };
    const watch = new MutationObserver(() => hold() && watch.disconnect());
    if (!hold()) watch.observe(transfer, { attributes: true, childList: true, subtree: true });
    return null;";
