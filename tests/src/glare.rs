//! Two pages that negotiate at the same time.

use std::time::Duration;

use anyhow::Result;

use crate::{page::Page, wait::until};

const PATIENCE: Duration = Duration::from_secs(20);

/// Repeats the browser's `negotiationneeded`. Returns how often the page was stable before.
const WANT: &str = "
    const { connections, exchanges } = sightlineProbe;
    connections.at(-1).dispatchEvent(new Event('negotiationneeded'));
    return exchanges;";
const STABLE: &str = "
    const { connections, exchanges } = sightlineProbe;
    return connections.at(-1).signalingState === 'stable' ? exchanges : -1;";

/// Makes both pages begin an exchange, and waits until both are stable again. Whether the two offers collided is chance: see
/// [`rollbacks`].
///
/// # Errors
/// Where one of them is not stable in time.
pub async fn renegotiate_from_both_sides(pages: [&Page; 2]) -> Result<()> {
    let [one, other] = pages;
    let before: (i64, i64) = tokio::try_join!(one.execute(WANT, vec![]), other.execute(WANT, vec![]))?;
    until("both to be stable again, after an exchange", PATIENCE, async || {
        let (of_one, of_other): (i64, i64) =
            tokio::try_join!(one.execute(STABLE, vec![]), other.execute(STABLE, vec![]))?;
        let is_over = of_one > before.0 && of_other > before.1;
        Ok(if is_over { Ok(()) } else { Err(format!("{before:?}, then {of_one} and {of_other}")) })
    })
    .await
}

/// How often a page rolled back its offer for the other's.
///
/// # Errors
/// Where the page does not answer.
pub async fn rollbacks(page: &Page) -> Result<u32> {
    page.execute("return sightlineProbe.rollbacks", vec![]).await
}

/// How many peer connections a page has made.
///
/// # Errors
/// Where the page does not answer.
pub async fn connections(page: &Page) -> Result<usize> {
    page.execute("return sightlineProbe.connections.length", vec![]).await
}
