//! `cargo xtask`: the project's tasks, the same on a developer's machine and in CI.
//!
//! | module | subject |
//! |---|---|
//! | `build`, `release`, `placement`, `policy`, `embedded`, `fingerprint`, `sizes` | the client in `dist/`: its modules, its place on a static host, its size |
//! | `serve`, `test` | running the server; running every check |
//! | `bench`, `measure`, `soak` | measurements and long tests |
//! | `fuzz` | looking for inputs that break a parser |
//! | `documents` | the links of the documents, and the book of them |
//! | `screenshots`, `icons` | pictures that are in the repository |
//! | `tools`, `browsers`, `foreign`, `install`, `system` | finding and installing tools, browsers, and other implementations of WebRTC |
//! | `workspace`, `process`, `stages` | paths in this clone; running programs; the table of what took how long |
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to a person at a terminal is its purpose"
)]

mod bench;
mod browsers;
mod build;
mod documents;
mod embedded;
mod fingerprint;
mod foreign;
mod fuzz;
mod icons;
mod install;
mod matrix;
mod measure;
mod placement;
mod policy;
mod process;
mod release;
mod screenshots;
mod serve;
mod sizes;
mod soak;
mod stages;
mod system;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sightline's tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install the tools for developing the client: wasm target, wasm-opt, esbuild, trunk and its wasm-bindgen.
    Setup {
        /// Also what the tests need: browsers and their drivers.
        #[arg(long)]
        tests: bool,
    },
    /// Build the client into dist/ and print what a first visit loads.
    Build(build::Options),
    /// Build the client and the server, and run the server.
    Serve(serve::Options),
    /// Run every check: lints, native tests, browser tests, end-to-end tests.
    Test(test::Options),
    /// Run measurements, each beside something else that is measured in the same run.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Cut networks, kill servers and write a thousand messages, in real browsers: real times, printed. Needs root on
    /// Linux for the cuts. The whole takes an hour.
    Soak(soak::Options),
    /// Run a matrix of measurements between two browsers, over emulated links where this is root on Linux.
    Measure(measure::Options),
    /// Look for inputs that break a parser, a minute for each fuzz target; half an hour in all. Needs a C++ compiler.
    Fuzz(fuzz::Options),
    /// Build the client into the package of the server, for `cargo install --locked --path crates/server` and `cargo publish`.
    Package,
    /// Make a book of the documents, in target/book.
    Book,
    /// Print the notes of a release: its section of CHANGELOG.md.
    ReleaseNotes {
        /// As in 0.2.0, or the tag v0.2.0
        version: String,
    },
    /// Take the README's screenshots again, into docs/screenshots/.
    Screenshots,
    /// Draw the app's icons again from assets/app/icon.svg.
    Icons,
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    if let Err(error) = workspace::load() {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    let done = match task {
        Task::Setup { tests } => setup(tests),
        Task::Build(options) => build::run(&options),
        Task::Serve(options) => serve::run(&options),
        Task::Test(options) => return test::run(&options),
        Task::Bench(bench) => bench::run(&bench),
        Task::Soak(options) => soak::run(&options),
        Task::Measure(options) => measure::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Package => embedded::package(),
        Task::Book => documents::book(),
        Task::ReleaseNotes { version } => documents::release_notes(&version),
        Task::Screenshots => screenshots::run(),
        Task::Icons => icons::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn setup(tests: bool) -> anyhow::Result<()> {
    let tools = tools::client_tools()?;
    tools.print();
    println!("trunk: {}", tools::trunk()?.display());
    if tests {
        browsers::test_tools()?.print();
    }
    println!("\nTo use these tools by hand, trunk serve for one, put their folder on PATH:");
    println!("  export PATH=\"{}:$PATH\"", install::bin_dir()?.display());
    Ok(())
}
