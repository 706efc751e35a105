//! Debian's coturn, an independent TURN server, on this machine only.

use std::fs;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use tempfile::TempDir;
use tokio::{net::TcpListener, process::Command};

use crate::process::ProcessTree;

/// A user that coturn knows.
pub const USER: &str = "ada";
/// The password of [`USER`].
pub const PASSWORD: &str = "lovelace";

/// A running coturn that listens on UDP and TCP, or on TCP only.
#[derive(Debug)]
pub struct Coturn {
    port: u16,
    _process: ProcessTree,
    _folder: TempDir,
}

impl Coturn {
    /// Starts coturn; without `udp` it looks as in a network that blocks UDP.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start(udp: bool) -> Result<Self> {
        let port = free_port().await?;
        let settings = format!(
            "listening-port={port}\nlistening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\n\
             cli-password={PASSWORD}\nno-cli\nno-tls\nno-dtls\n{}lt-cred-mech\nuser={USER}:{PASSWORD}\nrealm=test\n",
            if udp { "" } else { "no-udp\n" },
        );
        Self::start_with(port, &settings).await
    }

    /// Starts coturn with `deploy/turnserver.conf` and this secret. The lines that forbid loopback are left out, since the
    /// browsers are on this machine.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start_as_deployed(secret: &str) -> Result<Self> {
        let deployed = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/turnserver.conf"))?;
        let (port, tls_port) = (free_port().await?, free_port().await?);
        let is_kept = |line: &&str| {
            !line.starts_with("denied-peer-ip=127.") && !line.starts_with("denied-peer-ip=::1-")
        };
        let kept: Vec<_> = deployed
            .lines()
            .filter(is_kept)
            .map(|line| match line {
                "listening-port=3478" => format!("listening-port={port}"),
                "tls-listening-port=5349" => format!("tls-listening-port={tls_port}"),
                "static-auth-secret=REPLACE_ME" => format!("static-auth-secret={secret}"),
                line => line.to_owned(),
            })
            .collect();
        ensure!(
            kept.iter().any(|line| line.ends_with(secret))
                && kept.contains(&format!("listening-port={port}")),
            "deploy/turnserver.conf has other lines"
        );
        let here = "listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\n";
        Self::start_with(port, &format!("{}\n{here}cli-password={PASSWORD}\n", kept.join("\n"))).await
    }

    async fn start_with(port: u16, settings: &str) -> Result<Self> {
        let folder = TempDir::new()?;
        let config = folder.path().join("turnserver.conf");
        let text = format!(
            "{settings}log-file=stdout\nverbose\npidfile={}\nuserdb={}\n",
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

    /// Its URL for a browser: `stun:…`, `turn:…`, `turn:…?transport=tcp`.
    #[must_use]
    pub fn url(&self, scheme: &str, query: &str) -> String {
        format!("{scheme}:127.0.0.1:{}{query}", self.port)
    }
}

/// These trials if coturn is installed, else the same trials as ignored, with the reason.
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
