//! The lines of the standard input.

use std::{
    io::{self, BufRead, BufReader, Read},
    thread,
};

use sightline_protocol::limits::MAX_CHAT_TEXT_BYTES;
use tokio::sync::mpsc;

use crate::failure::Failure;

/// A line of the standard input.
#[derive(Debug)]
pub(super) enum Line {
    Text(String),
    TooLong,
    /// The person pressed Ctrl-C while a line was edited.
    Interrupted,
    /// The input cannot be read any further.
    Unreadable(io::Error),
}

/// Reads the standard input in a thread, since a read cannot be given up. The thread ends with the process.
pub(super) fn read_lines() -> Result<mpsc::Receiver<Line>, Failure> {
    let (to, lines) = mpsc::channel(1);
    let thread = thread::Builder::new().name("lines".to_owned()).spawn(move || {
        let mut stdin = BufReader::new(io::stdin());
        while let Some(line) = read_line(&mut stdin) {
            let is_last = matches!(line, Line::Unreadable(_));
            if to.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    match thread {
        Ok(_) => Ok(lines),
        Err(error) => Err(Failure::of_thread(&error)),
    }
}

/// The next line; `None` at the end. Of a line that is too long, the rest is skipped.
fn read_line(input: &mut impl BufRead) -> Option<Line> {
    try_read_line(input).unwrap_or_else(|error| Some(Line::Unreadable(error)))
}

fn try_read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    // One more for the line break.
    let limit = MAX_CHAT_TEXT_BYTES as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == limit {
        while !bytes.ends_with(b"\n") {
            bytes.clear();
            if input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
        }
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Text(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned())))
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
                Line::Interrupted => "interrupted".to_owned(),
                Line::Unreadable(error) => error.to_string(),
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
    fn an_input_that_breaks_is_not_taken_for_its_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        assert!(matches!(read_line(&mut BufReader::new(Broken)), Some(Line::Unreadable(_))));
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let longest = "x".repeat(MAX_CHAT_TEXT_BYTES);
        let input = format!("{longest}\n{longest}{longest}{longest}y\nnext\n{longest}z");
        assert_eq!(lines(input.as_bytes()), [longest.as_str(), "too long", "next", "too long"]);
    }
}
