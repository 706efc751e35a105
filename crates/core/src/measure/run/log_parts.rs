//! Splits a log into parts that fit into messages, and joins them.

use sightline_protocol::{
    RunId,
    control::ControlMessage,
    limits::{MAX_RUN_LOG_PART_BYTES, MAX_RUN_LOG_PARTS},
};

/// The messages for a log; empty if the log is too long.
pub(super) fn split(run: &RunId, text: &str) -> Vec<ControlMessage> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(MAX_RUN_LOG_PART_BYTES));
        pieces.push(piece);
        rest = after;
    }
    let Some(parts) = u16::try_from(pieces.len()).ok().filter(|parts| *parts <= MAX_RUN_LOG_PARTS) else {
        return Vec::new();
    };
    (0..)
        .zip(pieces)
        .map(|(part, text)| ControlMessage::RunLog { run: run.clone(), part, parts, text: text.to_owned() })
        .collect()
}

/// The received parts of a log. The channel keeps their order; a log that is sent again starts over.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    next: u16,
    text: String,
}

impl Parts {
    /// Takes a part. Returns the whole text after the last part.
    pub(super) fn handle_part(&mut self, part: u16, parts: u16, text: &str) -> Option<String> {
        if part == 0 {
            *self = Self::default();
        }
        let is_next = part == self.next && part < parts && parts <= MAX_RUN_LOG_PARTS;
        if !is_next || text.len() > MAX_RUN_LOG_PART_BYTES {
            return None;
        }
        self.text.push_str(text);
        self.next += 1;
        (self.next == parts).then(|| std::mem::take(&mut self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(u16, u16, String)> {
        let messages = split(&RunId::from_random(7), text);
        let part = |message| match message {
            ControlMessage::RunLog { part, parts, text, .. } => (part, parts, text),
            other => panic!("{other:?}"),
        };
        messages.into_iter().map(part).collect()
    }

    #[test]
    fn a_log_with_any_characters_is_reassembled_from_its_parts() {
        let text = "é片🎞x".repeat(20_000);
        let parts = parts(&text);
        assert!(parts.len() > 5 && parts.iter().all(|(_, _, text)| text.len() <= MAX_RUN_LOG_PART_BYTES));
        let mut joined = Parts::default();
        // A log that was interrupted starts over.
        assert_eq!(joined.handle_part(parts[0].0, parts[0].1, &parts[0].2), None);
        let whole: Vec<_> =
            parts.iter().filter_map(|(part, count, text)| joined.handle_part(*part, *count, text)).collect();
        assert_eq!(whole, [text]);
    }

    #[test]
    fn impossible_parts_are_ignored() {
        let mut joined = Parts::default();
        assert_eq!(joined.handle_part(1, 2, "b"), None);
        assert_eq!(joined.handle_part(0, 0, "a"), None);
        assert_eq!(joined.handle_part(0, u16::MAX, "a"), None);
        assert_eq!(joined.handle_part(0, 2, &"a".repeat(MAX_RUN_LOG_PART_BYTES + 1)), None);
        assert_eq!(joined.handle_part(0, 2, "a"), None);
        assert_eq!(joined.handle_part(1, 2, "b").as_deref(), Some("ab"));
    }

    #[test]
    fn a_log_that_is_too_long_is_not_sent() {
        let longest = MAX_RUN_LOG_PART_BYTES * usize::from(MAX_RUN_LOG_PARTS);
        assert_eq!(parts(&"x".repeat(longest)).len(), usize::from(MAX_RUN_LOG_PARTS));
        assert!(parts(&"x".repeat(longest + 1)).is_empty());
    }
}
