//! Which server certificates are trusted.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::failure::{Exit, Failure};

/// The server certificates that are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedCertificates {
    /// Certificates signed by an authority that this computer trusts.
    System,
    /// The same, and the certificates in a file: the server's own, or that of an authority.
    SystemAndFile(std::path::PathBuf),
    /// Any certificate.
    Any,
}

impl TrustedCertificates {
    /// The TLS settings.
    ///
    /// # Errors
    /// A [`Failure`] where the file cannot be read or contains no certificate.
    pub fn client_config(&self) -> Result<Arc<ClientConfig>, Failure> {
        let provider = Arc::new(ring::default_provider());
        let verification = match self {
            Self::System => Verification::of(Vec::new(), &provider)?,
            Self::SystemAndFile(path) => Verification::of(read(path)?, &provider)?,
            Self::Any => Verification::None,
        };
        let verifier = Verifier { verification, provider: Arc::clone(&provider) };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| unusable_certificates(&error.to_string()))?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(Arc::new(builder.with_no_client_auth()))
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Usage,
            "certificate-file",
            format!("The certificate file {} cannot be used: {error}.", path.display()),
        )
    };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
    let certificates: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
    if certificates.is_empty() {
        return Err(unreadable(&"it contains no certificate in PEM format"));
    }
    Ok(certificates)
}

fn unusable_certificates(reason: &str) -> Failure {
    Failure::new(Exit::Local, "no-trust", format!("No certificate can be verified here: {reason}."))
}

#[derive(Debug)]
enum Verification {
    /// Every certificate passes: `--insecure`.
    None,
    /// The given certificates pass, those that they signed, and those that the system's authorities signed.
    Listed {
        given: Vec<CertificateDer<'static>>,
        /// `None` on a computer without any authority.
        authorities: Option<Arc<WebPkiServerVerifier>>,
    },
}

impl Verification {
    fn of(given: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(given.iter().cloned());
        let authorities = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Some(builder.build().map_err(|error| unusable_certificates(&error.to_string()))?)
        };
        Ok(Self::Listed { given, authorities })
    }
}

/// Verifies certificates as its [`Verification`] says. The signature of the handshake is verified in any case: it proves that the
/// server has the key of the certificate that it shows.
#[derive(Debug)]
struct Verifier {
    verification: Verification,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Verification::Listed { given, authorities } = &self.verification else {
            return Ok(ServerCertVerified::assertion());
        };
        // A person who gives a server's own certificate means this server, under whatever name it is reached.
        if given.iter().any(|given| given.as_ref() == end_entity.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        let Some(authorities) = authorities else {
            return Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer));
        };
        authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
