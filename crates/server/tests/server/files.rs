use std::fs;

use http_body_util::Empty;
use hyper::{Request, Response, StatusCode, body::Bytes};
use sightline_server::EmbeddedClient;

use crate::harness::TestServer;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// A server with a client as trunk builds it.
fn built() -> TestServer {
    let server = TestServer::start();
    let dist = server.dist();
    fs::write(dist.join("index.html"), "<p>the page").unwrap();
    fs::write(dist.join("sightline-0123456789abcdef.js"), "the loader").unwrap();
    fs::write(dist.join("sightline-0123456789abcdef_bg.wasm"), "the module").unwrap();
    fs::write(dist.join("sightline-0123456789abcdef_bg.wasm.br"), "the module in brotli").unwrap();
    fs::write(dist.join("sightline-0123456789abcdef_bg.wasm.gz"), "the module in gzip").unwrap();
    fs::write(dist.join("icon.svg"), "<svg/>").unwrap();
    fs::create_dir(dist.join("assets")).unwrap();
    fs::write(dist.parent().unwrap().join("secret.txt"), "secret").unwrap();
    server
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_route_of_the_client_serves_the_page() {
    let server = built();
    for path in
        ["/", "/index.html", "/room/team-7", "/check", "/report?x=1.5", "/assets", "/assets/", "/a/b/c/"]
    {
        let response = server.get(path, &[]).await;
        assert_eq!(
            (response.status(), &response.body()[..]),
            (StatusCode::OK, &b"<p>the page"[..]),
            "{path}"
        );
        assert_eq!(header(&response, "content-type"), "text/html", "{path}");
        assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
    }
}

/// A link in a sentence may include the full stop, and people type anything: the page explains every invalid name.
#[tokio::test]
async fn the_page_is_served_for_every_room_name() {
    let server = built();
    let long = format!("/room/{}", "a".repeat(5_000));
    let long_file = format!("/room/{}.js", "a".repeat(5_000));
    for path in [
        "/room/team-7.",
        "/room/team-7,",
        "/room/Team%207",
        "/room/x.png",
        "/room/..",
        "/room/a/b.c",
        "/room/%00",
        "/room/%ff",
        "/room/.",
        "/room/a.b?name=x",
        "/room/%E6%88%BF%E9%97%B4",
        &long,
        &long_file,
    ] {
        let response = server.get(path, &[]).await;
        assert_eq!(
            (response.status(), &response.body()[..]),
            (StatusCode::OK, &b"<p>the page"[..]),
            "{path:.60}"
        );
        assert_eq!(header(&response, "cache-control"), "no-cache", "{path:.60}");
    }
}

#[tokio::test]
async fn a_name_that_no_file_can_have_is_not_found_or_too_long() {
    let server = built();
    for length in [100, 240, 253, 256, 300, 1_000, 4_000, 5_000, 20_000, 60_000] {
        let name = "x".repeat(length);
        let deep = "x/".repeat(length / 2);
        for path in [
            format!("/{name}.js"),
            format!("/a.b/{name}.wasm"),
            format!("/{name}%2e%2e.js"),
            format!("/{deep}a.js"),
        ] {
            let status = server.get(&path, &[("accept-encoding", "br, gzip")]).await.status();
            let expected = [
                StatusCode::NOT_FOUND,
                StatusCode::URI_TOO_LONG,
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ];
            assert!(expected.contains(&status), "{status} {length} {path:.60}");
        }
    }
    for path in ["/a%00.js", "/%00.js", "/a.b/%00.c"] {
        assert_eq!(server.get(path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn files_with_a_content_hash_are_cached_and_others_are_revalidated() {
    let server = built();
    for (path, caching, kind) in [
        ("/sightline-0123456789abcdef.js", IMMUTABLE, "text/javascript"),
        ("/sightline-0123456789abcdef_bg.wasm", IMMUTABLE, "application/wasm"),
        ("/icon.svg", "no-cache", "image/svg+xml"),
    ] {
        let response = server.get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!((header(&response, "cache-control"), header(&response, "content-type")), (caching, kind));
    }
}

#[tokio::test]
async fn a_browser_with_the_current_page_gets_not_modified() {
    let server = built();
    let first = server.get("/room/team-7", &[]).await;
    let again = server.get("/room/team-8", &[("if-none-match", header(&first, "etag"))]).await;
    assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn a_program_with_a_client_in_it_serves_that_client() {
    const CLIENT: EmbeddedClient = EmbeddedClient {
        built_unix_s: 1_796_000_000,
        files: &[
            ("a-0123456789abcdef.js", b"script"),
            ("a-0123456789abcdef.js.br", b"small"),
            ("index.html", b"<p>in the program"),
        ],
    };
    let server = TestServer::start_with(|config| {
        config.dist = None;
        config.client = Some(CLIENT);
    });
    let page = server.get("/room/team-7", &[]).await;
    assert_eq!((page.status(), &page.body()[..]), (StatusCode::OK, &b"<p>in the program"[..]));
    let modified = header(&page, "last-modified").to_owned();
    let again = server.get("/", &[("if-modified-since", &modified)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let script = server.get("/a-0123456789abcdef.js", &[("accept-encoding", "br")]).await;
    assert_eq!((header(&script, "content-encoding"), &script.body()[..]), ("br", &b"small"[..]));
    assert_eq!(server.get("/b.js", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_missing_file_is_not_found() {
    let server = built();
    for path in ["/missing.js", "/sightline-fedcba9876543210.js", "/rooms/x.png", "/assets/.hidden"] {
        let response = server.get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
    }
}

#[tokio::test]
async fn a_compressed_file_is_served_to_browsers_that_accept_it() {
    let server = built();
    let path = "/sightline-0123456789abcdef_bg.wasm";
    for (accepted, encoding, body) in [
        ("gzip, br", "br", "the module in brotli"),
        ("gzip", "gzip", "the module in gzip"),
        ("identity", "", "the module"),
    ] {
        let response = server.get(path, &[("accept-encoding", accepted)]).await;
        assert_eq!(
            (header(&response, "content-encoding"), &response.body()[..]),
            (encoding, body.as_bytes())
        );
        assert_eq!(header(&response, "content-type"), "application/wasm");
        assert_eq!(header(&response, "vary"), "accept-encoding");
    }
}

#[tokio::test]
async fn every_answer_forbids_type_sniffing_and_referrers() {
    let server = built();
    for path in ["/", "/sightline-0123456789abcdef.js", "/missing.js", "/healthz", "/ws"] {
        let response = server.get(path, &[]).await;
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn the_page_may_run_only_its_own_scripts_and_use_the_devices() {
    let server = built();
    let write = |html: &str| fs::write(server.dist().join("index.html"), html).unwrap();
    let policy = async |path: &str| {
        let response = server.get(path, &[]).await;
        assert!(header(&response, "permissions-policy").contains("camera=(self)"), "{path}");
        header(&response, "content-security-policy").to_owned()
    };
    write("<script>1</script>");
    let (first, worker) = (policy("/room/x").await, policy("/icon.svg").await);
    assert!(first.contains("script-src 'self' 'wasm-unsafe-eval' 'sha256-"), "{first}");
    assert_eq!(first, worker);
    write("<script>another script</script>");
    assert_ne!(policy("/room/x").await, first);
    for path in ["/healthz", "/ws"] {
        assert!(policy(path).await.starts_with("default-src 'none'; frame-ancestors"), "{path}");
    }
}

#[tokio::test]
async fn no_file_outside_the_directory_is_served() {
    let server = built();
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/../../secret.txt",
        "//secret.txt",
    ] {
        let response = server.get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn healthz_answers_ok() {
    let response = TestServer::start().get("/healthz", &[]).await;
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"ok"[..]));
}

#[tokio::test]
async fn a_page_explains_that_the_client_is_not_built_yet() {
    let server = TestServer::start();
    for path in ["/", "/room/team-7"] {
        let response = server.get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(std::str::from_utf8(response.body()).unwrap().contains("cargo xtask build"));
        assert_eq!(header(&response, "cache-control"), "no-cache");
    }
    fs::write(server.dist().join("index.html"), "<p>the page").unwrap();
    assert_eq!(server.get("/room/team-7", &[]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn files_cannot_be_written() {
    let server = built();
    for (method, path) in [("POST", "/icon.svg"), ("PUT", "/room/team-7"), ("DELETE", "/")] {
        let request =
            Request::builder().method(method).uri(path).header("host", "x").body(Empty::new()).unwrap();
        assert_eq!(server.ask(request).await.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
}
