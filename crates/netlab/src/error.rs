//! What can stand in the way.

use std::io;

/// Why there is no emulated link.
#[derive(Debug, thiserror::Error)]
pub enum NetlabError {
    /// Namespaces and devices are root's.
    #[error("emulated networks need root")]
    NotRoot,
    /// The kernel gives no TUN devices.
    #[error("emulated networks need /dev/net/tun")]
    NoTun,
    /// The program `ip` (iproute2) could not be run.
    #[error("the program `ip` could not be run: {0}")]
    NoIp(#[source] io::Error),
    /// `ip` refused.
    #[error("`ip {command}` failed: {said}")]
    Ip {
        /// Its arguments.
        command: String,
        /// What it wrote to stderr.
        said: String,
    },
    /// A program that sets a namespace up refused, or is not there.
    #[error("`{program}` failed: {said}")]
    Program {
        /// Its name.
        program: String,
        /// What it wrote to stderr, or why it did not run.
        said: String,
    },
    /// The TUN device could not be made.
    #[error("no TUN device: {0}")]
    Tun(#[from] tokio_tun::Error),
    /// The namespace could not be entered.
    #[error("the namespace could not be entered: {0}")]
    Enter(#[source] io::Error),
}
