//! Lines that a person edits in a terminal, with a history. What is printed meanwhile goes above the line.

use std::{io, sync::mpsc as std_mpsc, thread};

use rustyline::{Config, Editor, ExternalPrinter, error::ReadlineError, history::MemHistory};
use sightline_protocol::limits::MAX_CHAT_TEXT_BYTES;
use tokio::sync::mpsc;

use super::lines::Line;
use crate::failure::Failure;

const PROMPT: &str = "> ";
const HISTORY_LINES: usize = 1000;

/// Prints above the line that is edited.
pub(super) type Printer = Box<dyn ExternalPrinter + Send>;

/// An editor that runs. Dropping it gives the terminal back as it was.
pub(super) struct LineEditor {
    pub(super) lines: mpsc::Receiver<Line>,
    _terminal: Terminal,
}

impl LineEditor {
    /// Starts the editor in a thread, which ends with the process. `None` for a terminal that cannot edit.
    pub(super) fn start() -> Result<Option<(Self, Printer)>, Failure> {
        let terminal = Terminal::keep();
        let (to, lines) = mpsc::channel(1);
        let (to_started, started) = std_mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("editor".to_owned()).spawn(move || match make() {
            Ok((mut editor, printer)) => {
                let _ = to_started.send(Some(printer));
                edit(&mut editor, &to);
            }
            Err(_) => drop(to_started.send(None)),
        });
        thread.map_err(|error| Failure::of_thread(&error))?;
        let printer = started.recv().ok().flatten();
        Ok(printer.map(|printer| (Self { lines, _terminal: terminal }, printer)))
    }
}

fn make() -> rustyline::Result<(Editor<(), MemHistory>, Printer)> {
    let config = Config::builder().auto_add_history(true).max_history_size(HISTORY_LINES)?.build();
    let history = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, history)?;
    let printer = editor.create_external_printer()?;
    Ok((editor, Box::new(printer)))
}

fn edit(editor: &mut Editor<(), MemHistory>, to: &mpsc::Sender<Line>) {
    loop {
        let line = match editor.readline(PROMPT) {
            Ok(text) if text.len() > MAX_CHAT_TEXT_BYTES => Line::TooLong,
            Ok(text) => Line::Text(text),
            Err(ReadlineError::Eof) => return,
            Err(ReadlineError::Interrupted) => Line::Interrupted,
            Err(ReadlineError::Io(error)) => Line::Unreadable(error),
            Err(error) => Line::Unreadable(io::Error::other(error)),
        };
        let is_last = matches!(line, Line::Interrupted | Line::Unreadable(_));
        if to.blocking_send(line).is_err() || is_last {
            return;
        }
    }
}

/// The state of the terminal before the editor changed it.
#[cfg(unix)]
struct Terminal(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Terminal {
    fn keep() -> Self {
        Self(rustix::termios::tcgetattr(io::stdin()).ok())
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        use std::io::Write;

        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

        let Some(before) = &self.0 else { return };
        let is_edited = tcgetattr(io::stdin()).is_ok_and(|now| now.local_modes != before.local_modes);
        if is_edited {
            // The thread still reads, so the terminal is changed under it. Pasted text is marked no longer.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
            let mut stdout = io::stdout().lock();
            let _ = stdout.write_all(b"\x1b[?2004l\n").and_then(|()| stdout.flush());
        }
    }
}

#[cfg(not(unix))]
struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    fn keep() -> Self {
        Self
    }
}
