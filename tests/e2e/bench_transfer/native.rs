//! Files of `sightline-peer`, to itself and to and from a page, beside scp and beside bare channels of two pages over the same link.

use std::{ffi::OsStr, fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use sightline_e2e::{
    browser::Engine,
    native_peer::NativePeer,
    netlab::{Ends, LinkProfile, Place},
    page::Page,
    stage::Scene,
};
use tempfile::TempDir;
use tokio::time::Instant;

use super::{DEFAULT_ROUNDS, PATHS, Rate, number, ours, raw, raw::Cell, sample_file::SampleFile, scp::Sshd};

const NAME: &str = "sample.bin";
/// The round trip and the bytes where packets are lost.
const LOSSY_PATH: (u64, usize) = (20, 16_000_000);
const PATIENCE: Duration = Duration::from_secs(600);
const ROWS: [&str; 5] =
    ["terminal to terminal", "terminal to page", "page to terminal", "bare channels", "scp"];

pub(super) async fn how_fast_files_of_terminals_go(scene: &Scene) -> Result<()> {
    let ends = scene.ends(&LinkProfile::default()).await?;
    let sshd = Sshd::start(&ends).await.inspect_err(|error| println!("scp is not measured: {error:#}")).ok();
    let pages = [
        scene.page_at(&ends, Place::A, Engine::Chromium).await?,
        scene.page_at(&ends, Place::B, Engine::Chromium).await?,
    ];
    let pages = [pages[0].as_ref(), pages[1].as_ref()];
    let (only, rounds) = (number("ROUND_TRIP_MS"), number("ROUNDS").unwrap_or(DEFAULT_ROUNDS));
    let loss_percent = number("LOSS_PERCENT");
    let paths = if loss_percent.is_some() { vec![LOSSY_PATH] } else { PATHS.to_vec() };
    let loss_ratio = loss_percent.unwrap_or_default() as f64 / 100.0;
    let mut table = Vec::new();
    for (round_trip_ms, bytes) in paths.into_iter().filter(|(ms, _)| only.is_none_or(|only| only == *ms)) {
        let delayed = LinkProfile::delayed(Duration::from_millis(round_trip_ms) / 2);
        ends.link.set_both(&LinkProfile { loss_ratio, ..delayed });
        let file = SampleFile::new(NAME, bytes)?;
        let mut fastest = [0.0_f64; ROWS.len()];
        for round in 0..rounds {
            let room = format!("native-{round_trip_ms}-{round}");
            let rates = [
                between_terminals(&ends, &format!("{room}-a"), file.path(), bytes).await?,
                to_page(&ends, pages[1], &format!("{room}-b"), file.path(), bytes).await?,
                from_page(&ends, pages[0], &format!("{room}-c"), file.path(), bytes).await?,
                bare(pages, round_trip_ms, bytes).await?,
                match &sshd {
                    Some(sshd) => sshd.receive(&ends, file.path(), bytes).await?,
                    None => Rate { megabytes_per_second: 0.0 },
                },
            ];
            for ((fastest, rate), row) in fastest.iter_mut().zip(rates).zip(ROWS) {
                println!("{round_trip_ms} ms, {row}: {:.1} MB/s", rate.megabytes_per_second);
                *fastest = fastest.max(rate.megabytes_per_second);
            }
        }
        table.push((round_trip_ms, fastest));
    }
    println!(
        "\n{:>6} {}   MB/s, the best of {rounds}, in turns",
        "RTT ms",
        ROWS.map(|row| format!("{row:>20}")).join(" ")
    );
    for (round_trip_ms, fastest) in table {
        println!("{round_trip_ms:>6} {}", fastest.map(|rate| format!("{rate:>20.1}")).join(" "));
    }
    Ok(())
}

/// A member that receives into this directory.
fn receiver(ends: &Ends, room: &str, into: &Path) -> Result<NativePeer> {
    let arguments: [&OsStr; 5] =
        ["--into".as_ref(), into.as_os_str(), "--accept".as_ref(), "all".as_ref(), "--once".as_ref()];
    ends.peer(Place::B, "receive", room, "Bob", &arguments)
}

/// The time from the first byte until the receiver has verified and stored the file.
async fn received(bob: &mut NativePeer, bytes: usize) -> Result<Rate> {
    bob.event("file", |event| event["state"] == "running").await?;
    let began = Instant::now();
    bob.event_within(PATIENCE, "file", |event| event["state"] == "done").await?;
    Ok(Rate::new(bytes, began.elapsed().as_secs_f64() * 1000.0))
}

async fn between_terminals(ends: &Ends, room: &str, file: &Path, bytes: usize) -> Result<Rate> {
    let into = TempDir::new()?;
    let mut bob = receiver(ends, room, into.path())?;
    bob.event("entered", |_| true).await?;
    let ada = ends.peer(Place::A, "send", room, "Ada", &[file])?;
    let rate = received(&mut bob, bytes).await?;
    ada.end().await?;
    bob.end().await?;
    Ok(rate)
}

async fn to_page(ends: &Ends, page: &Page, room: &str, file: &Path, bytes: usize) -> Result<Rate> {
    ours::enter_alone(page, room, "Bob").await?;
    let ada = ends.peer(Place::A, "send", room, "Ada", &[file])?;
    page.until_transfer(NAME, "offered").await?;
    let rate = ours::accept(page, NAME, bytes).await?;
    ada.end().await?;
    Ok(rate)
}

async fn from_page(ends: &Ends, page: &Page, room: &str, file: &Path, bytes: usize) -> Result<Rate> {
    ours::enter_alone(page, room, "Ada").await?;
    let into = TempDir::new()?;
    let mut bob = receiver(ends, room, into.path())?;
    page.until_connected_to("Bob").await?;
    page.offer(&[file]).await?;
    let rate = received(&mut bob, bytes).await?;
    bob.end().await?;
    let stored = fs::metadata(into.path().join(NAME)).context("the file")?.len();
    anyhow::ensure!(stored == bytes as u64, "{stored} bytes were stored");
    Ok(rate)
}

/// The numbers of connections are the best ones of the sweep in docs/results/transfer.md.
async fn bare(pages: [&Page; 2], round_trip_ms: u64, bytes: usize) -> Result<Rate> {
    let connections = if round_trip_ms == 0 { 4 } else { 16 };
    raw::prepare(pages).await?;
    let cell = Cell { message_bytes: 64 * 1024, buffer_bytes: 1024 * 1024, connections };
    raw::send(pages, bytes, cell, PATIENCE).await
}
