//! How right the ledger is, for `cargo xtask bench quality`: a picture that stands still for known times, and what the
//! ledger and the browser's own freeze figures say of it. No test: it judges nothing, and runs only where
//! `SIGHTLINE_BENCH` says `quality`.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

mod cost;
mod known_stops;
mod observer;
#[cfg(target_os = "linux")]
mod stamped_clip;
mod table;
mod viewer;

use std::{env, sync::Arc};

use libtest_mimic::Trial;
#[cfg(target_os = "linux")]
use sightline_e2e::netlab::where_there_are_namespaces;
use sightline_e2e::{browser::Engine, stage::Stage};

/// Each is injected as often as `SIGHTLINE_BENCH_ROUNDS` says, in an order that mixes short and long; in milliseconds.
const STOPS_MS: [u32; 10] = [200, 1000, 100, 500, 2000, 300, 150, 700, 250, 1500];
/// The picture moves so long between two stops, and some more that differs.
const BETWEEN_MS: u32 = 1700;
/// The frame rates.
const RATES: [u32; 3] = [30, 15, 7];

/// Every part is a trial of its own, so that a filter chooses among them.
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
    // Why the painter is Chromium everywhere else.
    trials.push(stage.long_test_named("bench_quality::painter::firefox_30", async move |scene| {
        known_stops::judge(scene, [Engine::Firefox, Engine::Chromium], 30).await
    }));
    #[cfg(target_os = "linux")]
    trials.extend(where_there_are_namespaces(stamped_clip::trials(stage)));
    trials.push(stage.long_test_named("bench_quality::cost", cost::of_panel_and_ledger));
    trials
}

fn stops() -> Vec<u32> {
    let rounds = env::var("SIGHTLINE_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    STOPS_MS.repeat(rounds.unwrap_or(2))
}
