//! The details of a connection besides its figures: candidate pairs, codecs, ciphers and descriptions.

use sightline_protocol::text::without_invisible;

use crate::measure::entry::{StatsEntry, selected_pair_id};

/// Maximum number of candidate pairs shown; the pair in use is always included.
const MAX_PAIRS: usize = 16;
/// Maximum number of media entries shown.
const MAX_MEDIA: usize = 32;
/// Maximum length of a text from the other side, such as an address or a codec with its parameters.
const MAX_TEXT_CHARS: usize = 1_000;

/// The details of a peer connection that are not figures. `None` means that the browser does not report the value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionDetails {
    /// One entry for each direction and kind of media.
    pub media: Vec<MediaDetail>,
    /// Candidate pairs; the pair in use comes first.
    pub pairs: Vec<CandidatePair>,
    /// `dtlsCipher` of the transport.
    pub dtls_cipher: Option<String>,
    /// `srtpCipher` of the transport.
    pub srtp_cipher: Option<String>,
    /// SDP of `localDescription`.
    pub local_sdp: Option<String>,
    /// SDP of `remoteDescription`.
    pub remote_sdp: Option<String>,
}

/// How one kind of media is encoded in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaDetail {
    /// Whether this page sends the media.
    pub is_sent: bool,
    /// `audio` or `video`.
    pub kind: String,
    /// Media type of the codec, such as `video/VP8`.
    pub mime_type: Option<String>,
    /// Parameters of the `fmtp` line of the SDP.
    pub parameters: Option<String>,
    /// Name of the encoder or decoder.
    pub implementation: Option<String>,
    /// Width and height in pixels, for video.
    pub resolution: Option<(u32, u32)>,
    /// `qualityLimitationReason`, for video that this page sends.
    pub limitation: Option<String>,
}

/// A pair of a local and a remote candidate, as ICE checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidatePair {
    /// Whether the connection uses this pair.
    pub is_selected: bool,
    /// `state` of the pair.
    pub state: String,
    /// The local candidate.
    pub local: Candidate,
    /// The remote candidate.
    pub remote: Candidate,
}

/// One end of a candidate pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// `host`, `srflx`, `prflx` or `relay`.
    pub candidate_type: Option<String>,
    /// `udp` or `tcp`; for a relay candidate the protocol to the TURN server.
    pub protocol: Option<String>,
    /// Address and port; `None` if the browser hides the address.
    pub address: Option<String>,
}

impl ConnectionDetails {
    /// Extracts the details from a stats report, without the descriptions.
    #[must_use]
    pub fn new(entries: &[StatsEntry]) -> Self {
        let find =
            |id: &Option<String>| id.as_ref().and_then(|id| entries.iter().find(|entry| entry.id == *id));
        let transport = entries.iter().find(|entry| entry.entry_type == "transport");
        let selected = selected_pair_id(entries);
        let is_selected = |pair: &StatsEntry| Some(pair.id.as_str()) == selected;
        let mut pairs: Vec<_> = entries.iter().filter(|entry| entry.entry_type == "candidate-pair").collect();
        pairs.sort_by_key(|pair| (!is_selected(pair), pair.state.as_deref() != Some("succeeded")));
        // Before the look-up of their candidates, since the other side determines the number of pairs.
        pairs.truncate(MAX_PAIRS);
        let pairs = pairs.into_iter().map(|pair| CandidatePair {
            is_selected: is_selected(pair),
            state: pair.state.clone().unwrap_or_default(),
            local: find(&pair.local_candidate_id).map(candidate).unwrap_or_default(),
            remote: find(&pair.remote_candidate_id).map(candidate).unwrap_or_default(),
        });
        let pairs = pairs.collect();
        let streams = entries.iter().filter(|entry| is_sent(entry).is_some()).take(MAX_MEDIA);
        Self {
            media: streams.filter_map(|entry| media(entry, find(&entry.codec_id))).collect(),
            pairs,
            dtls_cipher: transport.and_then(|transport| transport.dtls_cipher.clone()),
            srtp_cipher: transport.and_then(|transport| transport.srtp_cipher.clone()),
            local_sdp: None,
            remote_sdp: None,
        }
    }

    /// The pair in use, as text for a log.
    #[must_use]
    pub fn selected_pair(&self) -> Option<String> {
        let CandidatePair { local, remote, .. } = self.pairs.iter().find(|pair| pair.is_selected)?;
        Some(format!("{} - {}", local.text("*"), remote.text("*")))
    }
}

impl Candidate {
    /// Type, protocol and address in one line; `hidden` replaces an address that the browser hides.
    #[must_use]
    pub fn text(&self, hidden: &str) -> String {
        let words = [self.candidate_type.as_deref(), self.protocol.as_deref(), self.address.as_deref()];
        let [candidate_type, protocol, address] = words.map(Option::unwrap_or_default);
        let address = if address.is_empty() { hidden } else { address };
        [candidate_type, protocol, address].join(" ").trim().to_owned()
    }
}

fn candidate(entry: &StatsEntry) -> Candidate {
    let address = entry.address.as_ref().filter(|address| !address.is_empty() && *address != "(redacted)");
    Candidate {
        candidate_type: entry.candidate_type.clone(),
        protocol: entry.relay_protocol.clone().or_else(|| entry.protocol.clone()),
        address: address.map(|address| {
            let address = readable(address);
            let port = entry.port.unwrap_or_default();
            if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
        }),
    }
}

/// A text from the other side, made safe to show.
fn readable(text: &str) -> String {
    without_invisible(&text.chars().take(MAX_TEXT_CHARS).collect::<String>())
}

/// Whether the entry is about media that this page sends; `None` for entries that are not about media.
fn is_sent(entry: &StatsEntry) -> Option<bool> {
    match entry.entry_type.as_str() {
        "outbound-rtp" => Some(true),
        "inbound-rtp" => Some(false),
        _ => None,
    }
}

fn media(entry: &StatsEntry, codec: Option<&StatsEntry>) -> Option<MediaDetail> {
    let is_sent = is_sent(entry)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
    let size = |size: f64| size as u32;
    let implementation = if is_sent { &entry.encoder_implementation } else { &entry.decoder_implementation };
    Some(MediaDetail {
        is_sent,
        kind: entry.kind.clone().unwrap_or_default(),
        mime_type: codec.and_then(|codec| codec.mime_type.as_deref()).map(readable),
        parameters: codec.and_then(|codec| codec.sdp_fmtp_line.as_deref()).map(readable),
        implementation: implementation.clone(),
        resolution: entry.frame_width.map(size).zip(entry.frame_height.map(size)),
        limitation: entry.quality_limitation_reason.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(entries: serde_json::Value) -> Vec<StatsEntry> {
        serde_json::from_value(entries).expect("entries")
    }

    #[test]
    fn the_pair_in_use_comes_first_with_its_addresses() {
        let details = ConnectionDetails::new(&report(json!([
            {"type": "candidate-pair", "id": "P1", "state": "failed", "localCandidateId": "L", "remoteCandidateId": "R"},
            {"type": "candidate-pair", "id": "P2", "state": "succeeded", "localCandidateId": "L", "remoteCandidateId": "R"},
            {"type": "transport", "id": "T", "selectedCandidatePairId": "P2", "srtpCipher": "AEAD_AES_128_GCM"},
            {"type": "local-candidate", "id": "L", "candidateType": "relay", "protocol": "udp", "relayProtocol": "tcp",
             "address": "192.0.2.1", "port": 5000},
            {"type": "remote-candidate", "id": "R", "candidateType": "host", "protocol": "udp", "address": "2001:db8::1", "port": 6000},
        ])));
        assert_eq!(details.pairs.len(), 2);
        assert!(details.pairs[0].is_selected && !details.pairs[1].is_selected);
        assert_eq!(
            details.selected_pair().as_deref(),
            Some("relay tcp 192.0.2.1:5000 - host udp [2001:db8::1]:6000")
        );
        assert_eq!(details.srtp_cipher.as_deref(), Some("AEAD_AES_128_GCM"));
        assert_eq!(details.dtls_cipher, None);
    }

    #[test]
    fn an_address_that_the_browser_hides_is_not_made_up() {
        let candidates = report(json!([
            {"type": "remote-candidate", "id": "R", "candidateType": "prflx", "protocol": "udp", "address": "", "port": 6000},
            {"type": "remote-candidate", "id": "F", "candidateType": "host", "protocol": "udp", "address": "(redacted)", "port": 6},
        ]));
        assert_eq!(candidate(&candidates[0]).text("hidden"), "prflx udp hidden");
        assert_eq!(candidate(&candidates[1]).address, None);
    }

    #[test]
    fn each_direction_has_its_codec() {
        let details = ConnectionDetails::new(&report(json!([
            {"type": "inbound-rtp", "id": "I", "kind": "video", "codecId": "C", "frameWidth": 640, "frameHeight": 360},
            {"type": "outbound-rtp", "id": "O", "kind": "audio", "encoderImplementation": "x"},
            {"type": "codec", "id": "C", "mimeType": "video/VP9", "sdpFmtpLine": "profile-id=0"},
        ])));
        let [video, audio] = details.media.as_slice() else { panic!("{details:?}") };
        assert_eq!(
            (video.is_sent, video.mime_type.as_deref(), video.resolution),
            (false, Some("video/VP9"), Some((640, 360)))
        );
        assert_eq!((audio.is_sent, audio.mime_type.as_deref(), audio.resolution), (true, None, None));
    }

    #[test]
    fn hidden_characters_in_a_remote_address_or_codec_are_not_shown() {
        let long = "x".repeat(5_000);
        let details = ConnectionDetails::new(&report(json!([
            {"type": "candidate-pair", "id": "P", "state": "succeeded", "selected": true, "remoteCandidateId": "R"},
            {"type": "remote-candidate", "id": "R", "candidateType": "host", "protocol": "udp", "address": "a\u{202e}b\u{e0041}.local",
             "port": 9},
            {"type": "inbound-rtp", "id": "I", "kind": "video", "codecId": "C"},
            {"type": "codec", "id": "C", "mimeType": "video/\u{200b}VP8", "sdpFmtpLine": long},
        ])));
        assert_eq!(details.pairs[0].remote.address.as_deref(), Some("ab.local:9"));
        assert_eq!(details.media[0].mime_type.as_deref(), Some("video/VP8"));
        assert_eq!(details.media[0].parameters.as_ref().map(String::len), Some(MAX_TEXT_CHARS));
    }

    #[test]
    fn a_report_with_a_thousand_streams_is_shown_in_part() {
        let entries: Vec<_> = (0..1000)
            .map(|number| json!({"type": "inbound-rtp", "id": format!("I{number}"), "codecId": format!("C{number}")}))
            .collect();
        assert_eq!(ConnectionDetails::new(&report(entries.into())).media.len(), MAX_MEDIA);
    }

    #[test]
    fn a_report_with_a_thousand_pairs_is_shown_in_part() {
        let entries: Vec<_> = (0..1000)
            .map(|number| json!({"type": "candidate-pair", "id": format!("P{number}"), "state": "waiting", "selected": number == 999}))
            .collect();
        let mut entries = report(entries.into());
        entries[999].state = Some("succeeded".to_owned());
        let details = ConnectionDetails::new(&entries);
        assert_eq!(details.pairs.len(), MAX_PAIRS);
        assert!(details.pairs[0].is_selected);
    }
}
