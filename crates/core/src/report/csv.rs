//! The samples of a report as one table, for spreadsheets (RFC 4180).

use std::fmt::Write;

use super::Report;

/// One line for each sample of each side; stalls and events are in the JSON only. Numbers have a point, times are
/// seconds on the report's axis.
#[must_use]
pub fn to_csv(report: &Report) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for column in report.sides.iter().flat_map(|side| &side.columns) {
        if !columns.contains(&column.as_str()) {
            columns.push(column);
        }
    }
    let mut text = format!("run,observer,observed,{}\r\n", columns.join(","));
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

/// Quoted where it has to be. A name that a spreadsheet would take for a formula is shown as text.
fn field(text: &str) -> String {
    let text = match text.chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
