//! The full panel: growing charts with gaps, descriptions, a log, and how others receive the local picture.

use std::sync::Arc;

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};
use thirtyfour::{By, Key};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_mixed_pairs(the_table_shows_each_member_in_a_line_and_leads_to_the_figures),
        stage.test_in_mixed_pairs(charts_grow_and_hidden_time_is_a_gap),
        stage.test_in_mixed_pairs(the_panel_shows_the_session_descriptions_and_the_log_of_the_browser),
        stage.test_in_mixed_pairs(the_own_tile_shows_what_the_other_member_receives),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Small pictures, so that three members fit a small machine.
const SMALL_CAMERA: &str = "source=camera&width=320&height=240&fps=15";

/// A chart as it is drawn.
#[derive(Debug, Deserialize)]
struct Chart {
    metric: String,
    /// Points and gaps of its first line, from its data attributes.
    points: usize,
    gaps: usize,
    /// Number of separate strokes in its first line.
    strokes: usize,
    /// The text for screen readers.
    words: String,
}

const CHARTS: &str = r#"
    return [...document.querySelectorAll('[data-testid="chart"]')].map((chart) => ({
      metric: chart.dataset.metric,
      points: Number(chart.querySelector('svg').dataset.points),
      gaps: Number(chart.querySelector('svg').dataset.gaps),
      strokes: (chart.querySelector('path[data-line="0"]').getAttribute('d').match(/M/g) ?? []).length,
      words: chart.querySelector('[role="img"]').ariaLabel,
    }));"#;

/// Simulates that another tab covers the page, or that it is visible again.
const SHOW_OR_HIDE: &str = r"
    Object.defineProperty(document, 'visibilityState', { value: arguments[0], configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));";

const TEXT: &str =
    r#"return document.querySelector(`[data-testid="${arguments[0]}"]`)?.textContent ?? null;"#;

/// The text on the local tile about how others receive the picture.
const SEEN_BY: &str = r#"
    const said = document.querySelector('[data-testid="tile"][data-member="local"] [data-testid="seen-by"]');
    return said?.textContent ?? '';"#;

/// A line of the table above the figures.
#[derive(Debug, Deserialize)]
struct Line {
    name: String,
    words: String,
    bars: Option<String>,
    /// The texts of the other columns.
    cells: Vec<String>,
}

const LINES: &str = r#"
    return [...document.querySelectorAll('[data-testid="summary-line"]')].map((line) => ({
      name: line.querySelector('button').textContent,
      words: line.querySelector('p').textContent,
      bars: line.querySelector('.bars:not([hidden])')?.dataset.bars ?? null,
      cells: [...line.querySelectorAll('td')].map((cell) => cell.textContent),
    }));"#;

/// Presses the name of a member in the table, as a keyboard does, and returns the name of the section that has the focus then, if its
/// top is in view.
const SHOW_FIGURES_OF: &str = r#"
    const lines = [...document.querySelectorAll('[data-testid="summary-line"] button')];
    lines.find((button) => button.textContent === arguments[0]).click();
    const section = document.activeElement.closest('section.stats-member');
    const list = document.querySelector('.stats-list').getBoundingClientRect();
    const top = section?.getBoundingClientRect().top ?? -1;
    return top >= list.top - 1 && top < list.bottom ? section.ariaLabel : null;"#;

async fn the_table_shows_each_member_in_a_line_and_leads_to_the_figures(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([pair[0], pair[1], Engine::Chromium]).await?;
    ada.enter_with("lines", "Ada", SMALL_CAMERA).await?;
    bob.enter_with("lines", "Bob", SMALL_CAMERA).await?;
    eve.enter_with("lines", "Eve", "source=none").await?;
    ada.until_picture_moves("Bob").await?;
    ada.until_connected_to("Eve").await?;
    ada.click("stats-toggle").await?;
    let lines = until_lines(&ada, "a line for Bob with both pictures", |lines| {
        let bob = lines.iter().find(|line| line.name == "Bob");
        bob.is_some_and(|bob| bob.bars.is_some() && bob.cells[..2].iter().all(|cell| cell.contains('\u{d7}')))
    })
    .await?;
    let [at_first, at_second] = &lines[..] else { anyhow::bail!("two lines: {lines:#?}") };
    assert_eq!([&at_first.name[..], &at_second.name[..]], ["Bob", "Eve"]);
    assert!(lines.iter().all(|line| line.words.contains(' ') && line.cells.len() == 5), "{lines:#?}");
    assert_eq!(at_second.cells[0], "\u{2013}", "Eve sends no picture");
    // The line has the same figures as the rows below.
    let seen = ada.look().await?;
    let member = seen.tile("Bob").context("Bob's tile")?.member.clone();
    let pixels = |metric| seen.figure(&member, metric).unwrap_or_default();
    let size = format!("{}\u{d7}{}", pixels("frame_width"), pixels("frame_height"));
    assert!(at_first.cells[0].starts_with(&size), "{size}: {at_first:#?}");

    let shown: Option<String> = ada.execute(SHOW_FIGURES_OF, vec![json!("Eve")]).await?;
    assert_eq!(shown.as_deref(), Some("Eve"), "the figures of Eve are in view and have the focus");
    eve.click("leave").await?;
    until_lines(&ada, "one line", |lines| lines.len() == 1).await?;
    Ok(())
}

async fn charts_grow_and_hidden_time_is_a_gap(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("charts", "Ada").await?;
    bob.enter("charts", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    ada.click("stats-toggle").await?;
    bob.click("stats-toggle").await?;
    let names: Vec<_> = charts(&ada).await?.into_iter().map(|chart| chart.metric).collect();
    assert_eq!(names, ["bitrate", "frames_per_second", "round_trip_time", "loss_ratio", "jitter"]);
    until_chart(&ada, "four points, a stroke between gaps", |rate| {
        rate.points >= 4 && rate.strokes == rate.gaps + 1
    })
    .await?;

    let () = ada.execute(SHOW_OR_HIDE, vec![json!("hidden")]).await?;
    let (gaps, before) = (frame_rate(&ada).await?.gaps, frame_rate(&bob).await?.points);
    // The other page's seconds serve as the clock.
    until_chart(&bob, "five seconds more", |rate| rate.points >= before + 5).await?;
    let hidden = frame_rate(&ada).await?.points;
    let () = ada.execute(SHOW_OR_HIDE, vec![json!("visible")]).await?;
    let rate = until_chart(&ada, "points after the gap", |rate| rate.points >= hidden + 3).await?;
    assert!(rate.gaps > gaps && rate.strokes == rate.gaps + 1, "{gaps} gaps before, {rate:?}");
    assert!(rate.words.contains("fps"), "{rate:?}");
    let log: String = ada.execute(TEXT, vec![json!("event-log")]).await?;
    assert!(log.contains("page: visible") || log.contains("page: \u{2013} \u{2192} hidden"), "{log}");

    // Moves the cursor with the keyboard.
    let slider = ada.browser.driver.find(By::Css("[data-testid='chart-cursor']")).await?;
    let now = slider.attr("aria-valuetext").await?;
    slider.send_keys(Key::Left + Key::Left).await?;
    ada.until("the panel is still open", |page| page.shows("chart-cursor")).await?;
    assert_ne!(slider.attr("aria-valuetext").await?, now, "the cursor does not move");
    Ok(())
}

async fn the_panel_shows_the_session_descriptions_and_the_log_of_the_browser(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("details", "Ada").await?;
    bob.enter("details", "Bob").await?;
    ada.until_connected_to("Bob").await?;
    ada.until_picture_moves("Bob").await?;
    ada.click("stats-toggle").await?;
    for (shown, description) in [("sdp-local", "localDescription"), ("sdp-remote", "remoteDescription")] {
        until(&format!("{shown} as the browser has it"), PATIENCE, async || {
            let text: Option<String> = ada.execute(TEXT, vec![json!(shown)]).await?;
            let script = format!("return sightlineProbe.connections.at(-1).{description}.sdp");
            let sdp: String = ada.execute(&script, vec![]).await?;
            Ok(if text.as_deref() == Some(&sdp) && sdp.starts_with("v=0") {
                Ok(())
            } else {
                Err(format!("{text:?}"))
            })
        })
        .await?;
    }
    let log: String = ada.execute(TEXT, vec![json!("event-log")]).await?;
    for state in [
        "connection_state: connecting \u{2192} connected",
        "signaling_state: ",
        "ice_state: ",
        "candidate_pair: ",
    ] {
        assert!(log.contains(state), "no {state:?} in the log:\n{log}");
    }
    let pairs: String = ada.execute(TEXT, vec![json!("details-pairs")]).await?;
    assert!(pairs.contains("udp"), "{pairs}");
    let media: String = ada.execute(TEXT, vec![json!("details-media")]).await?;
    assert!(media.contains("video/") && media.contains("audio/opus"), "{media}");
    Ok(())
}

async fn the_own_tile_shows_what_the_other_member_receives(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("mirror", "Ada").await?;
    bob.enter("mirror", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    ada.click("stats-toggle").await?;
    bob.click("stats-toggle").await?;
    until("what Bob measures at Ada's", PATIENCE, async || {
        let (here, there) = (ada.look().await?, bob.look().await?);
        let at_bob = there.tile("Ada").context("Ada at Bob's")?.member.clone();
        let at_ada = here.tile("Bob").context("Bob at Ada's")?.member.clone();
        // Also if the tile is too small to show it.
        let own: String = ada.execute(SEEN_BY, vec![]).await?;
        let measured = |metric| there.figure(&at_bob, metric).unwrap_or_default();
        let (width, height) = (measured("frame_width"), measured("frame_height"));
        let told = |metric| here.figure(&at_ada, metric).unwrap_or_default();
        let size = format!("{width}\u{d7}{height}");
        let agree = !width.is_empty()
            && told("remote_frame_width") == width
            && told("remote_frame_height") == height
            && own.contains("Bob")
            && own.contains(&size);
        Ok(if agree { Ok(()) } else { Err(format!("Bob measures {size}; Ada's tile says {own:?}")) })
    })
    .await?;

    bob.click("leave").await?;
    until("no member sees Ada any more", PATIENCE, async || {
        let own: String = ada.execute(SEEN_BY, vec![]).await?;
        Ok(if own.contains('\u{d7}') { Err(own) } else { Ok(()) })
    })
    .await
}

async fn charts(page: &Page) -> Result<Vec<Chart>> {
    page.execute(CHARTS, vec![]).await
}

async fn until_lines(page: &Page, what: &str, are_so: impl Fn(&[Line]) -> bool) -> Result<Vec<Line>> {
    until(what, PATIENCE, async || {
        let lines: Vec<Line> = page.execute(LINES, vec![]).await?;
        Ok(if are_so(&lines) { Ok(lines) } else { Err(format!("{lines:#?}")) })
    })
    .await
}

async fn frame_rate(page: &Page) -> Result<Chart> {
    charts(page).await?.into_iter().find(|chart| chart.metric == "frames_per_second").context("no such chart")
}

async fn until_chart(page: &Page, what: &str, is_so: impl Fn(&Chart) -> bool) -> Result<Chart> {
    until(&format!("a frame rate with {what}"), PATIENCE, async || {
        let rate = frame_rate(page).await?;
        Ok(if is_so(&rate) { Ok(rate) } else { Err(format!("{rate:?}")) })
    })
    .await
}
