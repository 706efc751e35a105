//! A matrix of runs, for `cargo xtask measure`: two browsers, on Linux as root with an emulated link between them. Not a test: it
//! judges nothing, and runs only if `SIGHTLINE_MEASURE` names a profile set.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::Value;
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

/// Reads a figure of a side.
type Column = fn(&Value) -> Option<f64>;

/// The columns of the table, one row for each run.
const COLUMNS: [(&str, Column); 10] = [
    ("score", |side| side["playout"]["score"]["value"].as_f64()),
    ("stall %", |side| Some(side["playout"]["stall_ratio"].as_f64()? * 100.0)),
    ("stalls", |side| side["playout"]["stall_count"].as_f64()),
    ("longest s", |side| side["playout"]["longest_stall_s"].as_f64()),
    ("freezes", |side| side["playout"]["freeze_count"].as_f64()),
    ("kbit/s", |side| Some(side["playout"]["mean_receive_bitrate_bps"].as_f64()? / 1e3)),
    ("fps", |side| side["playout"]["frames_per_second"].as_f64()),
    ("loss %", |side| Some(side["playout"]["loss_ratio"].as_f64()? * 100.0)),
    // Only for a stamped source.
    ("lost frames", |side| side["known_source"]["frames_lost"].as_f64()),
    ("delay ms", |side| Some(side["known_source"]["delay_mean_s"].as_f64()? * 1e3)),
];

const fn three() -> u32 {
    3
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let is_wanted = env::var_os("SIGHTLINE_MEASURE").is_some();
    is_wanted.then(|| stage.long_test(the_matrix)).into_iter().collect()
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
    println!(
        "\n{} to {}, {} s each, {} times: median (least to greatest)",
        set.browsers[0], set.browsers[1], set.run_s, set.repetitions
    );
    print!("{:<12}", "profile");
    COLUMNS.iter().for_each(|(name, _)| print!("{name:>20}"));
    println!();
    for profile in &set.profile {
        let mut sides = Vec::new();
        for repetition in 1..=set.repetitions {
            let (report, recorded) = run(scene, &set, profile, repetition, emulation.is_ok()).await?;
            let name = format!("{}-{repetition}", file_name(&profile.name));
            fs::write(folder.join(format!("{name}.json")), &report)?;
            if let Some(recorded) = recorded {
                fs::write(folder.join(format!("{name}.recorded.jsonl")), recorded)?;
            }
            let report: Value = serde_json::from_str(&report)?;
            sides.push(report["sides"][0].clone());
        }
        print!("{:<12}", profile.name);
        for (_, of) in COLUMNS {
            print!("{:>20}", spread(sides.iter().filter_map(of).collect()));
        }
        println!();
    }
    println!("\nThe reports are in {}: open them at /report.", absolute(&folder));
    Ok(())
}

async fn run(
    scene: &Scene,
    set: &Set,
    profile: &Profile,
    repetition: u32,
    is_emulated: bool,
) -> Result<(String, Option<String>)> {
    let engine = |name: &str| match name {
        "chromium" => Ok(Engine::Chromium),
        "firefox" => Ok(Engine::Firefox),
        other => bail!("no browser {other}: chromium and firefox are there"),
    };
    let pair = [engine(&set.browsers[0])?, engine(&set.browsers[1])?];
    let apart = Apart::new(scene, pair, profile, is_emulated).await?;
    let [sender, receiver] = &apart.pages;
    let room = format!("measure-{}-{repetition}", file_name(&profile.name));
    receiver.enter_with(&room, "Receiver", &format!("{}&run_s={}", set.receiver, set.run_s)).await?;
    sender.enter_with(&room, "Sender", &set.sender).await?;
    until_run(receiver, "running", PATIENCE).await?;
    let begun = Instant::now();
    for change in &profile.changes {
        let after = Duration::try_from_secs_f64(change.at_s.clamp(0.0, 86_400.0)).unwrap_or_default();
        sleep_until(begun + after).await;
        apart.change(&change.link);
    }
    until_run(receiver, "ended", Duration::from_secs(set.run_s) + PATIENCE).await?;
    // If the link works again, the other side's log arrives; otherwise the report has one side.
    sleep(Duration::from_secs(2)).await;
    receiver.click("export-json").await?;
    let report = receiver.execute("return sightlineProbe.saved.at(-1).text()", vec![]).await?;
    // Present if the receiver's address contains `probe=record`.
    let recorded = receiver
        .execute("return sightlineProbe.recorded?.map((line) => line + '\\n').join('') ?? null", vec![])
        .await?;
    for page in &apart.pages {
        page.open("about:blank").await?;
    }
    Ok((report, recorded))
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
            far.link.set_both(link);
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

/// Median, least and greatest value.
fn spread(mut numbers: Vec<f64>) -> String {
    numbers.sort_unstable_by(f64::total_cmp);
    let (Some(least), Some(greatest)) = (numbers.first(), numbers.last()) else { return "-".to_owned() };
    let digits = usize::from(*greatest < 100.0);
    let median = f64::midpoint(numbers[(numbers.len() - 1) / 2], numbers[numbers.len() / 2]);
    format!("{median:.digits$} ({least:.digits$} to {greatest:.digits$})")
}

fn file_name(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .collect()
}

fn absolute(folder: &Path) -> String {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string()
}
