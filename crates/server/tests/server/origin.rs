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
async fn a_page_of_another_site_may_not() {
    let server = TestServer::start();
    for origin in ["http://evil.example", "http://127.0.0.1:1", "null"] {
        assert_eq!(status(&server, Some(origin)).await, 403, "{origin}");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_site_may() {
    let server = TestServer::start_with(|config| {
        config.allowed_origins = vec!["https://calls.example.org".parse().unwrap()];
    });
    assert_eq!(status(&server, Some("https://calls.example.org")).await, 101);
    assert_eq!(status(&server, Some("https://evil.example")).await, 403);
}

#[tokio::test]
async fn a_page_behind_a_proxy_that_names_the_host_it_was_asked_for_may() {
    let server = TestServer::start();
    let mut request = handshake(&server);
    request.headers_mut().insert("origin", "http://localhost:8081".parse().unwrap());
    request.headers_mut().insert("x-forwarded-host", "localhost:8081".parse().unwrap());
    assert!(within(connect_async(request)).await.is_ok());
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_politely() {
    let server = TestServer::start();
    let response = server.get("/ws", &[]).await;
    assert!(response.status().is_client_error(), "{}", response.status());
}
