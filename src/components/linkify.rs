//! Finds addresses in what people write, so that they can be shown as links without ever making markup of text.

/// A piece of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Shown as it is.
    Text(&'a str),
    /// An `http` or `https` address, as it was written.
    Link(&'a str),
}

/// Cuts a message into text and links; the pieces put together are the message again.
#[must_use]
pub fn linkify(message: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = message;
    while let Some((start, length)) = find_link(rest) {
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        pieces.push(Piece::Link(&rest[start..start + length]));
        rest = &rest[start + length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Where the first link begins and how many bytes it has.
fn find_link(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let start = from + found;
        let candidate = &text[start..];
        let follows_a_word = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        let scheme = ["https://", "http://"].into_iter().find(|scheme| candidate.starts_with(scheme));
        if let (Some(scheme), false) = (scheme, follows_a_word) {
            let end = candidate.find(|c| !may_be_in_an_address(c)).unwrap_or(candidate.len());
            let address = without_closing_punctuation(&candidate[..end]);
            if address.len() > scheme.len() && address[scheme.len()..].starts_with(char::is_alphanumeric) {
                return Some((start, address.len()));
            }
        }
        from = start + "http".len();
    }
    None
}

/// Chinese writes no space between a link and the sentence around it, so full-width punctuation ends one too.
fn may_be_in_an_address(c: char) -> bool {
    !(c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
        || matches!(c, '\u{2018}'..='\u{201d}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff65}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'))
}

/// The full stop of the sentence is not part of the link in it, nor is a bracket that was opened before it.
fn without_closing_punctuation(mut address: &str) -> &str {
    loop {
        let Some(last) = address.chars().next_back() else { return address };
        let is_closing = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => true,
            ')' => address.matches(')').count() > address.matches('(').count(),
            ']' => address.matches(']').count() > address.matches('[').count(),
            _ => false,
        };
        if !is_closing {
            return address;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(message: &str) -> Vec<&str> {
        linkify(message)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Link(link) => Some(link),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn an_address_in_a_sentence_is_a_link_without_the_full_stop() {
        assert_eq!(
            linkify("see https://example.org/a?b=c#d. Thanks"),
            [Piece::Text("see "), Piece::Link("https://example.org/a?b=c#d"), Piece::Text(". Thanks"),]
        );
    }

    #[test]
    fn brackets_belong_to_a_link_only_in_pairs() {
        assert_eq!(links("(https://example.org)"), ["https://example.org"]);
        assert_eq!(links("https://example.org/a_(b)"), ["https://example.org/a_(b)"]);
    }

    #[test]
    fn full_width_punctuation_ends_a_link() {
        assert_eq!(links("看这里：http://example.org/页。谢谢"), ["http://example.org/页"]);
    }

    #[test]
    fn other_schemes_and_words_are_text() {
        for message in [
            "javascript:alert(1)",
            "data:text/html,<b>x</b>",
            "http:/example.org",
            "http://",
            "https://.",
            "xhttp://example.org",
            "http",
            "file:///etc/passwd",
            "JAVASCRIPT:x HTTP",
        ] {
            assert_eq!(links(message), Vec::<&str>::new(), "{message}");
        }
    }

    #[test]
    fn markup_and_direction_marks_end_a_link_and_stay_text() {
        assert_eq!(links("<a href=\"https://example.org\">x</a>"), ["https://example.org"]);
        assert_eq!(links("https://example.org/\u{202e}fdp.exe"), ["https://example.org/"]);
    }

    #[test]
    fn the_pieces_put_together_are_the_message() {
        for message in ["", "a", "https://a.b https://c.d", "\n\nhttp http://x,", "é https://é.fr/ö) 。"]
        {
            let together: String = linkify(message)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) | Piece::Link(text) => text,
                })
                .collect();
            assert_eq!(together, message);
        }
    }
}
