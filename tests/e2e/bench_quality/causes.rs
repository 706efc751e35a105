//! The causes that the ledger names, against causes that are injected: the source stops, the sender's computer is slow, the path is
//! narrow, loses packets, becomes longer or is cut, the viewer's computer is busy. Each part prints its row of the confusion matrix,
//! and the matrix of all rows so far, and leaves them with reports, recordings and the truth in the folder of the reports.

use std::{
    collections::BTreeMap,
    env, fs,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sightline_e2e::{
    browser::{Browser, Engine},
    netlab::{Direction, FarApart, LinkProfile},
    slowness::{Part, Slowed, paused},
    stage::{Pair, Scene, Stage},
};
use tokio::time::sleep;

use super::reports;

/// Time of playing before the first injection: the sender's estimate of the bandwidth grows first.
const WARM_UP: Duration = Duration::from_secs(12);
/// Time between two injections.
const CALM: Duration = Duration::from_secs(7);
/// A stall that begins this long before an injection is still its effect: clocks and logs are not exact.
const EARLY_MS: f64 = 150.0;
/// The causes in a report.
const WORDS: [&str; 9] = [
    "source",
    "sender_cpu",
    "sender_bandwidth",
    "bandwidth",
    "loss",
    "delay",
    "path_change",
    "receiver",
    "unknown",
];

/// An injected cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Source,
    /// The threads that encode get little processor time.
    Encoder,
    /// The main thread of the sender's page is slowed down by the developer tools.
    Page,
    Bandwidth,
    Loss,
    Delay,
    Cut,
    Viewer,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Source,
        Self::Encoder,
        Self::Page,
        Self::Bandwidth,
        Self::Loss,
        Self::Delay,
        Self::Cut,
        Self::Viewer,
    ];

    /// The threads that encode are known in Chromium only, and Firefox cannot slow its main thread down.
    fn is_possible_with(self, sender: Engine) -> bool {
        sender == Engine::Chromium || !matches!(self, Self::Encoder | Self::Page)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Encoder => "encoder",
            Self::Page => "page",
            Self::Bandwidth => "bandwidth",
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Cut => "cut",
            Self::Viewer => "viewer",
        }
    }

    /// The words that are right.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["source"],
            Self::Encoder | Self::Page => &["sender_cpu"],
            Self::Bandwidth => &["bandwidth", "sender_bandwidth"],
            Self::Loss => &["loss"],
            Self::Delay => &["delay"],
            Self::Cut => &["path_change"],
            Self::Viewer => &["receiver"],
        }
    }

    /// The least and the greatest strength: milliseconds, a share of a core, times slower, kbit/s, a share of the packets.
    fn strengths(self) -> (f64, f64) {
        match self {
            Self::Source | Self::Viewer => (300.0, 1500.0),
            Self::Encoder => (0.03, 0.2),
            Self::Page => (10.0, 30.0),
            Self::Bandwidth => (120.0, 400.0),
            Self::Loss => (0.1, 0.3),
            Self::Delay => (250.0, 600.0),
            Self::Cut => (300.0, 2500.0),
        }
    }

    /// A strength between the two, evenly distributed by its logarithm.
    fn strength(self, random: &mut u64) -> f64 {
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        let (least, greatest) = self.strengths();
        let strength = least * (greatest / least).powf(share);
        (strength * 1000.0).round() / 1000.0
    }

    /// Time after the injection in which a stall is still its effect.
    fn lasts_on(self) -> Duration {
        Duration::from_millis(match self {
            Self::Source | Self::Viewer => 600,
            Self::Encoder | Self::Page | Self::Delay | Self::Loss => 1000,
            Self::Cut => 2500,
            // The sender's estimate of the bandwidth grows back slowly.
            Self::Bandwidth => 7000,
        })
    }
}

/// An injection, in milliseconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Injected {
    from_ms: f64,
    to_ms: f64,
    strength: f64,
}

/// A row of the matrix: how often each word was given.
type Row = BTreeMap<String, u32>;

pub(super) fn trials(stage: &Arc<Stage>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for sender in [Engine::Chromium, Engine::Firefox] {
        for viewer in [Engine::Chromium, Engine::Firefox] {
            for kind in Kind::ALL.into_iter().filter(|kind| kind.is_possible_with(sender)) {
                let name = format!("bench_quality::causes::{}_{}", pair_name([sender, viewer]), kind.name());
                trials.push(stage.long_test_named(name, async move |scene: &Scene| {
                    judge(scene, [sender, viewer], kind).await
                }));
            }
        }
    }
    trials
}

fn pair_name([sender, viewer]: Pair) -> String {
    format!("{}_{}", sender.name(), viewer.name())
}

async fn judge(scene: &Scene, pair: Pair, kind: Kind) -> Result<()> {
    let number = |name: &str| env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let rounds = number("SIGHTLINE_BENCH_ROUNDS").unwrap_or(2);
    let seed = number("SIGHTLINE_BENCH_SEED").unwrap_or(1);
    let usual = LinkProfile { delay_ms: 20.0, ..LinkProfile::default() };
    let far = scene.far_apart(pair, &usual).await?;
    let [ada, bob] = &far.pages;
    let parameters = "source=file&sample=1&stamp=1&fps=25&probe=held-frames";
    ada.enter_with("causes", "Ada", parameters).await?;
    ada.click("source-loop").await?;
    bob.enter_with("causes", "Bob", "source=none&probe=record").await?;
    bob.until_picture_moves("Ada").await?;
    sleep(WARM_UP).await;
    bob.click("run-start").await?;
    sleep(CALM / 2).await;
    let mut injected = Vec::new();
    let mut random = seed.wrapping_mul(1_000_003).wrapping_add(kind as u64);
    for round in 0..4 * rounds {
        let strength = kind.strength(&mut random);
        injected.push(inject(&far, kind, strength, random, &usual).await?);
        sleep(CALM + Duration::from_millis(137 * round % 900)).await;
    }
    bob.click("run-stop").await?;
    sleep(Duration::from_secs(2)).await;
    bob.click("export-json").await?;
    let report: String = bob.execute("return sightlineProbe.saved.at(-1).text()", vec![]).await?;
    let report: Value = serde_json::from_str(&report)?;
    let recorded: String =
        bob.execute("return sightlineProbe.recorded.map((line) => line + '\\n').join('')", vec![]).await?;
    let zero_ms = report["started_at_unix_ms"].as_f64().context("no start")?;
    let opened_ms: f64 = bob.execute("return performance.timeOrigin", vec![]).await?;
    let mut row = Row::new();
    let (mut stood_s, mut others) = (0.0, 0);
    for stall in report["sides"][0]["playout"]["stalls"].as_array().context("no ledger")? {
        let (start, s) =
            (stall["start_s"].as_f64().unwrap_or(0.0), stall["duration_s"].as_f64().unwrap_or(0.0));
        let (from, to) = (zero_ms + start * 1e3, zero_ms + (start + s) * 1e3);
        let lasts_on = kind.lasts_on().as_secs_f64() * 1e3;
        let by = injected.iter().find(|by| from < by.to_ms + lasts_on && by.from_ms - EARLY_MS < to);
        let word = stall["cause"].as_str().unwrap_or_default();
        println!(
            "  {:>8.0} ms, {:>6.0} ms long: {word} ({}) {}",
            start * 1e3,
            s * 1e3,
            stall["confidence"],
            by.map_or("not injected".to_owned(), |by| format!("{} of {}", kind.name(), by.strength)),
        );
        if by.is_some() {
            *row.entry(word.to_owned()).or_default() += 1;
            stood_s += s;
        } else {
            others += 1;
        }
    }
    let folder = reports("causes")?;
    let name = format!("{}-{}", pair_name(pair), kind.name());
    let truth = json!({ "kind": kind.name(), "seed": seed, "words": kind.words(), "opened_ms": opened_ms,
        "lasts_on_ms": kind.lasts_on().as_millis() as u64, "injected": injected });
    fs::write(folder.join(format!("{name}.recorded.jsonl")), recorded)?;
    fs::write(folder.join(format!("{name}.truth.json")), serde_json::to_string(&truth)?)?;
    fs::write(folder.join(format!("{name}.report.json")), serde_json::to_string(&report)?)?;
    fs::write(folder.join(format!("{name}.row.json")), serde_json::to_string(&row)?)?;
    println!(
        "\n{} injections of {}, {} to {}: {} stalls, {stood_s:.1} s; {others} others in the run",
        injected.len(),
        kind.name(),
        pair[0].name(),
        pair[1].name(),
        row.values().sum::<u32>(),
    );
    print_matrix(pair)?;
    for page in &far.pages {
        page.open("about:blank").await?;
    }
    Ok(())
}

/// `strength` has the unit of [`Kind::strengths`].
async fn inject(
    far: &FarApart,
    kind: Kind,
    strength: f64,
    seed: u64,
    usual: &LinkProfile,
) -> Result<Injected> {
    let [ada, bob] = &far.pages;
    let from_ms = unix_ms();
    match kind {
        Kind::Source => {
            let () = ada.execute("sightlineSource.stopFor(arguments[0])", vec![strength.into()]).await?;
            sleep(milliseconds(strength)).await;
        }
        Kind::Encoder => {
            let slowed = Slowed::new(&renderers(&ada.browser).await?, Part::Workers, strength)?;
            sleep(Duration::from_secs(6)).await;
            drop(slowed);
        }
        Kind::Page => {
            let throttle = async |rate: f64| {
                let rate = json!({ "rate": rate });
                ada.browser.driver.cdp().send_raw("Emulation.setCPUThrottlingRate", rate).await
            };
            throttle(strength).await?;
            sleep(Duration::from_secs(6)).await;
            throttle(1.0).await?;
        }
        Kind::Bandwidth => {
            let narrow = LinkProfile { rate_bps: Some((strength * 1e3) as u64), ..usual.clone() };
            far.ends.link.set(Direction::AToB, narrow);
            sleep(Duration::from_secs(8)).await;
            far.ends.link.set_both(usual);
        }
        Kind::Loss => {
            far.ends.link.set_both(&LinkProfile { loss_ratio: strength, seed, ..usual.clone() });
            sleep(Duration::from_secs(6)).await;
            far.ends.link.set_both(usual);
        }
        Kind::Delay => {
            far.ends.link.set_both(&LinkProfile { delay_ms: strength, ..usual.clone() });
            sleep(Duration::from_secs(5)).await;
            // A path that becomes shorter again causes no stall.
            let to_ms = unix_ms() - 4000.0 + strength;
            far.ends.link.set_both(usual);
            return Ok(Injected { from_ms, to_ms, strength });
        }
        Kind::Cut => {
            far.ends.set_cut(true);
            sleep(milliseconds(strength)).await;
            far.ends.set_cut(false);
        }
        Kind::Viewer => {
            let renderers = renderers(&bob.browser).await?;
            paused(&renderers, milliseconds(strength)).await;
        }
    }
    Ok(Injected { from_ms, to_ms: unix_ms(), strength })
}

async fn renderers(browser: &Browser) -> Result<Vec<i32>> {
    browser.renderers().await
}

fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}

#[allow(clippy::disallowed_methods, reason = "a harness measures real time")]
fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

/// Prints the rows that have been measured so far.
fn print_matrix(pair: Pair) -> Result<()> {
    let short = |word: &str| word.replace("sender_", "s_").replace("_change", "");
    print!("{:<12}", "injected");
    WORDS.iter().for_each(|word| print!("{:>12}", short(word)));
    println!("{:>10}{:>10}", "right", "wrong");
    for kind in Kind::ALL {
        let file = reports("causes")?.join(format!("{}-{}.row.json", pair_name(pair), kind.name()));
        let Ok(text) = fs::read_to_string(file) else { continue };
        let row: Row = serde_json::from_str(&text)?;
        let count = |word: &str| row.get(word).copied().unwrap_or_default();
        let all: u32 = row.values().sum();
        let right: u32 = kind.words().iter().map(|word| count(word)).sum();
        let known = all - count("unknown");
        print!("{:<12}", kind.name());
        WORDS.iter().for_each(|word| print!("{:>12}", count(word)));
        let share = |part: u32| f64::from(part) / f64::from(all.max(1));
        println!("{:>10.2}{:>10.2}", share(right), share(known - right));
    }
    Ok(())
}
