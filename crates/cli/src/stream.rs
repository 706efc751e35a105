//! TCP and TLS connections to a server.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::failure::{Exit, Failure};

/// A connection, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A server that is to be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// The server, for a sentence.
    pub(crate) shown: &'a str,
}

impl Target<'_> {
    /// The addresses of the server.
    pub(crate) async fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        let resolved = tokio::net::lookup_host((self.host, self.port)).await;
        let resolved: Vec<_> = resolved.map(Iterator::collect).unwrap_or_default();
        if resolved.is_empty() {
            let sentence = format!("There is no server of the name {}.", self.host);
            return Err(Failure::new(Exit::Unreachable, "host-unknown", sentence));
        }
        Ok(resolved)
    }

    pub(crate) async fn connect(&self) -> Result<TcpStream, Failure> {
        let resolved = self.resolve().await?;
        let tcp = TcpStream::connect(resolved.as_slice()).await.map_err(|error| self.unreachable(&error))?;
        // Small messages that wait for each other: the delay of Nagle's algorithm would add to each.
        let _ = tcp.set_nodelay(true);
        Ok(tcp)
    }

    pub(crate) async fn connect_encrypted(
        &self,
        tls: &Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let name = match self.host.parse::<IpAddr>() {
            Ok(address) => ServerName::IpAddress(address.into()),
            Err(_) => ServerName::try_from(self.host.to_owned())
                .map_err(|_| self.unreachable(&io::ErrorKind::InvalidInput.into()))?,
        };
        let tcp = self.connect().await?;
        let connecting = TlsConnector::from(Arc::clone(tls)).connect(name, tcp);
        connecting.await.map_err(|error| self.of_handshake(&error))
    }

    fn unreachable(&self, error: &io::Error) -> Failure {
        let sentence = format!("The server {} cannot be reached: {error}.", self.shown);
        Failure::new(Exit::Unreachable, "server-unreachable", sentence)
    }

    fn of_handshake(&self, error: &io::Error) -> Failure {
        let server = self.shown;
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(reason)) => Failure::new(
                Exit::VerificationFailed,
                "certificate-refused",
                format!(
                    "The certificate of {server} is not trusted: {reason:?}. If the server made its certificate itself, name it \
                     with --cert FILE.",
                ),
            ),
            _ => Failure::new(
                Exit::Unreachable,
                "server-unreachable",
                format!("No encrypted connection to {server} could be made: {error}."),
            ),
        }
    }
}
