//! STUN and TURN over real sockets, with a client that says exactly what a test wants.

mod addresses;
mod client;
mod credentials;
mod hostile;
mod ice_servers;
mod limits;
mod peers;
mod relaying;
mod requests;
mod stream_client;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sightline_server::turn::{RelaySource, TurnSettings, credentials::RestCredentials};

use crate::harness::TestServer;

/// The secret that the test servers and their clients know.
const SECRET: &str = "known to both";

/// A server on loopback whose clients may talk to loopback.
fn server() -> TestServer {
    server_with(|settings| settings.allowed_peers = vec!["127.0.0.0/8".parse().unwrap()])
}

/// A server on loopback with settings that `adapt` changes.
fn server_with(adapt: impl FnOnce(&mut TurnSettings)) -> TestServer {
    TestServer::start_with(|config| config.turn = settings(adapt))
}

/// A relay on free ports with settings that `adapt` changes.
fn settings(adapt: impl FnOnce(&mut TurnSettings)) -> RelaySource {
    let mut settings = TurnSettings {
        port: Some(0),
        tls_port: Some(0),
        secret: Some(SECRET.to_owned()),
        ..TurnSettings::default()
    };
    adapt(&mut settings);
    RelaySource::Own(Box::new(settings))
}

/// A user name and a password that expire after this many seconds.
fn credentials_until(seconds: i64, user: &str) -> (String, String) {
    credentials_of(&format!("{}:{user}", now_s().saturating_add_signed(seconds)))
}

/// A user name and its password, whether valid or not.
fn credentials_of(username: &str) -> (String, String) {
    let credentials = RestCredentials::new(SECRET.as_bytes(), Duration::from_secs(600));
    (username.to_owned(), credentials.password(username))
}

#[expect(clippy::disallowed_methods, reason = "credentials are about the time of day")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The sum of a metric over its labels.
async fn count(server: &TestServer, name: &str) -> f64 {
    let response = server.get("/metrics", &[]).await;
    let text = std::str::from_utf8(response.body()).unwrap();
    let is_it = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ') || rest.starts_with('{'))
    };
    let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
    text.lines().filter(is_it).map(value).sum()
}
