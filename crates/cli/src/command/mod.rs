//! The commands of `sightline-peer`.

mod bots;
mod chat;
mod check;
mod code;
mod editor;
mod interrupts;
mod lines;
mod output;
mod progress;
mod provide;
mod receive;
mod saving;
mod seat;
mod send;
mod spool;
mod visit;
mod watch;

use std::{io::Write, process::ExitCode};

use clap::{CommandFactory, Parser};
use sightline_core::ice::OwnServers;
use sightline_protocol::{DisplayName, signaling::IceServer};

use crate::{
    certificates::TrustedCertificates,
    failure::{Exit, Failure},
    options::{Command, CommonOptions, MemberOptions, Options, create_token},
    peer::{Setup, Storage},
};

use self::output::Output;

/// The whole of the bin: reads the command line, performs the command, and returns what the process exits with.
#[must_use]
pub fn main() -> ExitCode {
    let options = Options::parse();
    let mut output = Output::new(options.command.common());
    let result = start(&options, &mut output);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn start(options: &Options, output: &mut Output) -> Result<(), Failure> {
    match &options.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Options::command(), "sightline-peer", &mut script);
            return print(&script);
        }
        Command::Man => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Options::command()).render(&mut page);
            return rendered.map_err(|error| Failure::of_output(&error)).and_then(|()| print(&page));
        }
        _ => {}
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(
            |error| Failure::new(Exit::Local, "no-runtime", format!("The program cannot start: {error}.")),
        )?;
    let result = runtime.block_on(async {
        match &options.command {
            Command::Chat(options) => chat::run(options, output).await,
            Command::Send(options) => send::run(options, output).await,
            Command::Receive(options) => receive::run(options, output).await,
            Command::Provide(options) => provide::run(options, output).await,
            Command::Watch(options) => watch::run(options, output).await,
            Command::Bots(options) => bots::run(options, output).await,
            Command::Check(options) => check::run(options, output).await,
            Command::Completions { .. } | Command::Man => Ok(()),
        }
    });
    runtime.shutdown_background();
    result
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    std::io::stdout().write_all(bytes).map_err(|error| Failure::of_output(&error))
}

/// What a member is made from, as the options say it.
fn setup(options: &MemberOptions) -> Result<Setup, Failure> {
    let name = DisplayName::new(&options.name).map_err(|error| {
        Failure::new(Exit::Usage, "name-invalid", format!("This name cannot be shown: {error}."))
    })?;
    Ok(Setup {
        address: options.address()?,
        tls: trusted_certificates(&options.common).client_config()?,
        name,
        relay_only: options.relay_only,
        ice_servers: ice_servers(&options.common.ice_servers)?,
        storage: Storage::Folder(std::env::temp_dir()),
        resume: None,
        create_token: create_token(),
        source: None,
        watch: None,
    })
}

fn trusted_certificates(options: &CommonOptions) -> TrustedCertificates {
    match (&options.cert, options.insecure) {
        (Some(file), _) => TrustedCertificates::SystemAndFile(file.clone()),
        (None, true) => TrustedCertificates::Any,
        (None, false) => TrustedCertificates::System,
    }
}

fn warn_of_insecurity(options: &CommonOptions, output: &Output) -> Result<(), Failure> {
    if options.insecure {
        output.warning("insecure", "No certificate is verified, so anybody could be the server.")?;
    }
    Ok(())
}

fn ice_servers(lines: &[String]) -> Result<Vec<IceServer>, Failure> {
    let own = OwnServers::read(&lines.join("\n"), |_| true);
    match own.problem {
        None => Ok(own.servers),
        Some((at, _)) => {
            let line = lines.get(at - 1).map_or("", String::as_str);
            let sentence = format!(
                "{line:?} is no ICE server: give an address, and for a relay user name and password, as in \"turn:a.example user \
                 password\"."
            );
            Err(Failure::new(Exit::Usage, "ice-server-invalid", sentence))
        }
    }
}
