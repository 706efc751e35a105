//! Stalls of a source that stops at the test's command.

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

use crate::trust::SECRET;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_source_that_stops_is_one_stall_of_that_length),
        stage.test_in_each(a_run_leaves_a_report_of_both_sides_that_is_opened_again),
        stage.test_in_each(an_invalid_report_file_gives_a_notice),
        stage.test_in_each(charts_show_stalls_as_visible_bands_at_their_times),
        stage.test_in_each(a_member_that_forges_run_messages_does_not_change_the_local_run),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The source is a canvas that stops on command. Firefox does not paint a canvas steadily in a covered window, so the truth would
/// be unknown there.
const PAINTER: Engine = Engine::Chromium;

/// A `stall` element of the ledger.
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
    let stop_s = stop_source(&ada).await?;
    let found = until("the stall in the ledger", PATIENCE, async || {
        let stalls = stalls(&bob).await?;
        let long = stalls.iter().find(|stall| is_as_long_as(stop_s, stall.duration));
        Ok(long.cloned().ok_or_else(|| format!("a stop of {stop_s} s; {stalls:?}, {before} before")))
    })
    .await?;
    assert!(found.start > 0.0);
    // The cause follows a moment later.
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

/// Stops the source for about 1.2 s, and returns how many seconds passed beyond the usual interval between its frames. A busy
/// machine paints the frame before the stop late or the one after it, so the length is the one that the source measured.
async fn stop_source(page: &Page) -> Result<f64> {
    const STOPS: &str = "return sightlineSource.stops.find(([, , told]) => told === 1200)?.[1] ?? null;";
    let () = page.execute("sightlineSource.stopFor(1200)", vec![]).await?;
    let stop_ms = until("the end of the stop", PATIENCE, async || {
        let stop_ms: Option<f64> = page.execute(STOPS, vec![]).await?;
        Ok(stop_ms.ok_or_else(|| "none".to_owned()))
    })
    .await?;
    Ok(stop_ms / 1000.0)
}

/// Whether a stall is as long as the source's stop, within a frame at 15 frames per second and a refresh of the screen: a busy encoder may
/// leave out the frame after the stop, and frames are shown at refreshes only.
fn is_as_long_as(stop_s: f64, stall_s: f64) -> bool {
    (stall_s - stop_s).abs() <= 1.0 / 15.0 + 1.0 / 60.0
}

/// Waits until this many frames were shown.
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

/// The contents of the last saved file.
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
    ada.enter_with("runs", "Ada", &format!("source=camera&probe=painted-camera&fps=15#{SECRET}")).await?;
    bob.enter_with("runs", "Bob", &format!("source=none#{SECRET}")).await?;
    bob.until_picture_moves("Ada").await?;
    bob.click("stats-toggle").await?;
    bob.click("run-start").await?;
    until_state(&bob, "running").await?;
    // The run belongs to Bob: Ada's page says so and has started no run.
    until_measured_by(&ada, &["Bob"]).await?;
    until_state(&ada, "idle").await?;
    until_shown(&bob, 60).await?;
    let stop_s = stop_source(&ada).await?;
    until("the stall in the ledger", PATIENCE, async || {
        let stalls = stalls(&bob).await?;
        let is_there =
            stalls.iter().any(|stall| is_as_long_as(stop_s, stall.duration) && stall.cause == "source");
        Ok(if is_there { Ok(()) } else { Err(format!("a stop of {stop_s} s; {stalls:?}")) })
    })
    .await?;
    until_band(&bob, BANDS_OF_CALL).await?;
    bob.click("run-stop").await?;
    until_state(&bob, "ended").await?;
    until_measured_by(&ada, &[]).await?;
    until_state(&ada, "idle").await?;

    // The log of the other side follows a moment later.
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
        .filter(|stall| stall["duration_s"].as_f64().is_some_and(|stall_s| is_as_long_as(stop_s, stall_s)));
    assert_eq!(long.count(), 1, "{}", playout["stalls"]);
    assert!(report["sides"][1]["clock"]["error_s"].as_f64().is_some_and(|error| error > 0.0), "{report}");
    bob.click("export-csv").await?;
    let csv: String = bob.execute(SAVED, vec![]).await?;
    assert!(csv.starts_with("run,observer,observed,time,receive_bitrate"), "{csv}");
    bob.click("export-rtcstats").await?;
    let dump: String = bob.execute(SAVED, vec![]).await?;
    assert!(dump.starts_with("RTCStatsDump\n{") && dump.contains("[\"getStats\","), "{dump:.200}");
    for saved in [report.to_string(), csv, dump] {
        assert!(!saved.contains(SECRET), "a saved file has the secret of the room");
    }

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
    let compared: Vec<Option<String>> = bob.execute(COMPARED, vec![]).await?;
    assert_eq!(compared, [None, Some("0".to_owned())]);
    let count = |name: &str| shown.iter().filter(|shown| *shown == name).count();
    // Ada's sound has a chart where there is any.
    let sound = &report["sides"][0]["sound"]["concealed_ratio"];
    let charts = 5 + usize::from(sound.is_number());
    assert_eq!((count("report-view"), count("report-chart"), count("score")), (2, charts, 2));
    Ok(())
}

async fn an_invalid_report_file_gives_a_notice(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    let folder = tempfile::tempdir()?;
    for (code, text) in [
        ("report-not-json", "hello"),
        ("report-foreign", "{\"a\": 1}"),
        ("report-too-new", "{\"format\": \"sightline-report\", \"version\": 99}"),
        ("report-damaged", "{\"format\": \"sightline-report\", \"version\": 1}"),
        ("report-not-json", ""),
        ("report-impossible", &report_of(json!(2e19), &[]).to_string()),
        ("report-impossible", &report_of(json!(-1e300), &[]).to_string()),
        ("report-damaged", &report_of(json!("NaN"), &[]).to_string()),
        ("report-too-long", &report_of(json!(60), &vec![(1.0, 0.5); 200_000]).to_string()),
        ("report-too-nested", &"[".repeat(10_000)),
        ("report-not-text", &"{\"format\"".chars().flat_map(|c| [c, '\0']).collect::<String>()),
    ] {
        // One of the notices must be new.
        page.open("/report").await?;
        let file = folder.path().join(format!("{code}.json"));
        std::fs::write(&file, text)?;
        choose(&page, &file.display().to_string()).await?;
        page.until_notice(code).await?;
    }
    Ok(())
}

/// A report of one viewer of another member, with this duration and these stalls (start and length).
fn report_of(duration_s: Value, stalls: &[(f64, f64)]) -> Value {
    let stalls = stalls.iter().map(
        |(start_s, duration_s)| json!({ "start_s": start_s, "duration_s": duration_s, "cause": "loss" }),
    );
    json!({
        "format": "sightline-report", "version": 1, "run": "r", "room": "bands", "started_at_unix_ms": 1e12,
        "duration_s": duration_s, "ended_by": "stopped",
        "sides": [{
            "observer": { "member": "b", "name": "Bob" }, "observed": { "member": "a", "name": "Ada" },
            "columns": ["time", "frames_per_second"], "samples": [[0.5, 30], [1.5, 30], [2.5, 30]],
            "playout": { "watched_s": 60, "stalls": stalls.collect::<Vec<_>>() },
        }],
    })
}

/// A band of a chart: its fill, and its position as parts of the chart's width.
#[derive(Debug, Clone, Deserialize)]
struct Band {
    fill: String,
    opacity: f64,
    from: f64,
    to: f64,
    height: f64,
}

const BANDS_OF_CALL: &str = "chart-stalls";
const BANDS_OF_REPORT: &str = "report-stalls";
const BANDS: &str = r#"
    return [...document.querySelectorAll(`[data-testid="${arguments[0]}"]`)].map((path) => {
      const [style, box, chart] = [getComputedStyle(path), path.getBoundingClientRect(), path.ownerSVGElement.getBoundingClientRect()];
      return {
        fill: style.fill, opacity: Number(style.fillOpacity) * Number(style.opacity),
        from: (box.left - chart.left) / chart.width, to: (box.right - chart.left) / chart.width,
        height: box.height / chart.height,
      };
    });"#;

impl Band {
    fn is_visible(&self) -> bool {
        self.fill.starts_with("rgb")
            && self.fill != "rgba(0, 0, 0, 0)"
            && self.opacity > 0.1
            && self.to > self.from
    }
}

/// Waits until every chart has a visible band.
async fn until_band(page: &Page, of: &str) -> Result<Vec<Band>> {
    until("bands that can be seen", PATIENCE, async || {
        let bands: Vec<Band> = page.execute(BANDS, vec![json!(of)]).await?;
        let all_visible = !bands.is_empty() && bands.iter().all(Band::is_visible);
        Ok(if all_visible { Ok(bands) } else { Err(format!("{bands:?}")) })
    })
    .await
}

async fn charts_show_stalls_as_visible_bands_at_their_times(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/report").await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bands.json");
    std::fs::write(&file, report_of(json!(60), &[(15.0, 15.0)]).to_string())?;
    choose(&page, &file.display().to_string()).await?;
    let bands = until_band(&page, BANDS_OF_REPORT).await?;
    assert_eq!(bands.len(), 5);
    for band in bands {
        assert!(
            (band.from - 0.25).abs() < 0.01 && (band.to - 0.5).abs() < 0.01 && band.height > 0.95,
            "{band:?}"
        );
    }
    Ok(())
}

const MEASURED_BY: &str = r#"
    return [...document.querySelectorAll('[data-testid="run-of-other"]')].map(({ dataset }) => dataset.name);"#;
const COMPARED: &str = r#"
    return [...document.querySelectorAll('[data-testid="report-column"]')].map(({ dataset }) => dataset.comparedWith ?? null);"#;

async fn until_measured_by(page: &Page, names: &[&str]) -> Result<()> {
    until("the owners of the runs", PATIENCE, async || {
        let shown: Vec<String> = page.execute(MEASURED_BY, vec![]).await?;
        Ok(if shown == names { Ok(()) } else { Err(format!("{shown:?}")) })
    })
    .await
}

/// Sends a message on the page's `control` channel that its own script would not send.
const SAY: &str = r"
    const channel = sightlineProbe.controls.findLast((channel) => channel.readyState === 'open');
    for (const message of arguments[0]) channel.send(JSON.stringify(message));";
/// The id of the run that was requested on the channel.
const ASKED: &str = "return JSON.parse(sightlineProbe.heard.findLast((text) => text.includes('\"run_start\"')) ?? '{}').run ?? null;";

async fn a_member_that_forges_run_messages_does_not_change_the_local_run(
    scene: &Scene,
    viewer: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([PAINTER, viewer]).await?;
    ada.enter_with("liar", "Ada", "source=camera&probe=painted-camera&fps=15").await?;
    bob.enter_with("liar", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;

    // A run of Ada's that this page did not ask for belongs to her.
    let () =
        ada.execute(SAY, vec![json!([{ "type": "run_start", "run": "hers", "is_running": true }])]).await?;
    until_measured_by(&bob, &["Ada"]).await?;
    until_state(&bob, "idle").await?;
    bob.click("run-of-other-refuse").await?;
    until_measured_by(&bob, &[]).await?;

    bob.click("run-start").await?;
    until_state(&bob, "running").await?;
    let run = until("the run's id", PATIENCE, async || {
        let run: Option<String> = ada.execute(ASKED, vec![]).await?;
        Ok(run.ok_or_else(|| "none".to_owned()))
    })
    .await?;
    let side = |first_frame_at_s: f64| {
        json!({
            "observer": { "member": "x", "name": "Bob" }, "observed": { "member": "y", "name": "z" },
            "columns": ["time", "=1+1"], "samples": [[first_frame_at_s, 1]],
            "playout": { "first_frame_at_s": first_frame_at_s },
        })
        .to_string()
    };
    let lies: Vec<_> = [-1e300, 1e300, 2e19, -5.0]
        .map(|at_s| json!({ "type": "run_log", "run": run, "part": 0, "parts": 1, "text": side(at_s) }))
        .into_iter()
        .chain([
            json!({ "type": "run_stop", "run": run }),
            json!({ "type": "run_start", "run": "0", "is_running": true }),
        ])
        .collect();
    let () = ada.execute(SAY, vec![json!(lies)]).await?;
    until_measured_by(&bob, &["Ada"]).await?;
    until_state(&bob, "running").await?;
    bob.click("run-stop").await?;
    until_state(&bob, "ended").await?;
    bob.click("export-json").await?;
    let text: String = bob.execute(SAVED, vec![]).await?;
    let report: Value = serde_json::from_str(&text)?;
    assert!(report["duration_s"].as_f64().is_some_and(|seconds| (0.0..600.0).contains(&seconds)), "{report}");
    assert_eq!(report["sides"][0]["observer"]["name"], "Bob");
    assert_eq!(report["run"], json!(run));
    Ok(())
}

/// Chooses files, one path per line.
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
