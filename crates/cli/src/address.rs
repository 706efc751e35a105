//! The address of a room, as an invitation says it.

use std::{fmt, net::IpAddr};

use sightline_core::trust::{RoomSecret, SecretInvalid};
use sightline_protocol::{RoomName, SIGNALING_PATH};
use url::{Host, Url};

/// Longest address that is read, in bytes.
const MAX_ADDRESS_BYTES: usize = 4096;
/// Pages of the client that are no rooms.
const PAGES: [&str; 2] = ["/check", "/report"];

/// The address of a server: that under which the client is served, ending in `/`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress(Url);

/// The address of a room on a server.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomAddress {
    server: ServerAddress,
    room: RoomName,
    secret: Option<RoomSecret>,
}

/// Why a text is not the address of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressInvalid {
    /// The text is not an http or https address.
    #[error("an address begins with https:// or http://, as in https://example.org/room/team-7")]
    NotHttp,
    /// The path does not end in `/room/` and a name.
    #[error(
        "the address names no room: it ends in /room/ and the room's name, as in https://example.org/room/team-7"
    )]
    NoRoom,
    /// The last part of the path is not a room name.
    #[error("the address names no valid room: {0}")]
    RoomName(#[from] sightline_protocol::room::RoomNameInvalid),
    /// What follows the `#` is not a secret.
    #[error("the invitation is incomplete: copy the whole address, with everything after the #")]
    Secret(#[from] SecretInvalid),
}

impl ServerAddress {
    /// Reads the address of a server, or of a room or a page on it.
    ///
    /// # Errors
    /// [`AddressInvalid::NotHttp`]
    pub fn parse(text: &str) -> Result<Self, AddressInvalid> {
        let url = parse_http(text)?;
        let path = url.path().trim_end_matches('/');
        let folder = path.rsplit_once("/room/").map_or(path, |(folder, _)| folder);
        let folder = PAGES.iter().find_map(|page| folder.strip_suffix(page)).unwrap_or(folder);
        Ok(Self::new(&url, folder))
    }

    /// The server whose client is in this folder of the address.
    fn new(url: &Url, folder: &str) -> Self {
        let mut base = url.clone();
        base.set_path(&format!("{folder}/"));
        base.set_query(None);
        base.set_fragment(None);
        Self(base)
    }

    /// Whether the connection to the server is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The server's host name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    /// The server's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// Host and port, for a sentence and for the `Host` of a request.
    #[must_use]
    pub fn shown(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether the server is this computer, so that other members may be on it, too.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The address of the signaling WebSocket.
    #[must_use]
    pub fn signaling(&self) -> String {
        let base = self.0.as_str().trim_end_matches('/');
        // `http` becomes `ws`, `https` becomes `wss`.
        format!("{}{SIGNALING_PATH}", base.replacen("http", "ws", 1))
    }

    /// The path at which the server says whether it works.
    #[must_use]
    pub fn health_path(&self) -> String {
        format!("{}healthz", self.0.path())
    }
}

impl RoomAddress {
    /// Reads an address. Its query is for pages, and ignored.
    ///
    /// # Errors
    /// [`AddressInvalid`]
    pub fn parse(text: &str) -> Result<Self, AddressInvalid> {
        let url = parse_http(text)?;
        let path = url.path().trim_end_matches('/');
        let (folder, name) = path.rsplit_once("/room/").ok_or(AddressInvalid::NoRoom)?;
        let room = RoomName::new(name)?;
        let fragment = url.fragment().filter(|fragment| !fragment.is_empty());
        let secret = fragment.map(RoomSecret::parse).transpose()?;
        Ok(Self { server: ServerAddress::new(&url, folder), room, secret })
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// The room's name.
    #[must_use]
    pub fn room(&self) -> &RoomName {
        &self.room
    }

    /// The address of the same room with another secret.
    #[must_use]
    pub fn with_secret(&self, secret: RoomSecret) -> Self {
        Self { secret: Some(secret), ..self.clone() }
    }

    /// The whole address, with the secret: what somebody needs who is invited.
    #[must_use]
    pub fn invitation(&self) -> String {
        let fragment = self.secret.map_or_else(String::new, |secret| format!("#{secret}"));
        format!("{self:?}{fragment}")
    }

    /// The secret of a protected room, from the fragment of the address. It never reaches the server.
    #[must_use]
    pub fn secret(&self) -> Option<RoomSecret> {
        self.secret
    }
}

/// Whether a text begins as the address of a server does. No file is named so.
#[must_use]
pub fn is_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.trim_start().get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

fn parse_http(text: &str) -> Result<Url, AddressInvalid> {
    let text = text.trim();
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(AddressInvalid::NotHttp);
    }
    let url = Url::parse(text).map_err(|_| AddressInvalid::NotHttp)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(AddressInvalid::NotHttp);
    }
    Ok(url)
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

impl fmt::Debug for RoomAddress {
    /// Leaves the secret out, since this text may be logged.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}room/{}", self.server, self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RoomAddress {
        RoomAddress::parse(text).unwrap()
    }

    #[test]
    fn an_invitation_is_read_with_its_query_and_its_secret() {
        let address = read(" https://example.org/room/Team-7?name=ada#c2VjcmV0c2VjcmV0c2Vjcg \n");
        assert_eq!(address.room().as_str(), "team-7");
        assert_eq!(address.secret(), RoomSecret::parse("c2VjcmV0c2VjcmV0c2Vjcg").ok());
        assert_eq!(address.server().signaling(), "wss://example.org/ws");
        assert_eq!((address.server().host().as_str(), address.server().port()), ("example.org", 443));
        assert_eq!(read("https://example.org/room/team-7#").secret(), None);
    }

    #[test]
    fn a_port_a_folder_and_an_ipv6_address_are_kept() {
        assert_eq!(read("http://localhost:8080/room/abc").server().signaling(), "ws://localhost:8080/ws");
        assert_eq!(
            read("https://a.example/sub/path/room/abc/").server().signaling(),
            "wss://a.example/sub/path/ws"
        );
        let address = read("http://[::1]:8080/room/abc");
        assert_eq!(address.server().signaling(), "ws://[::1]:8080/ws");
        assert_eq!(
            (address.server().host().as_str(), address.server().shown().as_str()),
            ("::1", "[::1]:8080")
        );
    }

    #[test]
    fn only_this_computer_is_loopback() {
        for text in ["http://127.0.0.1/room/abc", "http://[::1]/room/abc", "http://localhost/room/abc"] {
            assert!(read(text).server().is_loopback(), "{text}");
        }
        assert!(!read("http://192.0.2.1/room/abc").server().is_loopback());
        assert!(!read("http://localhost.example/room/abc").server().is_loopback());
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        for text in ["", "team-7", "ftp://a/room/abc", "javascript:alert(1)", "https:///", "//a/room/abc"] {
            assert_eq!(RoomAddress::parse(text), Err(AddressInvalid::NotHttp), "{text}");
        }
        for text in ["https://a.example", "https://a.example/rooms/abc", "https://a.example/room"] {
            assert_eq!(RoomAddress::parse(text), Err(AddressInvalid::NoRoom), "{text}");
        }
        for text in
            ["https://a.example/room/ab", "https://a.example/room/a%20b", "https://a.example/room/team-7."]
        {
            assert!(matches!(RoomAddress::parse(text), Err(AddressInvalid::RoomName(_))), "{text}");
        }
    }

    #[test]
    fn an_invitation_is_written_as_it_is_read() {
        let text = "https://example.org/calls/room/team-7#c2VjcmV0c2VjcmV0c2Vjcg";
        let address = RoomAddress::parse(text).unwrap();
        assert_eq!(address.invitation(), text);
        let other = RoomSecret::from_random(5);
        let changed = RoomAddress::parse(&address.with_secret(other).invitation()).unwrap();
        assert_eq!((changed.secret(), changed.room()), (Some(other), address.room()));
    }

    #[test]
    fn an_incomplete_secret_is_refused() {
        for text in ["https://a.example/room/abc#c2VjcmV0", "https://a.example/room/abc#chat"] {
            assert!(matches!(RoomAddress::parse(text), Err(AddressInvalid::Secret(_))), "{text}");
        }
    }

    #[test]
    fn the_secret_is_in_no_log() {
        let address = read("https://example.org/room/abc#c2VjcmV0c2VjcmV0c2Vjcg");
        assert_eq!(format!("{address:?}"), "https://example.org/room/abc");
    }

    #[test]
    fn the_server_is_read_from_the_address_of_anything_on_it() {
        for (text, signaling) in [
            ("https://example.org", "wss://example.org/ws"),
            ("https://example.org/check#report", "wss://example.org/ws"),
            ("http://localhost:8080/room/team-7#c2VjcmV0c2VjcmV0c2Vjcg", "ws://localhost:8080/ws"),
            ("https://a.example/sub/", "wss://a.example/sub/ws"),
        ] {
            assert_eq!(ServerAddress::parse(text).unwrap().signaling(), signaling, "{text}");
        }
        assert_eq!(ServerAddress::parse("https://a.example/sub").unwrap().health_path(), "/sub/healthz");
        assert_eq!(ServerAddress::parse("example.org"), Err(AddressInvalid::NotHttp));
    }

    #[test]
    fn a_file_is_not_taken_for_an_address() {
        assert!(is_address("https://example.org/room/abc") && is_address(" HTTP://a/room/abc"));
        for file in ["report.pdf", "https", "./https://a", "你好.txt", ""] {
            assert!(!is_address(file), "{file}");
        }
    }
}
