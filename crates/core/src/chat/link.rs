//! Finds web addresses in a text, so that they can be shown as links without interpreting any markup in the text.
//!
//! The work is linear in the length of the text, for every text: the search for the end of a link stops at the next scheme, and
//! after a link it continues behind the link.

use std::net::Ipv6Addr;

use sightline_protocol::text::{changes_neighbors, is_blank, is_invisible, is_mark, is_pictographic};

const SCHEMES: [&str; 2] = ["https://", "http://"];
/// Longest host name (RFC 1035, section 2.3.4).
const MAX_HOST_CHARS: usize = 253;
/// Longest IPv6 address, including an IPv4 address at its end.
const MAX_IPV6_BYTES: usize = 45;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Text outside of links.
    Text(&'a str),
    /// An `http` or `https` address, as it is in the text.
    Link(&'a str),
}

impl<'a> Segment<'a> {
    /// The segment as it is in the text.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Text(text) | Self::Link(text) => text,
        }
    }
}

/// Splits a text into text and links; the concatenated segments equal the text, and none is empty.
///
/// A link begins with `http://` or `https://` in upper or lower case, not directly after an ASCII letter or digit unless that
/// belongs to a link. It has a host: a name in any script, or an address. It ends before white space, quotes, the punctuation of
/// the sentence around it, a bracket that was not opened in it, invisible characters and the next link. An address with a user
/// name is no link: `https://bank.example@evil.example` leads to the latter.
#[must_use]
pub fn split_links(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let (mut shown, mut at) = (0, 0);
    while let Some(found) = text[at..].find(['h', 'H']) {
        count_work(found + 1);
        let start = at + found;
        let is_in_word = start > shown && text.as_bytes()[start - 1].is_ascii_alphanumeric();
        let end = match scheme_length(&text[start..]) {
            Some(scheme) if !is_in_word => link_end(text, start + scheme),
            _ => None,
        };
        let Some(end) = end else {
            at = start + 1;
            continue;
        };
        if start > shown {
            segments.push(Segment::Text(&text[shown..start]));
        }
        segments.push(Segment::Link(&text[start..end]));
        (shown, at) = (end, end);
    }
    count_work(text.len() - at);
    if shown < text.len() {
        segments.push(Segment::Text(&text[shown..]));
    }
    segments
}

fn scheme_length(text: &str) -> Option<usize> {
    let begins_with =
        |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().find(|scheme| begins_with(scheme)).map(|scheme| scheme.len())
}

/// End of the link whose host begins at `host`; `None` where there is no link.
fn link_end(text: &str, host: usize) -> Option<usize> {
    let Host { length, with_dots } = Host::at_start(&text[host..])?;
    let port = port_length(&text[host + with_dots..]);
    let end = if port > 0 { host + with_dots + port } else { host + length };
    let after = host + with_dots + port;
    match text[after..].chars().next() {
        Some('/' | '?' | '#') => Some(path_end(text, after, end)),
        Some('%' | '&' | '=' | '+' | '$') => None,
        _ if has_user(&text[end..]) => None,
        _ => Some(end),
    }
}

/// Length of the host of an address, in bytes.
struct Host {
    length: usize,
    /// Length including the dots behind the host, which belong to it where a port or a path follows: `example.org./x`.
    with_dots: usize,
}

impl Host {
    fn at_start(text: &str) -> Option<Self> {
        let Some(bracketed) = text.strip_prefix('[') else { return Self::name_at_start(text) };
        let length = ipv6_length(bracketed)? + "[]".len();
        Some(Self { length, with_dots: length })
    }

    fn name_at_start(text: &str) -> Option<Self> {
        if !text.starts_with(|c: char| c.is_alphanumeric() || is_pictographic(c)) {
            return None;
        }
        let (mut length, mut with_dots) = (0, 0);
        for (number, (at, c)) in text.char_indices().enumerate() {
            count_work(1);
            if is_ending(c) && !is_emoji_selector(c) || is_scheme_at(text, at) {
                break;
            }
            if c.is_alphanumeric() || is_mark(c) || is_pictographic(c) || is_emoji_selector(c) {
                length = at + c.len_utf8();
            } else if !matches!(c, '.' | '-' | '_') {
                break;
            }
            if number >= MAX_HOST_CHARS {
                return None;
            }
            with_dots = at + c.len_utf8();
        }
        match without_letters_behind_top_level(&text[..length]) {
            0 => None,
            cut if cut < length => Some(Self { length: cut, with_dots: cut }),
            _ => Some(Self { length, with_dots }),
        }
    }
}

fn ipv6_length(text: &str) -> Option<usize> {
    let length = text.bytes().take(MAX_IPV6_BYTES + 1).position(|byte| byte == b']')?;
    text[..length].parse::<Ipv6Addr>().ok().map(|_| length)
}

/// Cuts a top-level domain that begins in ASCII and continues in another script: that is the following sentence, in a language
/// without spaces.
fn without_letters_behind_top_level(name: &str) -> usize {
    let Some((_, top_level)) = name.rsplit_once('.') else { return name.len() };
    match top_level.find(|c: char| !c.is_ascii()) {
        Some(at) if at > 0 => {
            name[..name.len() - top_level.len() + at].trim_end_matches(['.', '-', '_']).len()
        }
        _ => name.len(),
    }
}

/// Length of a colon and the port behind it.
fn port_length(text: &str) -> usize {
    let Some(port) = text.strip_prefix(':') else { return 0 };
    let digits = port.bytes().take(6).take_while(u8::is_ascii_digit).count();
    if port[..digits].parse::<u16>().is_ok() { ":".len() + digits } else { 0 }
}

/// Whether the text before `@` is a user name or password instead of the host.
fn has_user(text: &str) -> bool {
    text.char_indices()
        .take_while(|(at, c)| {
            count_work(1);
            !is_ending(*c) && !matches!(c, '/' | '?' | '#') && !is_scheme_at(text, *at)
        })
        .any(|(_, c)| c == '@')
}

/// End of the link whose path, query or fragment begins at `start`; `end` if nothing of these belongs to the link.
fn path_end(text: &str, start: usize, mut end: usize) -> usize {
    let mut before = None;
    let (mut parentheses, mut brackets) = (0_usize, 0_usize);
    let mut rest = text[start..].char_indices();
    while let Some((at, c)) = rest.next() {
        count_work(1);
        let at = start + at;
        let next = rest.clone().next().map(|(_, next)| next);
        let is_kept = !is_ending(c) || changes_neighbors(before, c, next);
        let is_next_link = is_scheme_at(text, at) && !before.is_some_and(introduces_address);
        if !is_kept || is_next_link {
            break;
        }
        match c {
            '(' => parentheses += 1,
            '[' => brackets += 1,
            ')' if parentheses == 0 => break,
            ']' if brackets == 0 => break,
            ')' => parentheses -= 1,
            ']' => brackets -= 1,
            _ => {}
        }
        if !ends_sentence(c) {
            end = at + c.len_utf8();
        }
        before = Some(c);
    }
    end
}

fn is_scheme_at(text: &str, at: usize) -> bool {
    matches!(text.as_bytes()[at], b'h' | b'H') && scheme_length(&text[at..]).is_some()
}

/// Whether an address behind `c` is a part of the surrounding address, as in `https://archive.example/https://example.org`.
fn introduces_address(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric() && !ends_sentence(c)
}

fn is_emoji_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// Whether a link ends before `c`, regardless of the text behind it. Some languages write no space between a link and the
/// sentence, so their punctuation ends a link.
fn is_ending(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_whitespace()
            || c.is_ascii_control()
            || matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^');
    }
    let is_punctuation = matches!(
        c,
        // Quotes, dashes between sentences, ellipses, inverted marks.
        '«' | '»' | '‹' | '›' | '\u{2018}'..='\u{201f}' | '—' | '―' | '‥' | '…' | '¡' | '¿'
            // Armenian, Hebrew, Arabic, Devanagari, Tibetan, Burmese, Ethiopic, Khmer, Mongolian.
            | '\u{589}' | '\u{5c3}' | '\u{60c}' | '\u{61b}' | '\u{61d}'..='\u{61f}' | '\u{6d4}' | '\u{964}' | '\u{965}'
            | '\u{f0d}'..='\u{f12}' | '\u{104a}' | '\u{104b}' | '\u{1362}'..='\u{1368}' | '\u{17d4}' | '\u{17d5}'
            | '\u{1802}' | '\u{1803}'
            // Mathematical and ornamental brackets; vertical, small and full-width forms.
            | '\u{2768}'..='\u{2775}' | '\u{27e6}'..='\u{27ef}' | '\u{fe10}'..='\u{fe19}' | '\u{fe30}'..='\u{fe6b}'
            | '\u{ff00}'..='\u{ff65}'
    );
    let is_east_asian = matches!(c, '\u{3000}'..='\u{303f}') && !c.is_alphanumeric();
    is_punctuation || is_east_asian || is_blank(c) || is_invisible(c)
}

/// Whether `c` belongs to the sentence around a link unless more of the link follows.
fn ends_sentence(c: char) -> bool {
    match c {
        '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '(' | '[' | '‼' | '⁉' => true,
        _ => !(c.is_ascii() || c.is_alphanumeric() || is_mark(c) || is_pictographic(c) || is_invisible(c)),
    }
}

/// Counts the characters that were looked at, for the tests.
fn count_work(characters: usize) {
    #[cfg(test)]
    tests::WORK.set(tests::WORK.get() + characters);
    #[cfg(not(test))]
    let _ = characters;
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    thread_local! {
        pub(super) static WORK: Cell<usize> = const { Cell::new(0) };
    }

    fn work_on(text: &str) -> usize {
        WORK.set(0);
        let _ = split_links(text);
        WORK.get()
    }

    /// Fragments of links and of texts that resemble links.
    fn pieces() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "http://",
            "https://",
            "HTTPS://",
            "http://-",
            "http:/",
            "http",
            "h",
            "://",
            "/",
            "//",
            "?",
            "#",
            "@",
            ":",
            "::1",
            ":80",
            "[",
            "]",
            "[::1]",
            "(",
            ")",
            ".",
            ",",
            "-",
            "_",
            "%",
            "&",
            "=",
            "a",
            "example.org",
            "b@c",
            "é",
            "你",
            "。",
            "…",
            "»",
            "\u{301}",
            "\u{200d}",
            "\u{202e}",
            "\u{fe0f}",
            "🦊",
            "ی",
            "\u{200c}",
            " ",
            "\n",
            "\"",
            "<",
            "\\",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn link_detection_takes_at_most_four_steps_for_each_byte(
            pieces in prop::collection::vec((pieces(), 1_usize..30), 0..60),
        ) {
            let text: String = pieces.into_iter().map(|(piece, times)| piece.repeat(times)).collect();
            prop_assert!(work_on(&text) <= 4 * text.len() + 4, "{} for {}", work_on(&text), text.len());
        }
    }

    #[test]
    fn link_detection_takes_linear_time() {
        let patterns: [fn(usize) -> String; 12] = [
            |n| "http://-".repeat(n / 8) + &")".repeat(n),
            |n| "http://-".repeat(50) + &")".repeat(n),
            |n| "http://a".repeat(n),
            |n| "http://a@".repeat(n),
            |n| "http://[".repeat(n),
            |n| "http://[::1]".repeat(n),
            |n| "http://a/(".repeat(n),
            |n| "http://a/)".repeat(n),
            |n| "http://a,".repeat(n),
            |n| "http://a/".to_owned() + &"(".repeat(n) + &")".repeat(n) + &".".repeat(n),
            |n| "http://".to_owned() + &"a.".repeat(n),
            |n| "http://a/\u{200d}".repeat(n),
        ];
        for pattern in patterns {
            let (small, large) = (pattern(500), pattern(5_000));
            let (of_small, of_large) = (work_on(&small), work_on(&large));
            assert!(of_large <= of_small * 11 + 100, "{small:.20}: {of_small}, then {of_large}");
        }
    }
}
