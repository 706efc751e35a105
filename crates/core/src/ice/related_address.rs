//! The related address of a relay candidate, which is left out of everything that is signaled.
//!
//! It is the address from which the relay is used, for diagnosis alone (RFC 8839 §5.1). A member who uses the relay only to hide its address
//! would tell it to everybody.

/// A candidate attribute, or a line of a description that has one, without the related address if it is of a relay. Other text is returned
/// as it is.
#[must_use]
pub fn without_related_address(line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let is_relay = words.windows(2).any(|pair| pair == ["typ", "relay"]);
    let before = |at: usize| at.checked_sub(1).and_then(|at| words.get(at)).copied();
    let kept = words.iter().enumerate().map(|(at, word)| match before(at) {
        Some("raddr") if is_relay => {
            if word.contains(':') {
                "::"
            } else {
                "0.0.0.0"
            }
        }
        Some("rport") if is_relay => "9",
        _ => word,
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// A description without the related addresses of its relay candidates.
#[must_use]
pub fn description_without_related_addresses(sdp: &str) -> String {
    let line = |line: &str| match line.starts_with("a=candidate:") {
        true => without_related_address(line),
        false => line.to_owned(),
    };
    sdp.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_candidate_names_no_other_address_than_that_of_the_relay() {
        for (line, expected) in [
            (
                "candidate:1 1 udp 58597375 198.51.100.1 55753 typ relay raddr 203.0.113.7 rport 40375 generation 0 ufrag Iqzb",
                "candidate:1 1 udp 58597375 198.51.100.1 55753 typ relay raddr 0.0.0.0 rport 9 generation 0 ufrag Iqzb",
            ),
            (
                "candidate:1 1 UDP 1 2001:db8::1 5 typ relay raddr fd00::7 rport 4",
                "candidate:1 1 UDP 1 2001:db8::1 5 typ relay raddr :: rport 9",
            ),
            ("candidate:1 1 UDP 1 198.51.100.1 5 typ relay", "candidate:1 1 UDP 1 198.51.100.1 5 typ relay"),
            // The related address of a reflexive candidate is this computer's, which its host candidate names, too.
            (
                "candidate:1 1 UDP 1 203.0.113.7 5 typ srflx raddr 192.168.1.7 rport 4",
                "candidate:1 1 UDP 1 203.0.113.7 5 typ srflx raddr 192.168.1.7 rport 4",
            ),
            ("", ""),
            ("typ relay raddr", "typ relay raddr"),
        ] {
            assert_eq!(without_related_address(line), expected);
        }
    }

    #[test]
    fn a_description_keeps_everything_but_the_related_addresses() {
        let sdp = |raddr: &str, rport: &str| {
            format!(
                "v=0\r\ns=a raddr 203.0.113.7\r\na=candidate:1 1 udp 1 198.51.100.1 5 typ relay raddr {raddr} rport {rport} generation 0\r\na=mid:0\r\n"
            )
        };
        assert_eq!(description_without_related_addresses(&sdp("203.0.113.7", "40375")), sdp("0.0.0.0", "9"));
        assert_eq!(description_without_related_addresses("v=0\n"), "v=0\n");
    }
}
