//! Exports the samples of a report as one table for spreadsheets (RFC 4180).

use std::fmt::Write;

use super::Report;

/// One line for each sample of each side. Stalls and events are only in the JSON. Numbers have a decimal point; times are
/// seconds on the report's axis.
#[must_use]
pub fn to_csv(report: &Report) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for column in report.sides.iter().flat_map(|side| &side.columns) {
        if !columns.contains(&column.as_str()) {
            columns.push(column);
        }
    }
    let heads: Vec<_> = columns.iter().map(|column| field(column)).collect();
    let mut text = format!("run,observer,observed,{}\r\n", heads.join(","));
    for side in &report.sides {
        let names = [&report.run, &side.observer.name, &side.observed.name].map(|name| field(name));
        for row in &side.samples {
            text.push_str(&names.join(","));
            for column in &columns {
                text.push(',');
                let at = side.columns.iter().position(|known| known == column);
                if let Some(number) = at.and_then(|at| row.get(at).copied().flatten()) {
                    let _ = write!(text, "{number}");
                }
            }
            text.push_str("\r\n");
        }
    }
    text
}

/// Quotes a field if necessary. A text that a spreadsheet would interpret as a formula, even behind white space or in the wide
/// forms of East Asian keyboards, is marked as text.
fn field(text: &str) -> String {
    let first = text.chars().find(|c| !c.is_whitespace() && !c.is_control());
    let begins_with_control = text.starts_with(['\t', '\r', '\n']);
    let is_formula = matches!(
        first,
        Some(
            '=' | '+'
                | '-'
                | '@'
                | '|'
                | '%'
                | '\u{ff1d}'
                | '\u{ff0b}'
                | '\u{ff0d}'
                | '\u{ff20}'
                | '\u{2212}'
        )
    );
    let text = if is_formula || begins_with_control { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', ';', '\t', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_taken_for_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@sum(a1)",
            " =1",
            "\u{a0}=1",
            "\t=1",
            "\r=1",
            "\n",
            "\u{ff1d}1",
            "\u{ff20}x",
            "%0",
        ] {
            let field = field(text);
            assert!(field.trim_start_matches('"').starts_with('\''), "{text:?} {field:?}");
        }
        assert_eq!(field("Ada"), "Ada");
        assert_eq!(field("a=b"), "a=b");
        assert_eq!(field("=\"x\",\n"), "\"'=\"\"x\"\",\n\"");
    }
}
