//! The messages of the `telemetry` data channel (unordered, without retransmission): each text message is one JSON object, tagged
//! by `type`. A message that is lost, late, too long or unreadable affects nothing else.

use serde::{Deserialize, Serialize};

use crate::{bounded::UpTo, control::Playback};

/// The pre-negotiated stream id of the `telemetry` channel.
pub const TELEMETRY_CHANNEL_ID: u16 = 2;
/// The label of the `telemetry` channel.
pub const TELEMETRY_CHANNEL_LABEL: &str = "telemetry";
/// Longest message, in bytes of UTF-8: it fits in one packet.
pub const MAX_TELEMETRY_BYTES: usize = 1000;

/// The largest number of signal bars.
pub const MAX_BARS: u8 = 4;

/// A number of signal bars, from 0 to [`MAX_BARS`].
pub type Bars = UpTo<{ MAX_BARS as u64 }>;
/// A ratio in thousandths.
pub type Permille = UpTo<1000>;
/// A duration in milliseconds, up to ten minutes.
pub type Milliseconds = UpTo<600_000>;
/// Width or height of a picture, in pixels.
pub type Pixels = UpTo<16_384>;
/// Frames per second.
pub type FrameRate = UpTo<1000>;
/// A time on a page's clock, which starts when the page is opened, in microseconds: up to twenty-eight years.
pub type PageTime = UpTo<900_000_000_000_000>;
/// A time within a [`SourceFrames`] message, in milliseconds.
pub type SourceTime = UpTo<10_000>;
/// The time between two frames of a file, in microseconds.
pub type SourceInterval = UpTo<10_000_000>;

/// Maximum number of frames in a [`SourceFrames`] message, and of breaks: so the message fits in one packet.
pub const MAX_SOURCE_FRAMES: usize = 128;
/// See [`MAX_SOURCE_FRAMES`].
pub const MAX_SOURCE_BREAKS: usize = 6;

/// A measurement of another member, sent to that member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TelemetryMessage {
    /// How picture and sound of the receiving member arrive at the sender of this message. Sent once a second while the sender's
    /// page is visible.
    Reception(Reception),
    /// Asks for the other page's clock, so that times of both sides can be put on one axis.
    ClockPing {
        /// The time of sending on the asking page's clock, in microseconds.
        sent_us: PageTime,
    },
    /// The answer, sent at once. With the time of its arrival there are the four times of an NTP exchange (RFC 5905, section 8).
    ClockPong {
        /// `sent_us` of the ping.
        sent_us: PageTime,
        /// The arrival of the ping on the answering page's clock, in microseconds.
        received_us: PageTime,
        /// The time of sending on the answering page's clock, in microseconds.
        answered_us: PageTime,
    },
    /// Asks whether the other side is alive, and measures the round-trip time. Sent once a second, and more often while files are
    /// sent; answered by a pong on the same peer connection.
    Ping {
        /// Increases with every ping on a peer connection.
        nonce: u32,
    },
    /// The answer to a ping.
    Pong {
        /// The nonce of the ping.
        nonce: u32,
    },
    /// The state of the picture and sound that the sender sends to the receiving member. Sent once a second, with each stats report.
    Sending(Sending),
    /// Which frames of the sender's video file its own page showed lately, and when. Sent once a second while a file is the source.
    SourceFrames(SourceFrames),
    /// A message type of a later version.
    #[serde(other)]
    Unknown,
}

/// The state of the picture and sound that one member sends to another, to explain stalls there. Values that the browser does not report
/// are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// The time of the report on the sender's clock, in microseconds.
    pub at_us: PageTime,
    /// Frames delivered by the source so far (`frames` of the `media-source`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_frames: Option<u32>,
    /// Frames sent so far (`framesSent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_sent: Option<u32>,
    /// Packets of sound sent so far (`packetsSent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound_packets: Option<u32>,
    /// The present `qualityLimitationReason`.
    #[serde(default, skip_serializing_if = "Limitation::is_none")]
    pub limitation: Limitation,
    /// How the picture was encoded and sent.
    #[serde(default, skip_serializing_if = "SentPicture::is_empty")]
    pub picture: SentPicture,
}

/// How a picture is encoded and sent, to distinguish a busy computer from a full upload and from a bad network. The counts and
/// times are totals since the peer connection began. Values that the browser does not report are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentPicture {
    /// Frames encoded (`framesEncoded`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_encoded: Option<u32>,
    /// Time spent to encode (`totalEncodeTime`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encode_ms: Option<u32>,
    /// Packets sent (`packetsSent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<u32>,
    /// Packets sent again (`retransmittedPacketsSent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retransmitted: Option<u32>,
    /// Time that all packets together waited before they were sent (`totalPacketSendDelay`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_delay_ms: Option<u32>,
    /// Packets that the receiver reported as lost (`packetsLost` of the `remote-inbound-rtp`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u32>,
    /// The present target of the encoder, in bit/s (`targetBitrate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_bps: Option<u32>,
    /// The latest round-trip time (`roundTripTime` of the `remote-inbound-rtp`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<Milliseconds>,
    /// The longest time since the message before for which the sender's page had no time for its timers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_ms: Option<Milliseconds>,
}

impl SentPicture {
    /// Whether no value is reported.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The frames of a video file that the sender's own page showed. Each message covers the last seconds, so that the next message
/// replaces a lost one. Within the covered time the list of frames is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFrames {
    /// Start of the covered time on the sender's clock, in microseconds.
    pub from_us: PageTime,
    /// End of the covered time.
    pub to_us: PageTime,
    /// When each frame was shown, in milliseconds: the first after `from_us`, each other after the frame before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames_ms: Vec<SourceTime>,
    /// The times in which no frame was due.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<SourceBreak>,
    /// The usual time between two frames of the file, by their media times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_us: Option<SourceInterval>,
}

/// A time in which the person or the file itself (a loop) stopped the frames of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceBreak {
    /// Why: paused, seeking or ended.
    pub kind: Playback,
    /// When the element began to pause or seek, in milliseconds after `from_us`; 0 for an earlier time.
    pub from_ms: SourceTime,
    /// When the first frame after it was shown; `None` while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<SourceTime>,
}

/// How the picture and sound of one member arrive at another. Values that the browser does not report are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reception {
    /// Increases with every message on a peer connection: a message with a smaller number is outdated.
    pub sequence: u32,
    /// Signal bars, from 0 (nothing arrives) to [`MAX_BARS`].
    pub bars: Bars,
    /// The reason for missing bars.
    #[serde(default)]
    pub cause: Cause,
    /// What limits the picture that the sender of this message sends in the other direction.
    #[serde(default, skip_serializing_if = "Limitation::is_none")]
    pub limitation: Limitation,
    /// Bitrate of picture and sound together, in bit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_bps: Option<u32>,
    /// Width of the picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_width: Option<Pixels>,
    /// Height of the picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_height: Option<Pixels>,
    /// Frames shown per second, rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<FrameRate>,
    /// Lost packets, in thousandths of the expected packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_permille: Option<Permille>,
    /// Jitter, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<Milliseconds>,
    /// Share of the last seconds in which the picture stood still, in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_permille: Option<Permille>,
    /// Number of stalls since the first picture, from the ledger of the message's sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_count: Option<u32>,
    /// Share of the time since the first frame in which the picture stood still, in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_permille: Option<Permille>,
    /// Frames of a stamped source that were never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped_lost: Option<u32>,
    /// Delay of a stamped source from painting to display, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped_delay_ms: Option<Milliseconds>,
}

/// The cause of a poor picture, named from the outside: "sender" is the member that publishes the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// There is no problem.
    #[default]
    Good,
    /// No picture is expected, because the sender publishes none.
    NoVideo,
    /// A picture is expected and none arrives.
    NothingArrives,
    /// Packets are lost.
    Loss,
    /// The round-trip time is long.
    Delay,
    /// Packets arrive at uneven intervals.
    Jitter,
    /// The upload of the sender is full.
    UploadFull,
    /// The sender's computer is too slow to encode.
    SenderBusy,
    /// The receiver's computer is too slow to decode or display.
    ReceiverBusy,
    /// The picture arrives but is shown with gaps.
    Freezes,
    /// The picture is shown without gaps, but with few frames per second.
    FewFrames,
    /// The sound has gaps that the browser fills.
    SoundGaps,
    /// A cause of a later version.
    #[serde(other)]
    Unknown,
}

/// A `qualityLimitationReason` that has lasted for a while.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limitation {
    /// No limit is known.
    #[default]
    None,
    /// The network path is full.
    Bandwidth,
    /// The computer is too slow to encode.
    Cpu,
    /// Another reason, also one of a later browser.
    #[serde(other)]
    Other,
}

impl Limitation {
    /// Whether no limit is known.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}
