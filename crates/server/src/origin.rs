//! Which origins may open the signaling WebSocket. Browsers let every page open a WebSocket to every server and only name the
//! page's origin (RFC 6455 section 10.2).

use std::{fmt, str::FromStr};

use axum::http::{HeaderMap, HeaderValue, header};

/// An origin as browsers write it: `https://example.org`, `http://localhost:8081`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(Origin);

/// The error for a string that is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is http:// or https:// with a host and perhaps a port, as in https://example.org")]
pub struct OriginInvalid;

impl FromStr for AllowedOrigin {
    type Err = OriginInvalid;

    fn from_str(raw: &str) -> Result<Self, OriginInvalid> {
        Origin::read(raw.trim_end_matches('/')).map(Self).ok_or(OriginInvalid)
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { scheme, authority } = &self.0;
        write!(formatter, "{}://{authority}", scheme.name())
    }
}

/// Why a page may not have a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRefusal {
    /// The page's origin is neither this server's nor allowed.
    Origin,
    /// The page was served by this server under a host name that may be a stranger's.
    Host,
}

impl PageRefusal {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Origin => "origin-refused",
            Self::Host => "host-refused",
        }
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Origin => {
                "This page's origin may not use the server: start it with --allow-origin and this origin, or let the proxy \
                 keep Host or send X-Forwarded-Host."
            }
            Self::Host => {
                "The server does not answer to this host name: start it with --allowed-host and the name."
            }
        }
    }
}

/// Whether the sender of these headers may have a socket: a client that is no browser, a page of this server, or a page of an
/// `allowed` origin.
///
/// # Errors
/// Why not. Unless `host_is_trusted`, no page counts as this server's.
pub fn check(
    headers: &HeaderMap,
    allowed: &[AllowedOrigin],
    host_is_trusted: bool,
) -> Result<(), PageRefusal> {
    match headers.get(header::ORIGIN) {
        None => Ok(()),
        Some(origin) => check_origin(text(origin).unwrap_or_default(), headers, allowed, host_is_trusted),
    }
}

/// Whether a page of this origin may have a socket, as [`check`] decides.
pub(crate) fn check_origin(
    origin: &str,
    headers: &HeaderMap,
    allowed: &[AllowedOrigin],
    host_is_trusted: bool,
) -> Result<(), PageRefusal> {
    let origin = Origin::read(origin).ok_or(PageRefusal::Origin)?;
    if allowed.iter().any(|AllowedOrigin(allowed)| *allowed == origin) {
        return Ok(());
    }
    // A proxy that replaces `Host` names the original here. No page can set this header.
    let hosts = [header::HOST.as_str(), "x-forwarded-host"];
    let same_origin = hosts
        .iter()
        .filter_map(|name| headers.get(*name))
        .filter_map(text)
        .any(|host| origin.scheme.without_default_port(&host.to_ascii_lowercase()) == origin.authority);
    match same_origin {
        true if host_is_trusted => Ok(()),
        true => Err(PageRefusal::Host),
        false => Err(PageRefusal::Origin),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: Scheme,
    /// Host and port in lower case, without the scheme's default port.
    authority: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Origin {
    fn read(raw: &str) -> Option<Self> {
        let raw = raw.to_ascii_lowercase();
        let (scheme, authority) = raw.split_once("://")?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let is_authority = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        (!authority.is_empty() && authority.bytes().all(is_authority))
            .then(|| Self { scheme, authority: scheme.without_default_port(authority).to_owned() })
    }
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn without_default_port(self, authority: &str) -> &str {
        let port = match self {
            Self::Http => ":80",
            Self::Https => ":443",
        };
        authority.strip_suffix(port).unwrap_or(authority)
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)], extra: &[&str]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let extra: Vec<_> = extra.iter().map(|raw| raw.parse().unwrap()).collect();
        check(&headers.collect(), &extra, true).is_ok()
    }

    #[test]
    fn a_client_without_an_origin_may_connect() {
        assert!(allowed(&[("host", "localhost:8080")], &[]));
    }

    #[test]
    fn a_page_of_this_server_may_connect_with_any_case_and_the_default_port() {
        assert!(allowed(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")], &[]));
        assert!(allowed(&[("host", "Example.org"), ("origin", "https://example.org")], &[]));
        assert!(allowed(&[("host", "example.org:443"), ("origin", "https://example.org")], &[]));
        assert!(allowed(&[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")], &[]));
    }

    #[test]
    fn a_page_of_another_origin_may_not_connect() {
        for origin in [
            "http://evil.example",
            "http://localhost:8081",
            "http://localhost:8080.evil.example",
            "http://evil.example/http://localhost:8080",
            "null",
            "",
            "localhost:8080",
            "file://",
        ] {
            assert!(!allowed(&[("host", "localhost:8080"), ("origin", origin)], &[]), "{origin}");
        }
    }

    #[test]
    fn a_page_behind_a_proxy_that_forwards_the_host_may_connect() {
        let forwarded = ("x-forwarded-host", "localhost:8081");
        assert!(allowed(&[("host", "localhost"), forwarded, ("origin", "http://localhost:8081")], &[]));
        assert!(!allowed(&[("host", "localhost"), forwarded, ("origin", "http://localhost:9")], &[]));
    }

    #[test]
    fn an_allowed_origin_may_connect_only_with_its_scheme() {
        let extra = ["https://calls.example.org/"];
        assert!(allowed(&[("host", "h"), ("origin", "https://calls.example.org")], &extra));
        assert!(!allowed(&[("host", "h"), ("origin", "http://calls.example.org")], &extra));
    }

    #[test]
    fn an_invalid_origin_is_refused_as_an_option() {
        for raw in ["", "example.org", "https://", "https://a/b", "ftp://a", "*"] {
            assert_eq!(raw.parse::<AllowedOrigin>(), Err(OriginInvalid), "{raw}");
        }
    }
}
