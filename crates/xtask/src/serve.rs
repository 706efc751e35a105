//! `cargo xtask serve`: builds and runs the client and the server.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::{build, process, stages::Stages, workspace};

/// Options of the server.
#[derive(Args)]
pub(crate) struct Options {
    /// The port of the page and of signaling [env: SIGHTLINE_PORT] [default: 8080]
    #[arg(long)]
    port: Option<u16>,
    /// Speak https with a self-signed certificate, of which browsers warn once. Other machines need https for camera and
    /// microphone
    #[arg(long)]
    tls: bool,
    /// Any other option of the server; each is also an environment variable (`-- --help` lists them)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    server_options: Vec<OsString>,
}

/// Builds the client and the server and runs the server until it is stopped.
///
/// # Errors
/// Where a build fails or the server cannot be started.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut stages = Stages::new();
    build::client_and_server(build::Server::Alone, &mut stages)?;
    stages.print();
    let mut server = process::command(workspace::release_binary("sightline-server"));
    server.arg("--dist").arg(workspace::dist_dir());
    if let Some(port) = options.port {
        server.args(["--port", &port.to_string()]);
    }
    if options.tls {
        server.arg("--tls");
    }
    server.args(&options.server_options);
    println!();
    become_process(server)
}

/// The server replaces this process, so Ctrl-C and a service manager's signal reach only the server.
#[cfg(unix)]
fn become_process(mut command: std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(anyhow::Error::new(command.exec()).context("cannot start the server"))
}

#[cfg(not(unix))]
fn become_process(mut command: std::process::Command) -> Result<()> {
    process::run(&mut command)
}
