//! The messages of the `control` data channel (reliable, ordered): each text message is one JSON object, tagged by `type`.
//! Messages of an unknown type are ignored, so that later versions can add types.

use serde::{Deserialize, Serialize};

use crate::{
    bounded::UpTo,
    id::{ConnectionId, MessageId, RunId, TransferId},
    reaction::Reaction,
    recognition::RecognitionMessage,
    rekey::Rekey,
    signaling::SignalPayload,
    telemetry::PageTime,
    transfer::{FileOffer, FileProgress, Sha256Digest, TransferEnd},
    verification::VerificationStep,
};

/// The pre-negotiated stream id of the `control` channel.
pub const CONTROL_CHANNEL_ID: u16 = 1;
/// The label of the `control` channel.
pub const CONTROL_CHANNEL_LABEL: &str = "control";

/// A time in milliseconds since 1970, up to the latest one that a browser's `Date` holds (ECMA-262, section 21.4.1.1).
pub type UnixMilliseconds = UpTo<8_640_000_000_000_000>;

/// A message from one member's session to another's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ControlMessage {
    /// The present published state of the sender. The first message on a channel, and again after every change.
    State(PublishedState),
    /// A message of the conversation.
    Chat {
        /// Chosen by the author. A message with a known id is acknowledged again and shown once.
        id: MessageId,
        /// Text with line breaks, never markup.
        text: String,
        /// The time of writing on the author's clock.
        sent_at_ms: UnixMilliseconds,
    },
    /// A message of the conversation for the receiver of this message alone. Repeated and acknowledged like [`Self::Chat`], and with
    /// ids of the same space. A separate type, so that an earlier version ignores it instead of showing it as a message to everyone.
    PrivateChat {
        /// Chosen by the author.
        id: MessageId,
        /// Text with line breaks, never markup.
        text: String,
        /// The time of writing on the author's clock.
        sent_at_ms: UnixMilliseconds,
    },
    /// The chat message arrived and is shown.
    ChatAck {
        /// The id of the acknowledged chat message.
        id: MessageId,
    },
    /// A reaction that is shown on the sender's tile for a few seconds. Nothing repeats it.
    Reaction {
        /// What the sender shows.
        reaction: Reaction,
    },
    /// Of several peer connections to the sender, the one that carries this message is used from now on; the sender closes the
    /// others.
    Use,
    /// Asks the side that made the first offer to build another peer connection beside this one, because the picture of that side does
    /// not arrive here although everything else does.
    Renew,
    /// The sender offers a file. The message contains the whole state of the sending side.
    TransferOffer(FileOffer),
    /// The receiver accepts a file, or reports its progress. The message contains the whole state of the receiving side.
    TransferProgress(FileProgress),
    /// The receiver has the whole file.
    TransferDone {
        /// The transfer that is complete.
        transfer: TransferId,
        /// SHA-256 of the file that the receiver stored.
        sha256: Sha256Digest,
    },
    /// Sent by either side: the transfer ended without the file.
    TransferEnd {
        /// The transfer that ended.
        transfer: TransferId,
        /// The reason for the end.
        reason: TransferEnd,
    },
    /// A signal about a bulk link: a further peer connection for the bytes of files only. Its first offer opens the bulk link,
    /// which ends with the connection that carries this message.
    BulkSignal {
        /// Random id of the bulk link, chosen by the side that offers first.
        connection: ConnectionId,
        /// A description or a candidate.
        payload: SignalPayload,
    },
    /// The owner of a run asks the receiver of this message to take part; repeated whenever a channel opens. A participant answers
    /// with the same id when it shows the owner's first frame.
    RunStart {
        /// The run's id. Runs of different owners are independent.
        run: RunId,
        /// Whether the first frame has been shown.
        #[serde(default)]
        is_running: bool,
        /// When the participant showed the first frame, on its clock. This message may be sent a second later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_us: Option<PageTime>,
    },
    /// The run is over.
    RunStop {
        /// The id of the run.
        run: RunId,
    },
    /// A part of the sender's measurements of the receiver, sent after the end of a run.
    RunLog {
        /// The id of the run.
        run: RunId,
        /// Number of this part, from 0.
        part: u16,
        /// Number of all parts.
        parts: u16,
        /// A piece of the JSON text (`docs/report.md`, one side of a report).
        text: String,
    },
    /// A step towards the short code that the two members compare by voice.
    Verify(VerificationStep),
    /// A message about the device of the sender, by which people recognize each other in later calls.
    Recognition(RecognitionMessage),
    /// The secret of the room, from a host that removed a member.
    Rekey(Rekey),
    /// The sender leaves the room now; its peer connection closes next.
    Bye,
    /// A message type of a later version.
    #[serde(other)]
    Unknown,
}

/// The published state of a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedState {
    /// Whether the microphone is on.
    pub microphone: bool,
    /// The main source.
    pub source: PublishedSource,
    /// How a video file plays: a declared pause is not counted as a stall. `None` for every other source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback: Option<Playback>,
    /// Position at which a [`Playback::Failed`] video file stopped, in seconds from its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at_s: Option<u32>,
    /// Whether every frame carries the stamp of known-source mode.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stamped: bool,
    /// The number of the raised hand: greater than the number of every hand that the sender saw raised before. `None` while the hand
    /// is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand: Option<u32>,
    /// Whether the sender shows a [`ControlMessage::PrivateChat`]; an earlier version ignores it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub private_chat: bool,
}

/// The declared playback state of a video file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Playback {
    /// The file plays: a picture that stands still is a stall.
    Playing,
    /// The sender paused the file, or has not started it.
    Paused,
    /// The file jumps to another position (also at the end of a loop) and then continues by itself.
    Seeking,
    /// The file has ended.
    Ended,
    /// The file should play and cannot: it is damaged, or can no longer be read. The standing picture is a stall.
    Failed,
    /// A state of a later version.
    #[serde(other)]
    Unknown,
}

impl Playback {
    /// The word in the JSON message.
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

/// The main source of a member; there is one at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishedSource {
    /// No main source is published.
    #[default]
    None,
    /// A camera that is switched on.
    Camera,
    /// A screen or a window.
    Screen,
    /// A video file with its sound.
    File,
}

impl PublishedSource {
    /// The word in the JSON message.
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
