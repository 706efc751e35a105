//! The errors of emulated networks.

use std::io;

/// Why an emulated network cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum NetlabError {
    /// The process is not root, which namespaces and devices require.
    #[error("emulated networks need root")]
    NotRoot,
    /// The kernel has no TUN devices.
    #[error("emulated networks need /dev/net/tun")]
    NoTun,
    /// The program `ip` (iproute2) could not be run.
    #[error("the program `ip` could not be run: {0}")]
    NoIp(#[source] io::Error),
    /// `ip` ended with an error.
    #[error("`ip {command}` failed: {said}")]
    Ip {
        /// The arguments of `ip`.
        command: String,
        /// The text that `ip` wrote to stderr.
        said: String,
    },
    /// A program that configures a namespace is missing or ended with an error.
    #[error("`{program}` failed: {said}")]
    Program {
        /// The name of the program.
        program: String,
        /// The text that it wrote to stderr, or why it did not run.
        said: String,
    },
    /// The TUN device could not be made.
    #[error("no TUN device: {0}")]
    Tun(#[from] tokio_tun::Error),
    /// The namespace could not be entered.
    #[error("the namespace could not be entered: {0}")]
    Enter(#[source] io::Error),
}
