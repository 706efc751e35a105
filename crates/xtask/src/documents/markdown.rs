//! The links and headings of a document, as far as our documents use Markdown: links in the text, fenced blocks, code in backticks.

use std::collections::HashMap;

/// A link `[text](target)` or `![text](target)`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub(super) target: &'a str,
    /// From 1.
    pub(super) line: usize,
    /// Where `target` begins, in bytes from the beginning of the document.
    pub(super) start: usize,
}

/// All links that are not code.
pub(super) fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (line, start, content) in prose(text) {
        let mut is_code = false;
        for (at, character) in content.char_indices() {
            match character {
                '`' => is_code = !is_code,
                ']' if !is_code => {
                    let Some(rest) = content[at..].strip_prefix("](") else { continue };
                    let Some((target, _)) = rest.split_once(')') else { continue };
                    found.push(Link { target, line, start: start + at + 2 });
                }
                _ => {}
            }
        }
    }
    found
}

/// What stands between backticks in one line.
pub(super) fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The anchors that a code host gives to the headings.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut uses: HashMap<String, usize> = HashMap::new();
    prose(text)
        .filter_map(|(_, _, content)| {
            content.trim_start_matches('#').strip_prefix(' ').filter(|_| content.starts_with('#'))
        })
        .map(|heading| {
            let anchor = anchor(heading);
            let count = uses.entry(anchor.clone()).or_default();
            *count += 1;
            if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
        })
        .collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// The lines outside fenced blocks: number, position and content.
fn prose(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    let mut start = 0;
    let mut is_fenced = false;
    text.split('\n').enumerate().filter_map(move |(at, content)| {
        let line = (at + 1, start, content);
        start += content.len() + 1;
        let is_fence = content.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        (!is_fence && !is_fenced).then_some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code_with_line_and_position() {
        let text = "# T\n`[no](a)` [yes](b.md)\n```sh\n[no](c)\n```\n![p](d.png) 中 [z](e#f)\n";
        let found = links(text);
        let targets: Vec<_> = found.iter().map(|link| (link.target, link.line)).collect();
        assert_eq!(targets, [("b.md", 2), ("d.png", 6), ("e#f", 6)]);
        for link in &found {
            assert_eq!(&text[link.start..link.start + link.target.len()], link.target);
        }
    }

    #[test]
    fn a_heading_has_the_anchor_of_a_code_host() {
        let text = "# One, `two` (3)\n## Same\n## Same\n```\n# no\n```\n#no\n### Naïve_name";
        assert_eq!(anchors(text), ["one-two-3", "same", "same-1", "naïve_name"]);
    }
}
