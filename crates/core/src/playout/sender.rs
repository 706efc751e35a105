//! What the sender tells of itself, and how it is told.

use std::time::Duration;

use sightline_protocol::telemetry::{Limitation, MAX_TELEMETRY_BYTES, Sending, TelemetryMessage};

use super::SenderInterval;
use crate::{Timestamp, clock::page_time, stats::StatsEntry};

/// Messages further apart than this say nothing of what was between them.
const LONGEST: Duration = Duration::from_secs(10);

/// The message for the `telemetry` channel after a report; `None` where no picture is sent.
#[must_use]
pub fn sending_message(entries: &[StatsEntry], now: Timestamp) -> Option<String> {
    serde_json::to_string(&TelemetryMessage::Sending(sending(entries, now)?)).ok()
}

fn sending(entries: &[StatsEntry], now: Timestamp) -> Option<Sending> {
    let of_video = |entry_type: &'static str| {
        entries
            .iter()
            .filter(move |entry| entry.entry_type == entry_type && entry.kind.as_deref() == Some("video"))
    };
    let sent = of_video("outbound-rtp")
        .max_by(|a, b| a.frames_sent.unwrap_or(0.0).total_cmp(&b.frames_sent.unwrap_or(0.0)))?;
    Some(Sending {
        at_us: page_time(now),
        source_frames: of_video("media-source").find_map(|entry| entry.frames).map(whole),
        frames_sent: sent.frames_sent.or(sent.frames_encoded).map(whole),
        limitation: match sent.quality_limitation_reason.as_deref() {
            Some("cpu") => Limitation::Cpu,
            Some("bandwidth") => Limitation::Bandwidth,
            Some("other") => Limitation::Other,
            _ => Limitation::None,
        },
    })
}

/// Puts what the sender tells on this side's clock: the message that was quickest on its way shows how the two clocks
/// differ, but for the time of that way.
#[derive(Debug, Clone, Default)]
pub struct SenderTimeline {
    last: Option<Sending>,
    /// This side's clock less the sender's, in microseconds.
    offset_us: Option<i128>,
}

impl SenderTimeline {
    /// Takes a message of the `telemetry` channel. What is too long or not understood, and what is of something else, is
    /// ignored.
    pub fn handle_telemetry(&mut self, text: &str, now: Timestamp) -> Option<SenderInterval> {
        if text.len() > MAX_TELEMETRY_BYTES {
            return None;
        }
        match serde_json::from_str(text) {
            Ok(TelemetryMessage::Sending(message)) => self.handle_sending(message, now),
            _ => None,
        }
    }

    /// Takes a message; what it and the one before it say of the time between them.
    fn handle_sending(&mut self, message: Sending, now: Timestamp) -> Option<SenderInterval> {
        let now_us = i128::try_from(now.since_origin().as_micros()).ok()?;
        let offset_us = now_us - i128::from(message.at_us.get());
        let offset_us = self.offset_us.map_or(offset_us, |known| known.min(offset_us));
        self.offset_us = Some(offset_us);
        let last = self.last.replace(message)?;
        let here = |at_us: u64| {
            let us = u64::try_from(i128::from(at_us) + offset_us).ok()?;
            Some(Timestamp::from_origin(Duration::from_micros(us)))
        };
        let (from, to) = (here(last.at_us.get())?, here(message.at_us.get())?);
        if to <= from || to - from > LONGEST {
            return None;
        }
        let grown = |before: Option<u32>, after: Option<u32>| after?.checked_sub(before?);
        Some(SenderInterval {
            from,
            to,
            source_frames: grown(last.source_frames, message.source_frames),
            frames_sent: grown(last.frames_sent, message.frames_sent),
            limitation: message.limitation,
        })
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(at_ms: u64, frames: u32) -> Sending {
        Sending { at_us: page_time(at(at_ms)), frames_sent: Some(frames), ..Sending::default() }
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    #[test]
    fn two_messages_make_an_interval_on_this_sides_clock() {
        let mut timeline = SenderTimeline::default();
        assert_eq!(timeline.handle_sending(message(70_000, 100), at(5020)), None);
        // This one was held up on its way.
        let interval = timeline.handle_sending(message(71_000, 130), at(6500)).expect("an interval");
        assert_eq!((interval.from, interval.to, interval.frames_sent), (at(5020), at(6020), Some(30)));
        assert_eq!(interval.source_frames, None);
    }

    #[test]
    fn one_that_comes_late_or_counts_anew_says_nothing_of_frames() {
        let mut timeline = SenderTimeline::default();
        timeline.handle_sending(message(70_000, 100), at(5000));
        timeline.handle_sending(message(72_000, 160), at(7000));
        assert_eq!(timeline.handle_sending(message(71_000, 130), at(7001)), None);
        let anew = timeline.handle_sending(message(73_000, 3), at(8000)).expect("an interval");
        assert_eq!(anew.frames_sent, None);
    }
}
