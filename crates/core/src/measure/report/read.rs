//! Reads a report from the bytes of a file, and a side from the log of another page. For any input, reading takes linear time,
//! and memory in proportion to its size.

use serde::Deserialize;

use super::{
    FORMAT, MAX_REPORT_BYTES, Report, Side, VERSION,
    bounds::TOO_LONG,
    check::{FARTHEST_S, Flaw},
};
use crate::measure::metric::Metric;

/// Maximum nesting depth of arrays and objects; a report has six levels.
const MAX_DEPTH: usize = 16;

/// Why a file is not accepted as a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportInvalid {
    /// The file is larger than [`MAX_REPORT_BYTES`].
    #[error("the file is too large")]
    TooLarge,
    /// The bytes are not valid UTF-8.
    #[error("the file is no text in UTF-8")]
    NotText,
    /// Arrays and objects are nested deeper than in any report.
    #[error("the file is nested too deeply")]
    TooNested,
    /// The text is not JSON, or is incomplete or empty.
    #[error("the file is no JSON, or not all of it")]
    NotJson,
    /// The JSON is not a report.
    #[error("the file is no report of Sightline")]
    Foreign,
    /// The format has a later version.
    #[error("the report was made by a later version")]
    TooNew,
    /// A list or a text is longer than in any written report.
    #[error("the report has more in it than a report holds")]
    TooLong,
    /// A number is implausible.
    #[error("the report has a number that cannot be")]
    Impossible,
    /// A part is missing or has the wrong type.
    #[error("the report is damaged")]
    Damaged,
}

impl ReportInvalid {
    /// All reasons, in the order of their declaration.
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

    /// The stable code for the page and tests.
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
    /// Reads a file. The only entry for bytes of any origin; accepts every input without a panic, so it is a target for
    /// fuzzing.
    ///
    /// # Errors
    /// [`ReportInvalid`], with a sentence and a code.
    pub fn read(bytes: &[u8]) -> Result<Self, ReportInvalid> {
        if bytes.len() > MAX_REPORT_BYTES {
            return Err(ReportInvalid::TooLarge);
        }
        // Some text editors add a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| ReportInvalid::NotText)?;
        // UTF-16 of plain ASCII looks like UTF-8 with a zero in every other byte, which never occurs in JSON.
        if text.contains('\0') {
            return Err(ReportInvalid::NotText);
        }
        Self::parse(text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`ReportInvalid`], with a sentence and a code.
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
    /// Reads the log of another page, with times on that page's clock. Unknown columns are dropped.
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

/// Converts an error of `serde_json` about well-formed JSON of the wrong shape.
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

/// Nesting depth of arrays and objects outside of strings. Computed before parsing, since a parser uses stack in proportion to
/// the depth.
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
    fn brackets_in_strings_do_not_count_as_nesting() {
        assert_eq!(depth(r#"{"a":[1,{"b":"[[[[\"[["}]}"#), 3);
        assert_eq!(depth("]]]]["), 1);
        assert_eq!(depth(&"[".repeat(10_000)), 10_000);
    }

    #[test]
    fn every_reason_has_a_sentence_and_a_distinct_code() {
        let codes: std::collections::HashSet<_> =
            ReportInvalid::ALL.iter().map(|invalid| invalid.code()).collect();
        assert_eq!(codes.len(), ReportInvalid::ALL.len());
        assert!(ReportInvalid::ALL.iter().all(|invalid| invalid.to_string().contains(' ')));
    }
}
