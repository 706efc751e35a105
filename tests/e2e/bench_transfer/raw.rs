//! Bare data channels between two pages, driven by the script beside this.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use sightline_e2e::page::Page;

/// How bytes are sent in one cell of the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) message_bytes: usize,
    /// The high watermark of each channel.
    pub(super) buffer_bytes: usize,
    pub(super) connections: usize,
}

/// `PairDrop`'s published constants: chunks of 64,000 bytes, and after every million the receiver is waited for.
const STOP_AND_WAIT_MESSAGE_BYTES: usize = 64_000;
const STOP_AND_WAIT_PART_BYTES: usize = 1_000_000;

/// Loads the script into both pages.
pub(super) async fn prepare(pages: [&Page; 2]) -> Result<()> {
    for page in pages {
        page.open("/").await?;
        let () = page.execute(include_str!("raw.js"), vec![]).await?;
        let () = page.execute("return raw.prepare()", vec![]).await?;
    }
    Ok(())
}

/// Sends so many bytes; how long it took until they were there.
pub(super) async fn send([from, to]: [&Page; 2], bytes: usize, cell: Cell) -> Result<Duration> {
    connect([from, to], cell.connections, false).await?;
    let () = to.execute("return raw.receive(...arguments)", vec![json!(bytes), json!(bytes)]).await?;
    let arguments = vec![json!(bytes), json!(cell.message_bytes), json!(cell.buffer_bytes)];
    let ms: f64 = from.execute("return raw.send(...arguments)", arguments).await?;
    Ok(Duration::from_secs_f64(ms / 1000.0))
}

/// The same by stop and wait, over one ordered channel.
pub(super) async fn stop_and_wait([from, to]: [&Page; 2], bytes: usize) -> Result<Duration> {
    connect([from, to], 1, true).await?;
    let part = json!(STOP_AND_WAIT_PART_BYTES);
    let () = to.execute("return raw.receive(...arguments)", vec![json!(bytes), part.clone()]).await?;
    let arguments = vec![json!(bytes), json!(STOP_AND_WAIT_MESSAGE_BYTES), part];
    let ms: f64 = from.execute("return raw.stopAndWait(...arguments)", arguments).await?;
    Ok(Duration::from_secs_f64(ms / 1000.0))
}

async fn connect([from, to]: [&Page; 2], connections: usize, is_ordered: bool) -> Result<()> {
    let offers: Vec<String> =
        from.execute("return raw.offer(...arguments)", vec![json!(connections), json!(is_ordered)]).await?;
    let answers: Vec<String> =
        to.execute("return raw.answer(...arguments)", vec![json!(offers), json!(is_ordered)]).await?;
    from.execute("return raw.accept(...arguments)", vec![json!(answers)]).await
}
