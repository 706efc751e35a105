//! The messages of the `control` data channel (reliable, ordered): one JSON object a text message, tagged by
//! `type`. A message of an unknown type is ignored, so that later versions can say more.

use serde::{Deserialize, Serialize};

use crate::{
    bounded::UpTo,
    id::{ConnectionId, MessageId, RunId, TransferId},
    signalling::SignalPayload,
    transfer::{FileOffer, FileProgress, Sha256Digest, TransferEnd},
};

/// The pre-negotiated stream id of the `control` channel.
pub const CONTROL_CHANNEL_ID: u16 = 1;
/// Its label.
pub const CONTROL_CHANNEL_LABEL: &str = "control";

/// A time in milliseconds since 1970, up to the latest one that a browser's `Date` holds (ECMA-262, section 21.4.1.1).
pub type UnixMilliseconds = UpTo<8_640_000_000_000_000>;

/// What one member's session says to another's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ControlMessage {
    /// What the sender publishes now. The first message on a channel, and again at every change.
    State(PublishedState),
    /// A message of the conversation.
    Chat {
        /// Made by the author; one that was seen before is acknowledged again and shown once.
        id: MessageId,
        /// What was written: text with line breaks, never markup.
        text: String,
        /// When, on the author's clock.
        sent_at_ms: UnixMilliseconds,
    },
    /// The message arrived and is shown.
    ChatAck {
        /// Which.
        id: MessageId,
    },
    /// Of several peer connections to the sender, this one is used from now on; it closes the others.
    Use,
    /// A file is offered, and everything that its sender has to say of it.
    TransferOffer(FileOffer),
    /// A file is wanted, and everything that its receiver has to say of it.
    TransferProgress(FileProgress),
    /// The receiver has the whole file.
    TransferDone {
        /// Which.
        transfer: TransferId,
        /// Of the file as the receiver has it.
        sha256: Sha256Digest,
    },
    /// Either side: the transfer is over, without the file.
    TransferEnd {
        /// Which.
        transfer: TransferId,
        /// Why.
        reason: TransferEnd,
    },
    /// Of a peer connection beside the one that this is said on, for the bytes of files alone: its first offer opens it. It ends
    /// with the connection that this is said on.
    BulkSignal {
        /// Which, random; the side that offers first makes it.
        connection: ConnectionId,
        /// A description or a candidate.
        payload: SignalPayload,
    },
    /// A measurement is on: the addressee measures too. Said again when the first frame was shown.
    RunStart {
        /// Which. Where two were started at once, the lesser id is that of both.
        run: RunId,
        /// Whether the first frame was shown already.
        #[serde(default)]
        is_running: bool,
    },
    /// It is over.
    RunStop {
        /// Which.
        run: RunId,
    },
    /// A part of what the sender measured of the addressee, after the end.
    RunLog {
        /// Of which measurement.
        run: RunId,
        /// Which part, from 0.
        part: u16,
        /// How many there are.
        parts: u16,
        /// Of the whole JSON text (`docs/report.md`, a side).
        text: String,
    },
    /// The sender leaves the room now; its peer connection closes next.
    Bye,
    /// A message of a later version.
    #[serde(other)]
    Unknown,
}

/// What a member publishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedState {
    /// Whether its microphone is heard.
    pub microphone: bool,
    /// Its main source.
    pub source: PublishedSource,
    /// How a video file plays: what is declared here is not taken for a stall. `None` for every other source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback: Option<Playback>,
    /// Where a video file stopped that is [`Playback::Failed`], in seconds from its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at_s: Option<u32>,
    /// Whether every frame carries the strip of known-source mode.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stamped: bool,
}

/// How a video file plays at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Playback {
    /// On and on: a picture that stands still now was not meant to.
    Playing,
    /// The provider paused it, or it did not begin yet.
    Paused,
    /// It jumps to another place, which a loop does too, and goes on from there by itself.
    Seeking,
    /// It is over.
    Ended,
    /// It was to play on and cannot: the file is damaged, or can no longer be read. The picture that stands there is a stall.
    Failed,
    /// A word of a later version.
    #[serde(other)]
    Unknown,
}

impl Playback {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Playing => "playing",
            Self::Paused => "paused",
            Self::Seeking => "seeking",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// The one main source of a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishedSource {
    /// Nothing.
    #[default]
    None,
    /// A camera that is on.
    Camera,
    /// A screen or a window.
    Screen,
    /// A video file.
    File,
}

impl PublishedSource {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Camera => "camera",
            Self::Screen => "screen",
            Self::File => "file",
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
