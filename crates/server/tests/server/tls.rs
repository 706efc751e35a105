use std::{fs, sync::Arc};

use http_body_util::Empty;
use hyper::{Request, StatusCode};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use sightline_protocol::{ErrorCode, signaling::ServerMessage};
use sightline_server::TlsIdentity;
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::{
    client::{Client, join, signal},
    harness::{TestServer, ask_over, within},
};

fn self_signed() -> TestServer {
    TestServer::start_with(|config| config.tls = Some(TlsIdentity::SelfSigned))
}

/// A connection to the server as `name` that trusts this certificate only.
async fn connect(server: &TestServer, trusted: &CertificateDer<'static>, name: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap()
}

fn own_certificate(server: &TestServer) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(server.data_dir().join("self-signed.pem")).unwrap()
}

async fn member(server: &TestServer, name: &str) -> Client {
    let stream = connect(server, &own_certificate(server), "localhost").await;
    let handshake = format!("wss://{}/ws", server.addr).into_client_request().unwrap();
    let mut client = Client::connect_over(stream, handshake).await;
    client.say(&join("team-7", name, None)).await;
    client
}

#[tokio::test]
async fn the_self_signed_certificate_is_valid_for_every_name_of_the_machine() {
    let server = self_signed();
    fs::write(server.dist().join("index.html"), "<p>the page").unwrap();
    for name in ["localhost", "127.0.0.1", "::1"] {
        let stream = connect(&server, &own_certificate(&server), name).await;
        let request = Request::builder().uri("/room/x").header("host", name).body(Empty::new()).unwrap();
        let response = ask_over(stream, request).await;
        assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"<p>the page"[..]));
    }
}

#[tokio::test]
async fn strict_transport_security_is_sent_only_with_a_given_certificate() {
    let own = self_signed();
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["calls.test".to_owned()]).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let certified =
        TestServer::start_with(|config| config.tls = Some(TlsIdentity::Files { certificate, key }));
    for (server, expected) in [(&own, None), (&certified, Some("max-age=31536000"))] {
        for path in ["/", "/healthz", "/missing.js"] {
            let stream = connect_unverified(server).await;
            let request =
                Request::builder().uri(path).header("host", "localhost").body(Empty::new()).unwrap();
            let response = ask_over(stream, request).await;
            let said =
                response.headers().get("strict-transport-security").map(|value| value.to_str().unwrap());
            assert_eq!(said, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn members_signal_over_tls_and_get_an_error_when_the_server_stops() {
    let server = self_signed();
    let mut ada = member(&server, "ada").await;
    ada.joined().await;
    let mut bo = member(&server, "bo").await;
    let ada_id = bo.joined().await.members[0].id.clone();
    bo.say(&signal(&ada_id, "to ada")).await;
    let heard = ada.until_pong().await;
    assert!(
        matches!(heard[..], [ServerMessage::PeerJoined { .. }, ServerMessage::Signal { .. }]),
        "{heard:?}"
    );
    let told = async {
        for client in [&mut ada, &mut bo] {
            client.is_told(ErrorCode::ShuttingDown).await;
            assert_eq!(client.close_frame().await, (1001, "shutting-down".to_owned()));
        }
    };
    tokio::join!(server.stop(), told);
}

#[tokio::test]
async fn the_certificate_is_the_same_after_a_restart() {
    let server = self_signed();
    let before = server.fingerprint.clone();
    let server = server.restart_with(|config| config.tls = Some(TlsIdentity::SelfSigned)).await;
    assert_eq!((before.as_ref().map(String::len), &before), (Some(95), &server.fingerprint));
}

#[tokio::test]
async fn http_is_redirected_on_the_same_port_and_on_one_beside_it() {
    let server = TestServer::start_with(|config| {
        config.tls = Some(TlsIdentity::SelfSigned);
        config.http_port = Some(0);
    });
    let https_port = server.addr.port();
    for addr in [server.addr, server.http_addr.unwrap()] {
        let stream = TcpStream::connect(addr).await.unwrap();
        let request =
            Request::builder().uri("/room/x?name=Ada").header("host", format!("calls.test:{}", addr.port()));
        let response = ask_over(stream, request.body(Empty::new()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
        let expected = format!("https://calls.test:{https_port}/room/x?name=Ada");
        assert_eq!(response.headers()["location"], expected);
    }
}

#[tokio::test]
async fn a_given_certificate_is_used_and_reloaded_on_request() {
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let renew = || {
        let made = rcgen::generate_simple_self_signed(["calls.test".to_owned()]).unwrap();
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    };
    let first = renew();
    let server = TestServer::start_with(|config| {
        config.tls = Some(TlsIdentity::Files { certificate: certificate.clone(), key: key.clone() });
    });
    connect(&server, &first, "calls.test").await;
    let second = renew();
    server.reload().await;
    // The server may still use the first certificate for a moment.
    within(async {
        loop {
            let stream = connect_unverified(&server).await;
            if stream.get_ref().1.peer_certificates().unwrap()[0] == second {
                break;
            }
        }
    })
    .await;

    fs::write(&certificate, "no certificate").unwrap();
    server.reload().await;
    server.reload().await;
    connect(&server, &second, "calls.test").await;
}

#[tokio::test]
async fn a_client_that_speaks_neither_http_nor_tls_is_dropped() {
    let server = self_signed();
    let mut odd = TcpStream::connect(server.addr).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut odd, &[0x16, 3, 1, 0, 2, 0, 0]).await.unwrap();
    let mut rest = Vec::new();
    // An alert, then the end of the connection.
    let _ = within(odd.read_to_end(&mut rest)).await;
    assert!(rest.len() < 16, "{rest:?}");
    member(&server, "ada").await.joined().await;
}

/// A connection that accepts any certificate, to inspect it.
async fn connect_unverified(server: &TestServer) -> TlsStream<TcpStream> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let name = ServerName::try_from("calls.test").unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap()
}

#[derive(Debug)]
struct AnyCertificate;

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
