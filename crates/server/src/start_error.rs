//! Why the server does not start, in one sentence for a person.

use std::{io, net::SocketAddr};

use crate::{key_file::KeyFileError, log::LogFileError, tls::CertificateError};

/// Neither `--data-dir` nor a home directory says where to keep what survives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("There is no home directory: choose a directory for the server's data with --data-dir.")]
pub struct NoDataDir;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens on a port that was asked for.
    #[error("Port {port} is already in use: end what uses it, or choose another with {option}.")]
    PortInUse {
        /// The port that is in use.
        port: u16,
        /// The option that chooses another port.
        option: &'static str,
    },
    /// The address does not belong to this machine, or the port needs more rights than the server has.
    #[error("Cannot listen on {address}: {source}.")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The key of the resume tokens cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The certificate of https cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// There is no directory for the key.
    #[error(transparent)]
    NoDataDir(#[from] NoDataDir),
    /// The log file cannot be written.
    #[error(transparent)]
    LogFile(#[from] LogFileError),
    /// The system gives no runtime, thread or signal handler.
    #[error("The system does not let the server start: {0}.")]
    System(#[from] io::Error),
}

impl StartError {
    /// The error for a system without random bytes.
    pub(crate) fn no_randomness() -> Self {
        KeyFileError::NoRandomness.into()
    }

    /// This error for a port that another option chooses.
    pub(crate) fn of_option(self, option: &'static str) -> Self {
        match self {
            Self::PortInUse { port, .. } => Self::PortInUse { port, option },
            other => other,
        }
    }
}
