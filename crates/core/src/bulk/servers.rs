//! The ICE servers of bulk links.

use sightline_protocol::signaling::IceServer;

use crate::measure::connection::LinkPath;

/// Selects ICE servers for bulk links from the `servers` of the member's main connection, which uses `path`. If the path is
/// direct, bulk links need no relay: requesting one would reserve sixteen allocations that carry nothing.
#[must_use]
pub fn servers_for(path: Option<LinkPath>, servers: &[IceServer]) -> Vec<IceServer> {
    if path != Some(LinkPath::Direct) {
        return servers.to_vec();
    }
    let is_stun = |url: &&String| url.starts_with("stun:") || url.starts_with("stuns:");
    let stun = servers.iter().map(|server| IceServer {
        urls: server.urls.iter().filter(is_stun).cloned().collect(),
        username: None,
        credential: None,
    });
    stun.filter(|server| !server.urls.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers() -> Vec<IceServer> {
        let server = |urls: &[&str]| IceServer {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            username: Some("ada".to_owned()),
            credential: Some("secret".to_owned()),
        };
        vec![server(&["stun:one.example", "turn:one.example?transport=udp"]), server(&["turns:two.example"])]
    }

    #[test]
    fn file_links_use_only_stun_servers_if_the_path_is_direct() {
        let stun = IceServer { urls: vec!["stun:one.example".to_owned()], username: None, credential: None };
        assert_eq!(servers_for(Some(LinkPath::Direct), &servers()), [stun]);
    }

    #[test]
    fn file_links_use_all_servers_if_the_path_is_relayed_or_unknown() {
        assert_eq!(servers_for(Some(LinkPath::Relay), &servers()), servers());
        assert_eq!(servers_for(None, &servers()), servers());
    }
}
