//! What the commands print: results on the standard output, notes and errors on the standard error.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{HumanBytes, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sightline_core::doctor::Detail;

use super::{bots::Totals, editor::Printer};
use crate::{failure::Failure, options::CommonOptions};

/// One event, as `--json` prints it. The schema is in `docs/cli.md`; fields are added, and never removed or renamed.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    /// The room was entered.
    Entered { room: &'a str, you: &'a str },
    /// A host removed a member, and the room has another secret.
    LinkChanged { link: &'a str },
    /// A member came, or was there before.
    MemberCame { id: &'a str, name: &'a str },
    /// The code to compare with a member by voice.
    Code { id: &'a str, name: &'a str, words: Vec<&'a str> },
    /// Messages and files can reach the member now.
    MemberConnected { id: &'a str, name: &'a str },
    /// A member left.
    MemberLeft { id: &'a str, name: &'a str },
    /// A message of another member.
    Message {
        from: &'a str,
        name: &'a str,
        text: &'a str,
        #[serde(rename = "private", skip_serializing_if = "std::ops::Not::not")]
        is_private: bool,
        sent_at_ms: u64,
    },
    /// Everybody who was there has the message, or somebody left without it.
    Delivery { text: &'a str, state: &'a str },
    /// The state of a file changed.
    File(FileEvent<'a>),
    /// How the source plays from now on.
    Playback { state: &'a str, position_ms: u64 },
    /// A member gets the pictures from now on.
    Watching { id: &'a str, name: &'a str },
    /// The pictures of a member arrive from now on.
    Picture { id: &'a str, name: &'a str },
    /// The figures of a member, by the names of `docs/measuring.md`.
    Figures { id: &'a str, name: &'a str, figures: BTreeMap<&'a str, FigureOfMember<'a>> },
    /// What was measured of a member in the whole run.
    Measured {
        id: &'a str,
        name: &'a str,
        frames: u32,
        frames_per_second: Option<f64>,
        stall_count: u32,
        stall_time_s: f64,
        loss_ratio: Option<f64>,
    },
    /// The state of a bot changed. Bots are numbered from 1.
    Bot {
        bot: usize,
        state: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
    },
    /// What all bots have done so far.
    Totals(&'a Totals),
    /// What all bots have done in the end.
    Summary(&'a Totals),
    /// A row of an examination.
    Check {
        check: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<&'a str>,
        state: &'a str,
        code: &'a str,
        sentence: &'a str,
        details: &'a [Detail],
    },
    /// The end of an examination.
    Verdict { verdict: &'a str, sentence: &'a str, advice: Vec<AdviceEvent<'a>> },
    /// A problem during which the session goes on.
    Warning { code: &'a str, sentence: &'a str },
    /// The command failed.
    Failed { code: &'a str, sentence: &'a str, exit: u8 },
}

/// One figure of a member.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum FigureOfMember<'a> {
    Number(f64),
    Word(&'a str),
}

/// The state of a file.
#[derive(Debug, Serialize)]
pub(super) struct FileEvent<'a> {
    pub(super) direction: &'a str,
    pub(super) state: &'a str,
    pub(super) member: &'a str,
    pub(super) member_name: &'a str,
    pub(super) name: &'a str,
    pub(super) folder: &'a str,
    pub(super) size_bytes: u64,
    pub(super) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Where the file was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
}

/// What somebody can do.
#[derive(Debug, Serialize)]
pub(super) struct AdviceEvent<'a> {
    pub(super) advice: &'a str,
    pub(super) who: &'a str,
    pub(super) sentence: &'a str,
}

/// The terminal, or what stands in its place.
pub(super) struct Output {
    is_json: bool,
    is_quiet: bool,
    is_verbose: bool,
    /// Whether the standard output is for something else.
    keeps_stdout: bool,
    /// Prints above the line that a person edits.
    printer: Option<Mutex<Printer>>,
    bars: MultiProgress,
}

impl Output {
    pub(super) fn new(options: Option<&CommonOptions>) -> Self {
        let is_quiet = options.is_some_and(|options| options.quiet);
        let is_json = options.is_some_and(|options| options.json);
        let target = if is_quiet || is_json || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        Self {
            is_json,
            is_quiet,
            is_verbose: options.is_some_and(|options| options.verbose),
            keeps_stdout: false,
            printer: None,
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Prints results on the standard error from now on: the standard output is for a file.
    pub(super) fn keep_stdout(&mut self) {
        self.keeps_stdout = true;
    }

    pub(super) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Prints through the editor of a line, if there is one, from now on.
    pub(super) fn print_through(&mut self, printer: Option<Printer>) {
        self.printer = printer.map(Mutex::new);
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.is_verbose
    }

    /// Prints an event: as JSON, or the `line` for a person.
    ///
    /// # Errors
    /// A [`Failure`] where nobody reads the output.
    pub(super) fn event(&self, event: &Event<'_>, line: Option<&str>) -> Result<(), Failure> {
        let text = if self.is_json {
            json(event)?
        } else if let Some(line) = line {
            printable(line)
        } else {
            return Ok(());
        };
        let text = text + "\n";
        if let Some(printer) = &self.printer {
            return print_above(printer, text).map_err(|error| Failure::of_output(&error));
        }
        let written = self.bars.suspend(|| {
            if self.keeps_stdout {
                return io::stderr().lock().write_all(text.as_bytes());
            }
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes())?;
            stdout.flush()
        });
        written.map_err(|error| Failure::of_output(&error))
    }

    /// Tells a person about the progress of the command.
    pub(super) fn note(&self, line: &str) {
        if !self.is_quiet {
            self.say(line);
        }
    }

    /// Tells a person who asked for it.
    pub(super) fn detail(&self, line: &str) {
        if self.is_verbose {
            self.say(line);
        }
    }

    /// Tells about a problem that does not end the command.
    pub(super) fn warning(&self, code: &str, sentence: &str) -> Result<(), Failure> {
        self.note(&format!("warning: {sentence} ({code})"));
        if self.is_json { self.event(&Event::Warning { code, sentence }, None) } else { Ok(()) }
    }

    /// Tells about a file that failed while the command goes on, even to a person who wants only results and errors. JSON has the
    /// event of the file.
    pub(super) fn failed_file(&self, failure: &Failure) {
        self.say(&format!("warning: {failure}"));
    }

    pub(super) fn failure(&mut self, failure: &Failure) {
        self.say(&format!("error: {failure}"));
        if self.is_json {
            let Failure { exit, code, sentence } = failure;
            // Whoever does not read it gets the exit code.
            let _ = self.event(&Event::Failed { code, sentence, exit: *exit as u8 }, None);
        }
    }

    /// A question to the person, without a line break after it.
    pub(super) fn ask(&self, question: &str) {
        self.bars.suspend(|| {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "{} ", printable(question)).and_then(|()| stderr.flush());
        });
    }

    /// A progress bar for a file.
    pub(super) fn bar(&self, name: &str, size_bytes: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{wide_msg} {bar:24} {bytes}/{total_bytes} {prefix}");
        let bar = ProgressBar::new(size_bytes).with_message(printable(name));
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bars.add(bar)
    }

    fn say(&self, line: &str) {
        if let Some(printer) = self.printer.as_ref().filter(|_| io::stderr().is_terminal()) {
            let _ = print_above(printer, printable(line) + "\n");
            return;
        }
        self.bars.suspend(|| {
            // Without a standard error there is nobody to tell.
            let _ = writeln!(io::stderr().lock(), "{}", printable(line));
        });
    }
}

fn print_above(printer: &Mutex<Printer>, text: String) -> io::Result<()> {
    let mut printer = printer.lock().unwrap_or_else(PoisonError::into_inner);
    printer.print(text).map_err(io::Error::other)
}

/// One line of JSON without control characters, all of which a terminal may take for commands.
fn json(event: &Event<'_>) -> Result<String, Failure> {
    let text = serde_json::to_string(event).map_err(|error| Failure::of_output(&error.into()))?;
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // Those below U+0020 are escaped already. Outside of strings JSON has none.
        if c.is_control() {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    Ok(escaped)
}

/// Speed and time left, for a progress bar.
pub(super) fn pace(bytes_per_second: Option<u64>, time_left: Option<Duration>) -> String {
    match (bytes_per_second, time_left) {
        (Some(speed), Some(left)) => format!("{}/s, {} left", HumanBytes(speed), HumanDuration(left)),
        _ => String::new(),
    }
}

/// The text without characters that a terminal takes for commands, and without those that show a line in another order than it
/// has, so that nobody can write before their own name. Lines after the first are indented.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => printable.push_str("\n    "),
            '\t' => printable.push('\t'),
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                printable.push('\u{fffd}');
            }
            c => printable.push(c),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_contains_no_terminal_commands_when_it_is_printed() {
        assert_eq!(
            printable("a\u{1b}]0;title\u{7}b\rc\u{9b}2J"),
            "a\u{fffd}]0;title\u{fffd}b\u{fffd}c\u{fffd}2J"
        );
        assert_eq!(printable("Ada: \u{202e}b\u{2066}"), "Ada: \u{fffd}b\u{fffd}");
        assert_eq!(printable("one\ntwo\t你好"), "one\n    two\t你好");
    }

    #[test]
    fn an_event_is_one_line_without_control_characters() {
        let event = Event::Message {
            from: "m",
            name: "Ada",
            text: "one\ntwo \u{1b}\u{9b}2J",
            is_private: false,
            sent_at_ms: 5,
        };
        let text = json(&event).unwrap();
        assert!(!text.contains(char::is_control), "{text:?}");
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["text"], "one\ntwo \u{1b}\u{9b}2J");
        assert!(text.starts_with(r#"{"event":"message","from":"m","name":"Ada""#), "{text}");
    }
}
