//! The speed of files, for `cargo xtask bench transfer`, compared with bare channels and with stop-and-wait between the same two
//! browsers over the same link; and their effect on a call. Not a test: it judges nothing, and runs only if `SIGHTLINE_BENCH`
//! names it.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

mod beside_call;
mod memory;
mod native;
mod ours;
mod raw;
mod sample_file;
mod scp;

use std::{env, sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    netlab::{FarApart, LinkProfile, where_there_are_namespaces},
    page::Page,
    stage::{Pair, Scene, Stage},
};

use self::{raw::Cell, sample_file::SampleFile};

/// Round trips in milliseconds, and the bytes that are sent over each.
const PATHS: [(u64, usize); 3] = [(0, 256_000_000), (20, 192_000_000), (100, 96_000_000)];
const MESSAGES: [usize; 3] = [16 * 1024, 64 * 1024, 256 * 1024];
const BUFFERS: [usize; 2] = [256 * 1024, 1024 * 1024];
const CONNECTIONS: [usize; 4] = [1, 4, 8, 16];
/// Measuring time of each cell of the sweep.
const TRIED: Duration = Duration::from_millis(1500);
const DEFAULT_ROUNDS: u64 = 3;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let trial = match env::var("SIGHTLINE_BENCH").as_deref() {
        Ok("transfer") => stage.long_test(how_fast_files_go),
        Ok("transfer-native") => stage.long_test(native::how_fast_files_of_terminals_go),
        Ok("transfer-call") => stage.long_test(beside_call::the_call_quality_during_file_transfers),
        Ok("transfer-memory") => stage.long_test(memory::the_memory_of_a_large_file),
        _ => return Vec::new(),
    };
    where_there_are_namespaces(vec![trial])
}

/// Bytes sent in a measured time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Rate {
    megabytes_per_second: f64,
}

impl Rate {
    fn new(bytes: usize, ms: f64) -> Self {
        Self { megabytes_per_second: bytes as f64 / 1e3 / ms }
    }
}

/// The browser in `SIGHTLINE_BENCH_PAIR`, for both pages: chromium or firefox.
fn pair() -> Pair {
    match env::var("SIGHTLINE_BENCH_BROWSER").as_deref() {
        Ok("firefox") => [Engine::Firefox, Engine::Firefox],
        _ => [Engine::Chromium, Engine::Chromium],
    }
}

async fn how_fast_files_go(scene: &Scene) -> Result<()> {
    let FarApart { pages, ends } = &scene.far_apart(pair(), &LinkProfile::default()).await?;
    let pages = [pages[0].as_ref(), pages[1].as_ref()];
    let (only, rounds) = (number("ROUND_TRIP_MS"), number("ROUNDS").unwrap_or(DEFAULT_ROUNDS));
    let mut rows = Vec::new();
    for (round_trip_ms, bytes) in PATHS.into_iter().filter(|(ms, _)| only.is_none_or(|only| only == *ms)) {
        ends.link.set_both(&LinkProfile::delayed(Duration::from_millis(round_trip_ms) / 2));
        rows.push((round_trip_ms, measure(pages, round_trip_ms, bytes, rounds).await?));
    }
    println!(
        "\n{:>6} {:>8} {:>8} {:>14} {:>10} {:>14}   MB/s, the best of {rounds}, in turns",
        "RTT ms", "ours", "raw", "stop-and-wait", "of raw", "of stop-w."
    );
    for (round_trip_ms, [ours, raw, stop_and_wait]) in rows {
        println!(
            "{round_trip_ms:>6} {ours:>8.1} {raw:>8.1} {stop_and_wait:>14.1} {:>10.2} {:>14.2}",
            ours / raw,
            ours / stop_and_wait
        );
    }
    Ok(())
}

/// A number in the environment of the command.
fn number(name: &str) -> Option<u64> {
    env::var(format!("SIGHTLINE_BENCH_{name}")).ok()?.parse().ok()
}

async fn measure(pages: [&Page; 2], round_trip_ms: u64, bytes: usize, rounds: u64) -> Result<[f64; 3]> {
    raw::prepare(pages).await?;
    let best = sweep(pages, round_trip_ms).await?;
    let file = SampleFile::new("sample.bin", bytes)?;
    let mut fastest = [0.0_f64; 3];
    for round in 0..rounds {
        raw::prepare(pages).await?;
        let stop_and_wait = raw::stop_and_wait(pages, bytes / 4).await?;
        let raw = raw::send(pages, bytes, best, Duration::from_secs(600)).await?;
        ours::enter(pages, &format!("bench-{round_trip_ms}-{round}")).await?;
        let ours = ours::send(pages, file.path(), "sample.bin", bytes).await?;
        for (fastest, rate) in fastest.iter_mut().zip([ours, raw, stop_and_wait]) {
            *fastest = fastest.max(rate.megabytes_per_second);
        }
        println!("{round_trip_ms} ms: {ours:?} raw {raw:?} stop-and-wait {stop_and_wait:?}");
    }
    Ok(fastest)
}

/// Tries every cell for a moment, prints the results, and returns the best.
async fn sweep(pages: [&Page; 2], round_trip_ms: u64) -> Result<Cell> {
    println!("\nraw channels, {round_trip_ms} ms round trip, MB/s");
    println!("{:>11} {:>8} {:>8} {:>8}", "connections", "message", "256 KiB", "1 MiB");
    let mut best = (Rate::new(0, 1.0), Cell { message_bytes: 0, buffer_bytes: 0, connections: 0 });
    for connections in CONNECTIONS {
        for message_bytes in MESSAGES {
            print!("{connections:>11} {:>4} KiB", message_bytes / 1024);
            for buffer_bytes in BUFFERS {
                let cell = Cell { message_bytes, buffer_bytes, connections };
                let rate = raw::send(pages, usize::MAX >> 16, cell, TRIED).await?;
                print!(" {:>8.1}", rate.megabytes_per_second);
                if rate > best.0 {
                    best = (rate, cell);
                }
            }
            println!();
        }
    }
    Ok(best.1)
}
