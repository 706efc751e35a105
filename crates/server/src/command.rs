//! The server as a command: log, start, say where, run until a signal.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{Layer, filter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    Config, Options, Server, StartError, TlsIdentity,
    announce::{Listening, interface_addresses},
    config::LogLevel,
};

/// Runs the server until Ctrl-C or SIGTERM.
///
/// # Errors
/// [`StartError`] where it does not start; its `Display` is one sentence for a person.
pub fn run(options: Options) -> Result<(), StartError> {
    log_to_stderr(options.log);
    let config: Config = options.try_into()?;
    let is_self_signed = config.tls == Some(TlsIdentity::SelfSigned);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        // Before the address is printed: who reads it may send a signal at once.
        let signal = termination()?;
        let server = Server::bind(config)?;
        let reload = reload()?;
        let listening = Listening {
            address: server.local_addr(),
            fingerprint: server.certificate_fingerprint(),
            is_self_signed,
        };
        let text = listening.announcement(&interface_addresses());
        // Nobody may be reading; the server runs all the same.
        let _ = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
        server.run(signal, reload).await;
        Ok(())
    });
    // A file that is being read does not hold up the end.
    runtime.shutdown_background();
    served
}

/// Sends the log of this crate, and warnings of others, to standard error.
fn log_to_stderr(level: LogLevel) {
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
        .with_target(env!("CARGO_CRATE_NAME"), level);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .with_filter(targets);
    // Whoever embeds this may have set up a log before.
    if tracing_subscriber::registry().with(lines).try_init().is_err() {
        tracing::debug!("there is a log already");
    }
}

/// Done when the process is asked to end.
#[cfg(unix)]
fn termination() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done when the process is asked to end.
#[cfg(not(unix))]
fn termination() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "no Ctrl-C");
            std::future::pending::<()>().await;
        }
    })
}

/// Done each time the process is asked to read its files again.
#[cfg(unix)]
fn reload() -> io::Result<impl AsyncFnMut()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move || {
        if hangup.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    })
}

/// Done each time the process is asked to read its files again.
#[cfg(not(unix))]
fn reload() -> io::Result<impl AsyncFnMut()> {
    Ok(async || std::future::pending().await)
}
