//! The messages of the `telemetry` data channel (unordered, never sent again): one JSON object a text message, tagged
//! by `type`. One that is lost, late, too long or not understood costs nothing but itself.

use serde::{Deserialize, Serialize};

use crate::bounded::UpTo;

/// The pre-negotiated stream id of the `telemetry` channel.
pub const TELEMETRY_CHANNEL_ID: u16 = 2;
/// Its label.
pub const TELEMETRY_CHANNEL_LABEL: &str = "telemetry";
/// Longest message, in bytes of UTF-8: it fits in one packet.
pub const MAX_TELEMETRY_BYTES: usize = 1000;

/// The most bars that there are.
pub const MAX_BARS: u8 = 4;

/// A number of bars, from 0 to [`MAX_BARS`].
pub type Bars = UpTo<{ MAX_BARS as u64 }>;
/// A ratio in thousandths.
pub type Permille = UpTo<1000>;
/// A length in milliseconds, up to ten minutes.
pub type Milliseconds = UpTo<600_000>;
/// Width or height of a picture.
pub type Pixels = UpTo<16_384>;
/// Frames a second.
pub type FrameRate = UpTo<1000>;
/// A time on a page's clock, which begins when the page is opened, in microseconds: up to twenty-eight years.
pub type PageTime = UpTo<900_000_000_000_000>;

/// What one member measures of another, told to that other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TelemetryMessage {
    /// How the addressee's picture and sound arrive at the sender. Once a second while the sender's page is visible.
    Reception(Reception),
    /// Asks for the addressee's clock, so that times on both sides can be laid on one axis.
    ClockPing {
        /// When it left, on the clock of who asks, in microseconds.
        sent_us: PageTime,
    },
    /// The answer, at once. With the time of its arrival it makes the four times of an exchange of NTP (RFC 5905,
    /// section 8).
    ClockPong {
        /// Of the ping.
        sent_us: PageTime,
        /// When the ping came, on the clock of who answers, in microseconds.
        received_us: PageTime,
        /// When the answer left, on the same clock.
        answered_us: PageTime,
    },
    /// Are you there? Once a second; answered by a pong on the same peer connection.
    Ping {
        /// Grows with every ping on a peer connection.
        nonce: u32,
    },
    /// The answer to a ping.
    Pong {
        /// Of the ping.
        nonce: u32,
    },
    /// What the sender sends of its picture and sound to the addressee. Once a second, with each of its stats reports.
    Sending(Sending),
    /// A message of a later version.
    #[serde(other)]
    Unknown,
}

/// What one member sends of its picture and sound to another: what makes a stall there explainable. What the browser does
/// not report is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// When the report was read, on the sender's clock, in microseconds.
    pub at_us: PageTime,
    /// Frames that the source delivered so far (`frames` of the `media-source`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_frames: Option<u32>,
    /// Frames sent so far (`framesSent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_sent: Option<u32>,
    /// Packets of sound sent so far (`packetsSent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound_packets: Option<u32>,
    /// `qualityLimitationReason` of this moment.
    #[serde(default, skip_serializing_if = "Limitation::is_none")]
    pub limitation: Limitation,
}

/// How one member's picture and sound arrive at another. What the browser does not report is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reception {
    /// Grows with every message on a peer connection: one that comes late is older than what is known.
    pub sequence: u32,
    /// From 0 (nothing arrives) to [`MAX_BARS`].
    pub bars: Bars,
    /// Why not more.
    #[serde(default)]
    pub cause: Cause,
    /// What keeps the sender of this message from sending more to the addressee.
    #[serde(default, skip_serializing_if = "Limitation::is_none")]
    pub limitation: Limitation,
    /// Of picture and sound together, in bit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_bps: Option<u32>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_width: Option<Pixels>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_height: Option<Pixels>,
    /// Frames shown a second, rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<FrameRate>,
    /// Packets lost of a thousand that should have come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_permille: Option<Permille>,
    /// In milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<Milliseconds>,
    /// Of the last seconds, how much the picture stood still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_permille: Option<Permille>,
    /// Stalls since the picture came, by the sender's own ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_count: Option<u32>,
    /// Of a thousand parts of the time since the first frame, how many it stood still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_permille: Option<Permille>,
    /// Of a stamped source, the frames that were never seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped_lost: Option<u32>,
    /// Of a stamped source, from painting to display, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped_delay_ms: Option<Milliseconds>,
}

/// Why a picture arrives as it does, seen from neither side: the sender is who publishes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nothing to complain of.
    #[default]
    Good,
    /// No picture is expected: the sender publishes none.
    NoVideo,
    /// A picture is expected and none arrives.
    NothingArrives,
    /// Packets are lost on the way.
    Loss,
    /// The round trip is long.
    Delay,
    /// Packets come unevenly.
    Jitter,
    /// The sender's upload is full.
    UploadFull,
    /// The sender's computer cannot encode faster.
    SenderBusy,
    /// The receiver's computer cannot decode or show faster.
    ReceiverBusy,
    /// The picture arrives but is shown with gaps.
    Freezes,
    /// The picture is shown without gaps, at few frames a second.
    FewFrames,
    /// The sound has gaps that the browser fills.
    SoundGaps,
    /// A cause of a later version.
    #[serde(other)]
    Unknown,
}

/// `qualityLimitationReason`, once it has stood for a while.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limitation {
    /// Nothing, or not known.
    #[default]
    None,
    /// The way there takes no more.
    Bandwidth,
    /// The computer encodes no faster.
    Cpu,
    /// Something else.
    #[serde(other)]
    Other,
}

impl Limitation {
    /// Whether nothing is known to limit.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}
