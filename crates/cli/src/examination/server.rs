//! Asks the Sightline server: by plain HTTP, by the signaling WebSocket, and for its certificate.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use sightline_core::doctor::{
    CertificateFinding, CheckCode, Detail, DetailLabel, Finding, Outcome, SignalingFinding, SignalingProbe,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use super::Context;
use crate::{
    address::ServerAddress,
    clock,
    failure::{Exit, Failure},
    socket,
    stream::{Stream, Target},
};

/// The first line of an answer is within these bytes.
const MAX_STATUS_BYTES: usize = 256;

/// Asks the server whether it is there.
pub(super) async fn reach(context: &Context) -> Finding {
    let asked_at = context.clock.now();
    match ask_for_health(&context.server, context).await {
        Ok(200..300) => Finding::Server(Some(context.clock.now() - asked_at)),
        Ok(status) => Finding::NoServer(format!("It answers {status}, so it is no Sightline server.")),
        Err(failure) => match refused_certificate(&failure) {
            Some(outcome) => Finding::Judged(outcome),
            None => Finding::NoServer(failure.sentence),
        },
    }
}

/// Asks the server whether it works. Returns the status of its answer.
async fn ask_for_health(server: &ServerAddress, context: &Context) -> Result<u16, Failure> {
    let mut stream = socket::open(server, &context.tls).await?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.health_path(),
        server.shown()
    );
    exchange(&mut stream, request.as_bytes()).await.map_err(|error| {
        let sentence = format!("The server {} gives no answer by HTTP: {error}.", server.shown());
        Failure::new(Exit::Unreachable, "server-unreachable", sentence)
    })
}

/// Sends a request and reads the status of the answer.
async fn exchange(stream: &mut Box<dyn Stream>, request: &[u8]) -> std::io::Result<u16> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    while head.len() < MAX_STATUS_BYTES && !head.contains(&b'\n') {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
    let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    status.ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

/// Opens a socket without joining a room, and asks for the ICE servers.
pub(super) async fn ask_for_ice_servers(context: &Context) -> Finding {
    let mut probe = SignalingProbe::new(context.clock.now());
    let mut stream = match socket::connect(&context.server, &context.tls).await {
        Ok(stream) => stream,
        Err(failure) => {
            let finding = match failure.code {
                "certificate-refused" => SignalingFinding::PageRefused(CheckCode::CertificateRefused),
                "host-refused" => SignalingFinding::PageRefused(CheckCode::HostRefused),
                _ => SignalingFinding::Closed,
            };
            return Finding::Signaling(finding);
        }
    };
    probe.handle_open(context.clock.now());
    loop {
        if let Some(finding) = probe.finding() {
            return Finding::Signaling(finding.clone());
        }
        if let Some(frame) = probe.poll_output()
            && let Err(error) = stream.send(Message::text(frame)).await
        {
            probe.handle_closed(&error.to_string());
            continue;
        }
        match stream.next().await {
            Some(Ok(Message::Text(frame))) => probe.handle_frame(frame.as_str(), context.clock.now()),
            // An empty frame is not a message of the protocol.
            Some(Ok(Message::Binary(_))) => probe.handle_frame("", context.clock.now()),
            Some(Ok(Message::Close(close))) => {
                probe.handle_closed(close.as_ref().map_or("", |close| close.reason.as_str()));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => probe.handle_closed(&error.to_string()),
            None => probe.handle_closed(""),
        }
    }
}

/// Looks at the certificate of the server.
pub(super) async fn inspect_certificate(context: &Context) -> Finding {
    let server = &context.server;
    let (host, shown) = (server.host(), server.shown());
    let target = Target { host: &host, port: server.port(), shown: &shown };
    Finding::Certificate(match target.connect_encrypted(&context.tls).await {
        Ok(stream) => {
            let certificates = stream.get_ref().1.peer_certificates();
            match certificates.and_then(|all| expiry(all.first()?)) {
                Some((remaining, until)) => CertificateFinding::Trusted { remaining, until },
                None => CertificateFinding::Refused("its dates cannot be read".to_owned()),
            }
        }
        Err(failure) if failure.exit == Exit::VerificationFailed => {
            CertificateFinding::Refused(failure.sentence)
        }
        Err(_) => CertificateFinding::NotReached,
    })
}

/// How long a certificate is valid from now, and its last day.
fn expiry(certificate: &[u8]) -> Option<(Duration, String)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let until = certificate.validity().not_after;
    let ends_at_s = u64::try_from(until.timestamp()).unwrap_or(0);
    let remaining = Duration::from_secs(ends_at_s).saturating_sub(Duration::from_millis(clock::unix_ms()));
    Some((remaining, until.to_datetime().date().to_string()))
}

fn refused_certificate(failure: &Failure) -> Option<Outcome> {
    (failure.exit == Exit::VerificationFailed).then(|| {
        let reason = Detail::new(DetailLabel::Error, failure.sentence.clone());
        Outcome::failed(CheckCode::CertificateRefused, vec![reason])
    })
}
