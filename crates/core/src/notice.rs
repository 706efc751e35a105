//! Problems that a person must hear of: a closed set of codes, stable for tests and reports.

use sightline_protocol::ErrorCode;

/// The code of a problem that the page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeCode {
    /// The browser or the person refused camera or microphone.
    PermissionDenied,
    /// The browser's question about camera or microphone has not been answered for a while.
    PermissionPending,
    /// There is no camera or microphone.
    NoDevice,
    /// Another program holds the camera or microphone, or the system failed to start it.
    DeviceInUse,
    /// The camera in use was unplugged.
    CameraLost,
    /// The microphone in use was unplugged.
    MicrophoneLost,
    /// The system or another app stopped the camera for a while.
    CameraTaken,
    /// The system or another app, such as a phone call, uses the microphone for a while.
    MicrophoneTaken,
    /// No screen can be shared here.
    ScreenUnavailable,
    /// The file contains nothing that this browser recognizes as a video.
    FileNotVideo,
    /// The file is a video with a codec that this browser does not have.
    FileCodec,
    /// The file plays, but contains no pictures that this browser can show.
    FileNoPictures,
    /// The video file is damaged: it opens but cannot be decoded.
    FileDamaged,
    /// The file cannot be read: it was moved or changed, or the sample clip did not load.
    FileUnreadable,
    /// The browser can capture neither what a video element plays nor a canvas.
    CaptureUnsupported,
    /// The browser captures the pictures of a file without its sound.
    FileSoundMissing,
    /// The page is neither https nor localhost: browsers give no camera.
    InsecureContext,
    /// The browser has no WebRTC.
    UnsupportedBrowser,
    /// The browser plays no sound before a click.
    AutoplayBlocked,
    /// The room name has forbidden characters or a forbidden length.
    RoomNameInvalid,
    /// The member's name is too long.
    NameInvalid,
    /// The room is full.
    RoomFull,
    /// The room is locked, and this client does not wait for an answer.
    RoomLocked,
    /// A host of the locked room said no.
    KnockRefused,
    /// No host of the locked room answered.
    KnockUnanswered,
    /// Nobody is in the room, and only holders of a token of the server's operator may open one.
    RoomNotOpen,
    /// The secret in the link was replaced when a member was removed.
    LinkChanged,
    /// A host removed this member.
    Removed,
    /// A host ended the room for everyone.
    RoomEnded,
    /// The server does not accept pages of this origin.
    OriginRefused,
    /// The server does not accept the host name in the page's address.
    HostRefused,
    /// No server has answered since the page was opened.
    ServerUnreachable,
    /// The signaling connection was lost during a call; the page reconnects.
    SignalingLost,
    /// Another tab took this member's place.
    Replaced,
    /// Client and server do not understand each other.
    ProtocolError,
    /// Client and server have different protocol versions: reload.
    ProtocolVersion,
    /// The server accepts no more rooms or members for now.
    ServerFull,
    /// No network path between the two browsers was found.
    ConnectionFailed,
    /// There is no server: only tabs of this browser can meet.
    TabsOnly,
    /// A chat message is longer than may be sent.
    MessageTooLong,
    /// A split module of the page could not be loaded.
    PartUnavailable,
    /// A member sends more than its budgets allow; the excess is dropped.
    MemberMuted,
    /// A member went on sending more than its budgets; its connection is closed.
    MemberCutOff,
    /// Signals were dropped that do not come from the member they claim to come from.
    SignalsRefused,
    /// The link has something behind its `#` that is not the secret of a room: part of it is missing.
    InvitationInvalid,
}

impl NoticeCode {
    /// The code as tests and reports read it (`data-code`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PermissionDenied => "permission-denied",
            Self::PermissionPending => "permission-pending",
            Self::NoDevice => "no-device",
            Self::DeviceInUse => "device-in-use",
            Self::CameraLost | Self::MicrophoneLost => "device-lost",
            Self::CameraTaken | Self::MicrophoneTaken => "device-taken",
            Self::ScreenUnavailable => "screen-unavailable",
            Self::FileNotVideo => "file-not-video",
            Self::FileCodec => "file-codec",
            Self::FileNoPictures => "file-no-pictures",
            Self::FileDamaged => "file-damaged",
            Self::FileUnreadable => "file-unreadable",
            Self::CaptureUnsupported => "capture-unsupported",
            Self::FileSoundMissing => "file-sound-missing",
            Self::InsecureContext => "insecure-context",
            Self::UnsupportedBrowser => "unsupported-browser",
            Self::AutoplayBlocked => "autoplay-blocked",
            Self::RoomNameInvalid => "room-name-invalid",
            Self::NameInvalid => "name-invalid",
            Self::RoomFull => "room-full",
            Self::RoomLocked => "room-locked",
            Self::KnockRefused => "knock-refused",
            Self::KnockUnanswered => "knock-unanswered",
            Self::RoomNotOpen => "room-not-open",
            Self::LinkChanged => "link-changed",
            Self::Removed => "removed",
            Self::RoomEnded => "room-ended",
            Self::OriginRefused => "origin-refused",
            Self::HostRefused => "host-refused",
            Self::ServerUnreachable => "server-unreachable",
            Self::SignalingLost => "signalling-lost",
            Self::Replaced => "replaced",
            Self::ProtocolError => "protocol-error",
            Self::ProtocolVersion => "protocol-version",
            Self::ServerFull => "server-full",
            Self::ConnectionFailed => "connection-failed",
            Self::TabsOnly => "tabs-only",
            Self::MessageTooLong => "message-too-long",
            Self::PartUnavailable => "part-unavailable",
            Self::MemberMuted => "member-muted",
            Self::MemberCutOff => "member-cut-off",
            Self::SignalsRefused => "signals-refused",
            Self::InvitationInvalid => "invitation-invalid",
        }
    }

    /// Whether the problem ends the call for good: the page shows the problem instead of the room, and does not reconnect by
    /// itself.
    #[must_use]
    pub fn ends_the_room(self) -> bool {
        !self.is_warning() && self != Self::ServerUnreachable
    }

    /// Whether the call goes on: the notice is a warning beside it instead of an error in its place.
    #[must_use]
    pub fn is_warning(self) -> bool {
        !matches!(
            self,
            Self::UnsupportedBrowser
                | Self::RoomNameInvalid
                | Self::InvitationInvalid
                | Self::NameInvalid
                | Self::RoomFull
                | Self::RoomLocked
                | Self::KnockRefused
                | Self::KnockUnanswered
                | Self::RoomNotOpen
                | Self::LinkChanged
                | Self::Removed
                | Self::RoomEnded
                | Self::OriginRefused
                | Self::HostRefused
                | Self::ServerUnreachable
                | Self::Replaced
                | Self::ProtocolError
                | Self::ProtocolVersion
                | Self::ServerFull
        )
    }

    /// The notice for an error code of the server, if a person must hear of it.
    #[must_use]
    pub fn from_server(code: ErrorCode) -> Option<Self> {
        match code {
            ErrorCode::RoomNameInvalid => Some(Self::RoomNameInvalid),
            ErrorCode::NameInvalid => Some(Self::NameInvalid),
            ErrorCode::ProtocolVersion => Some(Self::ProtocolVersion),
            ErrorCode::ProtocolError | ErrorCode::FrameTooLarge => Some(Self::ProtocolError),
            ErrorCode::ServerFull => Some(Self::ServerFull),
            ErrorCode::RateLimited
            | ErrorCode::TooSlow
            | ErrorCode::JoinTimeout
            | ErrorCode::ShuttingDown => Some(Self::SignalingLost),
            ErrorCode::PeerUnreachable | ErrorCode::NotHost => None,
        }
    }

    /// The notice for a video file that does not play, by the code of its `MediaError` (HTML, 4.8.11.1); where the code is too
    /// general, by the browser's own message.
    #[must_use]
    pub fn from_media_error(code: u16, message: &str) -> Self {
        const ABORTED: u16 = 1;
        const NETWORK: u16 = 2;
        const DECODE: u16 = 3;
        match code {
            ABORTED | NETWORK => Self::FileUnreadable,
            DECODE => Self::FileDamaged,
            // Chromium's demuxer recognized the container and none of its streams.
            _ if message.contains("NO_SUPPORTED_STREAMS") => Self::FileCodec,
            _ => Self::FileNotVideo,
        }
    }

    /// The notice for a failed `getUserMedia`, by the name of the DOMException (W3C Media Capture, 10.2).
    #[must_use]
    pub fn from_capture_error(name: &str) -> Self {
        match name {
            "NotFoundError" | "OverconstrainedError" | "DevicesNotFoundError" => Self::NoDevice,
            "NotReadableError" | "AbortError" | "TrackStartError" => Self::DeviceInUse,
            _ => Self::PermissionDenied,
        }
    }
}
