//! The client's files, as trunk wrote them.

mod cache;
mod not_built;

use std::path::Path;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tower::ServiceExt;
use tower_http::services::ServeDir;

const INDEX: &str = "/index.html";

/// Serves one directory.
#[derive(Debug, Clone)]
pub(crate) struct ClientFiles {
    directory: ServeDir,
}

impl ClientFiles {
    /// Serves `dist`. It need not exist yet, and may be rebuilt at any time.
    pub(crate) fn new(dist: &Path) -> Self {
        let directory = ServeDir::new(dist)
            .append_index_html_on_directories(false)
            .redirect_to_trailing_slash(false)
            .precompressed_br()
            .precompressed_gzip();
        Self { directory }
    }

    /// The file of that path. A path without an extension is one of the single page's own routes.
    pub(crate) async fn respond(self, mut request: Request) -> Response {
        if !has_extension(request.uri().path()) {
            *request.uri_mut() = Uri::from_static(INDEX);
        }
        let path = request.uri().path().to_owned();
        let Ok(response) = self.directory.oneshot(request).await;
        let mut response = response.map(Body::new).into_response();
        if response.status() == StatusCode::NOT_FOUND && path == INDEX {
            response = not_built::page();
        }
        let caching = cache::control(&path, response.status());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        response
    }
}

fn has_extension(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.contains('.'))
}
