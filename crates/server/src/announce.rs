//! What the server prints when it has started.

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
};

/// The address of a server and its certificate.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The socket's address, with the port that the system chose.
    pub address: SocketAddr,
    /// SHA-256 of the certificate, where the server speaks https.
    pub fingerprint: Option<String>,
    /// Whether the certificate is self-signed by the server.
    pub is_self_signed: bool,
}

impl Listening {
    /// The text for a terminal, on a machine with these `interfaces`.
    #[must_use]
    pub fn announcement(&self, interfaces: &[IpAddr]) -> String {
        let Urls { here, network } = self.urls(interfaces);
        let mut text = "Sightline runs. Open:\n".to_owned();
        // Writing to a string does not fail.
        for url in &here {
            let _ = writeln!(text, "  {url}");
        }
        if !here.is_empty() && !network.is_empty() {
            text.push_str("On the local network:\n");
        }
        for url in &network {
            let _ = writeln!(text, "  {url}");
        }
        match &self.fingerprint {
            Some(fingerprint) if self.is_self_signed => {
                let _ = write!(
                    text,
                    "The certificate is the server's own: each browser warns of it once, and may go on where it shows\n\
                     SHA-256 {fingerprint}\n"
                );
            }
            None if !network.is_empty() => text.push_str(HTTP_NOTE),
            _ => {}
        }
        text
    }

    /// The URLs to open; those that work only on this machine come first.
    #[must_use]
    pub fn all_urls(&self, interfaces: &[IpAddr]) -> Vec<String> {
        let Urls { mut here, network } = self.urls(interfaces);
        here.extend(network);
        here
    }

    fn urls(&self, interfaces: &[IpAddr]) -> Urls {
        let (ip, port) = (self.address.ip().to_canonical(), self.address.port());
        if !ip.is_unspecified() && !ip.is_loopback() {
            return Urls { here: Vec::new(), network: vec![self.url(ip)] };
        }
        let here = vec![format!("{}://localhost:{port}/", self.scheme())];
        if ip.is_loopback() {
            return Urls { here, network: Vec::new() };
        }
        let mut others: Vec<_> = interfaces
            .iter()
            .copied()
            .filter(|other| is_of_the_network(*other) && (other.is_ipv4() || self.address.is_ipv6()))
            .collect();
        others.sort_unstable();
        others.dedup();
        Urls { here, network: others.into_iter().map(|other| self.url(other)).collect() }
    }

    fn url(&self, ip: IpAddr) -> String {
        format!("{}://{}/", self.scheme(), SocketAddr::new(ip, self.address.port()))
    }

    fn scheme(&self) -> &'static str {
        if self.fingerprint.is_some() { "https" } else { "http" }
    }
}

struct Urls {
    /// URLs that work only on this machine.
    here: Vec<String>,
    network: Vec<String>,
}

/// The addresses of this machine's interfaces; empty if the system does not report them.
#[must_use]
pub fn interface_addresses() -> Vec<IpAddr> {
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces.iter().map(if_addrs::Interface::ip).collect(),
        Err(error) => {
            tracing::debug!(%error, "no list of interfaces");
            Vec::new()
        }
    }
}

const HTTP_NOTE: &str =
    "Other machines get camera and microphone only over https: start with --tls for them.\n";

/// Whether another machine could open this address. A link-local IPv6 address needs a zone, which browsers do not accept.
fn is_of_the_network(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(listening: &str, fingerprint: Option<&str>, interfaces: &[&str]) -> String {
        let interfaces: Vec<IpAddr> = interfaces.iter().map(|raw| raw.parse().unwrap()).collect();
        let fingerprint = fingerprint.map(str::to_owned);
        let listening = Listening { address: listening.parse().unwrap(), fingerprint, is_self_signed: true };
        listening.announcement(&interfaces)
    }

    fn lines(listening: &str, interfaces: &[&str]) -> Vec<String> {
        text(listening, None, interfaces)
            .lines()
            .filter(|line| line.starts_with("  "))
            .map(|line| line.trim().to_owned())
            .collect()
    }

    #[test]
    fn localhost_comes_first_and_then_each_address_that_others_can_open() {
        let interfaces =
            ["127.0.0.1", "::1", "192.168.1.5", "fe80::1", "fd00::1", "169.254.0.1", "192.168.1.5"];
        let expected = ["http://localhost:8080/", "http://192.168.1.5:8080/", "http://[fd00::1]:8080/"];
        assert_eq!(lines("[::]:8080", &interfaces), expected);
        assert_eq!(lines("0.0.0.0:8080", &interfaces), expected[..2]);
    }

    #[test]
    fn a_server_for_this_machine_alone_names_no_other_address() {
        assert_eq!(lines("127.0.0.1:9", &["192.168.1.5"]), ["http://localhost:9/"]);
        assert_eq!(lines("[::]:9", &["127.0.0.1"]), ["http://localhost:9/"]);
    }

    #[test]
    fn a_server_on_one_address_names_that() {
        assert_eq!(lines("192.168.1.5:80", &["10.0.0.1", "192.168.1.5"]), ["http://192.168.1.5:80/"]);
    }

    #[test]
    fn https_is_in_every_address_and_its_fingerprint_below() {
        let text = text("0.0.0.0:9", Some("AB:CD"), &["192.168.1.5"]);
        assert!(text.contains("https://localhost:9/") && text.contains("https://192.168.1.5:9/"), "{text}");
        assert!(text.contains("AB:CD") && !text.contains("http://"), "{text}");
    }

    #[test]
    fn the_banner_suggests_tls_for_http_on_the_network() {
        assert!(text("0.0.0.0:9", None, &["192.168.1.5"]).contains("--tls"));
        assert!(!text("127.0.0.1:9", None, &["192.168.1.5"]).contains("--tls"));
    }
}
