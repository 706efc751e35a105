//! The table of metrics, and the value of a metric.

/// Calls the macro `$callback` with every metric, in the order in which they are shown: variant, name, [`Unit`], [`Origin`].
/// The name follows W3C webrtc-stats where it has the metric. It is also the key of the metric's texts in `locales/` (`metric`
/// and `help`) and the first column of its row in `docs/measuring.md`.
#[macro_export]
macro_rules! with_metrics {
    ($callback:ident) => {
        $callback! {
            ReceiveBitrate receive_bitrate BitsPerSecond Local;
            SendBitrate send_bitrate BitsPerSecond Local;
            FramesPerSecond frames_per_second FramesPerSecond Local;
            FrameWidth frame_width Pixels Local;
            FrameHeight frame_height Pixels Local;
            RoundTripTime round_trip_time Seconds Local;
            LossRatio loss_ratio Ratio Local;
            Jitter jitter Seconds Local;
            Codec codec Word Local;
            Path path Word Local;
            StallRatio stall_ratio Ratio Local;
            StallCount stall_count Count Local;
            StallTime stall_time Seconds Local;
            LongestStall longest_stall Seconds Local;
            StallsPerMinute stalls_per_minute PerMinute Local;
            UsualStallRatio usual_stall_ratio Ratio Local;
            SourceFrames source_frames Count Local;
            SourceFramesPresented source_frames_presented Count Local;
            SourceFramesPerSecond source_frames_per_second FramesPerSecond Local;
            LowerRateRatio lower_rate_ratio Ratio Local;
            FreezeCount freeze_count Count Local;
            TotalFreezesDuration total_freezes_duration Seconds Local;
            TimeToFirstFrame time_to_first_frame Seconds Local;
            MeanReceiveBitrate mean_receive_bitrate BitsPerSecond Local;
            BytesReceived bytes_received Bytes Local;
            FramesReceived frames_received Count Local;
            FramesDecoded frames_decoded Count Local;
            FramesPresented frames_presented Count Local;
            PacketsLost packets_lost Count Local;
            FramesDropped frames_dropped Count Local;
            AudioLevel audio_level Ratio Local;
            AudioCodec audio_codec Word Local;
            ConcealedRatio concealed_ratio Ratio Local;
            SoundBursts sound_bursts Count Local;
            JitterBufferDelay jitter_buffer_delay Seconds Local;
            ConcealedSamples concealed_samples Count Local;
            SilentConcealedSamples silent_concealed_samples Count Local;
            ConcealmentEvents concealment_events Count Local;
            InsertedSamples inserted_samples Count Local;
            RemovedSamples removed_samples Count Local;
            SamplesReceived samples_received Count Local;
            FramesPerSecondSent frames_per_second_sent FramesPerSecond Local;
            FrameWidthSent frame_width_sent Pixels Local;
            FrameHeightSent frame_height_sent Pixels Local;
            CodecSent codec_sent Word Local;
            AvailableOutgoingBitrate available_outgoing_bitrate BitsPerSecond Local;
            QualityLimitationReason quality_limitation_reason Word Local;
            Protocol protocol Word Local;
            ConnectionState connection_state Word Local;
            IceState ice_state Word Local;
            DtlsState dtls_state Word Local;
            SignalingState signaling_state Word Local;
            StampedFramesShown stamped_frames_shown Count Local;
            StampedFramesLost stamped_frames_lost Count Local;
            StampedFramesRepeated stamped_frames_repeated Count Local;
            StampedFramesLate stamped_frames_late Count Local;
            StampedFramesUnreadable stamped_frames_unreadable Count Local;
            StampedDelay stamped_delay Seconds Local;
            StampedDelayMean stamped_delay_mean Seconds Local;
            StampedDelayLongest stamped_delay_longest Seconds Local;
            ClockOffset clock_offset Seconds Local;
            ClockError clock_error Seconds Local;
            StampReadCost stamp_read_cost Seconds Local;
            RemoteReceiveBitrate remote_receive_bitrate BitsPerSecond Remote;
            RemoteFrameWidth remote_frame_width Pixels Remote;
            RemoteFrameHeight remote_frame_height Pixels Remote;
            RemoteFramesPerSecond remote_frames_per_second FramesPerSecond Remote;
            RemoteLossRatio remote_loss_ratio Ratio Remote;
            RemoteJitter remote_jitter Seconds Remote;
            RemoteFrozenRatio remote_frozen_ratio Ratio Remote;
        }
    };
}

macro_rules! define_metrics {
    ($($variant:ident $name:ident $unit:ident $origin:ident;)+) => {
        /// A measured quantity, defined in `docs/measuring.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "docs/measuring.md defines each")]
        pub enum Metric {
            $($variant,)+
        }

        impl Metric {
            /// Every metric in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in snake case, as tests, exports and locales spell it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)+
                }
            }

            /// The unit of the metric's numbers.
            #[must_use]
            pub fn unit(self) -> Unit {
                match self {
                    $(Self::$variant => Unit::$unit,)+
                }
            }

            /// The side that measures the metric.
            #[must_use]
            pub fn origin(self) -> Origin {
                match self {
                    $(Self::$variant => Origin::$origin,)+
                }
            }
        }
    };
}

with_metrics!(define_metrics);

/// The side that measures a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This browser measures it. A missing value means that the browser does not report it.
    Local,
    /// The other side measures it and reports it over the `telemetry` channel.
    Remote,
}

/// The unit of a metric's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A bitrate in bits per second.
    BitsPerSecond,
    /// A duration in seconds.
    Seconds,
    /// A ratio between 0 and 1.
    Ratio,
    /// A frame rate in frames per second.
    FramesPerSecond,
    /// A length in pixels.
    Pixels,
    /// Number of events since the connection was made.
    Count,
    /// A rate in events per minute.
    PerMinute,
    /// A size in bytes.
    Bytes,
    /// The value is a word instead of a number.
    Word,
}

/// The measured value of a [`Metric`]: a number or a technical term.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureValue {
    /// A number in the metric's [`Unit`].
    Number(f64),
    /// A technical term, which is not translated.
    Word(String),
}

/// A [`Metric`] with the value measured for it at one moment. A row of the panel shows one `Figure`.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The metric that has the value.
    pub metric: Metric,
    /// `None` if the browser does not report the value, or there is nothing to measure. Zero never stands for a missing value.
    pub value: Option<FigureValue>,
}
