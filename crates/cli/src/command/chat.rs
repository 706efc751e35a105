//! `chat`: lines of the standard input go to everyone, messages of others to the standard output.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, IsTerminal, Read},
    thread,
    time::Duration,
};

use sightline_core::chat::{DeliveryState, MessageNumber, TextRefused};
use sightline_protocol::limits::MAX_CHAT_TEXT_BYTES;
use tokio::{sync::mpsc, time::Instant};

use super::{
    output::{Event, Output},
    visit::{Happening, Visit},
};
use crate::{
    failure::{Exit, Failure},
    options::ChatOptions,
};

/// How long a line waits for somebody who reads it, unless `--wait` says otherwise.
const WAIT: Duration = Duration::from_secs(120);
/// How long the last lines may take to be delivered.
const DELIVERY: Duration = Duration::from_secs(30);

pub(super) async fn run(options: &ChatOptions, output: &mut Output) -> Result<(), Failure> {
    let is_person = options.once.is_none() && std::io::stdin().is_terminal();
    let visit = Visit::begin(&options.common, output, None, None)?;
    let mut chat = Chat {
        visit,
        printed: None,
        sending: BTreeSet::new(),
        has_undelivered: false,
        waiting: None,
        has_ended: false,
        stays: options.stay,
        delivery_due: None,
    };
    let mut lines = match &options.once {
        Some(text) => once(text.clone()),
        None => read_lines()?,
    };
    let wait = options.common.wait.map(Duration::from_secs);
    let result = chat.run(&mut lines, wait.or((!is_person).then_some(WAIT))).await;
    chat.visit.peer.leave().await;
    result
}

struct Chat<'a> {
    visit: Visit<'a>,
    /// The newest message that was printed.
    printed: Option<MessageNumber>,
    /// The messages of this member that somebody has still to acknowledge.
    sending: BTreeSet<MessageNumber>,
    has_undelivered: bool,
    /// A line that waits for somebody who reads it.
    waiting: Option<String>,
    /// Whether there are no more lines.
    has_ended: bool,
    stays: bool,
    delivery_due: Option<Instant>,
}

impl Chat<'_> {
    async fn run(&mut self, lines: &mut mpsc::Receiver<Line>, wait: Option<Duration>) -> Result<(), Failure> {
        let mut has_entered = false;
        loop {
            if self.visit.has_company()
                && let Some(line) = self.waiting.take()
            {
                self.send(&line)?;
            }
            if self.has_ended
                && self.waiting.is_none()
                && self.sending.is_empty()
                && has_entered
                && !self.stays
            {
                return self.finish();
            }
            let reads = self.waiting.is_none() && !self.has_ended;
            let due = self.delivery_due.filter(|_| self.has_ended && !self.stays);
            tokio::select! {
                happening = self.visit.next() => match happening? {
                    Happening::Entered(_) => has_entered = true,
                    Happening::Message(number) => self.show(number)?,
                    Happening::Alone if self.waiting.is_some() => return Err(self.visit.nobody_came()),
                    _ => {}
                },
                line = lines.recv(), if reads => match line {
                    Some(Line::Text(text)) => {
                        self.waiting = Some(text);
                        if !self.visit.has_company() && let Some(wait) = wait {
                            self.visit.wait_for_company(wait);
                        }
                    }
                    Some(Line::TooLong) => {
                        self.visit.output.warning("message-too-long", &too_long())?;
                    }
                    None => {
                        self.has_ended = true;
                        self.delivery_due = Some(Instant::now() + DELIVERY);
                    }
                },
                () = until(due) => {
                    self.has_undelivered = true;
                    return self.finish();
                }
            }
        }
    }

    fn send(&mut self, line: &str) -> Result<(), Failure> {
        self.visit.stop_waiting();
        self.delivery_due = Some(Instant::now() + DELIVERY);
        match self.visit.peer.send_chat(line) {
            // An empty line says nothing.
            Ok(()) | Err(TextRefused::Empty) => Ok(()),
            Err(TextRefused::TooLong) => self.visit.output.warning("message-too-long", &too_long()),
        }
    }

    fn show(&mut self, number: MessageNumber) -> Result<(), Failure> {
        let Some(message) = self.visit.peer.session().message(number) else { return Ok(()) };
        let Some(author) = &message.author else {
            let is_sending = message.state == DeliveryState::Sending;
            if is_sending {
                self.sending.insert(number);
                return Ok(());
            }
            self.sending.remove(&number);
            self.has_undelivered |= message.state != DeliveryState::Delivered;
            let event = Event::Delivery { text: &message.text, state: message.state.as_str() };
            return self.visit.output.event(&event, None);
        };
        if self.printed.is_some_and(|printed| number <= printed) {
            return Ok(());
        }
        self.printed = Some(number);
        let name = if message.author_name.is_empty() { author.as_str() } else { &message.author_name };
        let line = format!("{name}: {}", message.text);
        let event = Event::Message {
            from: author.as_str(),
            name: &message.author_name,
            text: &message.text,
            sent_at_ms: message.sent_at_ms,
        };
        self.visit.output.event(&event, Some(&line))
    }

    fn finish(&self) -> Result<(), Failure> {
        if self.has_undelivered {
            let sentence = "Not everyone who was in the room has the last messages.";
            return Err(Failure::new(Exit::TransferFailed, "not-delivered", sentence));
        }
        Ok(())
    }
}

fn too_long() -> String {
    format!("A line is longer than {MAX_CHAT_TEXT_BYTES} bytes and is not sent.")
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// A line of the standard input.
#[derive(Debug)]
enum Line {
    Text(String),
    TooLong,
}

fn once(text: String) -> mpsc::Receiver<Line> {
    let (to, lines) = mpsc::channel(1);
    // The only line fits.
    let _ = to.try_send(Line::Text(text));
    lines
}

/// Reads the standard input in a thread, since a read cannot be given up. The thread ends with the process.
fn read_lines() -> Result<mpsc::Receiver<Line>, Failure> {
    let (to, lines) = mpsc::channel(1);
    let thread = thread::Builder::new().name("lines".to_owned()).spawn(move || {
        let mut stdin = BufReader::new(std::io::stdin());
        while let Some(line) = read_line(&mut stdin) {
            if to.blocking_send(line).is_err() {
                return;
            }
        }
    });
    match thread {
        Ok(_) => Ok(lines),
        Err(error) => {
            Err(Failure::new(Exit::Local, "no-thread", format!("No thread can be started: {error}.")))
        }
    }
}

/// The next line; `None` at the end, or where the input cannot be read. Of a line that is too long, the rest is skipped.
fn read_line(input: &mut impl BufRead) -> Option<Line> {
    let mut bytes = Vec::new();
    // One more for the line break.
    let limit = MAX_CHAT_TEXT_BYTES as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', &mut bytes).ok()? == 0 {
        return None;
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == limit {
        while !bytes.ends_with(b"\n") {
            bytes.clear();
            if input.by_ref().take(limit).read_until(b'\n', &mut bytes).ok()? == 0 {
                break;
            }
        }
        return Some(Line::TooLong);
    }
    Some(Line::Text(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<String> {
        let mut input = std::io::Cursor::new(input);
        let next = || read_line(&mut input);
        std::iter::from_fn(next)
            .map(|line| match line {
                Line::Text(text) => text,
                Line::TooLong => "too long".to_owned(),
            })
            .collect()
    }

    #[test]
    fn lines_end_with_either_line_break_or_with_the_input() {
        assert_eq!(lines(b"one\ntwo\r\n\nlast"), ["one", "two", "", "last"]);
        assert!(lines(b"").is_empty());
        assert_eq!(lines(b"\xff\n"), ["\u{fffd}"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let longest = "x".repeat(MAX_CHAT_TEXT_BYTES);
        let input = format!("{longest}\n{longest}{longest}{longest}y\nnext\n{longest}z");
        assert_eq!(lines(input.as_bytes()), [longest.as_str(), "too long", "next", "too long"]);
    }
}
