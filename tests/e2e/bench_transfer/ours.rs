//! Sends a file from one page to the other, as a person does.

use std::{path::Path, time::Duration};

use anyhow::Result;
use serde_json::json;
use sightline_e2e::page::Page;

use super::Rate;

const PATIENCE: Duration = Duration::from_secs(600);

/// Records when the transfer of the file with this name is complete, and clicks on accept.
const ACCEPT: &str = "
    const [name] = arguments;
    const transfer = document.querySelector(`[data-testid=\"transfer\"][data-name=\"${name}\"]`);
    const began = performance.now();
    window.sightlineTook = null;
    new MutationObserver(() => {
      if (transfer.dataset.state === 'done') window.sightlineTook ??= performance.now() - began;
    }).observe(transfer, { attributes: true });
    transfer.querySelector('[data-testid=\"transfer-accept\"]').click();
    return null;";

/// Both pages enter a new room.
pub(super) async fn enter([from, to]: [&Page; 2], room: &str) -> Result<()> {
    enter_alone(from, room, "Ada").await?;
    enter_alone(to, room, "Bob").await?;
    from.until_connected_to("Bob").await?;
    to.until_connected_to("Ada").await?;
    Ok(())
}

/// A page enters a room. Without a granted device, addresses are hidden behind names that cannot be resolved there.
pub(super) async fn enter_alone(page: &Page, room: &str, name: &str) -> Result<()> {
    const GRANT: &str = "return (async () => { window.granted = await navigator.mediaDevices.getUserMedia({ audio: true }); })()";
    page.enter_with(room, name, "source=none").await?;
    page.execute(GRANT, vec![]).await
}

/// Sends a file. Returns the time from the click on accept until it is verified and stored.
pub(super) async fn send([from, to]: [&Page; 2], file: &Path, name: &str, bytes: usize) -> Result<Rate> {
    from.offer(&[file]).await?;
    to.until_transfer(name, "offered").await?;
    accept(to, name, bytes).await
}

/// Accepts a file. Returns the time from the click until it is verified and stored.
pub(super) async fn accept(to: &Page, name: &str, bytes: usize) -> Result<Rate> {
    let () = to.execute(ACCEPT, vec![json!(name)]).await?;
    to.until_for(PATIENCE, "the file is there", |page| {
        page.transfer(name).is_some_and(|transfer| transfer.state == "done")
    })
    .await?;
    let ms: f64 = to.execute("return sightlineTook", vec![]).await?;
    Ok(Rate::new(bytes, ms))
}
