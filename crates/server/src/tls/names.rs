//! The names and addresses of this machine on its network, for the self-signed certificate.

use std::net::IpAddr;

use crate::announce::interface_addresses;

/// Most names in one certificate.
const MAX_NAMES: usize = 64;

/// `localhost`, the host's name, and the addresses of all interfaces.
pub(super) fn of_this_machine() -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    let host = gethostname::gethostname().to_string_lossy().to_ascii_lowercase();
    if is_dns_name(&host) {
        if !host.contains('.') {
            // As multicast DNS announces it (RFC 6762).
            names.push(format!("{host}.local"));
        }
        names.push(host);
    }
    let mut addresses = interface_addresses();
    addresses.extend([IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]);
    addresses.sort_unstable();
    names.extend(addresses.iter().map(IpAddr::to_string));
    names.dedup();
    names.truncate(MAX_NAMES);
    names
}

/// The names in `current`, then those of `earlier` that it lacks. So a laptop that changes between two networks keeps one
/// certificate, and its guests accept it once.
pub(super) fn united(current: &[String], earlier: &[String]) -> Vec<String> {
    let gone = earlier.iter().filter(|name| !current.contains(name));
    current.iter().chain(gone).take(MAX_NAMES).cloned().collect()
}

fn is_dns_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host != "localhost" && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_loopback_names_each_once() {
        let names = of_this_machine();
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} in {names:?}");
        }
    }

    #[test]
    fn names_of_earlier_networks_stay_as_long_as_there_is_room() {
        let strings = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(united(&strings(&["a", "b"]), &strings(&["b", "c"])), strings(&["a", "b", "c"]));
        let many: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        let all = united(&strings(&["a"]), &many);
        assert_eq!((all.len(), all[0].as_str()), (MAX_NAMES, "a"));
    }

    #[test]
    fn an_invalid_dns_name_is_left_out() {
        for host in ["", "localhost", "my_host", "-a", "a..b", "a b", &"x".repeat(64)] {
            assert!(!is_dns_name(host), "{host}");
        }
        assert!(is_dns_name("ada-laptop") && is_dns_name("calls.example.org"));
    }
}
