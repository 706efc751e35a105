//! Invisible characters in text from outside, and characters that change how the text around them looks.
//!
//! Names of members and files and chat texts are cleaned with these functions wherever they are read. Each function makes one
//! pass over the text and is idempotent. The tables are those of Unicode 16.

mod marks;

use std::str::Chars;

pub use marks::is_mark;

/// The base character of region flags, such as that of Scotland; tag characters follow it.
const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';
/// Most tag characters of a flag, without the one that ends the flag: a country and its region (ISO 3166-2).
const MAX_FLAG_TAGS: usize = 6;

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether `c` changes the direction of the text around it (the property `Bidi_Control`).
#[must_use]
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether `c` itself is invisible: control characters, the characters of `Default_Ignorable_Code_Point` (zero-width characters,
/// fillers, joiners, bidirectional controls, variation selectors, tags), annotations and noncharacters. White space is not among
/// them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}'
                | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether `c` is blank: white space of any kind, and the Braille pattern without dots.
#[must_use]
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Whether any part of `text` is visible. Marks alone are not, since each needs a base character.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !is_blank(c) && !is_invisible(c) && !is_mark(c))
}

/// `text` without invisible characters, except those that change how their neighbors look: joiners within emoji and in scripts
/// whose letters join, variation selectors behind a character that varies, the tags of a flag.
#[must_use]
pub fn without_invisible(text: &str) -> String {
    filter_invisible(text, |_| false)
}

/// As [`without_invisible`], but keeps the invisible characters that `is_allowed` names.
#[must_use]
pub fn filter_invisible(text: &str, is_allowed: impl Fn(char) -> bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().next();
        if is_invisible(c) && !is_allowed(c) && !changes_neighbors(before, c, next) {
            continue;
        }
        kept.push(c);
        before = Some(c);
        if c == BLACK_FLAG {
            let tags = flag_tags(rest.clone());
            kept.extend(rest.by_ref().take(tags));
        }
    }
    kept
}

/// `text` with at most `limit` marks on each character, and no marks without a base character.
#[must_use]
pub fn with_bounded_marks(text: &str, limit: usize) -> String {
    let mut room = 0_usize;
    text.chars()
        .filter(|c| {
            if is_mark(*c) {
                let is_kept = room > 0;
                room = room.saturating_sub(1);
                return is_kept;
            }
            if is_blank(*c) {
                room = 0;
            } else if !is_invisible(*c) {
                room = limit;
            }
            true
        })
        .collect()
}

/// Whether `c` can be a part of an emoji or can be shown as one. Digits, `#` and `*` do not count.
#[must_use]
pub fn is_pictographic(c: char) -> bool {
    matches!(
        c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{21aa}'
            | '\u{231a}'..='\u{23ff}' | '\u{24c2}' | '\u{25aa}'..='\u{27bf}' | '\u{2934}'..='\u{2935}'
            | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
            | '\u{1f000}'..='\u{1faff}'
    )
}

/// Whether an invisible `c` between these two characters is needed to show them as intended.
#[must_use]
pub fn changes_neighbors(before: Option<char>, c: char, next: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match c {
        ZERO_WIDTH_NON_JOINER => joins(before) && next.is_some_and(joins),
        ZERO_WIDTH_JOINER => {
            let is_within_emoji =
                (is_pictographic(before) || is_emoji_selector(before)) && next.is_some_and(is_pictographic);
            is_within_emoji || joins(before)
        }
        '\u{fe0e}' | '\u{fe0f}' => {
            let is_keycap = matches!(before, '0'..='9' | '#' | '*') && next == Some('\u{20e3}');
            is_keycap || is_pictographic(before)
        }
        '\u{fe00}'..='\u{fe02}' | '\u{e0100}'..='\u{e01ef}' => is_han(before),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => is_mongolian(before),
        '\u{180e}' => is_mongolian(before) && next.is_some_and(is_mongolian),
        _ => false,
    }
}

fn is_emoji_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_mongolian(c: char) -> bool {
    matches!(c, '\u{1820}'..='\u{18aa}')
}

/// Whether `c` belongs to a script in which a joiner changes how letters look: Arabic, Syriac, the scripts of India and
/// South-East Asia, Mongolian. False for characters that are removed themselves, such as some vowels of Khmer.
fn joins(c: char) -> bool {
    // Without the punctuation and digits of Arabic. A table of all letters would enlarge the download.
    let is_in_script = matches!(
        c,
        '\u{620}'..='\u{65f}' | '\u{66e}'..='\u{6d3}' | '\u{6d5}'..='\u{6ef}' | '\u{6fa}'..='\u{963}'
            | '\u{971}'..='\u{dff}' | '\u{f40}'..='\u{fbc}' | '\u{1000}'..='\u{103f}' | '\u{1050}'..='\u{108f}'
            | '\u{1700}'..='\u{17d3}' | '\u{1820}'..='\u{1cff}' | '\u{a800}'..='\u{aaff}' | '\u{abc0}'..='\u{abef}'
            | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e94b}'
    );
    is_in_script && !is_invisible(c)
}

/// Number of tag characters that follow and form a flag, including the one that ends it; 0 if they form none.
fn flag_tags(mut next: Chars<'_>) -> usize {
    for count in 0..=MAX_FLAG_TAGS {
        match next.next() {
            Some(CANCEL_TAG) if count > 0 => return count + 1,
            Some('\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}') => {}
            _ => return 0,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_keeps_a_joiner_is_never_removed_as_invisible() {
        let is_reason = |c| joins(c) || is_pictographic(c) || is_mongolian(c);
        assert_eq!(('\0'..=char::MAX).find(|c| is_reason(*c) && is_invisible(*c)), None);
    }
}
