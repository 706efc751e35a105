//! The client inside the binary: `cargo xtask build --server` puts it there, with its compressed variants.

use std::{
    future::{Ready, ready},
    io::{self, Cursor},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rust_embed::{EmbeddedFile, RustEmbed};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../dist"]
struct Client;

/// The files in the binary, as a file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Embedded;

impl Backend for Embedded {
    type File = OpenFile;
    type Metadata = FileMetadata;
    type OpenFuture = Ready<io::Result<OpenFile>>;
    type MetadataFuture = Ready<io::Result<FileMetadata>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(
            find(&path)
                .map(|file| OpenFile { metadata: FileMetadata::of(&file), data: Cursor::new(file.data) }),
        )
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(find(&path).map(|file| FileMetadata::of(&file)))
    }
}

fn find(path: &Path) -> io::Result<EmbeddedFile> {
    let name: PathBuf =
        path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    let name = name.to_str().ok_or(io::ErrorKind::NotFound)?;
    Client::get(name).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A file of the binary that is being read.
#[derive(Debug)]
pub(crate) struct OpenFile {
    metadata: FileMetadata,
    data: Cursor<std::borrow::Cow<'static, [u8]>>,
}

/// Length and time of a file in the binary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileMetadata {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl FileMetadata {
    fn of(file: &EmbeddedFile) -> Self {
        let modified = file.metadata.last_modified().map(|unix_s| UNIX_EPOCH + Duration::from_secs(unix_s));
        Self { bytes: file.data.len() as u64, modified }
    }
}

impl Metadata for FileMetadata {
    fn is_dir(&self) -> bool {
        false
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.modified.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> u64 {
        self.bytes
    }
}

impl File for OpenFile {
    type Metadata = FileMetadata;
    type MetadataFuture<'a> = Ready<io::Result<FileMetadata>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.metadata))
    }
}

impl AsyncRead for OpenFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.data).poll_read(context, buffer)
    }
}

impl AsyncSeek for OpenFile {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.data).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.data).poll_complete(context)
    }
}
