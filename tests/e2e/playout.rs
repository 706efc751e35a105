//! Stalls of a source that stops when the test tells it to.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};
use thirtyfour::By;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_source_that_stops_is_one_stall_of_that_length),
        stage.test_in_each(a_run_leaves_a_report_of_both_sides_that_is_opened_again),
        stage.test_in_each(a_file_that_is_no_report_gets_a_sentence),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The source is a canvas, which stops when it is told to. Firefox does not paint one steadily in a window behind another, so the
/// truth would not be known there.
const PAINTER: Engine = Engine::Chromium;

/// One `stall` of the ledger.
#[derive(Debug, Clone, Deserialize)]
struct StallRow {
    start: f64,
    duration: f64,
    cause: String,
}

const STALLS: &str = r#"
    return [...document.querySelectorAll('[data-testid="stall"]')].map(({ dataset }) => ({
      start: Number(dataset.start), duration: Number(dataset.duration), cause: dataset.cause,
    }));"#;

async fn a_source_that_stops_is_one_stall_of_that_length(scene: &Scene, viewer: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([PAINTER, viewer]).await?;
    ada.enter_with("stalls", "Ada", "source=camera&probe=painted-camera&fps=15").await?;
    bob.enter_with("stalls", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    bob.click("stats-toggle").await?;
    until_shown(&bob, 60).await?;
    let before = stalls(&bob).await?.len();
    let () = ada.execute("sightlineSource.stopFor(1200)", vec![]).await?;
    let found = until("a stall of 1.2 s", PATIENCE, async || {
        let stalls = stalls(&bob).await?;
        let long = stalls.iter().find(|stall| (stall.duration - 1.2).abs() <= 0.067);
        Ok(long.cloned().ok_or_else(|| format!("{stalls:?}, {before} before")))
    })
    .await?;
    assert!(found.start > 0.0);
    // What explains it comes a moment later.
    until("the source as its cause", PATIENCE, async || {
        let stalls = stalls(&bob).await?;
        let same = stalls
            .iter()
            .find(|stall| (stall.start - found.start).abs() < 0.5)
            .map(|stall| stall.cause.clone());
        Ok(if same.as_deref() == Some("source") { Ok(()) } else { Err(format!("{stalls:?}")) })
    })
    .await?;
    let seen = bob.look().await?;
    let member = seen.tile("Ada").map(|tile| tile.member.clone()).unwrap_or_default();
    for metric in ["stall_count", "stall_ratio", "time_to_first_frame"] {
        let value: f64 = seen.figure(&member, metric).unwrap_or_default().parse()?;
        assert!(value > 0.0, "{metric}");
    }
    Ok(())
}

/// Waits until so many frames were shown.
async fn until_shown(page: &Page, frames: u32) -> Result<()> {
    page.until("frames are shown", |page| {
        page.figures.iter().any(|figure| {
            figure.metric == "frames_presented"
                && figure.value.parse::<u32>().is_ok_and(|shown| shown > frames)
        })
    })
    .await?;
    Ok(())
}

async fn stalls(page: &Page) -> Result<Vec<StallRow>> {
    page.execute(STALLS, vec![json!(null)]).await
}

/// What the last file that was saved holds.
const SAVED: &str = "return sightlineProbe.saved.at(-1)?.text() ?? null;";
const STATE: &str = r#"return document.querySelector('[data-testid="run"]')?.dataset.state ?? null;"#;
const ROWS: &str = r#"
    return Object.fromEntries([...document.querySelectorAll('[data-testid="report-row"]')].map((row) =>
      [row.dataset.metric, [...row.querySelectorAll('td')].map((cell) => cell.dataset.value ?? cell.textContent)]));"#;

async fn a_run_leaves_a_report_of_both_sides_that_is_opened_again(
    scene: &Scene,
    viewer: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([PAINTER, viewer]).await?;
    ada.enter_with("runs", "Ada", "source=camera&probe=painted-camera&fps=15").await?;
    bob.enter_with("runs", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    bob.click("stats-toggle").await?;
    bob.click("run-start").await?;
    until_state(&bob, "running").await?;
    until_state(&ada, "running").await?;
    until_shown(&bob, 60).await?;
    let () = ada.execute("sightlineSource.stopFor(1200)", vec![]).await?;
    until("the stall in the ledger", PATIENCE, async || {
        let stalls = stalls(&bob).await?;
        let is_there =
            stalls.iter().any(|stall| (stall.duration - 1.2).abs() <= 0.067 && stall.cause == "source");
        Ok(if is_there { Ok(()) } else { Err(format!("{stalls:?}")) })
    })
    .await?;
    ada.click("run-stop").await?;
    until_state(&ada, "ended").await?;
    until_state(&bob, "ended").await?;

    // The log of the other side comes a moment later.
    let report = until("a report of both sides", PATIENCE, async || {
        bob.click("export-json").await?;
        let text: Option<String> = bob.execute(SAVED, vec![]).await?;
        let report: Value = serde_json::from_str(text.as_deref().unwrap_or("null"))?;
        let sides = report["sides"].as_array().map_or(0, Vec::len);
        Ok(if sides == 2 { Ok(report) } else { Err(format!("{sides} sides")) })
    })
    .await?;
    let playout = &report["sides"][0]["playout"];
    let long = playout["stalls"].as_array().into_iter().flatten();
    let long = long
        .filter(|stall| stall["duration_s"].as_f64().is_some_and(|seconds| (seconds - 1.2).abs() <= 0.067));
    assert_eq!(long.count(), 1, "{}", playout["stalls"]);
    assert!(report["sides"][1]["clock"]["error_s"].as_f64().is_some_and(|error| error < 0.1), "{report}");
    bob.click("export-csv").await?;
    let csv: String = bob.execute(SAVED, vec![]).await?;
    assert!(csv.starts_with("run,observer,observed,time,receive_bitrate"), "{csv}");
    bob.click("export-rtcstats").await?;
    let dump: String = bob.execute(SAVED, vec![]).await?;
    assert!(dump.starts_with("RTCStatsDump\n{") && dump.contains("[\"getStats\","), "{dump:.200}");

    let folder = tempfile::tempdir()?;
    let (first, second) = (folder.path().join("first.json"), folder.path().join("second.json"));
    std::fs::write(&first, report.to_string())?;
    std::fs::write(&second, report.to_string())?;
    bob.open("/report").await?;
    choose(&bob, &format!("{}\n{}", first.display(), second.display())).await?;
    let rows = until("two columns", PATIENCE, async || {
        let rows: Map<String, Value> = bob.execute(ROWS, vec![]).await?;
        let columns = rows.get("stall_count").and_then(Value::as_array).map_or(0, Vec::len);
        Ok(if columns == 2 { Ok(rows) } else { Err(format!("{rows:?}")) })
    })
    .await?;
    assert_eq!(rows["stall_count"][0].as_str(), Some(playout["stall_count"].to_string().as_str()));
    let shown = bob.look().await?.shown;
    let count = |name: &str| shown.iter().filter(|shown| *shown == name).count();
    assert_eq!((count("report-view"), count("report-chart"), count("score")), (2, 5, 2));
    Ok(())
}

async fn a_file_that_is_no_report_gets_a_sentence(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/report").await?;
    let folder = tempfile::tempdir()?;
    for (code, text) in [
        ("report-not-json", "hello"),
        ("report-foreign", "{\"a\": 1}"),
        ("report-too-new", "{\"format\": \"sightline-report\", \"version\": 99}"),
        ("report-damaged", "{\"format\": \"sightline-report\", \"version\": 1}"),
    ] {
        let file = folder.path().join(format!("{code}.json"));
        std::fs::write(&file, text)?;
        choose(&page, &file.display().to_string()).await?;
        page.until_notice(code).await?;
    }
    Ok(())
}

/// Chooses files, one path a line.
async fn choose(page: &Page, paths: &str) -> Result<()> {
    page.until("files can be chosen", |page| page.shows("report")).await?;
    let input = page.browser.driver.find(By::Css("[data-testid=\"report-file-input\"]")).await?;
    Ok(input.send_keys(paths).await?)
}

async fn until_state(page: &Page, state: &str) -> Result<()> {
    until(&format!("a run that is {state}"), PATIENCE, async || {
        let shown: Option<String> = page.execute(STATE, vec![]).await?;
        Ok(if shown.as_deref() == Some(state) { Ok(()) } else { Err(format!("{shown:?}")) })
    })
    .await
}
