//! The session's log in the browser's console. A record is one line: the event, then its fields as `name=value`. The field
//! names are those of webrtc-stats and of the server's log. No record contains a name, a message or a
//! key. Network addresses appear only where an error of the browser quotes them.

use std::fmt::Write;

use sightline_browser::page::console;

/// Longer values are cut, since they may come from another page.
const MAX_VALUE_BYTES: usize = 500;

/// The importance of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Debug,
    /// A start, an end or a change of state.
    Info,
    /// A failure.
    Warn,
}

/// The records to write, as chosen in the page's address: `log=debug`, `log=info`, `log=warn` (the default) or `log=off`. With
/// `,sdp` appended, session descriptions are written, too, without their passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    least: Option<Level>,
    has_descriptions: bool,
}

impl Log {
    /// Reads the query of an address. Unknown words are ignored.
    #[must_use]
    pub fn of_query(query: &str) -> Self {
        let query = query.strip_prefix('?').unwrap_or(query);
        let mut log = Self { least: Some(Level::Warn), has_descriptions: false };
        if let Some((_, words)) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "log") {
            for word in words.split(',') {
                match word {
                    "debug" => log.least = Some(Level::Debug),
                    "info" => log.least = Some(Level::Info),
                    "off" => log.least = None,
                    "sdp" => log.has_descriptions = true,
                    _ => {}
                }
            }
        }
        log
    }

    /// Whether records of this level are written.
    #[must_use]
    pub fn has(self, level: Level) -> bool {
        self.least.is_some_and(|least| least <= level)
    }

    /// Writes a record.
    pub fn write(self, level: Level, what: &str, fields: &[(&str, &str)]) {
        if self.has(level) {
            write(level, &line(what, fields));
        }
    }

    /// Writes a session description (SDP) if the log includes them.
    pub fn write_description(self, what: &str, link: &str, sdp: &str) {
        if self.has_descriptions && self.has(Level::Debug) {
            write(Level::Debug, &format!("{}\n{}", line(what, &[("link", link)]), without_passwords(sdp)));
        }
    }
}

fn write(level: Level, line: &str) {
    match level {
        Level::Debug => console::debug(line),
        Level::Info => console::info(line),
        Level::Warn => console::warn(line),
    }
}

fn line(what: &str, fields: &[(&str, &str)]) -> String {
    let mut line = format!("sightline: {what}");
    for (name, value) in fields {
        let value = &value[..value.floor_char_boundary(MAX_VALUE_BYTES)];
        let is_plain = !value.is_empty()
            && value.chars().all(|character| character.is_ascii_graphic() && !matches!(character, '"' | '='));
        // Writing to a string cannot fail. A value that is not plain is quoted, which escapes its line breaks.
        let _ = if is_plain { write!(line, " {name}={value}") } else { write!(line, " {name}={value:?}") };
    }
    line
}

/// With `a=ice-pwd`, anyone could take part in the connectivity checks (RFC 8839, section 5.4).
fn without_passwords(sdp: &str) -> String {
    let lines =
        sdp.lines().map(|line| if line.starts_with("a=ice-pwd:") { "a=ice-pwd:(left out)" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_are_logged_by_default() {
        for query in ["", "?", "?log=", "?log=everything", "name=log"] {
            let log = Log::of_query(query);
            assert!(log.has(Level::Warn) && !log.has(Level::Info) && !log.has_descriptions, "{query}");
        }
    }

    #[test]
    fn the_address_selects_the_log_level() {
        assert!(Log::of_query("?name=Ada&log=debug").has(Level::Debug));
        let info = Log::of_query("log=info");
        assert!(info.has(Level::Info) && !info.has(Level::Debug));
        assert!(!Log::of_query("log=off").has(Level::Warn));
        assert!(Log::of_query("log=debug,sdp").has_descriptions);
    }

    #[test]
    fn a_record_is_one_line_for_any_values() {
        assert_eq!(
            line("link opened", &[("link", "3"), ("member", "m2")]),
            "sightline: link opened link=3 member=m2"
        );
        let line = line("call failed", &[("error", "a b\nfake=1 \"x\""), ("empty", "")]);
        assert_eq!(line, r#"sightline: call failed error="a b\nfake=1 \"x\"" empty="""#);
        let long = super::line("x", &[("value", &"ä".repeat(1_000))]);
        assert!(long.len() < 600 && long.lines().count() == 1, "{long}");
    }

    #[test]
    fn descriptions_are_logged_without_passwords() {
        let sdp = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef\r\nm=audio 9\r\n";
        assert_eq!(without_passwords(sdp), "v=0\na=ice-ufrag:abcd\na=ice-pwd:(left out)\nm=audio 9");
    }
}
