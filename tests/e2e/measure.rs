//! A matrix of runs, for `cargo xtask measure`: two browsers, on Linux as root with an emulated link between them. Each run leaves a report
//! and a line in `runs.jsonl`, from which `cargo xtask` makes the tables and plots. Not a test: it judges nothing, and runs only if
//! `SIGHTLINE_MEASURE` names a profile set.
#![allow(clippy::print_stdout, reason = "lines for a person are its purpose")]

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Value, json};
#[cfg(target_os = "linux")]
use sightline_e2e::netlab::{FarApart, LinkProfile};
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::until,
};
use tokio::time::{Instant, sleep, sleep_until};

/// On other systems a link is parsed and not used.
#[cfg(not(target_os = "linux"))]
type LinkProfile = Value;

/// Additional time for a run: browsers start, connect, and send their logs.
const PATIENCE: Duration = Duration::from_secs(90);
/// Time for the other side's log to arrive.
const LOG_PATIENCE: Duration = Duration::from_secs(2);
/// Number of changes of the link that a report lists among its conditions.
const MAX_CHANGES_TOLD: usize = 20;

/// The contents of a profile set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(default = "three")]
    repetitions: u32,
    run_s: u64,
    /// The browsers of sender and receiver.
    browsers: [String; 2],
    /// Further parameters of the sender's address.
    sender: String,
    /// Further parameters of the receiver's address.
    receiver: String,
    profile: Vec<Profile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    name: String,
    /// The profile of both directions.
    #[serde(default)]
    link: LinkProfile,
    #[serde(default)]
    changes: Vec<Change>,
}

/// A change of the link at a moment of the run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    at_s: f64,
    link: LinkProfile,
}

const fn three() -> u32 {
    3
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let is_wanted = env::var_os("SIGHTLINE_MEASURE").is_some();
    is_wanted.then(|| stage.endless_test(the_matrix)).into_iter().collect()
}

async fn the_matrix(scene: &Scene) -> Result<()> {
    let file = PathBuf::from(env::var_os("SIGHTLINE_MEASURE").context("no profile set")?);
    let folder = PathBuf::from(env::var_os("SIGHTLINE_REPORTS").unwrap_or_else(|| "reports".into()));
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut set: Set =
        toml::from_str(&text).with_context(|| format!("{} is no profile set", file.display()))?;
    if let Some(repetitions) = env::var("SIGHTLINE_REPETITIONS").ok().and_then(|number| number.parse().ok()) {
        set.repetitions = repetitions;
    }
    fs::create_dir_all(&folder)?;
    let emulation = emulation();
    if let Err(reason) = &emulation {
        println!("\nWithout an emulated link ({reason}): every profile is measured over loopback.");
    }
    println!("\n{} to {}, {} s each, {} times", set.browsers[0], set.browsers[1], set.run_s, set.repetitions);
    let wanted: Vec<_> = set
        .profile
        .iter()
        .flat_map(|profile| (1..=set.repetitions).map(move |repetition| (profile, repetition)))
        .collect();
    let runs = folder.join("runs.jsonl");
    let listed = if is_resumed() { fs::read_to_string(&runs).unwrap_or_default() } else { String::new() };
    let mut list = fs::OpenOptions::new().create(true).append(true).open(&runs)?;
    let mut progress = Progress { all: wanted.len(), done: 0, measured: Vec::new() };
    let mut apart = None;
    for (profile, repetition) in wanted {
        let name = format!("{}-{repetition}", file_name(&profile.name));
        let what = format!("{} {repetition} of {}", profile.name, set.repetitions);
        if is_done(&listed, &profile.name, repetition) && is_report(&folder.join(format!("{name}.json"))) {
            progress.keep(&what);
            continue;
        }
        let begun = Instant::now();
        let done = run(scene, &set, profile, repetition, emulation.is_ok(), &mut apart).await;
        let done = done.and_then(|(report, recorded)| {
            fs::write(folder.join(format!("{name}.json")), with_link(&report, profile, emulation.is_ok())?)?;
            if let Some(recorded) = recorded {
                fs::write(folder.join(format!("{name}.recorded.jsonl")), recorded)?;
            }
            Ok(())
        });
        let seconds = begun.elapsed();
        let mut entry =
            json!({ "profile": profile.name, "repetition": repetition, "seconds": seconds.as_secs_f64() });
        match &done {
            Ok(()) => entry["report"] = json!(format!("{name}.json")),
            Err(error) => {
                entry["error"] = json!(format!("{error:#}"));
                // An earlier report of this run is not its result.
                let _ = fs::remove_file(folder.join(format!("{name}.json")));
                // What is left of the pages may be the reason, so the next run gets new ones.
                apart = None;
            }
        }
        // In one call, so that an interruption leaves no half of a line.
        list.write_all(format!("{entry}\n").as_bytes())?;
        progress.end(&what, done.err().as_ref(), seconds);
    }
    println!("\nThe reports are in {}: open them at /report.", absolute(&folder));
    Ok(())
}

/// Prints a line for each run.
struct Progress {
    all: usize,
    done: usize,
    /// How long each run took that was not kept.
    measured: Vec<Duration>,
}

impl Progress {
    fn keep(&mut self, what: &str) {
        self.done += 1;
        println!("[{}/{}] {what}: kept", self.done, self.all);
    }

    fn end(&mut self, what: &str, error: Option<&anyhow::Error>, took: Duration) {
        self.done += 1;
        self.measured.push(took);
        let count = u32::try_from(self.measured.len()).unwrap_or(u32::MAX);
        let left =
            self.measured.iter().sum::<Duration>() / count * u32::try_from(self.all - self.done).unwrap_or(0);
        let outcome = error.map_or("done".to_owned(), |error| format!("FAILED: {error:#}"));
        println!(
            "[{}/{}] {what}: {outcome}, {:.1} s; about {} min {:02} s left",
            self.done,
            self.all,
            took.as_secs_f64(),
            left.as_secs() / 60,
            left.as_secs() % 60
        );
    }
}

fn is_resumed() -> bool {
    env::var_os("SIGHTLINE_RESUME").is_some()
}

/// Whether the list has a report of this run. The reports of an earlier matrix in the same folder are not listed.
fn is_done(listed: &str, profile: &str, repetition: u32) -> bool {
    let entries = listed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut of_run = entries.filter(|entry| entry["profile"] == profile && entry["repetition"] == repetition);
    of_run.next_back().is_some_and(|entry| entry["report"].is_string())
}

/// Whether a file is a whole report.
fn is_report(file: &Path) -> bool {
    let report = fs::read_to_string(file).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    report.is_some_and(|report| report["format"] == "sightline-report" && report["sides"][0].is_object())
}

/// Adds the link to the conditions of every side: the pages do not know of it.
fn with_link(report: &str, profile: &Profile, is_emulated: bool) -> Result<String> {
    let mut report: Value = serde_json::from_str(report)?;
    let link = if is_emulated { serde_json::to_string(&profile.link)? } else { "loopback".to_owned() };
    for side in report["sides"].as_array_mut().context("a report without sides")? {
        let conditions = side["conditions"].as_array_mut().context("a side without conditions")?;
        conditions.push(json!(["profile", profile.name]));
        conditions.push(json!(["link", link]));
        for change in profile.changes.iter().take(MAX_CHANGES_TOLD).filter(|_| is_emulated) {
            conditions
                .push(json!([format!("link_at_{}_s", change.at_s), serde_json::to_string(&change.link)?]));
        }
    }
    Ok(report.to_string())
}

async fn run(
    scene: &Scene,
    set: &Set,
    profile: &Profile,
    repetition: u32,
    is_emulated: bool,
    apart: &mut Option<Apart>,
) -> Result<(String, Option<String>)> {
    let engine = |name: &str| match name {
        "chromium" => Ok(Engine::Chromium),
        "firefox" => Ok(Engine::Firefox),
        other => bail!("no browser {other}: chromium and firefox are there"),
    };
    let pair = [engine(&set.browsers[0])?, engine(&set.browsers[1])?];
    // Starting browsers takes longer than a short run: they stay for the next one.
    let apart = match apart {
        Some(apart) => apart,
        None => apart.insert(Apart::new(scene, pair, profile, is_emulated).await?),
    };
    apart.change(&profile.link);
    let [sender, receiver] = &apart.pages;
    let room = format!("measure-{}-{repetition}", file_name(&profile.name));
    let watches = format!("{}&run_s={}", set.receiver, set.run_s);
    tokio::try_join!(
        receiver.enter_with(&room, "Receiver", &watches),
        sender.enter_with(&room, "Sender", &set.sender)
    )?;
    until_run(receiver, "running", PATIENCE).await?;
    let begun = Instant::now();
    for change in &profile.changes {
        let after = Duration::try_from_secs_f64(change.at_s.clamp(0.0, 86_400.0)).unwrap_or_default();
        sleep_until(begun + after).await;
        apart.change(&change.link);
    }
    until_run(receiver, "ended", Duration::from_secs(set.run_s) + PATIENCE).await?;
    let report = exported(receiver).await?;
    // Present if the receiver's address contains `probe=record`.
    let recorded = receiver
        .execute("return sightlineProbe.recorded?.map((line) => line + '\\n').join('') ?? null", vec![])
        .await?;
    for page in &apart.pages {
        page.open("about:blank").await?;
    }
    Ok((report, recorded))
}

/// The report, with the other side's log if it arrives: over a link that is cut, it does not.
async fn exported(receiver: &Page) -> Result<String> {
    let until = Instant::now() + LOG_PATIENCE;
    loop {
        receiver.click("export-json").await?;
        let report: String = receiver.execute("return sightlineProbe.saved.at(-1).text()", vec![]).await?;
        let sides = serde_json::from_str::<Value>(&report)?["sides"].as_array().map_or(0, Vec::len);
        if sides > 1 || Instant::now() >= until {
            return Ok(report);
        }
        sleep(LOG_PATIENCE / 10).await;
    }
}

async fn until_run(page: &Page, state: &str, patience: Duration) -> Result<()> {
    until(&format!("a run that is {state}"), patience, async || {
        let shown: Option<String> = page
            .execute("return document.querySelector('[data-testid=\"run\"]')?.dataset.state ?? null", vec![])
            .await?;
        Ok(if shown.as_deref() == Some(state) { Ok(()) } else { Err(format!("{shown:?}")) })
    })
    .await
}

/// Two pages, with or without a link between them.
struct Apart {
    pages: [Arc<Page>; 2],
    #[cfg(target_os = "linux")]
    far: Option<FarApart>,
}

#[cfg(target_os = "linux")]
impl Apart {
    async fn new(scene: &Scene, pair: [Engine; 2], profile: &Profile, is_emulated: bool) -> Result<Self> {
        if !is_emulated {
            return Ok(Self { pages: scene.pages_in(pair).await?, far: None });
        }
        let far = scene.far_apart(pair, &profile.link).await?;
        Ok(Self { pages: far.pages.clone(), far: Some(far) })
    }

    fn change(&self, link: &LinkProfile) {
        if let Some(far) = &self.far {
            far.ends.link.set_both(link);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Apart {
    async fn new(scene: &Scene, pair: [Engine; 2], _profile: &Profile, _is_emulated: bool) -> Result<Self> {
        Ok(Self { pages: scene.pages_in(pair).await? })
    }

    fn change(&self, _link: &LinkProfile) {}
}

#[cfg(target_os = "linux")]
fn emulation() -> Result<(), String> {
    sightline_netlab::available().map_err(|reason| reason.to_string())
}

#[cfg(not(target_os = "linux"))]
fn emulation() -> Result<(), String> {
    Err("it needs Linux".to_owned())
}

fn file_name(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .collect()
}

fn absolute(folder: &Path) -> String {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string()
}
