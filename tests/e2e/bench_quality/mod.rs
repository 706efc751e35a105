//! The accuracy of the ledger, for `cargo xtask bench quality`: a picture stands still for known times, and the ledger and the
//! browser's own freeze statistics are compared with them. Not a test: it judges nothing, and runs only if `SIGHTLINE_BENCH` is
//! `quality`.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

#[cfg(target_os = "linux")]
mod causes;
mod cost;
mod known_stops;
mod observer;
#[cfg(target_os = "linux")]
mod plain_file;
#[cfg(target_os = "linux")]
mod stamped_clip;
mod table;
mod viewer;

use std::{env, fs, path::PathBuf, sync::Arc};

use anyhow::Result;
use libtest_mimic::Trial;
#[cfg(target_os = "linux")]
use sightline_e2e::netlab::where_there_are_namespaces;
use sightline_e2e::{browser::Engine, stage::Stage};

/// Lengths of the stops in milliseconds, in an order that mixes short and long ones. Each is injected as often as
/// `SIGHTLINE_BENCH_ROUNDS` says.
const STOPS_MS: [u32; 10] = [200, 1000, 100, 500, 2000, 300, 150, 700, 250, 1500];
/// Time of movement between two stops; a varying time is added.
const BETWEEN_MS: u32 = 1700;
/// The frame rates of the source.
const RATES: [u32; 3] = [30, 15, 7];

/// Every part is a separate trial, so that a filter can choose parts.
pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    if env::var("SIGHTLINE_BENCH").is_ok_and(|bench| bench != "quality")
        || env::var_os("SIGHTLINE_BENCH").is_none()
    {
        return Vec::new();
    }
    let mut trials = Vec::new();
    for viewer in [Engine::Chromium, Engine::Firefox] {
        for fps in RATES {
            let name = format!("bench_quality::stops::{}_{fps}", viewer.name());
            trials.push(stage.long_test_named(name, async move |scene| {
                known_stops::judge(scene, [Engine::Chromium, viewer], fps).await
            }));
        }
    }
    // Shows why the painter is Chromium in all other parts.
    trials.push(stage.long_test_named("bench_quality::painter::firefox_30", async move |scene| {
        known_stops::judge(scene, [Engine::Firefox, Engine::Chromium], 30).await
    }));
    #[cfg(target_os = "linux")]
    trials.extend(where_there_are_namespaces(stamped_clip::trials(stage)));
    #[cfg(target_os = "linux")]
    trials.extend(where_there_are_namespaces(causes::trials(stage)));
    #[cfg(target_os = "linux")]
    trials.extend(where_there_are_namespaces(plain_file::trials(stage)));
    trials.push(stage.long_test_named("bench_quality::cost", cost::of_panel_and_ledger));
    trials
}

fn stops() -> Vec<u32> {
    let rounds = env::var("SIGHTLINE_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    STOPS_MS.repeat(rounds.unwrap_or(2))
}

/// The folder of a part among the reports.
#[cfg(target_os = "linux")]
fn reports(part: &str) -> Result<PathBuf> {
    let folder = PathBuf::from(env::var_os("SIGHTLINE_REPORTS").unwrap_or_else(|| "target/reports".into()));
    let folder = folder.join(part);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
