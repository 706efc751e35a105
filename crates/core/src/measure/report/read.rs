//! Reads a report from the bytes of a file, and a side from the log that another page sends. Whatever the bytes are, reading
//! takes linear time, and memory in proportion to them.

use serde::Deserialize;

use super::{
    FORMAT, MAX_REPORT_BYTES, Report, Side, VERSION,
    bounds::TOO_LONG,
    check::{FARTHEST_S, Flaw},
};
use crate::measure::metric::Metric;

/// Deepest nesting of arrays and objects: a report has six.
const MAX_DEPTH: usize = 16;

/// Why a file is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportInvalid {
    /// Larger than [`MAX_REPORT_BYTES`].
    #[error("the file is too large")]
    TooLarge,
    /// No UTF-8.
    #[error("the file is no text in UTF-8")]
    NotText,
    /// Arrays within arrays, deeper than any report.
    #[error("the file is nested too deeply")]
    TooNested,
    /// No JSON, cut off, or empty.
    #[error("the file is no JSON, or not all of it")]
    NotJson,
    /// JSON of something else.
    #[error("the file is no report of Sightline")]
    Foreign,
    /// Of a later version.
    #[error("the report was made by a later version")]
    TooNew,
    /// Of this format, with a list or a text that is longer than any that is written.
    #[error("the report has more in it than a report holds")]
    TooLong,
    /// Of this format, with a number that cannot be.
    #[error("the report has a number that cannot be")]
    Impossible,
    /// Of this format, with something missing, or of another kind than it has to be.
    #[error("the report is damaged")]
    Damaged,
}

impl ReportInvalid {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::TooLarge,
        Self::NotText,
        Self::TooNested,
        Self::NotJson,
        Self::Foreign,
        Self::TooNew,
        Self::TooLong,
        Self::Impossible,
        Self::Damaged,
    ];

    /// The code as the page and tests read it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "report-too-large",
            Self::NotText => "report-not-text",
            Self::TooNested => "report-too-nested",
            Self::NotJson => "report-not-json",
            Self::Foreign => "report-foreign",
            Self::TooNew => "report-too-new",
            Self::TooLong => "report-too-long",
            Self::Impossible => "report-impossible",
            Self::Damaged => "report-damaged",
        }
    }
}

impl From<Flaw> for ReportInvalid {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Structure => Self::Damaged,
            Flaw::Number => Self::Impossible,
        }
    }
}

impl Report {
    /// Reads a file. The one entry for bytes from anywhere; total, so a target for fuzzing.
    ///
    /// # Errors
    /// [`ReportInvalid`], which has a sentence and a code.
    pub fn read(bytes: &[u8]) -> Result<Self, ReportInvalid> {
        if bytes.len() > MAX_REPORT_BYTES {
            return Err(ReportInvalid::TooLarge);
        }
        // Some editors of text begin a file with it.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| ReportInvalid::NotText)?;
        // UTF-16 of plain ASCII is UTF-8 with a zero in every other place, which no JSON has.
        if text.contains('\0') {
            return Err(ReportInvalid::NotText);
        }
        Self::parse(text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`ReportInvalid`], which has a sentence and a code.
    pub fn parse(text: &str) -> Result<Self, ReportInvalid> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        if text.len() > MAX_REPORT_BYTES {
            return Err(ReportInvalid::TooLarge);
        }
        if depth(text) > MAX_DEPTH {
            return Err(ReportInvalid::TooNested);
        }
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return Err(ReportInvalid::NotJson);
        }
        match serde_json::from_str::<Head>(text) {
            Ok(head) if head.format == FORMAT && head.version > VERSION => return Err(ReportInvalid::TooNew),
            Ok(head) if head.format == FORMAT && head.version == VERSION => {}
            Ok(head) if head.format == FORMAT => return Err(ReportInvalid::Damaged),
            _ => return Err(ReportInvalid::Foreign),
        }
        let report: Self = serde_json::from_str(text).map_err(|error| reason(&error))?;
        report.check()?;
        Ok(report)
    }
}

impl Side {
    /// Reads the log of another page, its times on that page's clock. Columns that are not known here are left out.
    ///
    /// # Errors
    /// [`ReportInvalid`]
    pub fn read_log(text: &str) -> Result<Self, ReportInvalid> {
        if depth(text) > MAX_DEPTH {
            return Err(ReportInvalid::TooNested);
        }
        let mut side: Self = serde_json::from_str(text).map_err(|error| reason(&error))?;
        side.check(FARTHEST_S)?;
        let is_known: Vec<_> = side
            .columns
            .iter()
            .map(|column| column == "time" || Metric::ALL.iter().any(|metric| metric.name() == column))
            .collect();
        if is_known.contains(&false) {
            keep(&mut side.columns, &is_known);
            side.samples.iter_mut().for_each(|row| keep(row, &is_known));
        }
        Ok(side)
    }
}

fn keep<T>(values: &mut Vec<T>, is_kept: &[bool]) {
    let mut is_kept = is_kept.iter();
    values.retain(|_| is_kept.next() == Some(&true));
}

/// What serde_json says of well-formed JSON that is not of the right shape.
fn reason(error: &serde_json::Error) -> ReportInvalid {
    let words = error.to_string();
    if words.starts_with(TOO_LONG) {
        ReportInvalid::TooLong
    } else if words.starts_with("number out of range") {
        ReportInvalid::Impossible
    } else {
        ReportInvalid::Damaged
    }
}

/// How deep arrays and objects are nested, outside of strings. Counted before anything is parsed, since what parses goes down
/// as far on its stack.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_texts_are_no_nesting() {
        assert_eq!(depth(r#"{"a":[1,{"b":"[[[[\"[["}]}"#), 3);
        assert_eq!(depth("]]]]["), 1);
        assert_eq!(depth(&"[".repeat(10_000)), 10_000);
    }

    #[test]
    fn every_reason_has_a_sentence_and_a_code_of_its_own() {
        let codes: std::collections::HashSet<_> =
            ReportInvalid::ALL.iter().map(|invalid| invalid.code()).collect();
        assert_eq!(codes.len(), ReportInvalid::ALL.len());
        assert!(ReportInvalid::ALL.iter().all(|invalid| invalid.to_string().contains(' ')));
    }
}
