use hyper::StatusCode;
use sightline_protocol::signaling::ClientMessage;

use crate::{
    client::{Client, signal},
    harness::{TestServer, get_from},
};

/// The value in the line that starts with `name`.
fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

async fn metrics(server: &TestServer) -> String {
    let response = server.get("/metrics", &[]).await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[tokio::test]
async fn sockets_joins_signals_and_refusals_are_counted() {
    let server = TestServer::start();
    let (mut ada, ada_seat) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, _) = Client::join(&server, "team-7", "bo").await;
    let _not_yet = Client::connect(&server).await;
    bo.say(&signal(&ada_seat.me, "to ada")).await;
    bo.until_pong().await;
    let text = metrics(&server).await;
    for (name, expected) in [
        ("sightline_rooms", 1.0),
        ("sightline_members", 2.0),
        ("sightline_sockets", 3.0),
        ("sightline_joins_total", 2.0),
        ("sightline_relayed_signals_total", 1.0),
    ] {
        assert!((value(&text, name) - expected).abs() < 0.5, "{name} in {text}");
    }
    assert!(value(&text, "sightline_received_bytes_total") > 100.0);
    assert!(value(&text, "sightline_sent_bytes_total") > 100.0);

    bo.say(&ClientMessage::Leave).await;
    bo.closed().await;
    ada.send("nonsense").await;
    ada.next().await;
    ada.until_closed().await;
    let text = metrics(&server).await;
    assert!((value(&text, "sightline_closings_total{reason=\"left\"}") - 1.0).abs() < 0.5, "{text}");
    assert!(
        (value(&text, "sightline_closings_total{reason=\"protocol-error\"}") - 1.0).abs() < 0.5,
        "{text}"
    );
    assert!((value(&text, "sightline_members")).abs() < 0.5, "{text}");
}

#[tokio::test]
async fn the_metrics_are_for_this_machine_only_unless_an_option_opens_them() {
    let closed = TestServer::start();
    let opened = TestServer::start_with(|config| config.has_open_metrics = true);
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.0.2.7"),
        ("host", "evil.example"),
        ("host", "localhost.evil.example:8080"),
    ] {
        let refused = closed.get("/metrics", &[(name, value)]).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{name}: {value}");
        assert!(!std::str::from_utf8(refused.body()).unwrap().contains("sightline_rooms"), "{name}: {value}");
        assert_eq!(
            opened.get("/metrics", &[(name, value)]).await.status(),
            StatusCode::OK,
            "{name}: {value}"
        );
    }
    assert_eq!(closed.get("/metrics", &[("host", "localhost:1")]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn metrics_on_their_own_port_are_served_nowhere_else() {
    let server = TestServer::start_with(|config| config.metrics_bind = Some("127.0.0.1:0".parse().unwrap()));
    assert_eq!(server.get("/healthz", &[]).await.status(), StatusCode::OK);
    let elsewhere = get_from(server.metrics_addr.unwrap(), "/metrics").await;
    assert!(std::str::from_utf8(elsewhere.body()).unwrap().contains("sightline_rooms 0"));
    let here = server.get("/metrics", &[]).await;
    assert!(!std::str::from_utf8(here.body()).unwrap().contains("sightline_rooms"));
}
