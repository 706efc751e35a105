//! The addresses and credentials of STUN and TURN servers that members get.

use std::{net::IpAddr, time::Duration};

use sightline_protocol::signaling::IceServer;

use super::engine::credentials::{Credential, RestCredentials};
use crate::{hosts::UrlHost, time::UnixTime};

/// Tells each member the addresses of the relay and credentials for it.
#[derive(Debug, Clone)]
pub struct RelayDirectory {
    /// Makes the credentials.
    pub credentials: RestCredentials,
    /// The addresses of the relay.
    pub urls: RelayUrls,
}

/// The addresses of a relay.
#[derive(Debug, Clone)]
pub enum RelayUrls {
    /// This server, by the name that the client knows unless `host` gives another.
    Own {
        /// Replaces the name that the client knows.
        host: Option<UrlHost>,
        /// Port of STUN, and of TURN over UDP and TCP.
        port: u16,
        /// Port of TURN over TLS, where browsers trust the certificate.
        tls_port: Option<u16>,
        /// A second port of STUN over UDP, which shows how a NAT maps ports.
        alternate_stun_port: u16,
    },
    /// Other servers, by their URLs.
    Given(Vec<String>),
}

impl RelayDirectory {
    /// The servers for this user, who reached this server as `host`.
    #[must_use]
    pub fn of(&self, user: &str, host: Option<&UrlHost>, now: UnixTime) -> Vec<IceServer> {
        self.with(host, || self.credentials.hand_out(user, now))
    }

    /// The servers for a page without a room that reached this server from `address` as `host`.
    #[must_use]
    pub fn of_visitor(&self, address: IpAddr, host: Option<&UrlHost>, now: UnixTime) -> Vec<IceServer> {
        self.with(host, || self.credentials.hand_out_to_visitor(address, now))
    }

    fn with(&self, host: Option<&UrlHost>, credential: impl FnOnce() -> Credential) -> Vec<IceServer> {
        let mut servers = Vec::new();
        let (stun, turn) = self.urls.split(host);
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, username: None, credential: None });
        }
        if !turn.is_empty() {
            let credential = credential();
            servers.push(IceServer {
                urls: turn,
                username: Some(credential.username),
                credential: Some(credential.password),
            });
        }
        servers
    }

    /// The STUN server at its second port, for a client that reached this server as `host`.
    #[must_use]
    pub fn alternate_stun_urls(&self, host: Option<&UrlHost>) -> Vec<String> {
        match &self.urls {
            RelayUrls::Own { host: given, alternate_stun_port: port, .. } => {
                given.as_ref().or(host).map(|host| format!("stun:{host}:{port}")).into_iter().collect()
            }
            RelayUrls::Given(_) => Vec::new(),
        }
    }

    /// How long the credentials of [`Self::of`] are valid.
    #[must_use]
    pub fn life(&self) -> Duration {
        self.credentials.life()
    }

    /// How long the credentials of [`Self::of_visitor`] are valid.
    #[must_use]
    pub fn visitor_life(&self) -> Duration {
        self.credentials.visitor_life()
    }
}

impl RelayUrls {
    /// The addresses that need no credentials, and those that need them.
    fn split(&self, client_knows: Option<&UrlHost>) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Own { host, port, tls_port, .. } => {
                let Some(host) = host.as_ref().or(client_knows) else { return (Vec::new(), Vec::new()) };
                let mut turn = vec![
                    format!("turn:{host}:{port}?transport=udp"),
                    format!("turn:{host}:{port}?transport=tcp"),
                ];
                turn.extend(tls_port.map(|port| format!("turns:{host}:{port}?transport=tcp")));
                (vec![format!("stun:{host}:{port}")], turn)
            }
            Self::Given(urls) => urls.iter().cloned().partition(|url| url.starts_with("stun")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    fn servers(urls: RelayUrls) -> RelayDirectory {
        RelayDirectory { credentials: RestCredentials::new(b"secret", Duration::from_secs(600)), urls }
    }

    fn own(tls_port: Option<u16>) -> RelayUrls {
        RelayUrls::Own { host: None, port: 3478, tls_port, alternate_stun_port: 5349 }
    }

    fn told(servers: &RelayDirectory, authority: &str) -> Vec<IceServer> {
        servers.of("ada", UrlHost::of_authority(authority).ok().as_ref(), NOW)
    }

    #[test]
    fn ice_servers_have_the_host_name_the_member_used_and_credentials() {
        let [stun, turn] = &told(&servers(own(Some(5349))), "Calls.Example.org:8080")[..] else { panic!() };
        assert_eq!(stun.urls, ["stun:calls.example.org:3478"]);
        assert_eq!(
            turn.urls,
            [
                "turn:calls.example.org:3478?transport=udp",
                "turn:calls.example.org:3478?transport=tcp",
                "turns:calls.example.org:5349?transport=tcp",
            ]
        );
        assert_eq!(turn.username.as_deref(), Some("1790000600:ada"));
        assert!(turn.credential.is_some() && stun.credential.is_none());
    }

    #[test]
    fn ice_servers_have_the_ip_address_the_member_used() {
        let urls = |authority| told(&servers(own(None)), authority)[1].urls.clone();
        assert_eq!(urls("192.0.2.1:8080")[0], "turn:192.0.2.1:3478?transport=udp");
        assert_eq!(urls("[2001:db8::1]:8080")[0], "turn:[2001:db8::1]:3478?transport=udp");
        assert_eq!(urls("localhost")[0], "turn:localhost:3478?transport=udp");
    }

    #[test]
    fn a_given_host_replaces_the_known_name_and_without_any_name_there_is_no_server() {
        let host = UrlHost::of_authority("turn.example.org").ok();
        let given = servers(RelayUrls::Own { host, port: 1, tls_port: None, alternate_stun_port: 2 });
        assert_eq!(told(&given, "localhost:8080")[0].urls, ["stun:turn.example.org:1"]);
        assert_eq!(given.alternate_stun_urls(None), ["stun:turn.example.org:2"]);
        assert_eq!(told(&servers(own(None)), "not a host"), []);
    }

    #[test]
    fn given_servers_are_passed_on_unchanged_and_only_turn_gets_credentials() {
        let urls = ["stun:a.example", "turn:a.example?transport=udp", "turns:a.example"].map(str::to_owned);
        let [stun, turn] = &told(&servers(RelayUrls::Given(urls.to_vec())), "localhost")[..] else {
            panic!()
        };
        assert_eq!((&stun.urls[..], &turn.urls[..]), (&urls[..1], &urls[1..]));
        assert!(stun.username.is_none() && turn.username.is_some());
    }
}
