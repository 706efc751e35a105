//! TLS: the certificate, and the handshake of a connection.

mod certificate;
mod names;
mod self_signed;

use std::{io, path::PathBuf, sync::Arc};

use rustls::{ServerConfig, crypto::ring};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub use certificate::{CertificateError, TlsIdentity};

use self::certificate::CurrentCertificate;

use crate::time::UnixTime;

/// The first byte of a TLS handshake (RFC 8446 section 5.1, `ContentType`); no HTTP request starts with it.
const HANDSHAKE_RECORD: u8 = 0x16;

/// What a connection to a TLS port turned out to be.
pub(crate) enum Accepted {
    /// A connection that speaks TLS.
    Tls(Box<TlsStream<TcpStream>>),
    /// A connection that does not: for HTTP, an address typed without `https`.
    Plain(TcpStream),
}

/// Accepts TLS connections with the certificate in use.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<CurrentCertificate>,
}

impl Tls {
    /// Reads the certificate, or makes one that is valid at `now`.
    pub(crate) fn new(
        identity: TlsIdentity,
        data_dir: PathBuf,
        now: UnixTime,
    ) -> Result<Self, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let current = Arc::new(CurrentCertificate::load(identity, data_dir, Arc::clone(&provider), now)?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: Arc::new(config).into(), current })
    }

    /// Reads or makes the certificate again: it may have been replaced on disk, be about to expire, or lack an address that this
    /// machine has now. On an error the certificate in use stays.
    pub(crate) fn refresh(&self, now: UnixTime) {
        match self.current.refresh(now) {
            Ok(true) => tracing::info!(fingerprint = self.fingerprint(), "another certificate is in use"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the certificate in use stays"),
        }
    }

    /// SHA-256 of the certificate as browsers show it.
    pub(crate) fn fingerprint(&self) -> String {
        self.current.fingerprint()
    }

    /// Does the handshake, if the client begins one.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Accepted> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first == [HANDSHAKE_RECORD] {
            Ok(Accepted::Tls(Box::new(self.acceptor.accept(stream).await?)))
        } else {
            Ok(Accepted::Plain(stream))
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").field("current", &self.current).finish_non_exhaustive()
    }
}
