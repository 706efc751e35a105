//! The text about what a person loses by leaving.

use crate::{language::Locale, sentence, session::departure::Unfinished};

/// One line for each kind of loss.
#[must_use]
pub fn unfinished_text(unfinished: Unfinished, locale: Locale) -> Vec<String> {
    let files = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(one.to_owned()),
        _ => Some(many.replace("{}", &count.to_string())),
    };
    [
        files(
            unfinished.running_files,
            sentence!(leaving.running_file)(locale),
            sentence!(leaving.running_files)(locale),
        ),
        files(
            unfinished.unsaved_files,
            sentence!(leaving.unsaved_file)(locale),
            sentence!(leaving.unsaved_files)(locale),
        ),
        unfinished.is_measuring.then(|| sentence!(leaving.measuring)(locale).to_owned()),
        unfinished.has_unsaved_report.then(|| sentence!(leaving.unsaved_report)(locale).to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
