//! The directions of the sections of a description.
//!
//! The crate `rtc` 0.21 answers with the direction that a transceiver has, also where the offer wants nothing (RFC 8829, 5.3.1).

/// Whether the author of the description receives media in the section with this id (RFC 8866, 6.7).
pub(super) fn receives(sdp: &str, mid: &str) -> bool {
    direction(sdp, mid).is_none_or(|word| matches!(word, "sendrecv" | "recvonly"))
}

/// Whether the author of the description sends media in the section with this id.
pub(super) fn sends(sdp: &str, mid: &str) -> bool {
    direction(sdp, mid).is_none_or(|word| matches!(word, "sendrecv" | "sendonly"))
}

/// The direction of a section; `None` if there is no such section.
fn direction<'a>(sdp: &'a str, mid: &str) -> Option<&'a str> {
    let mut sections = sdp.split("\nm=");
    let default = direction_among(sections.next()?).unwrap_or("sendrecv");
    let section = sections.find(|section| {
        let mut mids = section.lines().filter_map(|line| line.trim_end().strip_prefix("a=mid:"));
        mids.any(|of_section| of_section == mid)
    })?;
    Some(direction_among(section).unwrap_or(default))
}

fn direction_among(lines: &str) -> Option<&str> {
    let mut attributes = lines.lines().filter_map(|line| line.trim_end().strip_prefix("a="));
    attributes.find(|word| matches!(*word, "sendrecv" | "sendonly" | "recvonly" | "inactive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\ns=-\r\nm=audio 9 X 111\r\na=mid:0\r\na=inactive\r\nm=video 9 X 120\r\na=sendonly\r\na=mid:1\r\n\
                       m=audio 9 X 111\r\na=mid:2\r\nm=video 9 X 120\r\na=mid:22\r\na=recvonly\r\n";

    #[test]
    fn each_section_has_its_direction() {
        let received: Vec<_> = ["0", "1", "2", "22"].into_iter().map(|mid| receives(SDP, mid)).collect();
        assert_eq!(received, [false, false, true, true]);
        let sent: Vec<_> = ["0", "1", "2", "22"].into_iter().map(|mid| sends(SDP, mid)).collect();
        assert_eq!(sent, [false, true, true, false]);
    }

    #[test]
    fn a_direction_of_the_session_holds_for_sections_without_one() {
        let sdp = SDP.replace("s=-\r\n", "s=-\r\na=sendonly\r\n");
        assert!(!receives(&sdp, "2") && receives(&sdp, "22"));
    }

    #[test]
    fn a_section_that_is_not_there_forbids_nothing() {
        assert!(receives(SDP, "7") && receives("", "0"));
    }
}
