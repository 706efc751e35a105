//! Debian's coturn, a TURN server of others, on this machine alone.

use std::fs;

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use tempfile::TempDir;
use tokio::{net::TcpListener, process::Command};

use crate::process::ProcessTree;

/// The user that it knows.
pub const USER: &str = "ada";
/// Her password.
pub const PASSWORD: &str = "lovelace";

/// A running coturn that listens by UDP and TCP, or by TCP alone.
#[derive(Debug)]
pub struct Coturn {
    port: u16,
    _process: ProcessTree,
    _folder: TempDir,
}

impl Coturn {
    /// Starts it; with `udp` off it is what a network that blocks UDP leaves of it.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start(udp: bool) -> Result<Self> {
        let folder = TempDir::new()?;
        let port = free_port().await?;
        let config = folder.path().join("turnserver.conf");
        let text = format!(
            "listening-port={port}\nlistening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\n\
             cli-password={PASSWORD}\nno-cli\nno-tls\nno-dtls\n{}lt-cred-mech\nuser={USER}:{PASSWORD}\nrealm=test\n\
             log-file=stdout\nverbose\npidfile={}\nuserdb={}\n",
            if udp { "" } else { "no-udp\n" },
            folder.path().join("pid").display(),
            folder.path().join("turndb").display(),
        );
        fs::write(&config, text)?;
        let mut command = Command::new("turnserver");
        command.arg("-c").arg(&config).current_dir(folder.path());
        let mut process = ProcessTree::start(command)?;
        process
            .line(|line| line.contains("IO method (admin thread)").then_some(()))
            .await
            .context("coturn")?;
        Ok(Self { port, _process: process, _folder: folder })
    }

    /// Its address for a browser: `stun:…`, `turn:…`, `turn:…?transport=tcp`.
    #[must_use]
    pub fn url(&self, scheme: &str, query: &str) -> String {
        format!("{scheme}:127.0.0.1:{}{query}", self.port)
    }
}

/// These trials where coturn is installed, else the same trials ignored, with the reason.
#[must_use]
pub fn where_there_is_coturn(trials: Vec<Trial>) -> Vec<Trial> {
    if which::which("turnserver").is_ok() {
        return trials;
    }
    let ignored = |trial: Trial| {
        eprintln!("ignored, because coturn (turnserver) is not installed: {}", trial.name());
        trial.with_ignored_flag(true)
    };
    trials.into_iter().map(ignored).collect()
}

async fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port())
}
