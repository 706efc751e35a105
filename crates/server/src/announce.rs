//! What the server prints for who started it.

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
};

/// The addresses to open, for a server that listens on `listening` of a machine with these `interfaces`.
#[must_use]
pub fn announcement(listening: SocketAddr, interfaces: &[IpAddr]) -> String {
    let port = listening.port();
    let ip = listening.ip().to_canonical();
    if !ip.is_unspecified() && !ip.is_loopback() {
        return format!("Sightline runs. Open:\n  {}\n{NOTE}", url(ip, port));
    }
    let mut text = format!("Sightline runs. Open:\n  http://localhost:{port}/\n");
    if ip.is_loopback() {
        return text;
    }
    let mut others: Vec<_> = interfaces.iter().copied().filter(|ip| is_of_the_network(*ip)).collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        text.push_str("On the local network:\n");
        for ip in others.into_iter().filter(|other| other.is_ipv4() || listening.is_ipv6()) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {}", url(ip, port));
        }
        text.push_str(NOTE);
    }
    text
}

/// The addresses of this machine's interfaces; none where the system does not say.
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

const NOTE: &str =
    "Browsers allow camera and microphone on other machines only over https: there, put the server behind one
that speaks it.
";

/// Whether another machine could open it: a link-local IPv6 address needs a zone that browsers do not take.
fn is_of_the_network(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    }
}

fn url(ip: IpAddr, port: u16) -> String {
    format!("http://{}/", SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(listening: &str, interfaces: &[&str]) -> Vec<String> {
        let interfaces: Vec<IpAddr> = interfaces.iter().map(|raw| raw.parse().unwrap()).collect();
        let text = announcement(listening.parse().unwrap(), &interfaces);
        text.lines().filter(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect()
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
}
