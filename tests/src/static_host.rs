//! A plain static host, like the free ones: a path without a file is answered with `404.html`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use axum::{Router, http::StatusCode, routing::get_service};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tower_http::services::{ServeDir, ServeFile};

/// A running host with a copy of the files.
#[derive(Debug)]
pub struct StaticHost {
    port: u16,
    path: String,
    files: TempDir,
    task: JoinHandle<()>,
}

impl StaticHost {
    /// Serves a copy of `files` below `path`, which begins and ends with a slash.
    ///
    /// # Errors
    /// If the files cannot be copied or there is no port.
    pub async fn start(files: &Path, path: &str) -> Result<Self> {
        let copy = TempDir::new()?;
        for entry in fs::read_dir(files)? {
            let entry = entry?;
            if entry.path().is_file() {
                fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
            }
        }
        let missing = get_service(ServeFile::new(copy.path().join("404.html")));
        let files = ServeDir::new(copy.path()).not_found_service(missing);
        let router = Router::new()
            .nest_service(path.trim_end_matches('/'), files)
            .fallback(async || StatusCode::NOT_FOUND);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the static host: {error}");
            }
        });
        Ok(Self { port, path: path.to_owned(), files: copy, task })
    }

    /// The origin of the host.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The URL of `path` below the folder.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin(), self.path)
    }

    /// The folder with the files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.files.path().to_owned()
    }
}

impl Drop for StaticHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}
