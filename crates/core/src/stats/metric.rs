//! The rows that a person or a test reads: names, units, values.

/// What a figure is. Names follow W3C webrtc-stats in snake case where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "`unit` and docs/measuring.md define each")]
pub enum Metric {
    ReceiveBitrate,
    SendBitrate,
    AvailableOutgoingBitrate,
    FramesPerSecond,
    FramesPerSecondSent,
    FrameWidth,
    FrameHeight,
    FrameWidthSent,
    FrameHeightSent,
    Codec,
    CodecSent,
    AudioCodec,
    RoundTripTime,
    Jitter,
    PacketsLost,
    LossRatio,
    FreezeCount,
    TotalFreezesDuration,
    FramesDropped,
    AudioLevel,
    QualityLimitationReason,
    Path,
    Protocol,
    ConnectionState,
    IceState,
    DtlsState,
    SignalingState,
    // How the picture was shown since it was first expected, by its frames.
    StallRatio,
    StallCount,
    StallTime,
    LongestStall,
    StallsPerMinute,
    TimeToFirstFrame,
    FramesPresented,
    FramesReceived,
    FramesDecoded,
    MeanReceiveBitrate,
    BytesReceived,
    // What is known of a source whose every frame carries a stamp.
    StampedFramesShown,
    StampedFramesLost,
    StampedFramesRepeated,
    StampedFramesLate,
    StampedFramesUnreadable,
    StampedDelay,
    StampedDelayMean,
    StampedDelayLongest,
    ClockOffset,
    ClockError,
    StampReadCost,
    // How the other side receives what is sent from here, as it tells over the `telemetry` channel.
    RemoteReceiveBitrate,
    RemoteFrameWidth,
    RemoteFrameHeight,
    RemoteFramesPerSecond,
    RemoteLossRatio,
    RemoteJitter,
    RemoteFrozenRatio,
}

/// How a figure's number is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bits a second.
    BitsPerSecond,
    /// Seconds.
    Seconds,
    /// Between 0 and 1.
    Ratio,
    /// Frames a second.
    FramesPerSecond,
    /// Pixels.
    Pixels,
    /// A number of things since the connection was made.
    Count,
    /// Things a minute.
    PerMinute,
    /// Bytes.
    Bytes,
    /// Not a number.
    Word,
}

/// The value of one figure.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureValue {
    /// In the base unit of its [`Unit`].
    Number(f64),
    /// A word of the field, not translated.
    Word(String),
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is.
    pub metric: Metric,
    /// `None` where the browser has no such figure, or there is nothing to measure: never zero instead.
    pub value: Option<FigureValue>,
}

impl Metric {
    /// Every metric in the order in which they are shown.
    pub const ALL: [Self; 56] = [
        Self::ReceiveBitrate,
        Self::SendBitrate,
        Self::FramesPerSecond,
        Self::FrameWidth,
        Self::FrameHeight,
        Self::RoundTripTime,
        Self::LossRatio,
        Self::Jitter,
        Self::Codec,
        Self::Path,
        Self::StallRatio,
        Self::StallCount,
        Self::StallTime,
        Self::LongestStall,
        Self::StallsPerMinute,
        Self::FreezeCount,
        Self::TotalFreezesDuration,
        Self::TimeToFirstFrame,
        Self::MeanReceiveBitrate,
        Self::BytesReceived,
        Self::FramesReceived,
        Self::FramesDecoded,
        Self::FramesPresented,
        Self::PacketsLost,
        Self::FramesDropped,
        Self::AudioLevel,
        Self::AudioCodec,
        Self::FramesPerSecondSent,
        Self::FrameWidthSent,
        Self::FrameHeightSent,
        Self::CodecSent,
        Self::AvailableOutgoingBitrate,
        Self::QualityLimitationReason,
        Self::Protocol,
        Self::ConnectionState,
        Self::IceState,
        Self::DtlsState,
        Self::SignalingState,
        Self::StampedFramesShown,
        Self::StampedFramesLost,
        Self::StampedFramesRepeated,
        Self::StampedFramesLate,
        Self::StampedFramesUnreadable,
        Self::StampedDelay,
        Self::StampedDelayMean,
        Self::StampedDelayLongest,
        Self::ClockOffset,
        Self::ClockError,
        Self::StampReadCost,
        Self::RemoteReceiveBitrate,
        Self::RemoteFrameWidth,
        Self::RemoteFrameHeight,
        Self::RemoteFramesPerSecond,
        Self::RemoteLossRatio,
        Self::RemoteJitter,
        Self::RemoteFrozenRatio,
    ];

    /// The name as tests and exports read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReceiveBitrate => "receive_bitrate",
            Self::SendBitrate => "send_bitrate",
            Self::AvailableOutgoingBitrate => "available_outgoing_bitrate",
            Self::FramesPerSecond => "frames_per_second",
            Self::FramesPerSecondSent => "frames_per_second_sent",
            Self::FrameWidth => "frame_width",
            Self::FrameHeight => "frame_height",
            Self::FrameWidthSent => "frame_width_sent",
            Self::FrameHeightSent => "frame_height_sent",
            Self::Codec => "codec",
            Self::CodecSent => "codec_sent",
            Self::AudioCodec => "audio_codec",
            Self::RoundTripTime => "round_trip_time",
            Self::Jitter => "jitter",
            Self::PacketsLost => "packets_lost",
            Self::LossRatio => "loss_ratio",
            Self::FreezeCount => "freeze_count",
            Self::TotalFreezesDuration => "total_freezes_duration",
            Self::FramesDropped => "frames_dropped",
            Self::AudioLevel => "audio_level",
            Self::QualityLimitationReason => "quality_limitation_reason",
            Self::Path => "path",
            Self::Protocol => "protocol",
            Self::ConnectionState => "connection_state",
            Self::IceState => "ice_state",
            Self::DtlsState => "dtls_state",
            Self::SignalingState => "signaling_state",
            Self::StallRatio => "stall_ratio",
            Self::StallCount => "stall_count",
            Self::StallTime => "stall_time",
            Self::LongestStall => "longest_stall",
            Self::StallsPerMinute => "stalls_per_minute",
            Self::TimeToFirstFrame => "time_to_first_frame",
            Self::FramesPresented => "frames_presented",
            Self::FramesReceived => "frames_received",
            Self::FramesDecoded => "frames_decoded",
            Self::MeanReceiveBitrate => "mean_receive_bitrate",
            Self::BytesReceived => "bytes_received",
            Self::StampedFramesShown => "stamped_frames_shown",
            Self::StampedFramesLost => "stamped_frames_lost",
            Self::StampedFramesRepeated => "stamped_frames_repeated",
            Self::StampedFramesLate => "stamped_frames_late",
            Self::StampedFramesUnreadable => "stamped_frames_unreadable",
            Self::StampedDelay => "stamped_delay",
            Self::StampedDelayMean => "stamped_delay_mean",
            Self::StampedDelayLongest => "stamped_delay_longest",
            Self::ClockOffset => "clock_offset",
            Self::ClockError => "clock_error",
            Self::StampReadCost => "stamp_read_cost",
            Self::RemoteReceiveBitrate => "remote_receive_bitrate",
            Self::RemoteFrameWidth => "remote_frame_width",
            Self::RemoteFrameHeight => "remote_frame_height",
            Self::RemoteFramesPerSecond => "remote_frames_per_second",
            Self::RemoteLossRatio => "remote_loss_ratio",
            Self::RemoteJitter => "remote_jitter",
            Self::RemoteFrozenRatio => "remote_frozen_ratio",
        }
    }

    /// Whether the other side tells it, so that it is not this browser where it is missing.
    #[must_use]
    pub fn is_told(self) -> bool {
        matches!(
            self,
            Self::RemoteReceiveBitrate
                | Self::RemoteFrameWidth
                | Self::RemoteFrameHeight
                | Self::RemoteFramesPerSecond
                | Self::RemoteLossRatio
                | Self::RemoteJitter
                | Self::RemoteFrozenRatio
        )
    }

    /// How its number is to be read.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::ReceiveBitrate
            | Self::SendBitrate
            | Self::AvailableOutgoingBitrate
            | Self::MeanReceiveBitrate
            | Self::RemoteReceiveBitrate => Unit::BitsPerSecond,
            Self::FramesPerSecond | Self::FramesPerSecondSent | Self::RemoteFramesPerSecond => {
                Unit::FramesPerSecond
            }
            Self::FrameWidth
            | Self::FrameHeight
            | Self::FrameWidthSent
            | Self::FrameHeightSent
            | Self::RemoteFrameWidth
            | Self::RemoteFrameHeight => Unit::Pixels,
            Self::RoundTripTime
            | Self::Jitter
            | Self::TotalFreezesDuration
            | Self::StallTime
            | Self::LongestStall
            | Self::TimeToFirstFrame
            | Self::StampedDelay
            | Self::StampedDelayMean
            | Self::StampedDelayLongest
            | Self::ClockOffset
            | Self::ClockError
            | Self::StampReadCost
            | Self::RemoteJitter => Unit::Seconds,
            Self::LossRatio
            | Self::StallRatio
            | Self::AudioLevel
            | Self::RemoteLossRatio
            | Self::RemoteFrozenRatio => Unit::Ratio,
            Self::PacketsLost
            | Self::FreezeCount
            | Self::FramesDropped
            | Self::StallCount
            | Self::FramesPresented
            | Self::FramesReceived
            | Self::FramesDecoded
            | Self::StampedFramesShown
            | Self::StampedFramesLost
            | Self::StampedFramesRepeated
            | Self::StampedFramesLate
            | Self::StampedFramesUnreadable => Unit::Count,
            Self::StallsPerMinute => Unit::PerMinute,
            Self::BytesReceived => Unit::Bytes,
            Self::Codec
            | Self::CodecSent
            | Self::AudioCodec
            | Self::QualityLimitationReason
            | Self::Path
            | Self::Protocol
            | Self::ConnectionState
            | Self::IceState
            | Self::DtlsState
            | Self::SignalingState => Unit::Word,
        }
    }
}
