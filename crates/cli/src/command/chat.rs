//! `chat`: lines of the standard input go to everyone, messages of others to the standard output.

use std::{collections::BTreeSet, io::IsTerminal, time::Duration};

use sightline_core::chat::{DeliveryState, MessageNumber, TextRefused};
use sightline_protocol::limits::MAX_CHAT_TEXT_BYTES;
use tokio::{sync::mpsc, time::Instant};

use super::{
    code::Command,
    editor::LineEditor,
    lines::{Line, read_lines},
    output::{Event, Output},
    visit::{Happening, Visit},
};
use crate::{
    clock::until,
    failure::{Exit, Failure},
    options::ChatOptions,
};

/// How long a line waits for somebody who reads it, unless `--wait` says otherwise.
const WAIT: Duration = Duration::from_secs(120);
/// How long the last lines may take to be delivered.
const DELIVERY: Duration = Duration::from_secs(30);

pub(super) async fn run(options: &ChatOptions, output: &mut Output) -> Result<(), Failure> {
    let is_person = options.once.is_none() && std::io::stdin().is_terminal();
    let edits = is_person && std::io::stdout().is_terminal() && !output.is_json();
    let mut visit = Visit::begin(&options.member, output, None, None)?;
    visit.print_members();
    let mut editor = None;
    if edits && let Some((started, printer)) = LineEditor::start()? {
        visit.output.print_through(Some(printer));
        visit.output.note("Enter sends a line. /members lists who is here, /code shows the codes, /verified NAME says that a code matches. Ctrl-D leaves.");
        editor = Some(started);
    }
    if is_person {
        visit.print_codes();
    }
    let mut chat = Chat {
        visit,
        is_person,
        printed: None,
        sending: BTreeSet::new(),
        has_undelivered: false,
        waiting: None,
        has_ended: false,
        stays: options.stay,
        delivery_due: None,
    };
    let mut others;
    let lines = match (&mut editor, &options.once) {
        (Some(editor), _) => &mut editor.lines,
        (None, Some(text)) => {
            others = once(text.clone());
            &mut others
        }
        (None, None) => {
            others = read_lines()?;
            &mut others
        }
    };
    let wait = options.member.wait.map(Duration::from_secs);
    let result = chat.run(lines, wait.or((!is_person).then_some(WAIT))).await;
    chat.visit.output.print_through(None);
    drop(editor);
    let result = match result {
        Ok(()) => chat.hear_the_rest().await,
        failed => failed,
    };
    chat.visit.peer.leave().await;
    result
}

struct Chat<'a> {
    visit: Visit<'a>,
    /// Whether a person types the lines: some of them are commands.
    is_person: bool,
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
                && !self.visit.peer.has_events()
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
                        if self.is_person && let Some(command) = Command::read(&text) {
                            self.visit.handle_command(&command);
                            continue;
                        }
                        self.waiting = Some(text);
                        if !self.visit.has_company() && let Some(wait) = wait {
                            self.visit.wait_for_company(wait);
                        }
                    }
                    Some(Line::TooLong) => {
                        self.visit.output.warning("message-too-long", &too_long())?;
                    }
                    Some(Line::Interrupted) => return Err(Failure::interrupted()),
                    Some(Line::Unreadable(error)) => return Err(Failure::of_input(&error)),
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
        let Some(message) = self.visit.peer.session().conversation().message(number) else { return Ok(()) };
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
        let privately = if message.is_private { " (to you only)" } else { "" };
        let line = format!("{name}{privately}: {}", message.text);
        let event = Event::Message {
            from: author.as_str(),
            name: &message.author_name,
            text: &message.text,
            is_private: message.is_private,
            sent_at_ms: message.sent_at_ms,
        };
        self.visit.output.event(&event, Some(&line))
    }

    /// Prints what others say until they have confirmed the last messages of this side.
    async fn hear_the_rest(&mut self) -> Result<(), Failure> {
        while let Ok(Some(happening)) = self.visit.next_before_leaving().await {
            if let Happening::Message(number) = happening {
                self.show(number)?;
            }
        }
        Ok(())
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

fn once(text: String) -> mpsc::Receiver<Line> {
    let (to, lines) = mpsc::channel(1);
    // The only line fits.
    let _ = to.try_send(Line::Text(text));
    lines
}
