//! What the components show: small `Copy` handles of signals, written by the session only.

use leptos::prelude::*;
use sightline_browser::MediaStream;
use sightline_core::{
    chat::DeliveryState,
    notice::NoticeCode,
    room::LinkState,
    signalling::SignallingStatus,
    stats::{ConnectionDetails, Figure, History, LinkPath, Quality},
};
use sightline_protocol::{control::PublishedSource, telemetry::Reception};

pub use super::preferences::{Preferences, Setting, switch_value};

/// A stream, which lives in this thread only.
pub type StreamSignal = RwSignal<Option<MediaStream>, LocalStorage>;

/// Everything a room shows.
#[derive(Debug, Clone, Copy)]
pub struct RoomModel {
    /// The signalling connection.
    pub status: RwSignal<SignallingStatus>,
    /// What the person must hear of, oldest first, each code once.
    pub notices: RwSignal<Vec<NoticeCode>>,
    /// One's own tile.
    pub local: TileModel,
    /// The others, in the order in which they came.
    pub others: RwSignal<Vec<TileModel>>,
    /// The conversation, oldest first.
    pub chat: RwSignal<Vec<ChatLine>>,
    /// The plain invitation (an absolute URL).
    pub invitation: RwSignal<String>,
    /// The browser wants a click before it plays sound.
    pub needs_gesture: RwSignal<bool>,
    /// The main source that the person wants.
    pub source: RwSignal<SourceChoice>,
    /// The browser wants a click before it shares a screen.
    pub needs_source_gesture: RwSignal<bool>,
    /// What is set.
    pub settings: SettingsModel,
}

/// One tile. Cheap to copy; equal tiles have the same `member`.
#[derive(Debug, Clone, Copy)]
pub struct TileModel {
    /// The word `local`, or the member's id.
    pub member: StoredValue<String>,
    /// The name, possibly empty ("Guest" is the component's word for it).
    pub name: RwSignal<String>,
    /// How the link stands; one's own is always connected.
    pub state: RwSignal<LinkState>,
    /// Whether the link goes through a relay; `None` until known.
    pub path: RwSignal<Option<LinkPath>>,
    /// Whether the microphone is on.
    pub microphone: RwSignal<bool>,
    /// Whether the camera (or another source) is on.
    pub camera: RwSignal<bool>,
    /// What the picture is of.
    pub source: RwSignal<PublishedSource>,
    /// Whether the member speaks now.
    pub is_speaking: RwSignal<bool>,
    /// Picture and sound.
    pub stream: StreamSignal,
    /// Whether the picture is a camera's own preview, which alone is mirrored.
    pub is_mirrored: RwSignal<bool>,
    /// Bars and the cause of what arrives, on one's own tile of what arrives at who receives it worst; `None` until
    /// known.
    pub quality: RwSignal<Option<Quality>>,
    /// How this member receives one's own picture, on one's own tile who receives it worst; `None` until known.
    pub seen_by: RwSignal<Option<SeenBy>>,
    /// The rows; empty on one's own tile.
    pub figures: RwSignal<Vec<Figure>>,
    /// What was measured and what happened; empty on one's own tile.
    pub history: RwSignal<History>,
    /// What stands behind the figures, while somebody looks at them.
    pub details: RwSignal<ConnectionDetails>,
}

/// How somebody receives one's own picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenBy {
    /// Who, possibly without a name.
    pub name: String,
    /// Bars and the cause.
    pub quality: Quality,
    /// What that member told.
    pub reception: Reception,
}

/// One message of the conversation.
#[derive(Debug, Clone)]
pub struct ChatLine {
    /// Its id.
    pub id: String,
    /// The author's name; `None` for one's own.
    pub author: Option<String>,
    /// Text with line breaks, never markup.
    pub text: String,
    /// When, on the author's clock, in milliseconds since 1970.
    pub sent_at_ms: u64,
    /// How far it came.
    pub state: RwSignal<DeliveryState>,
}

/// What a room's controls do. Calls return at once; what comes of them shows in the [`RoomModel`].
#[derive(Debug, Clone, Copy)]
pub struct RoomActions {
    /// Says something to everybody present. Empty text is ignored.
    pub send_chat: Callback<String>,
    /// Microphone on or off.
    pub toggle_microphone: Callback<()>,
    /// Camera on or off; on asks for the camera where there is none yet.
    pub toggle_camera: Callback<()>,
    /// Publishes another main source (called from a click, which a screen needs).
    pub choose_source: Callback<SourceChoice>,
    /// Asks for camera and microphone again.
    pub ask_again: Callback<()>,
    /// Leaves the room, and goes home.
    pub leave: Callback<()>,
    /// Plays what autoplay blocked (called from a click).
    pub resume_playback: Callback<()>,
    /// The `<video>` of this tile could not play: autoplay was blocked.
    pub playback_blocked: Callback<()>,
    /// Takes a notice away.
    pub dismiss: Callback<NoticeCode>,
    /// Tries again after the connection was lost for good (server unreachable, replaced, full).
    pub retry: Callback<()>,
    /// Figures are shown (true) or not: rows are only collected while they are.
    pub watch_figures: Callback<bool>,
}

/// Everything the lobby shows.
#[derive(Debug, Clone, Copy)]
pub struct LobbyModel {
    /// The name, as typed.
    pub name: RwSignal<String>,
    /// What is to be published.
    pub source: RwSignal<SourceChoice>,
    /// The browser wants a click before it shares a screen.
    pub needs_source_gesture: RwSignal<bool>,
    /// Whether to enter with the microphone on.
    pub microphone: RwSignal<bool>,
    /// What is set.
    pub settings: SettingsModel,
    /// The preview.
    pub preview: StreamSignal,
    /// Whether the camera or microphone is being asked for.
    pub is_asking: RwSignal<bool>,
    /// The microphone's level, from 0 to 1.
    pub level: RwSignal<f64>,
    /// What the person must hear of.
    pub notices: RwSignal<Vec<NoticeCode>>,
}

/// What the lobby's controls do, beside writing the choices of the [`LobbyModel`], which the session watches.
#[derive(Debug, Clone, Copy)]
pub struct LobbyActions {
    /// Enters the room.
    pub join: Callback<()>,
    /// Publishes another main source (called from a click, which a screen needs).
    pub choose_source: Callback<SourceChoice>,
    /// Asks for camera and microphone again.
    pub ask_again: Callback<()>,
    /// Takes a notice away.
    pub dismiss: Callback<NoticeCode>,
}

/// What can be set, and which devices there are to choose from.
#[derive(Debug, Clone, Copy)]
pub struct SettingsModel {
    /// What is set; writing a value sets it.
    pub preferences: Preferences,
    /// Cameras to choose from.
    pub cameras: RwSignal<Vec<DeviceChoice>>,
    /// Microphones to choose from.
    pub microphones: RwSignal<Vec<DeviceChoice>>,
    /// Loudspeakers to choose from, where the browser lists them.
    pub speakers: RwSignal<Vec<DeviceChoice>>,
    /// Opens the browser's own choice of loudspeakers (called from a gesture), where it has one.
    pub prompt_for_speaker: Option<Callback<()>>,
}

/// What a person may publish.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceChoice {
    /// The camera.
    Camera,
    /// A screen or a window.
    Screen,
    /// Nothing.
    #[default]
    None,
}

impl SourceChoice {
    /// The word as addresses have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Screen => "screen",
            Self::None => "none",
        }
    }

    /// The choice of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Camera, Self::Screen, Self::None].into_iter().find(|choice| choice.as_str() == word)
    }
}

/// A device in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceChoice {
    /// `deviceId`
    pub id: String,
    /// The browser's label; empty until the permission is given.
    pub label: String,
}
