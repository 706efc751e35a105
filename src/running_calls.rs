//! Passes a description of the running calls to the connection doctor in another tab, in the fragment of its address, which no
//! server receives. It contains no addresses, since a link may be passed on by mistake.

use sightline_core::measure::connection::LinkPath;
use sightline_protocol::text::without_invisible;

use crate::session::model::TileModel;
use leptos::prelude::*;

const FRAGMENT: &str = "#calls=";
const MAX_LINES: usize = 16;
const MAX_LINE_CHARS: usize = 80;

/// One line for each other member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningCalls(pub Vec<String>);

impl RunningCalls {
    /// Describes the connections to these members.
    #[must_use]
    pub fn of(others: &[TileModel]) -> Self {
        Self(others.iter().take(MAX_LINES).map(line).collect())
    }

    /// The text for the fragment of the doctor's address.
    #[must_use]
    pub fn to_fragment(&self) -> String {
        let lines = self.0.join("\n");
        format!("{FRAGMENT}{}", form_urlencoded::byte_serialize(lines.as_bytes()).collect::<String>())
    }

    /// Reads the output of [`Self::to_fragment`]; `None` for another fragment.
    #[must_use]
    pub fn from_fragment(fragment: &str) -> Option<Self> {
        let encoded = fragment.strip_prefix(FRAGMENT)?;
        let (lines, _) = form_urlencoded::parse(encoded.as_bytes()).next()?;
        let cut = |line: &str| without_invisible(&line.chars().take(MAX_LINE_CHARS).collect::<String>());
        Some(Self(lines.lines().take(MAX_LINES).map(cut).collect()))
    }
}

fn line(tile: &TileModel) -> String {
    let state = tile.state.get_untracked().as_str();
    let path = tile.path.get_untracked().map_or("", LinkPath::as_str);
    let pair = tile.pair.get_untracked().unwrap_or_default();
    [state, path, &without_addresses(&pair)]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Turns `relay udp 192.0.2.1:5000 - host udp *` into `relay udp - host udp`.
fn without_addresses(pair: &str) -> String {
    pair.split(' ').filter(|word| !word.contains([':', '*', '.'])).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_running_calls_reads_back_equal() {
        let calls = RunningCalls(vec![
            "connected, relay, relay udp - host udp".to_owned(),
            "failed & <b>".to_owned(),
        ]);
        assert_eq!(RunningCalls::from_fragment(&calls.to_fragment()), Some(calls));
    }

    #[test]
    fn an_oversized_list_is_cut_and_an_invalid_fragment_is_ignored() {
        let calls = RunningCalls(vec!["x".repeat(1000); 100]);
        let read = RunningCalls::from_fragment(&calls.to_fragment()).expect("calls");
        assert_eq!((read.0.len(), read.0[0].len()), (MAX_LINES, MAX_LINE_CHARS));
        let hidden = RunningCalls(vec!["relay\u{202e} udp\u{200b}\u{e0041}".to_owned()]);
        assert_eq!(RunningCalls::from_fragment(&hidden.to_fragment()).expect("calls").0, ["relay udp"]);
        for fragment in ["", "#", "#report=abc", "#calls"] {
            assert_eq!(RunningCalls::from_fragment(fragment), None, "{fragment}");
        }
    }

    #[test]
    fn addresses_are_removed_from_a_candidate_pair() {
        let pair = "relay tcp 192.0.2.1:5000 - host udp [2001:db8::1]:6000";
        assert_eq!(without_addresses(pair), "relay tcp - host udp");
        assert_eq!(without_addresses("prflx udp * - host udp abc.local:4"), "prflx udp - host udp");
    }
}
