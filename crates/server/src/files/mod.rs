//! The client's files, as `cargo xtask build` wrote them: from a directory, or from the binary itself.

mod cache;
mod embedded;
mod not_built;
pub(crate) mod policy;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
pub use embedded::EmbeddedClient;
use policy::{PagePolicy, PageVersion};
use tokio::io::AsyncReadExt;
use tower::ServiceExt;
use tower_http::services::{
    ServeDir,
    fs::{Backend, DefaultServeDirFallback, Metadata, TokioBackend},
};

const INDEX: &str = "/index.html";
const ROOMS: &str = "/room/";

/// The directory of the client where no option names one and the program has no client.
const DEFAULT_DIST: &str = "dist";

/// Answers requests for the client's files.
#[derive(Debug, Clone)]
pub(crate) enum ClientFiles {
    /// From a directory, which may be created or rebuilt at any time.
    Directory(Files<TokioBackend>),
    /// From the program, as it was built.
    Embedded(Files<EmbeddedClient>),
}

impl ClientFiles {
    /// Serves the directory `dist`; without one the client in the program, or the directory named `dist` where the program has no
    /// client.
    pub(crate) fn new(dist: Option<PathBuf>, embedded: Option<EmbeddedClient>) -> Self {
        match (dist, embedded) {
            (None, Some(client)) => Self::Embedded(Files::new(PathBuf::new(), client)),
            (dist, _) => {
                Self::Directory(Files::new(dist.unwrap_or_else(|| DEFAULT_DIST.into()), TokioBackend))
            }
        }
    }

    /// The file of the requested path, or the page where the path is one of the page's routes.
    pub(crate) async fn respond(self, request: Request) -> Response {
        match self {
            Self::Directory(files) => files.respond(request).await,
            Self::Embedded(files) => files.respond(request).await,
        }
    }
}

/// Serves one directory of a file system.
#[derive(Debug, Clone)]
pub(crate) struct Files<B> {
    directory: ServeDir<DefaultServeDirFallback, B>,
    backend: B,
    index: PathBuf,
    policy: Arc<PagePolicy>,
}

impl<B: Backend> Files<B> {
    fn new(dist: PathBuf, backend: B) -> Self {
        let index = dist.join(INDEX.trim_start_matches('/'));
        let directory = ServeDir::with_backend(dist, backend.clone())
            .append_index_html_on_directories(false)
            .redirect_to_trailing_slash(false)
            .precompressed_br()
            .precompressed_gzip();
        Self { directory, backend, index, policy: Arc::default() }
    }

    async fn respond(self, mut request: Request) -> Response {
        if is_route(request.uri().path()) {
            *request.uri_mut() = Uri::from_static(INDEX);
        }
        let path = request.uri().path().to_owned();
        if !can_be_file(&path) {
            return (StatusCode::NOT_FOUND, "There is no file of this name.\n").into_response();
        }
        // A worker takes its policy from its script, so every file has that of the page.
        let policy = self.page_policy().await.unwrap_or(policy::NOTHING);
        let Ok(response) = self.directory.oneshot(request).await;
        let mut response = response.map(Body::new).into_response();
        if response.status() == StatusCode::NOT_FOUND && path == INDEX {
            response = not_built::page();
        }
        let caching = cache::control(&path, response.status());
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }

    async fn page_policy(&self) -> io::Result<HeaderValue> {
        let metadata = self.backend.metadata(self.index.clone()).await?;
        let version = PageVersion { modified: metadata.modified().ok(), bytes: metadata.len() };
        if let Some(known) = self.policy.known(version) {
            return Ok(known);
        }
        let mut html = String::new();
        self.backend.open(self.index.clone()).await?.read_to_string(&mut html).await?;
        Ok(self.policy.of(version, &html))
    }
}

/// Whether the page answers this path: any path below `/room/`, because the page explains an invalid room name, and any path whose
/// last part has no file extension.
fn is_route(path: &str) -> bool {
    let has_extension =
        || Path::new(path).file_name().is_some_and(|name| name.to_string_lossy().contains('.'));
    path.starts_with(ROOMS) || !has_extension()
}

/// Whether a file could have this path. A name that is too long or contains a zero byte is the client's error, which a file system
/// would report like its own.
fn can_be_file(path: &str) -> bool {
    // Lengths of the escaped text, with room for `.br` at the end.
    const MAX_PATH_BYTES: usize = 1_024;
    const MAX_NAME_BYTES: usize = 240;
    let has_zero = path.contains("%00");
    !has_zero && path.len() <= MAX_PATH_BYTES && path.split('/').all(|name| name.len() <= MAX_NAME_BYTES)
}
