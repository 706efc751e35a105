//! Detects that the picture of a member does not arrive although the connection carries everything else: a fault of a browser, which
//! only another peer connection mends.

use std::time::Duration;

use sightline_protocol::telemetry::{Limitation, Sending};

use crate::{Timestamp, measure::entry::StatsEntry};

/// Time without a frame after which the picture is missing.
const SILENT: Duration = Duration::from_secs(8);
/// Number of frames that the sender must have counted in that time.
const FRAMES: u32 = 20;
/// Number of messages of the sender in that time: after a cut a single one brings the frames of the whole cut.
const MESSAGES: u32 = 4;

/// Watches one peer connection.
#[derive(Debug, Default)]
pub(super) struct MissingPicture {
    last: Option<LastFrame>,
    /// The sender's counts when the last frame came, its latest counts, and the number of its messages in between.
    sent: Option<(Sending, Sending, u32)>,
    /// Whether the fault was reported: another connection is a matter of the caller.
    is_told: bool,
}

/// The report with the last frame that arrived.
#[derive(Debug, Clone, Copy)]
struct LastFrame {
    frames: f64,
    packets: f64,
    at: Timestamp,
}

impl MissingPicture {
    /// Takes a report of this side's browser. Returns whether the picture is missing; true once for each connection.
    pub(super) fn handle_report(&mut self, entries: &[StatsEntry], now: Timestamp) -> bool {
        let sum = |of: fn(&StatsEntry) -> Option<f64>| {
            let is_video = |entry: &&StatsEntry| {
                entry.entry_type == "inbound-rtp" && entry.kind.as_deref() == Some("video")
            };
            entries.iter().filter(is_video).filter_map(of).sum::<f64>()
        };
        let (frames, packets) = (sum(|entry| entry.frames_received), sum(|entry| entry.packets_received));
        // Counters that start again are a sign of life, too: Firefox makes another stream for another track.
        let is_same = |last: &LastFrame| frames.total_cmp(&last.frames).is_eq() && packets >= last.packets;
        let Some(last) = self.last.filter(is_same) else {
            self.last = Some(LastFrame { frames, packets, at: now });
            self.sent = self.sent.map(|(_, latest, _)| (latest, latest, 0));
            return false;
        };
        let is_missing = !self.is_told && now - last.at >= SILENT && self.is_sent(packets - last.packets);
        self.is_told |= is_missing;
        is_missing
    }

    /// Takes the sender's counts.
    pub(super) fn handle_sending(&mut self, sending: Sending) {
        let (first, messages) = self.sent.map_or((sending, 0), |(first, _, messages)| (first, messages));
        self.sent = Some((first, sending, messages.saturating_add(1)));
    }

    /// Whether the sender sent frames of which next to nothing arrived, or has frames that it does not send without being limited.
    /// `packets` arrived since the last frame: a path that loses many packets is no fault of the connection, and without a picture
    /// Chromium sends some padding every five seconds.
    fn is_sent(&self, packets: f64) -> bool {
        let Some((first, latest, messages)) = &self.sent else { return false };
        let grown = |of: fn(&Sending) -> Option<u32>| {
            of(latest).zip(of(first)).map_or(0, |(latest, first)| latest.saturating_sub(first))
        };
        let is_unlimited = latest.limitation == Limitation::None;
        let frames = grown(|sending| sending.frames_sent).max(if is_unlimited {
            grown(|sending| sending.source_frames)
        } else {
            0
        });
        *messages >= MESSAGES && frames >= FRAMES && packets * 2.0 < f64::from(frames)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NONE: [u64; 0] = [];

    fn report(frames: Option<u32>) -> Vec<StatsEntry> {
        let video = frames.map(|frames| {
            json!({"type": "inbound-rtp", "kind": "video", "id": "V", "timestamp": 0, "packetsReceived": 15,
                "framesReceived": frames})
        });
        let sound = json!({"type": "inbound-rtp", "kind": "audio", "id": "A", "timestamp": 0, "packetsReceived": 900});
        let entries: Vec<_> = video.into_iter().chain([sound]).collect();
        serde_json::from_value(entries.into()).expect("entries")
    }

    fn counts(source: u32, sent: u32) -> Sending {
        Sending { source_frames: Some(source), frames_sent: Some(sent), ..Sending::default() }
    }

    /// The seconds at which the picture is missing, of a connection on which so many frames have arrived each second, and these counts are
    /// told.
    fn missing(seconds: impl Iterator<Item = (Option<u32>, Sending)>) -> Vec<u64> {
        let mut watch = MissingPicture::default();
        let mut told = Vec::new();
        for (second, (frames, sending)) in (1..).zip(seconds) {
            if watch.handle_report(&report(frames), Timestamp::ZERO + Duration::from_secs(second)) {
                told.push(second);
            }
            watch.handle_sending(sending);
        }
        told
    }

    #[test]
    fn a_picture_that_is_sent_and_never_arrives_is_missing_once() {
        assert_eq!(missing((1..30).map(|second| (None, counts(second * 15, second * 15)))), [9]);
    }

    #[test]
    fn a_picture_that_has_a_source_and_is_never_sent_is_missing() {
        assert_eq!(missing((1..30).map(|second| (None, counts(second * 15, 0)))), [9]);
    }

    #[test]
    fn a_picture_that_stops_to_arrive_while_it_is_sent_is_missing() {
        let seconds = (1..30).map(|second| (Some(second.min(10) * 15), counts(second * 15, second * 15)));
        assert_eq!(missing(seconds), [18]);
    }

    #[test]
    fn a_picture_that_arrives_is_not_missing() {
        assert_eq!(
            missing((1..60).map(|second| (Some(second * 15), counts(second * 15, second * 15)))),
            NONE
        );
    }

    #[test]
    fn without_a_source_and_with_one_that_stands_still_nothing_is_missing() {
        assert_eq!(missing((1..60).map(|_| (None, Sending::default()))), NONE);
        assert_eq!(missing((1..60).map(|second| (Some(9), counts(second.min(9), second.min(9))))), NONE);
    }

    #[test]
    fn frames_that_are_not_sent_for_lack_of_bandwidth_or_time_are_not_missing() {
        for limitation in [Limitation::Bandwidth, Limitation::Cpu] {
            let seconds =
                (1..60).map(|second| (None, Sending { limitation, ..counts(second * 15, second.min(5)) }));
            assert_eq!(missing(seconds), NONE, "{limitation:?}");
        }
    }

    #[test]
    fn after_a_cut_the_first_message_does_not_make_the_picture_missing() {
        let mut watch = MissingPicture::default();
        let at = |second| Timestamp::ZERO + Duration::from_secs(second);
        for second in 1..10 {
            watch.handle_report(&report(Some(second * 15)), at(second.into()));
            watch.handle_sending(counts(second * 15, second * 15));
        }
        watch.handle_sending(counts(600, 600));
        assert!(!watch.handle_report(&report(Some(135)), at(40)));
    }

    #[test]
    fn a_path_that_loses_most_packets_is_not_a_fault_of_the_connection() {
        let mut watch = MissingPicture::default();
        for second in 1..60_u32 {
            let entries = json!([{"type": "inbound-rtp", "kind": "video", "id": "V", "timestamp": 0, "framesReceived": 0,
                "packetsReceived": second * 20}]);
            let entries: Vec<StatsEntry> = serde_json::from_value(entries).expect("entries");
            assert!(!watch.handle_report(&entries, Timestamp::ZERO + Duration::from_secs(second.into())));
            watch.handle_sending(counts(second * 15, second * 15));
        }
    }

    #[test]
    fn counters_that_start_again_below_the_last_count_are_not_missing_frames() {
        let frames = |second: u32| if second < 20 { second * 15 } else { (second - 19) * 15 };
        let seconds = (1..60).map(|second| (Some(frames(second)), counts(second * 15, second * 15)));
        assert_eq!(missing(seconds), NONE);
    }

    #[test]
    fn a_slide_a_second_that_arrives_late_is_not_missing() {
        assert_eq!(missing((1..60).map(|second| (Some(second / 5 * 5), counts(second, second)))), NONE);
    }
}
