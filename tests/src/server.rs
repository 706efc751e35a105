//! The built server, on its own port and with its own data folder.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

#[cfg(target_os = "linux")]
use crate::netlab::Room;
use crate::process::ProcessTree;

/// The system chooses a free port.
const ANY_PORT: u16 = 0;

/// A running server, or one that was stopped and can be started again at the same address.
#[derive(Debug)]
pub struct Server {
    process: Option<ProcessTree>,
    scheme: &'static str,
    port: u16,
    options: Vec<String>,
    place: Place,
    data: TempDir,
}

/// The place where the server runs.
#[derive(Debug)]
enum Place {
    /// In the folder of the built client.
    Here,
    /// In an empty folder.
    Alone,
    /// In the folder of the built client, in a network namespace.
    #[cfg(target_os = "linux")]
    Room(Room),
}

impl Server {
    /// Starts the server with these options.
    ///
    /// # Errors
    /// Where it is not built or does not start.
    pub async fn start(options: &[&str]) -> Result<Self> {
        Self::start_at(options, Place::Here, ANY_PORT).await
    }

    /// Starts the server on this port.
    ///
    /// # Errors
    /// Where it is not built or does not start, for example because another program has the port.
    pub async fn start_on(port: u16) -> Result<Self> {
        Self::start_at(&[], Place::Here, port).await
    }

    /// Starts the server in an empty folder, with only the client in its binary.
    ///
    /// # Errors
    /// Where it is not built or does not start.
    pub async fn start_alone() -> Result<Self> {
        Self::start_at(&[], Place::Alone, ANY_PORT).await
    }

    /// Starts the server in a network namespace, with these options.
    ///
    /// # Errors
    /// Where it is not built or does not start.
    #[cfg(target_os = "linux")]
    pub(crate) async fn start_in(room: Room, options: &[&str]) -> Result<Self> {
        Self::start_at(options, Place::Room(room), ANY_PORT).await
    }

    async fn start_at(options: &[&str], place: Place, port: u16) -> Result<Self> {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { process: None, scheme: "http", port, options, place, data: TempDir::new()? };
        server.come_back().await?;
        Ok(server)
    }

    /// The server's URL for a browser on this machine, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.port)
    }

    /// The port of the page.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The output since the server was ready, as far as it is kept.
    pub fn said(&mut self) -> Vec<String> {
        self.process.as_mut().map(ProcessTree::rest).unwrap_or_default()
    }

    /// Kills the server, as a loss of power does.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Stops the server with SIGTERM, as a service manager does.
    ///
    /// # Errors
    /// Where it does not end, or not with success.
    pub async fn terminate(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            let succeeded = process.terminate().await?;
            ensure!(
                succeeded,
                "the server did not end with success; it said:\n{}",
                process.rest().join("\n")
            );
        }
        Ok(())
    }

    /// Starts the server again, on the same port and with the same data.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn come_back(&mut self) -> Result<()> {
        let mut command = match &self.place {
            #[cfg(target_os = "linux")]
            Place::Room(room) => room.command(&binary().to_string_lossy()),
            _ => Command::new(binary()),
        };
        command
            .args(["--port", &self.port.to_string(), "--data-dir"])
            .arg(self.data.path())
            .args(&self.options)
            .env("NO_COLOR", "1");
        if matches!(self.place, Place::Alone) {
            command.current_dir(self.data.path());
        } else {
            command.arg("--dist").arg(dist());
        }
        let mut process = ProcessTree::start(command)?;
        (self.scheme, self.port) = process.line(address_in).await.context("the server")?;
        self.process = Some(process);
        Ok(())
    }
}

/// A token that allows to open rooms on a server that was started with this key.
///
/// # Errors
/// Where the server is not built or makes no token.
pub async fn create_token(key: &Path) -> Result<String> {
    let made = Command::new(binary()).args(["create-token", "--create-token-file"]).arg(key).output().await?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let said = String::from_utf8(made.stdout)?;
    Ok(said.lines().next().context("no token")?.to_owned())
}

/// Scheme and port of the first address in a line of its output.
fn address_in(line: &str) -> Option<(&'static str, u16)> {
    let (scheme, after) = ["http", "https"]
        .into_iter()
        .find_map(|scheme| Some((scheme, line.split_once(&format!("{scheme}://"))?.1)))?;
    let (_, port) = after.split_once(':')?;
    Some((scheme, port.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()?))
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn binary() -> PathBuf {
    env::var_os("SIGHTLINE_SERVER")
        .map_or_else(|| root().join("target/release/sightline-server"), PathBuf::from)
}

fn dist() -> PathBuf {
    env::var_os("SIGHTLINE_DIST").map_or_else(|| root().join("dist"), PathBuf::from)
}
