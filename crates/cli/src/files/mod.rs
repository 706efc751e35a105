//! Files on this computer: a thread that reads, hashes and stores them, as the page's worker does.

mod output;
mod sink;
mod source;
mod tasks;
mod worker;

use std::{io, path::PathBuf};

use bytes::Bytes;
use sightline_core::transfer::{SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferHandle};
use sightline_protocol::MemberId;

pub(crate) use self::{sink::part_path, tasks::FileTasks};

/// Where received files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// Into part files in this folder.
    Folder(PathBuf),
    /// To the standard output, which takes one file.
    Output,
}

/// A message to the worker.
#[derive(Debug)]
enum ToWorker {
    /// A command to a source. The path is set with the first command that reads the file.
    Source(TransferHandle, SourceCommand, Option<PathBuf>),
    Sink(TransferHandle, SinkCommand),
    /// A frame of a member.
    Frame(MemberId, Bytes),
}

/// A message of the worker.
#[derive(Debug)]
pub(crate) enum FromWorker {
    /// An event of a source, with its frame.
    Source(TransferHandle, SourceEvent, Option<Bytes>),
    Sink(TransferHandle, SinkEvent),
    /// The disk is full. What was stored of the file stays, and the sink takes no more.
    DiskFull(TransferHandle),
    /// The standard output, which takes this file, cannot be written any more.
    OutputFailed(TransferHandle, io::Error),
}
