//! What can go wrong in a way that a person must hear of: a closed set of codes, stable for tests and reports.

use sightline_protocol::ErrorCode;

/// A problem with a sentence on the page.
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
    /// No screen can be shared here.
    ScreenUnavailable,
    /// A file has nothing in it that this browser knows as a video.
    FileNotVideo,
    /// A file is a video, of a codec that this browser does not have.
    FileCodec,
    /// A file plays, but there are no pictures in it that this browser can show.
    FileNoPictures,
    /// A video file is damaged: it could be opened, and not decoded.
    FileDamaged,
    /// A file could not be read: it was moved or changed meanwhile, or the sample clip did not come.
    FileUnreadable,
    /// The browser can capture neither what a video element plays nor a canvas.
    CaptureUnsupported,
    /// The browser captures the pictures of a file alone.
    FileSoundMissing,
    /// Not https and not localhost: browsers give no camera.
    InsecureContext,
    /// The browser has no WebRTC.
    UnsupportedBrowser,
    /// The browser plays no sound before a click.
    AutoplayBlocked,
    /// The room name has characters or a length that is not allowed.
    RoomNameInvalid,
    /// The member's name is too long.
    NameInvalid,
    /// The room has no place left.
    RoomFull,
    /// The server does not let pages of this origin in.
    OriginRefused,
    /// The server may not be asked by the name in the page's address.
    HostRefused,
    /// No server answers, and none has since the page was opened.
    ServerUnreachable,
    /// The signalling connection was lost during a call; it is being sought again.
    SignallingLost,
    /// The same place was taken by another tab.
    Replaced,
    /// Client and server do not understand each other.
    ProtocolError,
    /// Client and server are of different versions: reload.
    ProtocolVersion,
    /// The server takes no more rooms or members for now.
    ServerFull,
    /// No path between the two browsers was found.
    ConnectionFailed,
    /// There is no server: only tabs of this browser can meet.
    TabsOnly,
    /// A chat message is longer than may be sent.
    MessageTooLong,
    /// A part of the page that comes later could not be loaded.
    PartUnavailable,
    /// A member sends more than its budgets; the rest is left out.
    MemberMuted,
    /// A member went on sending more than its budgets; its connection is closed.
    MemberCutOff,
}

impl NoticeCode {
    /// The code as tests and reports read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PermissionDenied => "permission-denied",
            Self::PermissionPending => "permission-pending",
            Self::NoDevice => "no-device",
            Self::DeviceInUse => "device-in-use",
            Self::CameraLost | Self::MicrophoneLost => "device-lost",
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
            Self::OriginRefused => "origin-refused",
            Self::HostRefused => "host-refused",
            Self::ServerUnreachable => "server-unreachable",
            Self::SignallingLost => "signalling-lost",
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
        }
    }

    /// Whether the server has put this page out: it shows what happened in place of the room, and does not come back by itself.
    #[must_use]
    pub fn ends_the_room(self) -> bool {
        !self.is_warning() && self != Self::ServerUnreachable
    }

    /// Whether what the person came for goes on: a warning beside it, rather than an error in its way.
    #[must_use]
    pub fn is_warning(self) -> bool {
        !matches!(
            self,
            Self::UnsupportedBrowser
                | Self::RoomNameInvalid
                | Self::NameInvalid
                | Self::RoomFull
                | Self::OriginRefused
                | Self::HostRefused
                | Self::ServerUnreachable
                | Self::Replaced
                | Self::ProtocolError
                | Self::ProtocolVersion
                | Self::ServerFull
        )
    }

    /// What a person hears of an error that the server told.
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
            | ErrorCode::ShuttingDown => Some(Self::SignallingLost),
            ErrorCode::PeerUnreachable => None,
        }
    }

    /// What a person hears of a video file that does not play: by the code of its `MediaError` (HTML, 4.8.11.1), and where
    /// that says too little by what the browser adds in its own words.
    #[must_use]
    pub fn from_media_error(code: u16, message: &str) -> Self {
        const ABORTED: u16 = 1;
        const NETWORK: u16 = 2;
        const DECODE: u16 = 3;
        match code {
            ABORTED | NETWORK => Self::FileUnreadable,
            DECODE => Self::FileDamaged,
            // Chromium's demuxer knew the container and none of the streams in it.
            _ if message.contains("NO_SUPPORTED_STREAMS") => Self::FileCodec,
            _ => Self::FileNotVideo,
        }
    }

    /// What a person hears of a `getUserMedia` that failed, by the DOMException's name (W3C Media Capture, 10.2).
    #[must_use]
    pub fn from_capture_error(name: &str) -> Self {
        match name {
            "NotFoundError" | "OverconstrainedError" | "DevicesNotFoundError" => Self::NoDevice,
            "NotReadableError" | "AbortError" | "TrackStartError" => Self::DeviceInUse,
            _ => Self::PermissionDenied,
        }
    }
}
