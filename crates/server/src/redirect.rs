//! Redirects http to https.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header, uri::Authority},
    response::{IntoResponse, Response},
};

/// The default port of https.
const HTTPS_PORT: u16 = 443;

/// Redirects every request to the same address over https.
///
/// `port` is the port of https. Without it https is spoken on the port that the request came to, so the authority that the browser
/// used stays as it is.
pub(crate) fn router(port: Option<u16>) -> Router {
    Router::new().fallback(async move |request: Request| to_https(&request, port))
}

fn to_https(request: &Request, port: Option<u16>) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let location = host.and_then(|host| {
        let asked: Authority = host.parse().ok()?;
        let authority = match port {
            None => asked.as_str().to_owned(),
            Some(HTTPS_PORT) => asked.host().to_owned(),
            Some(port) => format!("{}:{port}", asked.host()),
        };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        HeaderValue::try_from(format!("https://{authority}{path}")).ok()
    });
    match location {
        // Temporary, because browsers keep permanent redirects and the port may speak http tomorrow.
        Some(location) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response(),
        None => (StatusCode::BAD_REQUEST, "This port speaks https.\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn location(host: &str, path: &str, port: Option<u16>) -> Option<String> {
        let request = Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap();
        let response = to_https(&request, port);
        Some(response.headers().get("location")?.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_redirect_keeps_the_path_and_uses_the_https_port() {
        let path = "/room/team-7?name=Ada";
        for (host, port, expected) in [
            ("example.org", Some(443), "https://example.org"),
            ("example.org:8080", Some(8443), "https://example.org:8443"),
            ("[::1]:8080", Some(8443), "https://[::1]:8443"),
            ("192.168.1.5:8443", None, "https://192.168.1.5:8443"),
        ] {
            assert_eq!(location(host, path, port).unwrap(), format!("{expected}{path}"));
        }
    }

    #[test]
    fn a_request_without_a_host_is_not_redirected() {
        assert_eq!(location("a b", "/", None), None);
        assert_eq!(location("", "/", None), None);
    }
}
