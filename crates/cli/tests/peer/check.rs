//! `check` against the real server.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use sightline_server::{
    TlsIdentity,
    turn::{RelaySource, TurnSettings, credentials::RestCredentials},
};
use stun_types::{
    attribute::XorMappedAddress,
    message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
};

use crate::harness::{Ended, TestServer, program, run_to_end};

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The secret of the relay.
const SECRET: &str = "known to both";

/// User name and password of the relay, as `--ice-server` reads them.
pub(crate) fn credentials() -> String {
    let username = format!("{}:ada", since_1970().as_secs() + 600);
    let password = RestCredentials::new(SECRET.as_bytes(), DAY).password(&username);
    format!("{username} {password}")
}

pub(crate) fn relay() -> RelaySource {
    let secret = Some(SECRET.to_owned());
    let settings = TurnSettings { port: Some(0), tls_port: Some(0), secret, ..TurnSettings::default() };
    RelaySource::Own(Box::new(settings))
}

/// An examination with `--json`.
struct Report {
    ended: Ended,
    events: Vec<Value>,
}

impl Report {
    async fn of(url: &str, arguments: &[&str]) -> Self {
        let ended = run_to_end(program().args(["check", url, "--json"]).args(arguments)).await;
        let events = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { ended, events }
    }

    /// State and code of a row.
    fn row(&self, name: &str) -> (&str, &str) {
        let row = self.event("check", name);
        (row["state"].as_str().unwrap(), row["code"].as_str().unwrap())
    }

    /// A detail of a row.
    fn detail(&self, name: &str, label: &str) -> &str {
        let details = self.event("check", name)["details"].as_array().unwrap();
        let found = details.iter().find(|detail| detail["label"] == label);
        found.unwrap_or_else(|| panic!("{name} has no {label}: {details:?}"))["value"].as_str().unwrap()
    }

    fn verdict(&self) -> &str {
        let event = self.events.iter().find(|event| event["event"] == "verdict");
        event.unwrap_or_else(|| panic!("no verdict: {}", self.ended.stderr))["verdict"].as_str().unwrap()
    }

    /// The codes of the advice.
    fn advice(&self) -> Vec<&str> {
        let event = self.events.iter().find(|event| event["event"] == "verdict").unwrap();
        event["advice"].as_array().unwrap().iter().map(|advice| advice["advice"].as_str().unwrap()).collect()
    }

    /// Exit code, and code of the error.
    fn failure(&self) -> (Option<i32>, &str) {
        let event = self.events.iter().find(|event| event["event"] == "failed");
        (self.ended.code, event.map_or("", |event| event["code"].as_str().unwrap()))
    }

    fn event(&self, kind: &str, name: &str) -> &Value {
        let found = self.events.iter().find(|event| event["event"] == kind && event["check"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {} {}", self.ended.stdout, self.ended.stderr))
    }
}

#[expect(clippy::disallowed_methods, reason = "certificates are about the time of day")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// A server with a relay and with a certificate that an operator gave it, and the file of the certificate.
pub(crate) fn server_with_certificate(valid_for: Duration) -> (TestServer, TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_1970() + valid_for;
    let pair = rcgen::KeyPair::generate().unwrap();
    fs::write(&certificate, parameters.self_signed(&pair).unwrap().pem()).unwrap();
    fs::write(&key, pair.serialize_pem()).unwrap();
    let trusted = certificate.to_str().unwrap().to_owned();
    let server = TestServer::start_with(|config| {
        config.tls = Some(TlsIdentity::Files { certificate, key });
        config.turn = relay();
    });
    (server, folder, trusted)
}

const OK: (&str, &str) = ("ok", "ok");

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_relay_passes_every_check_by_every_transport() {
    let (server, _folder, trusted) = server_with_certificate(90 * DAY);
    let report = Report::of(&server.room("any"), &["--cert", &trusted]).await;
    for row in [
        "server",
        "certificate",
        "signalling",
        "addresses",
        "stun-udp",
        "turn-udp",
        "turn-tcp",
        "turn-tls",
        "nat",
        "relay-call",
    ] {
        assert_eq!(report.row(row), OK, "{row}: {}", report.ended.stdout);
    }
    assert_eq!((report.failure(), report.verdict()), ((Some(0), ""), "direct"));
    assert_eq!(report.advice(), [""; 0]);
    assert!(report.detail("certificate", "valid_until").ends_with(", 89 d"));
    assert_eq!(report.detail("nat", "mapping"), "none");
    assert_eq!(report.detail("relay-call", "loss"), "0.0 %");
    assert!(report.detail("relay-call", "round_trip").ends_with(" ms"));
    assert!(report.detail("turn-tls", "candidate").starts_with("relay udp "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let report = Report::of(&format!("http://{free}"), &[]).await;
    let unreachable = ("failed", "server-unreachable");
    assert_eq!((report.row("server"), report.row("signalling")), (unreachable, unreachable));
    assert_eq!(report.row("relay-call"), ("warning", "not-tested"));
    assert_eq!(report.verdict(), "server-unreachable");
    let reason = report.detail("server", "error");
    assert!(reason.starts_with(&format!("The server {free} cannot be reached: ")), "{reason}");
    assert_eq!(report.failure(), (Some(3), "server-unreachable"));
    assert!(report.advice().contains(&"start-server"), "{:?}", report.advice());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_that_is_no_sightline_server_is_told_from_one_that_is_not_there() {
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = web.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = web.accept().await.unwrap();
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    });
    let report = Report::of(&format!("http://{address}"), &[]).await;
    assert_eq!(report.detail("server", "error"), "It answers 404, so it is no Sightline server.");
    assert_eq!(report.failure(), (Some(3), "server-unreachable"));
    let report = Report::of("http://host.invalid", &[]).await;
    assert_eq!(report.detail("server", "error"), "There is no server of the name host.invalid.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted_is_the_result_whatever_else_fails_for_it() {
    let server = TestServer::start_with(|config| config.tls = Some(TlsIdentity::SelfSigned));
    let other = TestServer::start_with(|config| config.tls = Some(TlsIdentity::SelfSigned));
    for trusted in [&[] as &[&str], &["--cert", &other.certificate()]] {
        let report = Report::of(&server.room("any"), trusted).await;
        for row in ["server", "certificate", "signalling"] {
            assert_eq!(report.row(row), ("failed", "certificate-refused"), "{row}");
        }
        assert_eq!(report.failure(), (Some(7), "certificate-refused"));
        assert!(report.advice().contains(&"renew-certificate"), "{:?}", report.advice());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_a_warning_and_with_strict_a_failure() {
    let (server, _folder, trusted) = server_with_certificate(5 * DAY);
    let report = Report::of(&server.room("any"), &["--cert", &trusted]).await;
    assert_eq!(report.row("certificate"), ("warning", "certificate-expiring"));
    assert!(report.detail("certificate", "valid_until").ends_with(", 4 d"));
    assert_eq!(report.failure(), (Some(0), ""));
    let report = Report::of(&server.room("any"), &["--cert", &trusted, "--strict"]).await;
    assert_eq!(report.failure(), (Some(8), "certificate-expiring"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_relay_has_calls_within_the_network_only() {
    let server = TestServer::start();
    let report = Report::of(&server.room("any"), &[]).await;
    assert_eq!(report.row("signalling"), OK);
    assert_eq!(report.row("relay-call"), ("warning", "no-relay"));
    assert_eq!((report.failure(), report.verdict()), ((Some(8), "unknown"), "unknown"));
    assert_eq!(report.advice(), ["add-relay"]);
    assert!(report.events.iter().all(|event| event["check"] != "certificate"), "the server has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn own_ice_servers_are_checked_instead_and_their_fault_is_named() {
    let server = TestServer::start_with(|config| config.turn = relay());
    let (port, _) = server.turn_ports.unwrap();
    let refused = format!("turn:127.0.0.1:{port} ada wrong");
    let report = Report::of(&server.room("any"), &["--ice-server", &refused, "--strict"]).await;
    assert_eq!(report.row("turn-udp"), ("failed", "unauthorized"));
    assert_eq!(report.failure(), (Some(8), "unauthorized"));
    assert_eq!(report.advice(), ["fix-own-servers"]);

    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let dead = format!("turn:{closed} ada secret");
    let dead_by_tcp = format!("turn:{closed}?transport=tcp ada secret");
    let report =
        Report::of(&server.room("any"), &["--ice-server", &dead, "--ice-server", &dead_by_tcp]).await;
    assert_eq!(report.row("turn-udp"), ("failed", "not-reached"));
    assert_eq!(report.row("turn-tcp"), ("failed", "not-reached"));
    assert_eq!(report.row("relay-call"), ("failed", "not-tested"));
    assert_eq!((report.failure(), report.verdict()), ((Some(9), "nothing"), "nothing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_does_not_answer_is_waited_for_until_the_deadline() {
    let server = TestServer::start();
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("turn:{} ada secret", silent.local_addr().unwrap());
    let report = Report::of(&server.room("any"), &["--ice-server", &address]).await;
    assert_eq!(report.row("turn-udp"), ("failed", "timeout"));
    assert_eq!(report.failure(), (Some(9), "nothing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_a_line_for_each_row_and_cron_nothing_if_all_is_well() {
    let server = TestServer::start_with(|config| config.turn = relay());
    let ended = run_to_end(program().args(["check", &server.room("any")])).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for line in ["ok       Server: Works.", "ok       Signaling server: Works.", "Calls work, directly."] {
        assert!(ended.stdout.lines().any(|printed| printed == line), "{line}: {}", ended.stdout);
    }
    assert!(ended.stdout.contains("\n    Packets lost: 0.0 %\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("\n    Throughput, up and down at once: "), "{}", ended.stdout);
    let ended = run_to_end(program().args(["check", &server.room("any"), "--quiet"])).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));

    let without = TestServer::start();
    let ended = run_to_end(program().args(["check", &without.room("any"), "-q"])).await;
    assert_eq!(ended.code, Some(8));
    assert!(
        ended.stdout.contains("Whoever runs this Sightline server: Switch on a TURN relay"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains("Works."), "{}", ended.stdout);
    assert!(ended.stderr.ends_with("error: Calls within this network work. (unknown)\n"), "{}", ended.stderr);
}

/// A STUN server that sees every client at this address.
async fn stun_server(mapped: SocketAddr) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = [0; 1024];
        loop {
            let (length, client) = socket.recv_from(&mut bytes).await.unwrap();
            let request = Message::from_bytes(&bytes[..length]).unwrap();
            let mut answer = Message::builder_success(&request, MessageWriteVec::new());
            answer.add_attribute(&XorMappedAddress::new(mapped, request.transaction_id())).unwrap();
            socket.send_to(&answer.finish(), client).await.unwrap();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stun_servers_tell_the_kind_of_the_router() {
    let server = TestServer::start();
    for (ports, row, mapping, failure) in [
        ([40_000, 40_000], OK, "endpoint-independent", (Some(0), "")),
        ([40_000, 40_001], ("warning", "nat-symmetric"), "endpoint-dependent", (Some(8), "limited")),
    ] {
        let mut servers = Vec::new();
        for port in ports {
            servers.push(format!("stun:{}", stun_server(SocketAddr::from(([203, 0, 113, 7], port))).await));
        }
        let [one, other] = [&servers[0], &servers[1]];
        let report = Report::of(&server.room("any"), &["--ice-server", one, "--ice-server", other]).await;
        assert_eq!((report.row("nat"), report.detail("nat", "mapping")), (row, mapping));
        assert_eq!(report.failure(), failure, "{}", report.ended.stdout);
        let seen = report.detail("stun-udp", "candidate");
        assert!(seen.starts_with("srflx udp 203.0.113.7:40000, "), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_tcp_or_tls_reaches_the_relay_the_test_call_goes_that_way() {
    let (server, _folder, trusted) = server_with_certificate(90 * DAY);
    let ((port, tls_port), credentials) = (server.turn_ports.unwrap(), credentials());
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let dead = format!("turn:{closed} {credentials}");
    let by_tcp = format!("turn:127.0.0.1:{port}?transport=tcp {credentials}");
    let by_tls = format!("turns:127.0.0.1:{tls_port} {credentials}");
    for (row, working, verdict) in [("turn-tcp", &by_tcp, "relay-tcp"), ("turn-tls", &by_tls, "relay-tls")] {
        let servers = ["--ice-server", &dead, "--ice-server", working, "--cert", &trusted];
        let report = Report::of(&server.room("any"), &servers).await;
        assert_eq!((report.row("turn-udp"), report.row(row)), (("failed", "not-reached"), OK));
        assert_eq!(report.row("relay-call"), OK, "{}", report.ended.stdout);
        assert_eq!(report.detail("relay-call", "loss"), "0.0 %");
        assert_eq!((report.failure(), report.verdict()), ((Some(0), ""), verdict));
    }

    // A program says why, which a page cannot.
    let plain = TestServer::start();
    let report = Report::of(&plain.room("any"), &["--ice-server", &by_tls]).await;
    assert_eq!(report.row("turn-tls"), ("failed", "certificate-or-unreachable"));
    assert!(report.detail("turn-tls", "error").contains("is not trusted"), "{}", report.ended.stdout);
    assert_eq!(report.failure(), (Some(9), "nothing"));
}
