//! The bin `sightline-server`; `--help` lists its options.

use std::process::ExitCode;

use clap::Parser;
use sightline_server::{Options, command};

/// Serves Sightline: the client and signaling on one TCP port (--port); STUN and TURN on two more (--turn-port, --turn-tls-port), with a
/// range of UDP ports for relayed addresses (--turn-relay-ports)
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
