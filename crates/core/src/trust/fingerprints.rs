//! The DTLS fingerprints of both ends of a peer connection, as its descriptions name them.
//!
//! Invariant: fingerprints are only added. A description that was replaced or rolled back still counts, so no fingerprint that the
//! browser could have accepted is missing.

use std::collections::BTreeSet;

/// A browser writes one, the same in each media section.
const MAX_FINGERPRINTS: usize = 8;
/// SHA-512 has 200 characters with the name of the attribute.
const MAX_FINGERPRINT_BYTES: usize = 256;

/// All fingerprints in the descriptions of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints {
    lines: BTreeSet<String>,
    /// Whether a fingerprint was left out: then there is no code.
    has_dropped: bool,
}

impl Fingerprints {
    /// Adds the fingerprints of a description. Returns whether one of them is new.
    ///
    /// Takes every line with the word, however a browser would read it: a line that only the browser takes for a fingerprint could hide
    /// the one that it accepts.
    pub fn add(&mut self, sdp: &str) -> bool {
        let before = (self.lines.len(), self.has_dropped);
        for line in sdp.split(['\n', '\r']).map(str::trim) {
            if !line.to_ascii_lowercase().contains("fingerprint") {
                continue;
            }
            let fingerprint = line.strip_prefix("a=fingerprint:").unwrap_or(line).trim();
            let is_plain = fingerprint.len() <= MAX_FINGERPRINT_BYTES && !fingerprint.contains(',');
            if !is_plain || (self.lines.len() == MAX_FINGERPRINTS && !self.lines.contains(fingerprint)) {
                self.has_dropped = true;
            } else {
                self.lines.insert(fingerprint.to_owned());
            }
        }
        before != (self.lines.len(), self.has_dropped)
    }

    /// Whether `known` has all of these.
    fn is_within(&self, known: &Self) -> bool {
        !self.has_dropped && self.lines.is_subset(&known.lines)
    }

    /// The fingerprints in order, with commas between; `None` if there are none, or more than a browser writes.
    pub(super) fn text(&self) -> Option<String> {
        let is_usable = !self.has_dropped && !self.lines.is_empty();
        is_usable.then(|| self.lines.iter().map(String::as_str).collect::<Vec<_>>().join(","))
    }
}

/// The fingerprints of both ends of a peer connection, as this end knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndFingerprints {
    /// Those of this page.
    pub local: Fingerprints,
    /// Those of the other side.
    pub remote: Fingerprints,
}

impl EndFingerprints {
    /// The fingerprints of this page, and those of the other side; `None` unless both are complete.
    pub(super) fn texts(&self) -> Option<(String, String)> {
        Some((self.local.text()?, self.remote.text()?))
    }

    /// Whether `known` has all fingerprints of both ends, so that a connection with these ends where the known one does. A connection
    /// whose descriptions are still incomplete may have fewer.
    #[must_use]
    pub fn is_within(&self, known: &Self) -> bool {
        self.local.is_within(&known.local) && self.remote.is_within(&known.remote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(sdp: &str) -> Option<String> {
        let mut fingerprints = Fingerprints::default();
        fingerprints.add(sdp);
        fingerprints.text()
    }

    #[test]
    fn a_repeated_fingerprint_is_one_and_another_is_added_wherever_it_stands() {
        let mut fingerprints = Fingerprints::default();
        assert!(
            fingerprints
                .add("v=0\r\na=fingerprint:sha-256 AA:BB\r\nm=audio\r\na=fingerprint:sha-256 AA:BB\r\n")
        );
        assert_eq!(fingerprints.text().as_deref(), Some("sha-256 AA:BB"));
        assert!(!fingerprints.add("a=fingerprint:sha-256 AA:BB\n"));
        assert!(fingerprints.add("m=video\r\na=fingerprint:sha-1 00\r\n"));
        assert_eq!(fingerprints.text().as_deref(), Some("sha-1 00,sha-256 AA:BB"));
    }

    #[test]
    fn no_way_of_writing_hides_a_fingerprint() {
        let plain = text_of("a=fingerprint:sha-256 AA");
        for hidden in [
            "a=Fingerprint:sha-256 BB",
            "  a=fingerprint:sha-256 BB",
            "a=fingerprint: sha-256 BB",
            "a=fingerprint sha-256 BB",
            "a=fingerprint:sha-256 AA BB",
            "a=fingerprint:sha-256 aa",
        ] {
            let both = text_of(&format!("a=fingerprint:sha-256 AA\r{hidden}\n"));
            assert_ne!(both, plain, "{hidden}");
        }
    }

    #[test]
    fn a_connection_without_another_fingerprint_is_within_the_known_one() {
        let ends = |local: &str, remote: &str| {
            let mut ends = EndFingerprints::default();
            ends.local.add(local);
            ends.remote.add(remote);
            ends
        };
        let (page, other) = ("a=fingerprint:sha-256 AA", "a=fingerprint:sha-256 BB");
        let known = ends(page, other);
        for within in [ends(page, other), ends(page, ""), ends("", "")] {
            assert!(within.is_within(&known), "{within:?}");
        }
        let both = format!("{page}\n{other}");
        let long = format!("a=fingerprint:sha-256 {}", "AA:".repeat(100));
        for foreign in [ends(page, page), ends(other, other), ends(page, &both), ends(page, &long)] {
            assert!(!foreign.is_within(&known), "{foreign:?}");
        }
    }

    #[test]
    fn too_many_or_too_long_fingerprints_and_none_give_no_text() {
        let many: String =
            (0..=MAX_FINGERPRINTS).map(|at| format!("a=fingerprint:sha-256 {at:02}\r\n")).collect();
        let long = format!("a=fingerprint:sha-256 {}", "AA:".repeat(100));
        for sdp in ["v=0\r\n", "", &many, &long, "a=fingerprint:sha-256 AA,sha-256 BB"] {
            assert_eq!(text_of(sdp), None, "{sdp}");
        }
    }
}
