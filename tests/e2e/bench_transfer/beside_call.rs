//! The effect of a file on a call, over a link with room for the call but not for both.

use std::{env, time::Duration};

use anyhow::Result;
use serde::Deserialize;
use sightline_e2e::{
    netlab::{FarApart, LinkProfile},
    page::Page,
    stage::Scene,
};
use tokio::time::sleep;

use super::{pair, sample_file::SampleFile};

const RATE_BPS: u64 = 3_000_000;
const ROUND_TRIP: Duration = Duration::from_millis(50);
/// More bytes than can be sent in the time.
const FILE_BYTES: usize = 200_000_000;
const NAME: &str = "beside.bin";

/// Records round trips and freezes of every connection with video, four times a second.
const WATCH: &str = "
    clearInterval(window.sightlineCall?.timer);
    const seen = (window.sightlineCall = { media: [], ice: [], freezes: 0, frozen: 0, frames: 0, received: 0 });
    let first = null;
    seen.timer = setInterval(async () => {
      for (const connection of sightlineProbe.connections) {
        if (connection.connectionState !== 'connected') continue;
        for (const entry of (await connection.getStats()).values()) {
          if (entry.type === 'remote-inbound-rtp' && entry.kind === 'video' && entry.roundTripTime > 0) {
            if (seen.at !== entry.timestamp) seen.media.push(entry.roundTripTime * 1000);
            seen.at = entry.timestamp;
          }
          if (entry.type === 'candidate-pair' && entry.nominated && entry.currentRoundTripTime > 0) {
            seen.ice.push(entry.currentRoundTripTime * 1000);
          }
          if (entry.type === 'inbound-rtp' && entry.kind === 'video' && entry.freezeCount !== undefined) {
            first ??= entry;
            seen.freezes = entry.freezeCount - first.freezeCount;
            seen.frozen = entry.totalFreezesDuration - first.totalFreezesDuration;
            seen.frames = entry.framesDecoded - first.framesDecoded;
            seen.received = entry.bytesReceived - first.bytesReceived;
          }
        }
      }
    }, 250);
    return null;";

#[derive(Debug, Deserialize)]
struct Seen {
    media: Vec<f64>,
    freezes: f64,
    frozen: f64,
    frames: f64,
    received: f64,
}

pub(super) async fn the_call_quality_during_file_transfers(scene: &Scene) -> Result<()> {
    let seconds = env::var("SIGHTLINE_BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let profile = LinkProfile { rate_bps: Some(RATE_BPS), ..LinkProfile::delayed(ROUND_TRIP / 2) };
    let FarApart { pages, .. } = &scene.far_apart(pair(), &profile).await?;
    let [ada, bob] = pages;
    ada.enter("beside", "Ada").await?;
    bob.enter("beside", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    // The encoders adapt first.
    sleep(Duration::from_secs(20)).await;
    println!("\n{} kbit/s, {} ms round trip, {seconds} s each", RATE_BPS / 1000, ROUND_TRIP.as_millis());
    println!(
        "{:<14} {:<5} {:>11} {:>9} {:>8} {:>9} {:>8} {:>13} {:>9}",
        "", "sees", "RTT mean ms", "95 %", "freezes", "frozen s", "frames", "video kbit/s", "file MB"
    );
    row(pages, "call alone", seconds, None).await?;
    let file = SampleFile::new(NAME, FILE_BYTES)?;
    ada.offer(&[file.path()]).await?;
    bob.until_transfer(NAME, "offered").await?;
    bob.click_in_transfer(NAME, "transfer-accept").await?;
    sleep(Duration::from_secs(5)).await;
    row(pages, "with a file", seconds, Some(bob)).await?;
    Ok(())
}

async fn row(
    pages: &[std::sync::Arc<Page>; 2],
    what: &str,
    seconds: u64,
    receiver: Option<&Page>,
) -> Result<()> {
    let before = there(receiver).await?;
    for page in pages {
        let () = page.execute(WATCH, vec![]).await?;
    }
    sleep(Duration::from_secs(seconds)).await;
    let bytes = there(receiver).await? - before;
    for (name, page) in ["Ada", "Bob"].into_iter().zip(pages) {
        let mut seen: Seen = page.execute("return sightlineCall", vec![]).await?;
        seen.media.sort_by(f64::total_cmp);
        let mean = seen.media.iter().sum::<f64>() / seen.media.len().max(1) as f64;
        let high = seen.media.get(seen.media.len() * 95 / 100).copied().unwrap_or(f64::NAN);
        println!(
            "{what:<14} {name:<5} {mean:>11.1} {high:>9.1} {:>8} {:>9.2} {:>8} {:>13.0} {:>9.1}",
            seen.freezes,
            seen.frozen,
            seen.frames,
            seen.received * 8.0 / 1000.0 / seconds as f64,
            bytes as f64 / 1e6
        );
    }
    Ok(())
}

async fn there(receiver: Option<&Page>) -> Result<u64> {
    let Some(page) = receiver else { return Ok(0) };
    Ok(page.look().await?.transfer(NAME).map_or(0, |transfer| transfer.bytes))
}
