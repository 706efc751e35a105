//! The connection doctor: its verdict for networks and devices of every kind.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Value, json};
use sightline_e2e::{
    browser::{Devices, Engine, Profile},
    coturn::{Coturn, PASSWORD, USER, where_there_is_coturn},
    page::Page,
    stage::{Scene, Stage},
    wait::until,
};

/// Two rounds of eight seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let with_relay = [
        stage.test_in_each(an_open_network_has_direct_calls_and_a_working_relay),
        stage.test_in_each(calls_use_a_tcp_relay_if_udp_is_blocked),
        stage.test_in_each(a_relay_that_refuses_the_credentials_is_named),
        stage.test_in_each(any_turn_server_shows_its_candidates_or_its_error),
    ];
    let mut trials = where_there_is_coturn(with_relay.into_iter().flatten().collect());
    trials.extend(
        [
            stage.test_in_each(the_check_reports_a_missing_server),
            stage.test_in_each(a_missing_camera_is_named),
            stage.test_in_each(a_page_that_gets_no_microphone_is_not_green),
            stage.test_in_each(a_refused_permission_is_named),
            vec![stage.test(a_report_is_read_from_its_link_without_addresses)],
        ]
        .into_iter()
        .flatten(),
    );
    trials
}

async fn an_open_network_has_direct_calls_and_a_working_relay(scene: &Scene, engine: Engine) -> Result<()> {
    let coturn = Coturn::start(true).await?;
    let urls = [coturn.url("stun", ""), coturn.url("turn", ""), coturn.url("turn", "?transport=tcp")];
    let page = scene.page(engine).await?;
    let found = examine(&page, &ice(&urls, PASSWORD)).await?;
    found.is(
        "direct",
        &[
            ("browser", "ok", "ok"),
            ("permissions", "ok", "ok"),
            ("camera", "ok", "ok"),
            ("server", "ok", "ok"),
            ("signalling", "ok", "ok"),
            ("addresses", "ok", "ok"),
            ("stun-udp", "ok", "ok"),
            ("turn-udp", "ok", "ok"),
            ("turn-tcp", "ok", "ok"),
            ("relay-call", "ok", "ok"),
        ],
    )
}

async fn calls_use_a_tcp_relay_if_udp_is_blocked(scene: &Scene, engine: Engine) -> Result<()> {
    let coturn = Coturn::start(false).await?;
    let urls = [coturn.url("stun", ""), coturn.url("turn", ""), coturn.url("turn", "?transport=tcp")];
    let page = scene.page(engine).await?;
    let found = examine(&page, &ice(&urls, PASSWORD)).await?;
    found.is(
        "relay-tcp",
        &[
            ("stun-udp", "failed", "timeout"),
            ("turn-udp", "failed", "timeout"),
            ("turn-tcp", "ok", "ok"),
            ("relay-call", "ok", "ok"),
        ],
    )
}

async fn a_relay_that_refuses_the_credentials_is_named(scene: &Scene, engine: Engine) -> Result<()> {
    let coturn = Coturn::start(true).await?;
    let urls = [coturn.url("turn", ""), coturn.url("turn", "?transport=tcp")];
    let page = scene.page(engine).await?;
    let found = examine(&page, &ice(&urls, "byron")).await?;
    found.is(
        "direct",
        &[
            ("turn-udp", "failed", "unauthorized"),
            ("turn-tcp", "failed", "unauthorized"),
            ("relay-call", "failed", "not-tested"),
        ],
    )
}

async fn any_turn_server_shows_its_candidates_or_its_error(scene: &Scene, engine: Engine) -> Result<()> {
    let coturn = Coturn::start(true).await?;
    let page = scene.page(engine).await?;
    page.open("/check").await?;
    page.fill("ice-url", &coturn.url("turn", "")).await?;
    page.fill("ice-username", USER).await?;
    page.fill("ice-credential", PASSWORD).await?;
    page.click("ice-gather").await?;
    until("a relay candidate", PATIENCE, async || {
        let types: Vec<String> = page.execute(CANDIDATE_TYPES, vec![]).await?;
        Ok(if types.iter().any(|kind| kind == "relay") { Ok(()) } else { Err(format!("{types:?}")) })
    })
    .await?;
    page.fill("ice-credential", "byron").await?;
    page.click("ice-gather").await?;
    until("the error 401", PATIENCE, async || {
        let errors: Vec<String> = page.execute(ERROR_CODES, vec![]).await?;
        Ok(if errors == ["401"] { Ok(()) } else { Err(format!("{errors:?}")) })
    })
    .await?;
    page.fill("ice-url", "http://example.org").await?;
    page.click("ice-gather").await?;
    until("the word that this is no server", PATIENCE, async || {
        let state: String = page.execute(GATHERING_STATE, vec![]).await?;
        Ok(if state == "invalid" { Ok(()) } else { Err(state) })
    })
    .await
}

async fn the_check_reports_a_missing_server(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/check").await?;
    page.until("there is a button to begin", |page| page.shows("check-start")).await?;
    for words in ["WebSocket", "ERR_CONNECTION_REFUSED", "can’t establish a connection"] {
        page.expect_console_error(words);
    }
    scene.server().await?.kill().await?;
    let found = press_start(&page).await?;
    found.is(
        "server-unreachable",
        &[
            ("server", "failed", "server-unreachable"),
            ("signalling", "failed", "server-unreachable"),
            ("camera", "ok", "ok"),
            ("relay-call", "warning", "not-tested"),
        ],
    )
}

async fn a_missing_camera_is_named(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::Missing)).await?;
    let found = examine(&page, &json!([])).await?;
    found.is(
        "unknown",
        &[("permissions", "ok", "ok"), ("camera", "failed", "no-device"), ("signalling", "ok", "ok")],
    )
}

async fn a_page_that_gets_no_microphone_is_not_green(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::Refused)).await?;
    let found = examine_here(&page).await?;
    assert_eq!(found.rows["microphone"].0, "failed", "{found:?}");
    assert_eq!((found.verdict.as_str(), found.tone.as_str()), ("direct", "fair"), "{found:?}");
    let page = scene.page(engine).await?;
    let found = examine_here(&page).await?;
    assert_eq!((found.verdict.as_str(), found.tone.as_str()), ("direct", "good"), "{found:?}");
    Ok(())
}

async fn a_refused_permission_is_named(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::Refused)).await?;
    let found = examine(&page, &json!([])).await?;
    found.is(
        "unknown",
        &[
            ("permissions", "failed", "permission-denied"),
            ("camera", "failed", "permission-denied"),
            ("microphone", "failed", "permission-denied"),
            ("signalling", "ok", "ok"),
        ],
    )
}

async fn a_report_is_read_from_its_link_without_addresses(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    let found = examine(&page, &json!([])).await?;
    let link: Option<String> = page.execute(REPORT_LINK, vec![]).await?;
    let link = link.context("no link")?;
    let other = scene.page(Engine::Firefox).await?;
    other.open(&link).await?;
    other.until("the report is there", |page| page.shows("check-summary")).await?;
    let read: Found = other.execute(FOUND, vec![]).await?;
    assert_eq!((&read.verdict, &read.rows), (&found.verdict, &found.rows));
    let words: String = other.execute("return document.body.textContent", vec![]).await?;
    assert!(
        !words.contains("fake_device") && !words.contains("Fake Default"),
        "a device's name was handed on"
    );
    other.open(&format!("{}x", &link[..link.len() - 20])).await?;
    other.reload().await?;
    other.until_notice("report-unreadable").await?;
    Ok(())
}

/// The results that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Found {
    verdict: String,
    /// How the verdict is colored.
    tone: String,
    summary: String,
    /// State and code of each row.
    rows: BTreeMap<String, (String, String)>,
    /// The text of each row.
    words: BTreeMap<String, String>,
}

impl Found {
    /// Whether verdict and rows are these.
    pub(crate) fn is(&self, verdict: &str, rows: &[(&str, &str, &str)]) -> Result<()> {
        ensure!(self.verdict == verdict, "the verdict is not {verdict}: {self:#?}");
        ensure!(self.summary.split_whitespace().count() > 5, "the summary has no sentence: {self:#?}");
        for (name, state, code) in rows {
            let found = self.rows.get(*name).with_context(|| format!("no row {name} in {self:#?}"))?;
            ensure!(
                (found.0.as_str(), found.1.as_str()) == (*state, *code),
                "{name} is not {state}: {self:#?}"
            );
            ensure!(self.words.get(*name).is_some_and(|words| words.contains(' ')), "{name} has no words");
        }
        Ok(())
    }
}

/// Runs an examination with the ICE servers of the real server.
pub(crate) async fn examine_here(page: &Page) -> Result<Found> {
    page.open("/check").await?;
    press_start(page).await
}

/// Runs the check on a page whose server lists these ICE servers.
async fn examine(page: &Page, ice_servers: &Value) -> Result<Found> {
    let servers: String =
        page.execute("return encodeURIComponent(arguments[0])", vec![json!(ice_servers.to_string())]).await?;
    page.open(&format!("/check?probe=ice-servers&ice-servers={servers}")).await?;
    press_start(page).await
}

async fn press_start(page: &Page) -> Result<Found> {
    page.click("check-start").await?;
    until("a verdict", PATIENCE, async || {
        let found: Option<Found> = page.execute(FOUND, vec![]).await?;
        Ok(match found {
            Some(found) if found.verdict != "running" => Ok(found),
            other => Err(format!("{other:#?}")),
        })
    })
    .await
}

fn ice(urls: &[String], password: &str) -> Value {
    json!([{ "urls": urls, "username": USER, "credential": password }])
}

const FOUND: &str = "
    const summary = document.querySelector('[data-testid=\"check-summary\"]');
    if (!summary) return null;
    const rows = [...document.querySelectorAll('[data-testid=\"check-row\"]')];
    return {
      verdict: summary.dataset.verdict,
      tone: summary.dataset.tone,
      summary: summary.innerText,
      rows: Object.fromEntries(rows.map((row) => [row.dataset.check, [row.dataset.state, row.dataset.code]])),
      words: Object.fromEntries(rows.map((row) => [row.dataset.check, row.innerText])),
    };";
const CANDIDATE_TYPES: &str = "return [...document.querySelectorAll('[data-testid=\"ice-candidate\"]')].map((row) => row.dataset.type);";
const ERROR_CODES: &str =
    "return [...document.querySelectorAll('[data-testid=\"ice-error\"]')].map((row) => row.dataset.code);";
const GATHERING_STATE: &str = "return document.querySelector('[data-testid=\"ice-status\"]').dataset.state;";
const REPORT_LINK: &str =
    "return document.querySelector('[data-testid=\"report-link\"]')?.dataset.url ?? null;";
