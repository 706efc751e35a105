//! `cargo xtask build`: the client in `dist/`, compressed beforehand.

use std::{
    fs::{self, File},
    process::Command,
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    embedded, fingerprint, placement,
    process::{self, Beside},
    release, sizes,
    stages::Stages,
    tools, workspace,
};

/// Options of a build.
#[derive(Args, Default)]
pub(crate) struct Options {
    /// Where the client will be served from, for a sub-path of a static host: /sightline/
    #[arg(long, default_value = "/", value_parser = public_url)]
    public_url: String,
    /// Where the rooms are, for a static host: wss://calls.example.org. Written into dist/config.js, where it can be changed
    /// later; that server has to be run with --allow-origin.
    #[arg(long, value_name = "URL", value_parser = server_url)]
    signalling_server: Option<String>,
    /// Also build the server with the client in it: one file to copy.
    #[arg(long, conflicts_with_all = ["public_url", "signalling_server", "debug"])]
    server: bool,
    /// Quick to build and to debug, large to load.
    #[arg(long)]
    debug: bool,
}

impl Options {
    /// The options for a release build at the root of its host.
    pub(crate) fn release() -> Self {
        Self { public_url: "/".to_owned(), signalling_server: None, server: false, debug: false }
    }
}

/// Builds the client, unless it is up to date, and prints what a first visit loads.
///
/// # Errors
/// If a tool is missing or fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut stages = Stages::new();
    if options.server {
        client_and_server(Server::WithClient, &mut stages)?;
    } else {
        client(options, &mut stages)?;
    }
    if !options.debug {
        sizes::print_first_visit(&workspace::dist_dir(), &options.public_url)?;
    }
    stages.print();
    if options.server {
        println!("\none file to copy: {}", workspace::release_binary("sightline-server").display());
    }
    Ok(())
}

/// What the built server contains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// The server alone, which is given the folder of the client.
    Alone,
    /// The client too.
    WithClient,
}

/// Builds the client for the root of its host and, at the same time, the server in release: the last steps of the client use
/// one processor only. The server has the lower priority, so it uses what the client leaves.
///
/// # Errors
/// Where one of them fails.
pub(crate) fn client_and_server(server: Server, stages: &mut Stages) -> Result<()> {
    println!("==> compile the server, beside the client");
    let log = workspace::target_dir().join("xtask").join("server-build.log");
    let beside = Beside::start(&mut process::yielding(&release_server()), log)?;
    client(&Options::release(), stages)?;
    stages.run("wait for the server", 60, || beside.wait())?;
    if server == Server::WithClient {
        stages.run("put the client into the server", 5, put_client_into_server)?;
    }
    Ok(())
}

/// Compiles the server's `main.rs` again, with the client of `dist/` in it.
fn put_client_into_server() -> Result<()> {
    let list = workspace::target_dir().join("xtask").join("embedded.rs");
    embedded::write_list(&workspace::dist_dir(), &list)?;
    let mut server =
        process::cargo(["rustc", "--release", "--package", "sightline-server", "--bin", "sightline-server"]);
    process::run(server.env("SIGHTLINE_CLIENT", list).args(["--", "--cfg", "sightline_client"]))
}

fn release_server() -> Command {
    process::cargo(["build", "--release", "--package", "sightline-server"])
}

fn client(options: &Options, stages: &mut Stages) -> Result<()> {
    let tools = stages.run("find the tools, install missing ones", 30, tools::client_tools)?;
    let state_dir = workspace::target_dir().join("xtask");
    fs::create_dir_all(&state_dir)?;
    // Two builds at once would write into the same dist/.
    let lock = File::create(state_dir.join("build.lock"))?;
    lock.lock().context("cannot wait for another build")?;

    let mode = if options.debug { "debug" } else { "release" };
    let signalling_server = options.signalling_server.as_deref().unwrap_or_default();
    let choices = [&options.public_url, signalling_server, mode, &tools.versions()];
    let stamp = state_dir.join("client.stamp");
    let inputs = fingerprint::of_inputs(&choices)?;
    if fs::read_to_string(&stamp).ok() == Some(fingerprint::of_client(&inputs)?) {
        println!("dist/ is up to date");
        return Ok(());
    }
    let dist = workspace::dist_dir();
    // A build that is killed half-way must not look finished.
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    if options.debug {
        process::run(tools.trunk()?.args(["build", "--public-url", "/"]))?;
    } else {
        release::build(&tools, &dist, stages)?;
    }
    if options.public_url != "/" || options.signalling_server.is_some() {
        placement::place(&dist, &options.public_url, signalling_server)?;
    }
    // A static host shows this page for a path without a file: the app, which knows its own routes.
    fs::copy(dist.join("index.html"), dist.join("404.html"))?;
    // A debug build is not measured, and its tens of megabytes would take longer to compress than to build.
    if !options.debug {
        stages.run("compress the client", 15, || sizes::precompress(&dist))?;
    }
    fs::write(&stamp, fingerprint::of_client(&inputs)?)?;
    Ok(())
}

fn server_url(given: &str) -> Result<String, String> {
    let host =
        ["wss://", "ws://", "https://", "http://"].iter().find_map(|scheme| given.strip_prefix(scheme));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['"', '\\', '<', ' ']) => Ok(given.to_owned()),
        _ => Err("of the form wss://calls.example.org".to_owned()),
    }
}

fn public_url(given: &str) -> Result<String, String> {
    if !given.starts_with('/') {
        return Err("starts with /, as in /sightline/".to_owned());
    }
    Ok(if given.ends_with('/') { given.to_owned() } else { format!("{given}/") })
}
