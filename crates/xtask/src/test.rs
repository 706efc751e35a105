//! `cargo xtask test`: every check, one after the other, and one line for each at the end.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::Result;
use clap::Args;

use crate::{
    browsers::{self, TestTools},
    build, documents, foreign, placement, process,
    stages::{self, Stages},
    workspace,
};

/// Tests that run at once. Together they open few pages at a time (`tests/src/places.rs`); the third one uses what two leave.
const END_TO_END_THREADS: usize = 3;

/// The checks to run.
#[derive(Args)]
pub(crate) struct Options {
    /// `lint`, `native`, `wasm`, `e2e` or `trunk` for one part, else a filter for the names of the tests of all parts.
    part_or_filter: Option<String>,
    /// A filter for the names of the tests of the part, or of the lints.
    filter: Option<String>,
    /// Go on after a stage that failed.
    #[arg(long)]
    keep_going: bool,
}

/// Runs the chosen stages.
pub(crate) fn run(options: &Options) -> ExitCode {
    let (part, filter) = match Part::named(options.part_or_filter.as_deref()) {
        Some(part) => (Some(part), options.filter.as_deref()),
        None => (None, options.part_or_filter.as_deref()),
    };
    let is_chosen = |stage: &&Stage| {
        // The lints have no tests to choose from, but several stages.
        let is_named = part != Some(Part::Lint) || filter.is_none_or(|word| stage.name.contains(word));
        part.is_none_or(|part| part == stage.part) && is_named
    };
    let stages: Vec<_> = STAGES.iter().filter(is_chosen).collect();
    if stages.is_empty() {
        eprintln!("error: no lint has {:?} in its name", filter.unwrap_or_default());
        return ExitCode::FAILURE;
    }

    let mut results = Vec::new();
    for stage in &stages {
        println!("\n==== {} ====", stage.name);
        let started = stages::now();
        let outcome = (stage.run)(filter);
        if let Err(error) = &outcome {
            eprintln!("error: {error:#}");
        }
        let failed = outcome.is_err();
        results.push((outcome, started.elapsed()));
        if failed && !options.keep_going {
            break;
        }
    }
    print_summary(&stages, &results);
    let all_passed = results.len() == stages.len() && results.iter().all(|(outcome, _)| outcome.is_ok());
    if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Builds the client, the server and the member without a browser, and returns the command for the end-to-end tests.
///
/// # Errors
/// Where a build fails.
pub(crate) fn end_to_end(tools: &TestTools, filter: Option<&str>) -> Result<Command> {
    end_to_end_with(tools, filter, END_TO_END_THREADS)
}

/// The same command, with one test at a time, for measurements.
///
/// # Errors
/// As [`end_to_end`].
pub(crate) fn end_to_end_one_by_one(tools: &TestTools, filter: &str) -> Result<Command> {
    end_to_end_with(tools, Some(filter), 1)
}

fn end_to_end_with(tools: &TestTools, filter: Option<&str>, threads: usize) -> Result<Command> {
    let mut stages = Stages::new();
    build::client_and_server(build::Server::WithClient, &mut stages)?;
    stages.run("compile the native peer and the end-to-end tests", 60, || {
        process::run(native("build").args(["--bin", "sightline-peer", "--test", "e2e"]))
    })?;
    stages.print();
    let static_host = workspace::target_dir().join("e2e-static");
    static_client(&static_host)?;
    let mut tests = native("test");
    tools.name_browsers(&mut tests);
    tests
        .args(["--test", "e2e"])
        .env("SIGHTLINE_SERVER", workspace::release_binary("sightline-server"))
        .env("SIGHTLINE_PEER", workspace::debug_binary("sightline-peer"))
        .env("SIGHTLINE_DIST", workspace::dist_dir())
        .env("SIGHTLINE_STATIC_DIST", static_host)
        .args(filter)
        .args(["--", "--test-threads", &threads.to_string()]);
    Ok(tests)
}

/// A cargo command for the native packages. Cargo enables the features that the selected packages want of their dependencies, so
/// every selection compiles the dependencies once more: all native tests, the peer and the end-to-end tests have this one. Not
/// in it is this program, which was compiled alone.
fn native(command: &str) -> Command {
    process::cargo([command, "--workspace", "--exclude", "xtask"])
}

/// Builds the client in another folder, as `cargo xtask build --public-url /sub/path/` does.
fn static_client(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    workspace::copy_folder(&workspace::dist_dir(), folder)?;
    placement::place(folder, "/sub/path/", "")?;
    fs::copy(folder.join("index.html"), folder.join("404.html"))?;
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Lint,
    Native,
    Wasm,
    EndToEnd,
    Trunk,
}

impl Part {
    fn named(name: Option<&str>) -> Option<Self> {
        match name? {
            "lint" => Some(Self::Lint),
            "native" => Some(Self::Native),
            "wasm" => Some(Self::Wasm),
            "e2e" => Some(Self::EndToEnd),
            "trunk" => Some(Self::Trunk),
            _ => None,
        }
    }
}

enum Outcome {
    Passed,
    /// Skipped for this reason.
    Skipped(&'static str),
}

struct Stage {
    name: &'static str,
    part: Part,
    run: fn(Option<&str>) -> Result<Outcome>,
}

const STAGES: [Stage; 11] = [
    Stage {
        name: "format",
        part: Part::Lint,
        run: |_| passed(&mut process::cargo(["fmt", "--all", "--check"])),
    },
    Stage {
        name: "clippy, native",
        part: Part::Lint,
        run: |_| {
            let deny_warnings = ["--", "-D", "warnings"];
            let mut clippy = process::cargo(["clippy", "--workspace", "--all-targets"]);
            process::run(clippy.args(deny_warnings))?;
            if cfg!(not(unix)) {
                return Ok(Outcome::Passed);
            }
            // `--all-targets` leaves out what `cargo test` does not run.
            let mut clippy = process::cargo(["clippy", "--workspace", "--test", "e2e"]);
            passed(clippy.args(deny_warnings))
        },
    },
    Stage { name: "clippy, wasm32", part: Part::Lint, run: |_| clippy_wasm() },
    Stage { name: "documentation", part: Part::Lint, run: |_| documentation() },
    Stage {
        name: "links of the documents",
        part: Part::Lint,
        run: |_| documents::check().map(|()| Outcome::Passed),
    },
    Stage { name: "licenses, bans, sources", part: Part::Lint, run: |_| deny() },
    Stage {
        name: "native tests",
        part: Part::Native,
        run: |filter| {
            browsers::network_tools();
            let mut tests = native("test");
            foreign::name_implementations(&mut tests);
            process::run(tests.arg("--no-fail-fast").args(filter))?;
            passed(process::cargo(["test", "--package", "xtask"]).args(filter))
        },
    },
    Stage {
        name: "browser crate in Chromium",
        part: Part::Wasm,
        run: |filter| in_browser(filter, "CHROMEDRIVER", |tools| &tools.chromedriver, &[]),
    },
    Stage {
        name: "browser crate in Firefox",
        part: Part::Wasm,
        run: |filter| in_browser(filter, "GECKODRIVER", |tools| &tools.geckodriver, without_sound_card()),
    },
    Stage {
        name: "end to end",
        part: Part::EndToEnd,
        run: |filter| {
            if cfg!(not(unix)) {
                return Ok(Outcome::Skipped("the harness ends processes by group, which needs Unix"));
            }
            passed(&mut end_to_end(&browsers::test_tools()?, filter)?)
        },
    },
    Stage { name: "trunk serve", part: Part::Trunk, run: |_| trunk_serve() },
];

fn passed(command: &mut Command) -> Result<Outcome> {
    process::run(command).map(|()| Outcome::Passed)
}

/// Trunk takes as long to compile as most of the tests, so this stage runs only where a developer has it.
fn trunk_serve() -> Result<Outcome> {
    if cfg!(not(unix)) {
        return Ok(Outcome::Skipped("the harness ends processes by group, which needs Unix"));
    }
    if !crate::tools::has_trunk() {
        return Ok(Outcome::Skipped("trunk is not installed; `cargo xtask setup` does that"));
    }
    let tools = crate::tools::client_tools()?;
    let dist = workspace::target_dir().join("trunk");
    for (folder, options) in [("debug", [].as_slice()), ("release", &["--release"])] {
        process::run(tools.trunk()?.arg("build").args(options).arg("--dist").arg(dist.join(folder)))?;
    }
    let mut tests = end_to_end_one_by_one(&browsers::test_tools()?, "trunk_serve::")?;
    let trunk = tools.trunk()?;
    tests.env("SIGHTLINE_TRUNK", trunk.get_program()).env("SIGHTLINE_TRUNK_DIST", dist);
    for (name, value) in trunk.get_envs() {
        if let Some(value) = value {
            tests.env(name, value);
        }
    }
    passed(&mut tests)
}

fn clippy_wasm() -> Result<Outcome> {
    crate::tools::wasm_target()?;
    let mut clippy = process::cargo(["clippy"]);
    for package in ["sightline", "sightline-browser", "sightline-file-worker"] {
        clippy.args(["--package", package]);
    }
    passed(clippy.args(["--target", "wasm32-unknown-unknown", "--all-targets", "--", "-D", "warnings"]))
}

/// Builds the documentation of the crates that others may use, without their dependencies.
fn documentation() -> Result<Outcome> {
    let mut doc = process::cargo(["doc", "--no-deps"]);
    for package in
        ["sightline-protocol", "sightline-core", "sightline-server", "sightline-cli", "sightline-netlab"]
    {
        doc.args(["--package", package]);
    }
    passed(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn deny() -> Result<Outcome> {
    let deny = match crate::tools::cargo_deny() {
        Ok(deny) => deny,
        Err(error) => {
            eprintln!("{error:#}");
            return Ok(Outcome::Skipped("cargo-deny could not be installed"));
        }
    };
    passed(process::command(deny).args(["--workspace", "check", "licenses", "bans", "sources"]))
}

fn in_browser(
    filter: Option<&str>,
    driver_variable: &str,
    driver: fn(&TestTools) -> &std::path::PathBuf,
    skipped: &[&str],
) -> Result<Outcome> {
    for test in skipped {
        println!("skipped, because Firefox runs no AudioContext without a sound card: {test}");
    }
    crate::tools::wasm_target()?;
    let tools = browsers::test_tools()?;
    // Chromium leaves folders where it keeps temporary files. The folder is not in target/, because sockets are there too, and
    // their paths must be short.
    let temporary = std::env::temp_dir().join(format!("sightline-{}", std::process::id()));
    fs::create_dir_all(&temporary)?;
    let mut tests = process::cargo(["test", "--package", "sightline-browser"]);
    tests
        .args(["--target", "wasm32-unknown-unknown"])
        .args(filter)
        .arg("--")
        .args(skipped.iter().flat_map(|test| ["--skip", test]))
        // For each test binary; the default of 20 s is for machines with more cores.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "180")
        .env("TMPDIR", &temporary)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &tools.wasm_bindgen_test_runner)
        // The runner uses the first browser for which a driver is named.
        .env_remove("CHROMEDRIVER")
        .env_remove("GECKODRIVER")
        .env(driver_variable, driver(&tools));
    let outcome = passed(&mut tests);
    fs::remove_dir_all(&temporary)?;
    outcome
}

/// The tests that need a running `AudioContext`, if Firefox has none: on a machine without a sound card its contexts stay
/// suspended and `resume()` never completes (measured with Firefox 153).
fn without_sound_card() -> &'static [&'static str] {
    let has_sound_card =
        fs::read_to_string("/proc/asound/cards").is_ok_and(|cards| !cards.contains("no soundcards"));
    if cfg!(target_os = "linux") && !has_sound_card { &NEED_A_SOUND_CARD } else { &[] }
}

/// Full names, in the module that has them.
const NEED_A_SOUND_CARD: [&str; 2] = [
    "audio_level::a_microphone_with_sound_has_a_level_and_a_disabled_one_has_none",
    "audio_level::dropped_meters_leave_room_for_others",
];

fn print_summary(stages: &[&Stage], results: &[(Result<Outcome>, Duration)]) {
    println!("\n==== summary ====");
    for (at, stage) in stages.iter().enumerate() {
        let (word, took) = match results.get(at) {
            Some((Ok(Outcome::Passed), took)) => ("passed".to_owned(), *took),
            Some((Ok(Outcome::Skipped(why)), took)) => (format!("skipped: {why}"), *took),
            Some((Err(_), took)) => ("FAILED".to_owned(), *took),
            None => ("not run".to_owned(), Duration::ZERO),
        };
        stages::print_row(stage.name, took, &word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A name that is no test skips nothing, and Firefox waits for the real one until the time is over.
    #[test]
    fn every_test_that_is_skipped_without_a_sound_card_exists() {
        for test in NEED_A_SOUND_CARD {
            let (module, function) = test.split_once("::").expect("a name with its module");
            let file = workspace::root().join(format!("crates/browser/tests/browser/{module}.rs"));
            let source = fs::read_to_string(&file).expect("the file of the module");
            assert!(source.contains(&format!("async fn {function}()")), "{test}");
        }
    }
}
