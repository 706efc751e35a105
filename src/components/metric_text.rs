//! What every figure is called.

use sightline_core::stats::Metric;

use crate::{language::Sentence, sentence};

/// The name of a metric for people.
#[must_use]
pub fn metric_text(metric: Metric) -> Sentence {
    match metric {
        Metric::ReceiveBitrate => sentence!(metric.receive_bitrate),
        Metric::SendBitrate => sentence!(metric.send_bitrate),
        Metric::AvailableOutgoingBitrate => sentence!(metric.available_outgoing_bitrate),
        Metric::FramesPerSecond => sentence!(metric.frames_per_second),
        Metric::FramesPerSecondSent => sentence!(metric.frames_per_second_sent),
        Metric::FrameWidth => sentence!(metric.frame_width),
        Metric::FrameHeight => sentence!(metric.frame_height),
        Metric::FrameWidthSent => sentence!(metric.frame_width_sent),
        Metric::FrameHeightSent => sentence!(metric.frame_height_sent),
        Metric::Codec => sentence!(metric.codec),
        Metric::CodecSent => sentence!(metric.codec_sent),
        Metric::AudioCodec => sentence!(metric.audio_codec),
        Metric::RoundTripTime => sentence!(metric.round_trip_time),
        Metric::Jitter => sentence!(metric.jitter),
        Metric::PacketsLost => sentence!(metric.packets_lost),
        Metric::LossRatio => sentence!(metric.loss_ratio),
        Metric::FreezeCount => sentence!(metric.freeze_count),
        Metric::TotalFreezesDuration => sentence!(metric.total_freezes_duration),
        Metric::FramesDropped => sentence!(metric.frames_dropped),
        Metric::AudioLevel => sentence!(metric.audio_level),
        Metric::QualityLimitationReason => sentence!(metric.quality_limitation_reason),
        Metric::Path => sentence!(metric.path),
        Metric::Protocol => sentence!(metric.protocol),
        Metric::ConnectionState => sentence!(metric.connection_state),
        Metric::IceState => sentence!(metric.ice_state),
        Metric::DtlsState => sentence!(metric.dtls_state),
        Metric::SignalingState => sentence!(metric.signaling_state),
        Metric::StallRatio => sentence!(metric.stall_ratio),
        Metric::StallCount => sentence!(metric.stall_count),
        Metric::StallTime => sentence!(metric.stall_time),
        Metric::LongestStall => sentence!(metric.longest_stall),
        Metric::StallsPerMinute => sentence!(metric.stalls_per_minute),
        Metric::TimeToFirstFrame => sentence!(metric.time_to_first_frame),
        Metric::FramesPresented => sentence!(metric.frames_presented),
        Metric::FramesReceived => sentence!(metric.frames_received),
        Metric::FramesDecoded => sentence!(metric.frames_decoded),
        Metric::MeanReceiveBitrate => sentence!(metric.mean_receive_bitrate),
        Metric::BytesReceived => sentence!(metric.bytes_received),
        Metric::RemoteReceiveBitrate => sentence!(metric.remote_receive_bitrate),
        Metric::RemoteFrameWidth => sentence!(metric.remote_frame_width),
        Metric::RemoteFrameHeight => sentence!(metric.remote_frame_height),
        Metric::RemoteFramesPerSecond => sentence!(metric.remote_frames_per_second),
        Metric::RemoteLossRatio => sentence!(metric.remote_loss_ratio),
        Metric::RemoteJitter => sentence!(metric.remote_jitter),
        Metric::RemoteFrozenRatio => sentence!(metric.remote_frozen_ratio),
    }
}
