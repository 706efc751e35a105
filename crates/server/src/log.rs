//! The log: its levels, formats and files, and what protects it from floods and forged lines.

use std::{
    fmt, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName};
use clap::ValueEnum;
use tokio::time::Instant;
use tracing::Subscriber;
use tracing_subscriber::{
    Layer, filter, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use crate::{rolling_file::RollingFile, token_bucket::Bucket};

/// A log file that is longer than this is renamed to `name.1`.
const FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Renamed log files that are kept.
const FILES_KEPT: usize = 5;

/// The level of the log.
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

/// The format of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// An excerpt of a client's text, escaped for the log.
#[derive(Debug)]
pub(crate) struct Excerpt<'a>(&'a [u8]);

impl<'a> Excerpt<'a> {
    /// Longest excerpt, in bytes of the client's text.
    const MAX_BYTES: usize = 200;

    /// The value of this header; empty where there is none.
    pub(crate) fn of_header(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        Self(headers.get(name).map_or(&[], |value| value.as_bytes()))
    }
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..Self::MAX_BYTES).unwrap_or(self.0);
        fmt::Display::fmt(&shown.escape_ascii(), formatter)?;
        if shown.len() < self.0.len() { write!(formatter, "... ({} bytes)", self.0.len()) } else { Ok(()) }
    }
}

/// Throttles log lines of one kind: a few at once, then one every ten seconds. Whoever can cause a line can cause a million.
#[derive(Debug)]
pub(crate) struct Throttle {
    state: Mutex<ThrottleState>,
}

#[derive(Debug)]
struct ThrottleState {
    bucket: Bucket<Instant>,
    skipped: u64,
}

impl Throttle {
    const BURST: f64 = 10.0;
    const PER_S: f64 = 0.1;

    pub(crate) fn new() -> Self {
        let bucket = Bucket::full(Self::BURST, Self::PER_S, Instant::now());
        Self { state: Mutex::new(ThrottleState { bucket, skipped: 0 }) }
    }

    /// Whether a line may be written now; if so, the number of lines that were skipped since the last one.
    pub(crate) fn admit(&self) -> Option<u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.bucket.take(1.0, now) {
            Some(std::mem::take(&mut state.skipped))
        } else {
            state.skipped = state.skipped.saturating_add(1);
            None
        }
    }
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
        // This crate warns about every datagram that is not a STUN message, and any stranger can send such datagrams.
        .with_target("stun_types", filter::LevelFilter::OFF);
    let file = file.map(rolling).transpose()?;
    let subscriber = tracing_subscriber::registry()
        .with(lines(format, io::stdout().is_terminal(), io::stdout).with_filter(targets.clone()))
        .with(file.map(|file| lines(format, false, file).with_filter(targets)));
    // A program that embeds this server may have set up a log before.
    if subscriber.try_init().is_err() {
        tracing::debug!("there is a log already");
    }
    Ok(())
}

fn lines<S, W>(format: LogFormat, with_colors: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(with_colors).with_writer(writer);
    match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

fn rolling(path: &Path) -> Result<Mutex<RollingFile>, LogFileError> {
    let explained = |source| LogFileError { path: path.to_owned(), source };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(explained)?;
    }
    RollingFile::open(path, FILE_BYTES, FILES_KEPT).map(Mutex::new).map_err(explained)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn text_from_a_client_is_short_and_printable_in_the_log() {
        let long = HeaderValue::from_bytes(&[&b"\xff"[..], &[b'x'; 30_000]].concat()).unwrap();
        let headers = [(header::ORIGIN, long)].into_iter().collect();
        let text = Excerpt::of_header(&headers, &header::ORIGIN).to_string();
        assert!(text.starts_with("\\xffxxx") && text.ends_with("... (30001 bytes)"), "{text}");
        assert!(
            text.len() < 4 * Excerpt::MAX_BYTES + 30
                && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        );
        assert_eq!(Excerpt::of_header(&headers, &header::HOST).to_string(), "");
    }

    #[test]
    fn repeated_log_lines_are_limited_and_the_next_one_counts_the_omitted_ones() {
        let (throttle, start) = (Throttle::new(), Instant::now());
        let written = (0..1_000).filter(|_| throttle.admit_at(start).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(throttle.admit_at(start + Duration::from_secs(10)), Some(990));
        assert_eq!(throttle.admit_at(start + Duration::from_secs(10)), None);
    }
}
