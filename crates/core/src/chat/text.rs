//! Which part of a written text is sent and shown.
//!
//! [`prepare`] alone decides this: for the page, which clears the input field of the accepted text; for the conversation, which
//! sends it; and for texts of other members. Every function here makes one pass over the text.

use sightline_protocol::{
    limits::{MAX_CHAT_MARKS, MAX_CHAT_TEXT_BYTES},
    text::{filter_invisible, is_visible, with_bounded_marks},
};

use super::TextRefused;

const POP_ISOLATE: char = '\u{2069}';

/// The text that is sent for `raw`; the function is idempotent.
///
/// Line breaks and tabs stay. Control characters are removed, and so is everything that makes a message look like another one:
/// bidirectional embeddings and overrides, isolates without their end, hidden tags, piles of combining marks. Blank lines around
/// the text are removed too.
///
/// # Errors
/// [`TextRefused`] where no character would be visible, or the text is longer than [`MAX_CHAT_TEXT_BYTES`].
pub fn prepare(raw: &str) -> Result<String, TextRefused> {
    let text = clean(raw);
    if !is_visible(&text) {
        Err(TextRefused::Empty)
    } else if text.len() > MAX_CHAT_TEXT_BYTES {
        Err(TextRefused::TooLong)
    } else {
        Ok(text)
    }
}

/// Number of characters to delete from the end of `raw` before it can be sent, as typed. Characters that are never sent count if
/// they stand among the deleted ones. White space at the end does not count.
#[must_use]
pub fn excess_characters(raw: &str) -> usize {
    let typed = raw.trim_end();
    if typed.len() <= MAX_CHAT_TEXT_BYTES {
        return 0;
    }
    let fits = |end: usize| clean(&typed[..end]).len() <= MAX_CHAT_TEXT_BYTES;
    // A longer prefix never cleans to a shorter text. Doubling keeps the work linear in the length that fits.
    let (mut fitting, mut end) = (0, MAX_CHAT_TEXT_BYTES);
    loop {
        end = typed.floor_char_boundary(end);
        if !fits(end) {
            break;
        }
        if end == typed.len() {
            return 0;
        }
        (fitting, end) = (end, end.saturating_mul(2));
    }
    while let Some(middle) = middle_between(typed, fitting, end) {
        if fits(middle) {
            fitting = middle;
        } else {
            end = middle;
        }
    }
    typed[fitting..].chars().count()
}

/// A boundary of a character between two others, near the middle; `None` where there is no other between them.
fn middle_between(text: &str, start: usize, end: usize) -> Option<usize> {
    let half = start + (end - start) / 2;
    let middle = [text.floor_char_boundary(half), text.ceil_char_boundary(half)];
    middle.into_iter().find(|middle| (start + 1..end).contains(middle))
}

fn clean(raw: &str) -> String {
    let unix = raw.replace("\r\n", "\n").replace('\r', "\n");
    // Marks come first: whether a joiner joins anything depends on the marks beside it.
    let bounded = with_bounded_marks(&unix, MAX_CHAT_MARKS);
    let visible = with_closed_isolates(&filter_invisible(&bounded, is_allowed));
    without_blank_lines_around(&visible).trim_end().to_owned()
}

/// Invisible characters that written language uses: hyphenation, breaks between the words of scripts without spaces, directional
/// marks, isolates, fillers of old Hangul.
fn is_allowed(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// Removes isolates that do not end within their line, and ends without a beginning.
fn with_closed_isolates(text: &str) -> String {
    let mut kept: Vec<(char, bool)> = Vec::with_capacity(text.len());
    let mut open = Vec::new();
    for c in text.chars() {
        let mut is_kept = true;
        match c {
            '\u{2066}'..='\u{2068}' => {
                open.push(kept.len());
                is_kept = false;
            }
            POP_ISOLATE => match open.pop() {
                Some(at) => kept[at].1 = true,
                None => is_kept = false,
            },
            '\n' | '\u{85}' | '\u{2029}' => open.clear(),
            _ => {}
        }
        kept.push((c, is_kept));
    }
    kept.into_iter().filter(|(_, is_kept)| *is_kept).map(|(c, _)| c).collect()
}

fn without_blank_lines_around(text: &str) -> &str {
    let mut rest = text;
    while let Some((first, after)) = rest.split_once('\n')
        && !is_visible(first)
    {
        rest = after;
    }
    while let Some((before, last)) = rest.rsplit_once('\n')
        && !is_visible(last)
    {
        rest = before;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bidirectional_isolate_closed_on_its_line_is_kept() {
        for (raw, clean) in [
            ("a \u{2067}שלום (1)\u{2069} b", "a \u{2067}שלום (1)\u{2069} b"),
            ("\u{2066}\u{2067}x\u{2069}", "\u{2067}x\u{2069}"),
            ("\u{2068}x\ny\u{2069}z", "x\nyz"),
            ("x\u{2069}\u{2069}y", "xy"),
        ] {
            assert_eq!(with_closed_isolates(raw), clean, "{raw:?}");
        }
    }
}
