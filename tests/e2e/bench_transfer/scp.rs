//! scp over the link, with an SSH server at its second end.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result, ensure};
use sightline_e2e::{
    netlab::{Ends, Place},
    process::ProcessTree,
};
use tempfile::TempDir;
use tokio::{process::Command, time::Instant};

use super::Rate;

const PORT: &str = "2222";

/// A running sshd at the second end.
pub(super) struct Sshd {
    folder: TempDir,
    _process: ProcessTree,
}

impl Sshd {
    pub(super) async fn start(ends: &Ends) -> Result<Self> {
        // It refuses a relative path.
        let program = which::which_in("sshd", Some("/usr/sbin:/usr/bin:/usr/local/sbin"), "/")
            .context("there is no sshd (Debian: openssh-server)")?;
        let folder = TempDir::new()?;
        for name in ["host", "user"] {
            let key = folder.path().join(name);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&key)
                .status()
                .await;
            ensure!(made.context("ssh-keygen")?.success(), "ssh-keygen failed");
        }
        // For the separation of privileges; usually the system makes it when the service starts.
        fs::create_dir_all("/run/sshd")?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let settings = format!(
            "Port {PORT}\nListenAddress {}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n",
            ends.address(Place::B),
            path("host"),
            path("user.pub"),
        );
        let config = folder.path().join("sshd_config");
        fs::write(&config, settings)?;
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
        let mut command = ends.command(Place::B, &program.to_string_lossy());
        command.args(["-D", "-e", "-f"]).arg(&config);
        let mut process = ProcessTree::start(command)?;
        process.line(|line| line.contains("Server listening").then_some(())).await.context("sshd")?;
        Ok(Self { folder, _process: process })
    }

    /// Sends a file with scp. Its time contains the handshake, which takes six or seven round trips.
    pub(super) async fn receive(&self, ends: &Ends, file: &Path, bytes: usize) -> Result<Rate> {
        let stored = self.folder.path().join("stored");
        let mut scp = ends.command(Place::A, "scp");
        scp.args([
            "-q",
            "-P",
            PORT,
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-i",
        ])
        .arg(self.folder.path().join("user"))
        .arg(file)
        .arg(format!("root@{}:{}", ends.address(Place::B), stored.display()));
        let began = Instant::now();
        let output = scp.output().await.context("scp")?;
        let took = began.elapsed();
        ensure!(output.status.success(), "scp failed: {}", String::from_utf8_lossy(&output.stderr));
        ensure!(fs::metadata(&stored)?.len() == bytes as u64, "scp stored another file");
        fs::remove_file(&stored)?;
        Ok(Rate::new(bytes, took.as_secs_f64() * 1000.0))
    }
}
