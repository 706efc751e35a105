//! `sightline-server`: see `--help`.

use std::process::ExitCode;

use clap::Parser;
use sightline_server::{Options, command};

/// Serves Sightline: the client and the signalling that its rooms need, on one port.
#[derive(Debug, Parser)]
#[command(name = "sightline-server", version)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    match command::run(CommandLine::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the sentence for who started it")]
            {
                eprintln!("{error}");
            }
            ExitCode::FAILURE
        }
    }
}
