//! The messages in which a sender reports about itself, and their use at the receiver.

use std::time::Duration;

use sightline_protocol::{
    bounded::UpTo,
    telemetry::{Limitation, Sending, SentPicture},
};

use crate::{
    Timestamp,
    measure::{clock::ClockSync, entry::StatsEntry},
};

/// The sender's report about the time between two of its messages, on the local clock.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SenderInterval {
    /// Start of the interval.
    pub from: Timestamp,
    /// End of the interval.
    pub to: Timestamp,
    /// Number of frames that the sender's source delivered; `None` if its browser does not report it.
    pub source_frames: Option<u32>,
    /// Number of frames that the sender sent.
    pub frames_sent: Option<u32>,
    /// Number of sound packets that the sender sent.
    pub sound_packets: Option<u32>,
    /// `qualityLimitationReason` at the end of the interval.
    pub limitation: Limitation,
    /// How much later than the fastest message the message at the end of the interval arrived: the queues on the path.
    pub late: Duration,
    /// How the picture was encoded and sent.
    pub picture: IntervalPicture,
}

/// How the sender encoded and sent its picture in an interval. `None` means that its browser does not report the value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct IntervalPicture {
    /// Number of frames encoded.
    pub frames_encoded: Option<u32>,
    /// Time spent to encode them.
    pub encode: Option<Duration>,
    /// Number of packets sent.
    pub packets: Option<u32>,
    /// Number of packets sent again.
    pub retransmitted: Option<u32>,
    /// Time that all packets together waited before they were sent.
    pub send_delay: Option<Duration>,
    /// Number of packets of which the sender heard that they were lost.
    pub lost: Option<u32>,
    /// Target of the encoder at the end of the interval, in bit/s.
    pub target_bps: Option<u32>,
    /// Round-trip time at the end of the interval.
    pub round_trip: Option<Duration>,
    /// The longest time for which the sender's page had no time for its timers.
    pub busy: Option<Duration>,
}

/// If messages are further apart, the interval between them is discarded.
const LONGEST: Duration = Duration::from_secs(10);

/// The message to send to the other side after a report; `None` if neither picture nor sound is sent.
#[must_use]
pub fn sending(entries: &[StatsEntry], now: Timestamp) -> Option<Sending> {
    let of_kind = |kind: &'static str, entry_type: &'static str| {
        entries
            .iter()
            .filter(move |entry| entry.entry_type == entry_type && entry.kind.as_deref() == Some(kind))
    };
    let sent = of_kind("video", "outbound-rtp")
        .max_by(|a, b| a.frames_sent.unwrap_or(0.0).total_cmp(&b.frames_sent.unwrap_or(0.0)));
    // The report has an entry even for a sender without a track.
    let sound = of_kind("audio", "outbound-rtp").filter_map(|entry| entry.packets_sent);
    let sound_packets = sound.reduce(|a, b| a + b).filter(|packets| *packets > 0.0).map(whole);
    if sent.is_none() && sound_packets.is_none() {
        return None;
    }
    Some(Sending {
        at_us: now.page_time(),
        source_frames: of_kind("video", "media-source").find_map(|entry| entry.frames).map(whole),
        frames_sent: sent.and_then(|sent| sent.frames_sent.or(sent.frames_encoded)).map(whole),
        sound_packets,
        limitation: match sent.and_then(|sent| sent.quality_limitation_reason.as_deref()) {
            Some("cpu") => Limitation::Cpu,
            Some("bandwidth") => Limitation::Bandwidth,
            Some("other") => Limitation::Other,
            _ => Limitation::None,
        },
        picture: sent.map(|sent| sent_picture(sent, entries)).unwrap_or_default(),
    })
}

fn sent_picture(sent: &StatsEntry, entries: &[StatsEntry]) -> SentPicture {
    let milliseconds = |seconds: Option<f64>| seconds.map(|seconds| whole(seconds * 1e3));
    let heard = entries.iter().find(|entry| {
        entry.entry_type == "remote-inbound-rtp"
            && entry.kind.as_deref() == Some("video")
            && (entry.ssrc.is_none() || entry.ssrc == sent.ssrc)
    });
    SentPicture {
        frames_encoded: sent.frames_encoded.map(whole),
        encode_ms: milliseconds(sent.total_encode_time),
        packets: sent.packets_sent.map(whole),
        retransmitted: sent.retransmitted_packets_sent.map(whole),
        send_delay_ms: milliseconds(sent.total_packet_send_delay),
        lost: heard.and_then(|heard| heard.packets_lost).map(whole),
        target_bps: sent.target_bitrate.map(whole),
        round_trip_ms: heard
            .and_then(|heard| heard.round_trip_time)
            .map(|seconds| UpTo::rounded(seconds * 1e3)),
        busy_ms: None,
    }
}

/// Converts the sender's messages to the local clock: to the earliest time at which data sent along with the message can have
/// arrived.
#[derive(Debug, Clone, Default)]
pub struct SenderTimeline {
    last: Option<Sending>,
}

impl SenderTimeline {
    /// Takes a message that arrived now. Returns the interval between it and the message before. `clock` estimates the sender's
    /// clock and is updated with the message.
    pub fn handle_sending(
        &mut self,
        message: Sending,
        clock: &mut ClockSync,
        now: Timestamp,
    ) -> Option<SenderInterval> {
        clock.handle_arrival(message.at_us, now);
        let last = self.last.replace(message)?;
        let (from, to) = (clock.arrival(last.at_us)?, clock.arrival(message.at_us)?);
        if to <= from || to - from > LONGEST {
            return None;
        }
        let grown = |before: Option<u32>, after: Option<u32>| after?.checked_sub(before?);
        Some(SenderInterval {
            from,
            to,
            source_frames: grown(last.source_frames, message.source_frames),
            frames_sent: grown(last.frames_sent, message.frames_sent),
            sound_packets: grown(last.sound_packets, message.sound_packets),
            limitation: message.limitation,
            late: now - to,
            picture: IntervalPicture {
                frames_encoded: grown(last.picture.frames_encoded, message.picture.frames_encoded),
                encode: grown(last.picture.encode_ms, message.picture.encode_ms).map(milliseconds),
                packets: grown(last.picture.packets, message.picture.packets),
                retransmitted: grown(last.picture.retransmitted, message.picture.retransmitted),
                send_delay: grown(last.picture.send_delay_ms, message.picture.send_delay_ms)
                    .map(milliseconds),
                lost: grown(last.picture.lost, message.picture.lost),
                target_bps: message.picture.target_bps,
                round_trip: message.picture.round_trip_ms.map(|ms| Duration::from_millis(ms.get())),
                busy: message.picture.busy_ms.map(|ms| Duration::from_millis(ms.get())),
            },
        })
    }
}

fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(at_ms: u64, frames: u32) -> Sending {
        Sending { at_us: at(at_ms).page_time(), frames_sent: Some(frames), ..Sending::default() }
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    #[test]
    fn two_messages_make_an_interval_on_this_sides_clock() {
        let (mut timeline, mut clock) = (SenderTimeline::default(), ClockSync::default());
        assert_eq!(timeline.handle_sending(message(70_000, 100), &mut clock, at(5020)), None);
        // This message was delayed in the network.
        let interval =
            timeline.handle_sending(message(71_000, 130), &mut clock, at(6500)).expect("an interval");
        assert_eq!((interval.from, interval.to, interval.frames_sent), (at(5020), at(6020), Some(30)));
        assert_eq!(interval.source_frames, None);
    }

    #[test]
    fn one_that_comes_late_or_counts_anew_says_nothing_of_frames() {
        let (mut timeline, mut clock) = (SenderTimeline::default(), ClockSync::default());
        timeline.handle_sending(message(70_000, 100), &mut clock, at(5000));
        timeline.handle_sending(message(72_000, 160), &mut clock, at(7000));
        assert_eq!(timeline.handle_sending(message(71_000, 130), &mut clock, at(7001)), None);
        let anew = timeline.handle_sending(message(73_000, 3), &mut clock, at(8000)).expect("an interval");
        assert_eq!(anew.frames_sent, None);
    }
}
