//! File names from outside, made safe to save under on any system, and still readable.

/// Longest name that is kept, in bytes: file systems take 255, and a number may be added.
const MAX_NAME_BYTES: usize = 200;
/// Folders inside each other.
const MAX_DEPTH: usize = 16;

/// Device names of Windows, with or without an extension.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The last part of whatever path `raw` is, without what a file system, a shell or a reader could misunderstand.
#[must_use]
pub fn safe_name(raw: &str) -> String {
    part(raw.rsplit(['/', '\\']).next().unwrap_or_default()).unwrap_or_else(|| "file".to_owned())
}

/// The same for the folders above a file, with `/` between them; what leads up or to a root is left out.
#[must_use]
pub fn safe_folder(raw: &str) -> String {
    let parts: Vec<_> =
        raw.split(['/', '\\']).filter(|part| !is_dots(part)).filter_map(part).take(MAX_DEPTH).collect();
    parts.join("/")
}

/// `name`, or the first of `name (2)`, `name (3)` ... before the extension that is not taken. File systems that fold
/// capitals exist, so names that differ in them only count as the same.
#[must_use]
pub fn numbered(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(&name.to_lowercase()) {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    let mut number = 2_u32;
    loop {
        let candidate = format!("{stem} ({number}){extension}");
        if !is_taken(&candidate.to_lowercase()) || number == u32::MAX {
            return candidate;
        }
        number += 1;
    }
}

/// One part of a path; `None` where nothing is left of it.
fn part(raw: &str) -> Option<String> {
    let clean: String =
        raw.chars().filter(|c| !is_invisible(*c)).map(|c| if is_special(c) { '_' } else { c }).collect();
    // Windows drops dots and spaces at the end; a dot at the beginning hides the file elsewhere.
    let clean = clean.trim().trim_end_matches(['.', ' ']);
    let clean = match clean.strip_prefix('.') {
        Some(rest) => format!("_{}", rest.trim_start_matches('.')),
        None => clean.to_owned(),
    };
    let clean = cut(&clean);
    if clean.is_empty() || clean == "_" {
        return None;
    }
    Some(if is_reserved(&clean) { format!("_{clean}") } else { clean })
}

fn is_dots(part: &str) -> bool {
    part.chars().all(|c| c == '.' || c.is_whitespace())
}

fn is_special(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '/' | '\\')
}

/// Control characters, and what changes the direction or joins letters without being seen: a name must not read as
/// another one.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = (stem.starts_with("com") || stem.starts_with("lpt"))
        && stem.chars().count() == 4
        && stem.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'));
    is_port || RESERVED.contains(&stem.as_str())
}

/// The stem, and the extension with its dot, where there is one of sensible length.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// Cuts the stem, so that the extension stays.
fn cut(name: &str) -> String {
    if name.len() <= MAX_NAME_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    let mut end = MAX_NAME_BYTES - extension.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", stem[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        for name in ["report.pdf", "Übersicht 2026.txt", "年报.docx", "a b (1).tar.gz", "no extension"] {
            assert_eq!(safe_name(name), name);
        }
    }

    #[test]
    fn no_path_comes_through() {
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
    fn nothing_that_a_system_or_a_reader_misunderstands_comes_through() {
        for (raw, safe) in [
            ("con", "_con"),
            ("NUL.txt", "_NUL.txt"),
            ("Com1.log", "_Com1.log"),
            ("com10.log", "com10.log"),
            ("console.log", "console.log"),
            (".bashrc", "_bashrc"),
            ("...x", "_x"),
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
        assert!(safe.len() <= MAX_NAME_BYTES && safe.ends_with("é.jpeg"), "{safe}");
    }

    #[test]
    fn folders_lead_down_only() {
        assert_eq!(safe_folder("holiday/day 1"), "holiday/day 1");
        assert_eq!(safe_folder("/../a/./../b\\..\\c/"), "a/b/c");
        assert_eq!(safe_folder("../.."), "");
        assert_eq!(safe_folder(&"x/".repeat(100)).split('/').count(), MAX_DEPTH);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_whatever_its_capitals() {
        let taken = ["a.txt", "a (2).txt", "readme"];
        let is_taken = |name: &str| taken.contains(&name);
        assert_eq!(numbered("A.TXT", is_taken), "A (3).TXT");
        assert_eq!(numbered("b.txt", is_taken), "b.txt");
        assert_eq!(numbered("README", is_taken), "README (2)");
    }
}
