//! The server as a command: starts the log and the server, prints the address, runs until a signal.

use std::io::{self, Write};

use crate::{
    announce::{Listening, interface_addresses},
    config::{Config, Options},
    files::EmbeddedClient,
    log::{self, LogFormat},
    server::Server,
    start_error::StartError,
    tls::TlsIdentity,
};

/// Runs the server, with the client in the program if it has one, until Ctrl-C or SIGTERM.
///
/// # Errors
/// [`StartError`] where it does not start; its `Display` is one sentence for a person.
pub fn run(options: Options, client: Option<EmbeddedClient>) -> Result<(), StartError> {
    let format = options.log_format;
    log::start(options.log, format, options.log_file.as_deref())?;
    allow_open_files();
    let config = Config { client, ..options.try_into()? };
    let is_self_signed = config.tls == Some(TlsIdentity::SelfSigned);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        // Before the address is printed, because its reader may send a signal at once.
        let signal = termination()?;
        let server = Server::bind(config)?;
        let reload = reload()?;
        let listening = Listening {
            address: server.local_addr(),
            fingerprint: server.certificate_fingerprint(),
            is_self_signed,
        };
        announce(&listening, format);
        server.run(signal, reload).await;
        Ok(())
    });
    // Does not wait for a file that is being read.
    runtime.shutdown_background();
    served
}

/// Says where the server listens: to a person, or to the program that reads the log.
fn announce(listening: &Listening, format: LogFormat) {
    let interfaces = interface_addresses();
    let urls = listening.all_urls(&interfaces).join(" ");
    match format {
        LogFormat::Text => {
            let text = listening.announcement(&interfaces);
            // The server runs even if nobody reads standard output.
            let _ = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
            tracing::debug!(urls, "listening");
        }
        LogFormat::Json => tracing::info!(urls, fingerprint = listening.fingerprint, "listening"),
    }
}

/// Every connection is an open file, and many systems allow a program only 1024 open files until it asks for more.
#[cfg(unix)]
fn allow_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "the limit of open files stays");
    }
}

/// Only Unix systems have a limit of open files that a program has to raise.
#[cfg(not(unix))]
fn allow_open_files() {}

/// Completes when the process is asked to end.
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

/// Completes when the process is asked to end.
#[cfg(not(unix))]
fn termination() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "no Ctrl-C");
            std::future::pending::<()>().await;
        }
    })
}

/// Completes each time the process is asked to read its files again.
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

/// Completes each time the process is asked to read its files again.
#[cfg(not(unix))]
fn reload() -> io::Result<impl AsyncFnMut()> {
    Ok(async || std::future::pending().await)
}
