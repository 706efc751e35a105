//! What every figure is: definition, unit and source, the same words as in `docs/measuring.md`.

use sightline_core::stats::Metric;

use crate::{language::Sentence, sentence};

/// The definition of a metric.
#[must_use]
pub fn metric_help(metric: Metric) -> Sentence {
    match metric {
        Metric::ReceiveBitrate => sentence!(help.receive_bitrate),
        Metric::SendBitrate => sentence!(help.send_bitrate),
        Metric::AvailableOutgoingBitrate => sentence!(help.available_outgoing_bitrate),
        Metric::FramesPerSecond => sentence!(help.frames_per_second),
        Metric::FramesPerSecondSent => sentence!(help.frames_per_second_sent),
        Metric::FrameWidth => sentence!(help.frame_width),
        Metric::FrameHeight => sentence!(help.frame_height),
        Metric::FrameWidthSent => sentence!(help.frame_width_sent),
        Metric::FrameHeightSent => sentence!(help.frame_height_sent),
        Metric::Codec => sentence!(help.codec),
        Metric::CodecSent => sentence!(help.codec_sent),
        Metric::AudioCodec => sentence!(help.audio_codec),
        Metric::RoundTripTime => sentence!(help.round_trip_time),
        Metric::Jitter => sentence!(help.jitter),
        Metric::PacketsLost => sentence!(help.packets_lost),
        Metric::LossRatio => sentence!(help.loss_ratio),
        Metric::FreezeCount => sentence!(help.freeze_count),
        Metric::TotalFreezesDuration => sentence!(help.total_freezes_duration),
        Metric::FramesDropped => sentence!(help.frames_dropped),
        Metric::AudioLevel => sentence!(help.audio_level),
        Metric::QualityLimitationReason => sentence!(help.quality_limitation_reason),
        Metric::Path => sentence!(help.path),
        Metric::Protocol => sentence!(help.protocol),
        Metric::ConnectionState => sentence!(help.connection_state),
        Metric::IceState => sentence!(help.ice_state),
        Metric::DtlsState => sentence!(help.dtls_state),
        Metric::SignalingState => sentence!(help.signaling_state),
        Metric::StallRatio => sentence!(help.stall_ratio),
        Metric::StallCount => sentence!(help.stall_count),
        Metric::StallTime => sentence!(help.stall_time),
        Metric::LongestStall => sentence!(help.longest_stall),
        Metric::StallsPerMinute => sentence!(help.stalls_per_minute),
        Metric::TimeToFirstFrame => sentence!(help.time_to_first_frame),
        Metric::FramesPresented => sentence!(help.frames_presented),
        Metric::FramesReceived => sentence!(help.frames_received),
        Metric::FramesDecoded => sentence!(help.frames_decoded),
        Metric::MeanReceiveBitrate => sentence!(help.mean_receive_bitrate),
        Metric::BytesReceived => sentence!(help.bytes_received),
        Metric::StampedFramesShown => sentence!(help.stamped_frames_shown),
        Metric::StampedFramesLost => sentence!(help.stamped_frames_lost),
        Metric::StampedFramesRepeated => sentence!(help.stamped_frames_repeated),
        Metric::StampedFramesLate => sentence!(help.stamped_frames_late),
        Metric::StampedFramesUnreadable => sentence!(help.stamped_frames_unreadable),
        Metric::StampedDelay => sentence!(help.stamped_delay),
        Metric::StampedDelayMean => sentence!(help.stamped_delay_mean),
        Metric::StampedDelayLongest => sentence!(help.stamped_delay_longest),
        Metric::ClockOffset => sentence!(help.clock_offset),
        Metric::ClockError => sentence!(help.clock_error),
        Metric::StampReadCost => sentence!(help.stamp_read_cost),
        Metric::RemoteReceiveBitrate => sentence!(help.remote_receive_bitrate),
        Metric::RemoteFrameWidth => sentence!(help.remote_frame_width),
        Metric::RemoteFrameHeight => sentence!(help.remote_frame_height),
        Metric::RemoteFramesPerSecond => sentence!(help.remote_frames_per_second),
        Metric::RemoteLossRatio => sentence!(help.remote_loss_ratio),
        Metric::RemoteJitter => sentence!(help.remote_jitter),
        Metric::RemoteFrozenRatio => sentence!(help.remote_frozen_ratio),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Locale;

    #[test]
    fn the_page_and_the_document_define_every_figure_in_the_same_words() {
        let document = include_str!("../../docs/measuring.md");
        for metric in Metric::ALL {
            let row = format!("| `{}` | {} |", metric.name(), metric_help(metric)(Locale::En));
            assert!(document.contains(&row), "{row}");
        }
    }
}
