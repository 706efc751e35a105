//! Makes file names from outside safe to save under on any system, and keeps them readable.

use sightline_protocol::{
    limits::MAX_CHAT_MARKS,
    text::{is_visible, with_bounded_marks, without_invisible},
};

/// Longest name in bytes, which is the limit of common file systems.
const MAX_NAME_BYTES: usize = 255;
/// Maximum number of nested folders.
pub const MAX_DEPTH: usize = 64;

/// Device names of Windows, reserved with or without an extension.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The last part of the path `raw`, without anything that a file system, a shell or a reader could misunderstand.
#[must_use]
pub fn safe_name(raw: &str) -> String {
    part(raw.rsplit(['/', '\\']).next().unwrap_or_default()).unwrap_or_else(|| "file".to_owned())
}

/// The same for the folders of a file, separated by `/`. Parts that lead up or to a root are left out.
#[must_use]
pub fn safe_folder(raw: &str) -> String {
    let parts: Vec<_> = raw.split(['/', '\\']).filter_map(part).take(MAX_DEPTH).collect();
    parts.join("/")
}

/// `name`, or the first of `name (2)`, `name (3)` ... that is not taken, with the number before the extension. Names that
/// differ only in case count as equal, since some file systems ignore case.
#[must_use]
pub fn numbered(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if is_taken(&name.to_lowercase()) { numbered_from(name, 2, is_taken).0 } else { name.to_owned() }
}

/// The same for a name that is taken, with numbers from `number` on. Returns the number, too.
pub(super) fn numbered_from(name: &str, number: u32, is_taken: impl Fn(&str) -> bool) -> (String, u32) {
    let (stem, extension) = split(name);
    let mut number = number.max(2);
    loop {
        let end = format!(" ({number}){extension}");
        let candidate = format!("{}{end}", shortened(stem, MAX_NAME_BYTES.saturating_sub(end.len())));
        if !is_taken(&candidate.to_lowercase()) || number == u32::MAX {
            return (candidate, number);
        }
        number += 1;
    }
}

/// One part of a path, made safe; `None` if nothing of it is left.
fn part(raw: &str) -> Option<String> {
    let clean = cut(trimmed(&visible(raw)), MAX_NAME_BYTES);
    if !is_visible(&clean) {
        return None;
    }
    Some(if is_reserved(&clean) { format!("_{}", cut(&clean, MAX_NAME_BYTES - 1)) } else { clean })
}

/// Windows removes trailing dots and spaces. A leading dot is legitimate in a name.
fn trimmed(name: &str) -> &str {
    name.trim_start().trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// The text without line breaks and invisible characters, except for those that belong to a letter or an emoji.
fn visible(raw: &str) -> String {
    let is_kept = |c: &char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    let line: String = raw.chars().filter(is_kept).map(|c| if is_special(c) { '_' } else { c }).collect();
    without_invisible(&with_bounded_marks(&line, MAX_CHAT_MARKS))
}

fn is_special(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '/' | '\\')
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = (stem.starts_with("com") || stem.starts_with("lpt"))
        && stem.chars().count() == 4
        && stem.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'));
    is_port || RESERVED.contains(&stem.as_str())
}

/// The stem, and the extension with its dot if it has a plausible length.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// Shortens the stem and keeps the extension.
fn cut(name: &str, max_bytes: usize) -> String {
    if name.len() <= max_bytes {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    let cut = format!("{}{extension}", shortened(stem, max_bytes - extension.len()));
    trimmed(&cut).to_owned()
}

/// The longest beginning of a text with at most `max_bytes` bytes.
fn shortened(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    // The cut may leave a joiner without the following letter, or half a flag: `visible` removes both.
    let cut = visible(&text[..text.floor_char_boundary(max_bytes)]);
    cut.trim_end().trim_end_matches(['\u{200c}', '\u{200d}']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        for name in [
            "report.pdf",
            "Übersicht 2026.txt",
            "年报.docx",
            "a b (1).tar.gz",
            "no extension",
            "Makefile",
            "id_rsa",
            ".env",
            ".gitignore",
            "..rc",
            "_",
            "__",
            "-",
            "~",
            "family 👨\u{200d}👩\u{200d}👧.png",
            "می\u{200c}خواهم.txt",
            "അവന\u{d4d}\u{200d}.txt",
            "heart ❤\u{fe0f}\u{200d}🔥.png",
            "flag 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}.txt",
            "👍🏽.txt",
            "e\u{301}te\u{301}.txt",
            "100%25 & #1 'x'.txt",
            "1\u{fe0f}\u{20e3}.png",
            "葛\u{e0100}城.txt",
            "नमस्\u{200d}ते.txt",
        ] {
            assert_eq!(safe_name(name), name);
        }
    }

    #[test]
    fn the_number_of_combining_marks_in_a_name_is_bounded() {
        let heap = "\u{335}".repeat(100);
        assert_eq!(
            safe_name(&format!("{heap}Z{heap}.txt")),
            format!("Z{}.txt", "\u{335}".repeat(MAX_CHAT_MARKS))
        );
    }

    #[test]
    fn a_file_name_loses_the_same_hidden_characters_as_a_member_name() {
        for c in (' '..=char::MAX).filter(|c| sightline_protocol::text::is_invisible(*c)) {
            assert_eq!(safe_name(&format!("a{c}b.txt")), "ab.txt", "{c:?}");
        }
    }

    #[test]
    fn a_name_contains_no_path() {
        for (raw, safe) in [
            ("../../etc/passwd", "passwd"),
            ("/etc/shadow", "shadow"),
            ("C:\\Windows\\system32\\cmd.exe", "cmd.exe"),
            ("..", "file"),
            (".", "file"),
            ("", "file"),
            ("a/", "file"),
            ("..\\..\\x", "x"),
            ("C:evil.txt", "C_evil.txt"),
        ] {
            assert_eq!(safe_name(raw), safe, "{raw:?}");
        }
    }

    #[test]
    fn a_name_contains_no_reserved_word_and_no_hidden_or_special_character() {
        for (raw, safe) in [
            ("con", "_con"),
            ("NUL.txt", "_NUL.txt"),
            ("Com1.log", "_Com1.log"),
            ("com10.log", "com10.log"),
            ("console.log", "console.log"),
            ("...", "file"),
            (". .", "file"),
            ("\u{202e}", "file"),
            ("invoice\u{200d}.exe", "invoice.exe"),
            ("\u{200d}a\u{200c}b\u{3164}.txt", "ab.txt"),
            ("é\u{200d}\u{200d}.txt", "é.txt"),
            ("my\u{200c}file.pdf\u{feff}", "myfile.pdf"),
            ("a\u{fe0f}\u{fff9}\u{1d173}\u{e0100}b\u{2028}c\u{85}.txt", "abc.txt"),
            ("\u{2800}\u{3000}", "file"),
            ("\u{301}\u{20dd}", "file"),
            ("*\u{fe0f}\u{20e3}.txt", "_\u{20e3}.txt"),
            ("🏴\u{e0067}\u{e0062}x.txt", "🏴x.txt"),
            ("a\u{e0067}\u{e007f}.txt", "a.txt"),
            ("name. . ", "name"),
            ("a\0b\nc\u{1b}d", "abcd"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("what?<b>*.txt", "what__b__.txt"),
        ] {
            assert_eq!(safe_name(raw), safe, "{raw:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_keeps_its_extension() {
        let safe = safe_name(&format!("{}.jpeg", "é".repeat(300)));
        assert!(safe.len() <= 255 && safe.len() > 250 && safe.ends_with("é.jpeg"), "{safe}");
        let safe = safe_name(&format!("{}.txt", "👨\u{200d}".repeat(100)));
        assert!(safe.len() <= 255 && safe.len() > 245 && safe.ends_with("👨.txt"), "{safe}");
        let safe = numbered(&format!("{}.jpeg", "é".repeat(125)), |name| !name.contains('('));
        assert!(safe.len() <= 255 && safe.ends_with("é (2).jpeg"), "{safe}");
    }

    #[test]
    fn a_shortened_name_is_as_safe_as_a_short_one() {
        let flag = "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";
        for raw in [
            format!("{}. {}", "x".repeat(254), "y".repeat(40)),
            format!("{} . {}", "x".repeat(252), "y".repeat(40)),
            format!("{}\u{3000}{}", "x".repeat(252), "y".repeat(40)),
            format!("con.{}", "x".repeat(300)),
            format!("NUL.{}.txt", "x".repeat(300)),
            format!("{}{flag}", "x".repeat(240)),
            format!("{}{flag}.txt", "x".repeat(240)),
            "x\u{3000}.".to_owned(),
            "x \u{3000} . .".to_owned(),
        ] {
            let safe = safe_name(&raw);
            assert!(safe.len() <= MAX_NAME_BYTES && !safe.ends_with(['.', ' ', '\u{3000}']), "{safe:?}");
            assert!(!safe.contains('\u{e0067}') || safe.contains('\u{e007f}'), "{safe:?}");
            assert_eq!(safe_name(&safe), safe);
            let (second, _) = numbered_from(&safe, 2, |_| false);
            assert_eq!(safe_name(&second), second);
        }
    }

    #[test]
    fn a_folder_path_never_leads_upward() {
        assert_eq!(safe_folder("holiday/day 1"), "holiday/day 1");
        assert_eq!(safe_folder("/../a/./../b\\..\\c/"), "a/b/c");
        assert_eq!(safe_folder("../.."), "");
        assert_eq!(safe_folder(&"x/".repeat(100)).split('/').count(), MAX_DEPTH);
    }

    #[test]
    fn a_name_that_is_taken_in_any_capitalization_gets_a_number() {
        let taken = ["a.txt", "a (2).txt", "readme"];
        let is_taken = |name: &str| taken.contains(&name);
        assert_eq!(numbered("A.TXT", is_taken), "A (3).TXT");
        assert_eq!(numbered("b.txt", is_taken), "b.txt");
        assert_eq!(numbered("README", is_taken), "README (2)");
    }
}
