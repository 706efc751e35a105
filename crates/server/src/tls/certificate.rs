//! The certificate in use, which can change while the server runs.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use ring::digest;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::self_signed;
use crate::{key_file, time::UnixTime};

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsIdentity {
    /// Made by the server and kept in its data directory. Browsers warn of it once.
    SelfSigned,
    /// Issued by an authority.
    Files {
        /// The certificate chain in PEM format, the server's own certificate first.
        certificate: PathBuf,
        /// The private key in PEM format.
        key: PathBuf,
    },
}

/// Why there is no certificate to serve https with.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file is missing or not PEM.
    #[error("{path}: {source}.")]
    Unreadable {
        /// The file of the certificate or of the key.
        path: PathBuf,
        /// What is wrong with the file.
        source: pem::Error,
    },
    /// The key belongs to another certificate, or is of an unknown kind.
    #[error("{path}: {source}.")]
    Unusable {
        /// The file of the certificate.
        path: PathBuf,
        /// What is wrong with certificate or key.
        source: rustls::Error,
    },
    /// The self-signed certificate could not be written.
    #[error("{path}: {source}. Choose another directory with --data-dir.")]
    NotKept {
        /// The file of the self-signed certificate.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The self-signed certificate could not be made.
    #[error("the self-signed certificate could not be made: {0}.")]
    NotMade(#[from] rcgen::Error),
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up: {0}.")]
    Tls(#[from] rustls::Error),
}

/// The certificate that handshakes use now.
#[derive(Debug)]
pub(super) struct CurrentCertificate {
    identity: TlsIdentity,
    data_dir: PathBuf,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl CurrentCertificate {
    pub(super) fn load(
        identity: TlsIdentity,
        data_dir: PathBuf,
        provider: Arc<CryptoProvider>,
        now: UnixTime,
    ) -> Result<Self, CertificateError> {
        let current = read(&identity, &data_dir, &provider, now)?;
        Ok(Self { identity, data_dir, provider, current: RwLock::new(Arc::new(current)) })
    }

    /// Reads the certificate again and returns whether it is another one.
    pub(super) fn refresh(&self, now: UnixTime) -> Result<bool, CertificateError> {
        let fresh = read(&self.identity, &self.data_dir, &self.provider, now)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.cert != fresh.cert;
        *current = Arc::new(fresh);
        Ok(is_other)
    }

    pub(super) fn fingerprint(&self) -> String {
        let current = self.current();
        let own = current.cert.first().map_or(&[][..], AsRef::as_ref);
        let mut text = String::new();
        for byte in digest::digest(&digest::SHA256, own).as_ref() {
            let separator = if text.is_empty() { "" } else { ":" };
            // Writing to a string does not fail.
            let _ = write!(text, "{separator}{byte:02X}");
        }
        text
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn read(
    identity: &TlsIdentity,
    data_dir: &Path,
    provider: &CryptoProvider,
    now: UnixTime,
) -> Result<CertifiedKey, CertificateError> {
    let made;
    let (certificate, key) = match identity {
        TlsIdentity::Files { certificate, key } => (certificate, key),
        TlsIdentity::SelfSigned => {
            made = self_signed::keep(data_dir, now)?;
            (&made, &made)
        }
    };
    let unreadable = |path: &PathBuf| {
        let path = path.clone();
        move |source| CertificateError::Unreadable { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(certificate))?;
    if let Some(mode) = std::fs::metadata(key).ok().and_then(|metadata| key_file::exposed_mode(&metadata)) {
        tracing::warn!(path = %key.display(), "the private key can be read or changed by others (mode {mode:o})");
    }
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    CertifiedKey::from_der(chain, private_key, provider)
        .map_err(|source| CertificateError::Unusable { path: certificate.clone(), source })
}
