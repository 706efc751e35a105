//! The bin `sightline-server`; `--help` lists its options.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sightline_server::{EmbeddedClient, Options, command, create_token};

/// The client that `cargo xtask build --server` built. The variable names the file with the list.
#[cfg(sightline_client)]
const CLIENT: Option<EmbeddedClient> = include!(env!("SIGHTLINE_CLIENT"));
/// The client of the package (`client/README.md`).
#[cfg(all(packaged_client, not(sightline_client)))]
const CLIENT: Option<EmbeddedClient> = include!("../client/embedded.rs");
#[cfg(not(any(packaged_client, sightline_client)))]
const CLIENT: Option<EmbeddedClient> = None;

/// Serves Sightline: the client and signaling on one TCP port (--port); STUN and TURN on two more (--turn-port, --turn-tls-port), with a
/// range of UDP ports for relayed addresses (--turn-relay-ports)
#[derive(Debug, Parser)]
#[command(name = "sightline-server", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Print a token that allows to open rooms on a server that was started with --create-token-file
    CreateToken(create_token::Options),
}

fn main() -> ExitCode {
    let CommandLine { options, task } = CommandLine::parse();
    let outcome = match task {
        Some(Task::CreateToken(options)) => create_token::run(&options),
        None => command::run(options, CLIENT),
    };
    match outcome {
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
