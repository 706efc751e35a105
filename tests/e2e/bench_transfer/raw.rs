//! Bare data channels between two pages, driven by the script in this folder.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use sightline_e2e::page::Page;

use super::Rate;

/// The parameters of one cell of the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) message_bytes: usize,
    /// The high watermark of each channel; the low watermark is half of it.
    pub(super) buffer_bytes: usize,
    pub(super) connections: usize,
}

/// `PairDrop`'s published constants: chunks of 64,000 bytes, and a wait for the receiver after every million.
const STOP_AND_WAIT_MESSAGE_BYTES: usize = 64_000;
const STOP_AND_WAIT_PART_BYTES: usize = 1_000_000;
/// Bytes between two reports of the receiver.
const TOLD_BYTES: usize = 128 * 1024;

/// Loads the script into both pages.
pub(super) async fn prepare(pages: [&Page; 2]) -> Result<()> {
    for page in pages {
        page.open("/").await?;
        let () = page.execute(include_str!("raw.js"), vec![]).await?;
        let () = page.execute("return raw.prepare()", vec![]).await?;
    }
    Ok(())
}

/// Sends this many bytes, or as many as possible in this time.
pub(super) async fn send([from, to]: [&Page; 2], bytes: usize, cell: Cell, limit: Duration) -> Result<Rate> {
    connect([from, to], cell.connections, false).await?;
    let () = to.execute("return raw.receive(...arguments)", vec![json!(bytes), json!(TOLD_BYTES)]).await?;
    let arguments = [bytes, cell.message_bytes, cell.buffer_bytes, usize::try_from(limit.as_millis())?];
    let (there, ms) = from
        .execute("return raw.send(...arguments)", arguments.iter().map(|number| json!(number)).collect())
        .await?;
    Ok(Rate::new(there, ms))
}

/// The same with stop and wait, over one ordered channel.
pub(super) async fn stop_and_wait([from, to]: [&Page; 2], bytes: usize) -> Result<Rate> {
    connect([from, to], 1, true).await?;
    let part = json!(STOP_AND_WAIT_PART_BYTES);
    let () = to.execute("return raw.receive(...arguments)", vec![json!(bytes), part.clone()]).await?;
    let arguments = vec![json!(bytes), json!(STOP_AND_WAIT_MESSAGE_BYTES), part];
    let (there, ms) = from.execute("return raw.stopAndWait(...arguments)", arguments).await?;
    Ok(Rate::new(there, ms))
}

async fn connect([from, to]: [&Page; 2], connections: usize, is_ordered: bool) -> Result<()> {
    let offers: Vec<String> =
        from.execute("return raw.offer(...arguments)", vec![json!(connections), json!(is_ordered)]).await?;
    let answers: Vec<String> =
        to.execute("return raw.answer(...arguments)", vec![json!(offers), json!(is_ordered)]).await?;
    from.execute("return raw.accept(...arguments)", vec![json!(answers)]).await
}
