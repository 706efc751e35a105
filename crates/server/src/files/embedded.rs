//! A client inside the program: the files as `cargo xtask build` wrote them, with their compressed variants.

use std::{
    future::{Ready, ready},
    io::{self, Cursor},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

/// A built client as a part of a program.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedClient {
    /// When it was built, in seconds since 1970.
    pub built_unix_s: u64,
    /// Each file with its content, in ascending order of the names.
    pub files: &'static [(&'static str, &'static [u8])],
}

impl EmbeddedClient {
    fn find(&self, path: &Path) -> io::Result<OpenFile> {
        let name: PathBuf =
            path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
        let name = name.to_str().ok_or(io::ErrorKind::NotFound)?;
        let at = self.files.binary_search_by_key(&name, |(name, _)| name);
        let (_, content) = at.ok().and_then(|at| self.files.get(at)).ok_or(io::ErrorKind::NotFound)?;
        let metadata = FileMetadata { bytes: content.len() as u64, built_unix_s: self.built_unix_s };
        Ok(OpenFile { metadata, data: Cursor::new(content) })
    }
}

impl Backend for EmbeddedClient {
    type File = OpenFile;
    type Metadata = FileMetadata;
    type OpenFuture = Ready<io::Result<OpenFile>>;
    type MetadataFuture = Ready<io::Result<FileMetadata>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(self.find(&path))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(self.find(&path).map(|file| file.metadata))
    }
}

/// A file of the program that is being read.
#[derive(Debug)]
pub struct OpenFile {
    metadata: FileMetadata,
    data: Cursor<&'static [u8]>,
}

/// Length and time of a file in the program.
#[derive(Debug, Clone, Copy)]
pub struct FileMetadata {
    bytes: u64,
    built_unix_s: u64,
}

impl Metadata for FileMetadata {
    fn is_dir(&self) -> bool {
        false
    }

    fn modified(&self) -> io::Result<SystemTime> {
        Ok(UNIX_EPOCH + Duration::from_secs(self.built_unix_s))
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

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: EmbeddedClient = EmbeddedClient {
        built_unix_s: 60,
        files: &[("a/b.js", b"script"), ("index.html", b"page"), ("index.html.br", b"small")],
    };

    #[test]
    fn a_file_is_found_by_its_path_and_others_are_missing() {
        let found = CLIENT.find(Path::new("./index.html")).unwrap();
        assert_eq!(found.metadata.len(), 4);
        assert_eq!(found.metadata.modified().unwrap(), UNIX_EPOCH + Duration::from_secs(60));
        assert_eq!(CLIENT.find(Path::new("a/b.js")).unwrap().data.into_inner(), b"script");
        for missing in ["", "a", "b.js", "index", "../index.html", "/index.html"] {
            let error = CLIENT.find(Path::new(missing)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{missing}");
        }
    }
}
