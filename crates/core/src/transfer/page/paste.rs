//! Decides how to treat pasted or dropped content, since programs offer text and pictures of it at once.

/// How to treat the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pasted {
    /// Offer the files to the members.
    Files,
    /// Leave it to the browser, which inserts the text.
    Text,
}

/// Decides by `kinds`, the media types of the content (`Files` for files, as `DataTransfer.types` says), its plain `text`, and
/// the names of its `files`. Cells of a spreadsheet and parts of a web page come with a picture of themselves: these count as
/// text. Some file managers add the names or paths of the files as text: these count as files.
#[must_use]
pub fn pasted(kinds: &[&str], text: &str, files: &[&str]) -> Pasted {
    if files.is_empty() {
        return Pasted::Text;
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let has_text = lines.peek().is_some();
    let is_marked_up = kinds.iter().any(|kind| matches!(*kind, "text/html" | "text/rtf" | "application/rtf"));
    let is_name = |line: &str| {
        let last = line.rsplit(['/', '\\']).next().unwrap_or_default();
        files.contains(&last) || files.iter().any(|name| percent_decoded(last).as_deref() == Some(name))
    };
    let is_list_of_names = !is_marked_up && lines.all(is_name);
    if has_text && !is_list_of_names { Pasted::Text } else { Pasted::Files }
}

/// Whether dropped content is a file of the person. A picture or link dragged out of a page is not, although a browser makes a
/// file of the picture.
#[must_use]
pub fn drags_files(kinds: &[&str]) -> bool {
    kinds.contains(&"Files") && !kinds.contains(&"text/html")
}

/// Decodes the percent encoding of the `file:` addresses in `text/uri-list`.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let decoded = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digits = [*high, *low];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()
            }
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_of_text_and_a_picture_of_it_is_text() {
        for kinds in [
            ["text/plain", "text/html", "Files"].as_slice(),
            &["Files", "text/html", "text/plain"],
            &["text/plain", "text/html", "text/rtf", "Files"],
            &["text/plain", "Files"],
        ] {
            assert_eq!(pasted(kinds, "1\t2\n3\t4", &["image.png"]), Pasted::Text, "{kinds:?}");
        }
        assert_eq!(pasted(&["text/plain", "text/html"], "words", &[]), Pasted::Text);
        // The text of the cell equals the name of the picture.
        assert_eq!(pasted(&["text/plain", "text/html", "Files"], "image.png", &["image.png"]), Pasted::Text);
        assert_eq!(pasted(&["text/plain", "Files"], "a%zz%4", &["image.png"]), Pasted::Text);
    }

    #[test]
    fn files_alone_are_files() {
        for (kinds, text, files) in [
            // A screenshot, or a picture copied in a browser.
            (["Files"].as_slice(), "", ["image.png"].as_slice()),
            (&["text/html", "Files"], "", &["image.png"]),
            (&["text/plain", "Files"], " \n", &["image.png"]),
            // Pasted from file managers.
            (&["text/plain", "Files"], "a b.txt\nc.txt", &["a b.txt", "c.txt"]),
            (&["text/plain", "text/uri-list", "Files"], "/home/me/a b.txt", &["a b.txt"]),
            (&["text/plain", "text/uri-list", "Files"], "file:///home/me/a%20b.txt\r\n", &["a b.txt"]),
        ] {
            assert_eq!(pasted(kinds, text, files), Pasted::Files, "{kinds:?} {text:?}");
        }
    }

    #[test]
    fn dragging_a_picture_or_link_out_of_a_page_is_not_dragging_files() {
        assert!(drags_files(&["Files"]));
        assert!(drags_files(&["application/x-moz-file", "Files"]));
        assert!(!drags_files(&["text/uri-list", "text/html", "Files"]));
        assert!(!drags_files(&["text/uri-list", "text/plain"]));
        assert!(!drags_files(&[]));
    }
}
