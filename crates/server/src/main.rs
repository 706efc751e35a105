//! The bin `sightline-server`; `--help` lists its options.

use std::process::ExitCode;

use clap::Parser;
use sightline_server::{Options, command};

/// Serves Sightline: the client and the signaling of its rooms on one port, STUN and TURN on two more with a range for relaying
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
            #[expect(clippy::print_stderr, reason = "the sentence for whoever started it")]
            {
                eprintln!("{error}");
            }
            ExitCode::FAILURE
        }
    }
}
