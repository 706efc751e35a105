//! ICE user name fragments, which say to which description a candidate belongs (RFC 8839, sections 5.4 and 5.1).

use sightline_protocol::signaling::SignalCandidate;

/// Limit of distinct fragments; a bundled description has fewer.
const MAX_UFRAGS: usize = 32;
/// Longest fragment, in bytes (RFC 8839, section 5.4).
pub(super) const MAX_UFRAG_BYTES: usize = 256;

/// The user name fragments of one description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ufrags(Vec<String>);

impl Ufrags {
    pub(super) fn of_sdp(sdp: &str) -> Self {
        Self(ufrags_of_sdp(sdp))
    }

    /// Whether the candidate may belong to this description. A candidate without a fragment may belong to any, and a description
    /// without fragments (no ICE, or not from a browser) excludes none.
    pub(super) fn admits(&self, candidate: &SignalCandidate) -> bool {
        self.0.is_empty() || candidate.ufrag.as_deref().is_none_or(|ufrag| self.contains(ufrag))
    }

    pub(super) fn contains(&self, ufrag: &str) -> bool {
        self.0.iter().any(|known| known == ufrag)
    }

    /// Whether a description with `later` after one with these begins a new ICE generation.
    pub(super) fn are_replaced_by(&self, later: &Self) -> bool {
        !self.0.is_empty() && !later.0.is_empty() && !later.0.iter().any(|ufrag| self.contains(ufrag))
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = String> {
        self.0.into_iter()
    }
}

/// The distinct `a=ice-ufrag` attributes of a description.
#[must_use]
pub fn ufrags_of_sdp(sdp: &str) -> Vec<String> {
    let mut ufrags: Vec<String> = Vec::new();
    let written = sdp.lines().filter_map(|line| line.strip_prefix("a=ice-ufrag:")).map(str::trim);
    for ufrag in written.filter(|ufrag| ufrag.len() <= MAX_UFRAG_BYTES) {
        if ufrags.len() == MAX_UFRAGS {
            break;
        }
        if ufrags.iter().all(|known| known != ufrag) {
            ufrags.push(ufrag.to_owned());
        }
    }
    ufrags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(ufrag: Option<&str>) -> SignalCandidate {
        SignalCandidate {
            candidate: String::new(),
            sdp_mid: None,
            sdp_m_line_index: None,
            ufrag: ufrag.map(str::to_owned),
        }
    }

    #[test]
    fn the_fragments_of_every_media_description_count() {
        let ufrags =
            Ufrags::of_sdp("v=0\r\na=ice-ufrag:one\r\nm=audio\r\na=ice-ufrag:two\r\na=ice-ufrag:one\r\n");
        assert!(ufrags.contains("one") && ufrags.contains("two"));
        assert_eq!(ufrags.into_iter().count(), 2);
    }

    #[test]
    fn a_candidate_of_another_description_is_not_admitted() {
        let ufrags = Ufrags::of_sdp("a=ice-ufrag:one\n");
        assert!(ufrags.admits(&candidate(Some("one"))));
        assert!(!ufrags.admits(&candidate(Some("two"))));
        assert!(!ufrags.admits(&candidate(Some("on"))));
    }

    #[test]
    fn a_candidate_without_a_fragment_is_admitted_anywhere() {
        assert!(Ufrags::of_sdp("a=ice-ufrag:one\n").admits(&candidate(None)));
    }

    #[test]
    fn only_wholly_new_fragments_are_a_new_ice_generation() {
        let first = Ufrags::of_sdp("a=ice-ufrag:one\n");
        assert!(!Ufrags::default().are_replaced_by(&first));
        assert!(!first.are_replaced_by(&first.clone()));
        assert!(!first.are_replaced_by(&Ufrags::of_sdp("a=ice-ufrag:one\na=ice-ufrag:two\n")));
        assert!(first.are_replaced_by(&Ufrags::of_sdp("a=ice-ufrag:two\n")));
    }

    #[test]
    fn a_description_full_of_fragments_is_read_up_to_a_bound() {
        let sdp: String = (0..1000).map(|number| format!("a=ice-ufrag:u{number}\n")).collect();
        assert_eq!(Ufrags::of_sdp(&sdp).into_iter().count(), MAX_UFRAGS);
    }

    #[test]
    fn an_overlong_fragment_is_ignored() {
        let fragment = |bytes: usize| format!("a=ice-ufrag:{}\n", "u".repeat(bytes));
        assert_eq!(Ufrags::of_sdp(&fragment(MAX_UFRAG_BYTES)).into_iter().count(), 1);
        assert_eq!(Ufrags::of_sdp(&fragment(MAX_UFRAG_BYTES + 1)), Ufrags::default());
    }
}
