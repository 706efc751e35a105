//! What the server writes down, and where.

use std::{
    fs::{self, OpenOptions},
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Mutex,
};

use clap::ValueEnum;
use file_rotate::{ContentLimit, FileRotate, compression::Compression, suffix::AppendCount};
use tracing::Subscriber;
use tracing_subscriber::{
    Layer, filter, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

/// A log file that is longer than this is put aside, as `name.1`.
const FILE_BYTES: usize = 16 * 1024 * 1024;
/// So many are kept beside the one that is written.
const FILES_KEPT: usize = 5;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the levels of the tracing crate")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A log file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}. Choose another file with --log-file.")]
pub struct LogFileError {
    path: PathBuf,
    source: io::Error,
}

/// Sends the log of this crate, and warnings of others, to standard output and to a file.
///
/// # Errors
/// [`LogFileError`] where the file cannot be written.
pub(crate) fn start(level: LogLevel, format: LogFormat, file: Option<&Path>) -> Result<(), LogFileError> {
    let level = match level {
        LogLevel::Off => filter::LevelFilter::OFF,
        LogLevel::Error => filter::LevelFilter::ERROR,
        LogLevel::Warn => filter::LevelFilter::WARN,
        LogLevel::Info => filter::LevelFilter::INFO,
        LogLevel::Debug => filter::LevelFilter::DEBUG,
        LogLevel::Trace => filter::LevelFilter::TRACE,
    };
    let targets = filter::Targets::new()
        .with_default(level.min(filter::LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), level)
        // It warns of every datagram that is no STUN message, and anybody may send those.
        .with_target("stun_types", filter::LevelFilter::OFF);
    let file = file.map(rolling).transpose()?;
    let subscriber = tracing_subscriber::registry()
        .with(lines(format, io::stdout().is_terminal(), io::stdout).with_filter(targets.clone()))
        .with(file.map(|file| lines(format, false, file).with_filter(targets)));
    // Whoever embeds this may have set up a log before.
    if subscriber.try_init().is_err() {
        tracing::debug!("there is a log already");
    }
    Ok(())
}

fn lines<S, W>(format: LogFormat, with_colours: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(with_colours).with_writer(writer);
    match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

fn rolling(path: &Path) -> Result<Mutex<FileRotate<AppendCount>>, LogFileError> {
    let explained = |source| LogFileError { path: path.to_owned(), source };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(explained)?;
    }
    // Later it is opened by a library that would not say why it cannot be.
    OpenOptions::new().create(true).append(true).open(path).map_err(explained)?;
    let limit = ContentLimit::BytesSurpassed(FILE_BYTES);
    Ok(Mutex::new(FileRotate::new(path, AppendCount::new(FILES_KEPT), limit, Compression::None, None)))
}
