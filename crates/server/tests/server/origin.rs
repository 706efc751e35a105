use tokio_tungstenite::{connect_async, tungstenite::Error};

use crate::{
    client::handshake,
    harness::{TestServer, within},
};

/// The status of the answer to a handshake from a page of that origin.
async fn status(server: &TestServer, origin: Option<&str>) -> u16 {
    let mut request = handshake(server);
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match within(connect_async(request)).await {
        Ok((_, response)) => response.status().as_u16(),
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_native_peer_and_a_page_of_this_server_may_connect() {
    let server = TestServer::start();
    assert_eq!(status(&server, None).await, 101);
    assert_eq!(status(&server, Some(&format!("http://{}", server.addr))).await, 101);
}

#[tokio::test]
async fn a_page_of_another_site_may_not_connect() {
    let server = TestServer::start();
    for origin in ["http://evil.example", "http://127.0.0.1:1", "null"] {
        assert_eq!(status(&server, Some(origin)).await, 403, "{origin}");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_site_may_connect() {
    let server = TestServer::start_with(|config| {
        config.allowed_origins = vec!["https://calls.example.org".parse().unwrap()];
    });
    assert_eq!(status(&server, Some("https://calls.example.org")).await, 101);
    assert_eq!(status(&server, Some("https://evil.example")).await, 403);
}

#[tokio::test]
async fn a_page_behind_a_proxy_with_a_forwarded_host_may_connect() {
    let server = TestServer::start();
    let mut request = handshake(&server);
    request.headers_mut().insert("origin", "http://localhost:8081".parse().unwrap());
    request.headers_mut().insert("x-forwarded-host", "localhost:8081".parse().unwrap());
    assert!(within(connect_async(request)).await.is_ok());
}

/// A browser does not say why a socket did not open, so the page asks beforehand.
#[tokio::test]
async fn healthz_tells_a_page_whether_it_may_connect() {
    let server = TestServer::start_with(|config| {
        config.allowed_origins = vec!["https://calls.example.org".parse().unwrap()];
    });
    let own = format!("http://{}", server.addr);
    let proxied = [("host", "localhost"), ("x-forwarded-host", "calls.example.com")];
    for (origin, headers, expected) in [
        (own.as_str(), &[][..], "ok"),
        ("https://calls.example.org", &[], "ok"),
        ("https%3A%2F%2Fcalls.example.org", &[], "ok"),
        ("https://calls.example.com", &proxied, "ok"),
        ("https://calls.example.com", &[], "origin-refused"),
        ("http://localhost:1", &[], "origin-refused"),
        ("null", &[], "origin-refused"),
        ("", &[], "origin-refused"),
        ("http://evil.example", &[("host", "evil.example")], "host-refused"),
    ] {
        let answer = server.get(&format!("/healthz?origin={origin}"), headers).await;
        assert_eq!(std::str::from_utf8(answer.body()).unwrap(), expected, "{origin}");
        assert_eq!(answer.status(), 200, "{origin}");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    }
}

#[tokio::test]
async fn a_page_under_a_foreign_host_name_may_not_connect_although_its_origin_matches() {
    let server = TestServer::start();
    let as_page_of = async |name: &str| {
        let mut request = handshake(&server);
        request.headers_mut().insert("host", name.parse().unwrap());
        request.headers_mut().insert("origin", format!("http://{name}").parse().unwrap());
        let stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
        match within(tokio_tungstenite::client_async(request, stream)).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    };
    for name in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"] {
        assert_eq!(as_page_of(name).await, 403, "{name}");
    }
    for name in ["localhost:8080", "192.168.1.5:8080", "[::1]:8080", "nas.local", "box"] {
        assert_eq!(as_page_of(name).await, 101, "{name}");
    }
}

#[tokio::test]
async fn only_host_names_that_the_operator_lists_are_answered() {
    let server =
        TestServer::start_with(|config| config.allowed_hosts = vec!["calls.example.org".parse().unwrap()]);
    for (host, is_answered) in [
        ("calls.example.org", true),
        ("Calls.Example.org:8443", true),
        ("localhost", true),
        ("127.0.0.1:8080", true),
        ("evil.example", false),
        ("nas.local", false),
        ("x.calls.example.org", false),
    ] {
        for path in ["/", "/room/x", "/icon.svg", "/metrics", "/ws"] {
            let status =
                server.get(path, &[("host", host), ("x-forwarded-host", "calls.example.org")]).await.status();
            assert_eq!(status != 421, is_answered, "{status} {host} {path}");
        }
        assert_eq!(server.get("/healthz", &[("host", host)]).await.body(), "ok", "{host}");
    }
}

#[tokio::test]
async fn a_request_without_a_websocket_handshake_gets_a_client_error() {
    let server = TestServer::start();
    let response = server.get("/ws", &[]).await;
    assert!(response.status().is_client_error(), "{}", response.status());
}
