//! Debian's coturn, an independent TURN server, on this machine only.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use tempfile::TempDir;
use tokio::{net::TcpListener, process::Command};

use crate::process::ProcessTree;

/// A user that coturn knows.
pub const USER: &str = "ada";
/// The password of [`USER`].
pub const PASSWORD: &str = "lovelace";

/// A running coturn that listens on UDP and TCP, or on TCP only, or on TCP and TLS.
#[derive(Debug)]
pub struct Coturn {
    port: u16,
    /// The port of TLS, and the file of its certificate.
    encrypted: Option<(u16, PathBuf)>,
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
        let settings = format!("{}no-tls\n{}", settings_here(port), if udp { "" } else { "no-udp\n" });
        Self::start_with(port, &settings, TempDir::new()?).await
    }

    /// Starts coturn on TCP and TLS only, with a certificate that nobody signed.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start_over_streams() -> Result<Self> {
        let (port, tls_port, folder) = (free_port().await?, free_port().await?, TempDir::new()?);
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        fs::write(&certificate, made.cert.pem())?;
        fs::write(&key, made.signing_key.serialize_pem())?;
        let settings = format!(
            "{}no-udp\ntls-listening-port={tls_port}\ncert={}\npkey={}\n",
            settings_here(port),
            certificate.display(),
            key.display()
        );
        let started = Self::start_with(port, &settings, folder).await?;
        Ok(Self { encrypted: Some((tls_port, certificate)), ..started })
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
        let settings = format!("{}\n{here}cli-password={PASSWORD}\n", kept.join("\n"));
        Self::start_with(port, &settings, TempDir::new()?).await
    }

    async fn start_with(port: u16, settings: &str, folder: TempDir) -> Result<Self> {
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
        Ok(Self { port, encrypted: None, _process: process, _folder: folder })
    }

    /// Its URL for a browser: `stun:…`, `turn:…`, `turn:…?transport=tcp`.
    #[must_use]
    pub fn url(&self, scheme: &str, query: &str) -> String {
        format!("{scheme}:127.0.0.1:{}{query}", self.port)
    }

    /// Its URL for TLS, and the file of its certificate.
    #[must_use]
    pub fn encrypted(&self) -> Option<(String, &Path)> {
        let (port, certificate) = self.encrypted.as_ref()?;
        Some((format!("turns:127.0.0.1:{port}?transport=tcp"), certificate))
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

/// The settings of a coturn for this machine only, except for its transports.
fn settings_here(port: u16) -> String {
    format!(
        "listening-port={port}\nlistening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\n\
         cli-password={PASSWORD}\nno-cli\nno-dtls\nlt-cred-mech\nuser={USER}:{PASSWORD}\nrealm=test\n"
    )
}

async fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port())
}
