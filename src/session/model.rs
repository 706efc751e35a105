//! What the components show: small `Copy` handles of signals, written by the session only.

use leptos::prelude::*;
use sightline_browser::{
    MediaStream,
    files::PickedFiles,
    media::{frame_watch::FrameWatch, media_file::MediaFile},
};
use sightline_core::{
    budget::Standing,
    chat::{DeliveryState, MessageNumber, TextRefused},
    measure::{
        Figure,
        connection::{ConnectionDetails, History, LinkPath, Quality},
        run::RunState,
        stamp::FrameTruth,
    },
    notice::NoticeCode,
    room::LinkState,
    signalling::SignallingStatus,
    transfer::{Backlog, LeftOut, Offered, TransferHandle, TransferView},
};
use sightline_protocol::{
    MemberId,
    control::{Playback, PublishedSource},
};

use crate::consent::Wish;

pub use super::preferences::{Preferences, Setting, kept_ice_servers, read_ice_servers, switch_value};
pub use sightline_core::measure::{Playout, Receiver};

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
    /// Whether older messages were left out of it.
    pub is_chat_cut: RwSignal<bool>,
    /// The files.
    pub transfers: TransfersModel,
    /// The plain invitation (an absolute URL).
    pub invitation: RwSignal<String>,
    /// The browser wants a click before it plays sound.
    pub needs_gesture: RwSignal<bool>,
    /// The main source that the person wants.
    pub source: RwSignal<SourceChoice>,
    /// The browser wants a click before it shares a screen.
    pub needs_source_gesture: RwSignal<bool>,
    /// The video file that is shown, or may be.
    pub file: FileModel,
    /// The run.
    pub run: RwSignal<RunShown>,
    /// The ids of the members whose runs are on in which this page takes part.
    pub measured_by: RwSignal<Vec<String>>,
    /// What is set.
    pub settings: SettingsModel,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunShown {
    /// Where.
    pub state: RunState,
    /// How long it is on, or was, in seconds.
    pub seconds: u64,
}

/// What a run can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// The report.
    Json,
    /// Its samples as a table.
    Csv,
    /// The raw stats reports.
    RtcStats,
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
    /// Whether what the member sends counts.
    pub standing: RwSignal<Standing>,
    /// Whether the link goes through a relay; `None` until known.
    pub path: RwSignal<Option<LinkPath>>,
    /// The pair of candidates in use, in words; `None` until known.
    pub pair: RwSignal<Option<String>>,
    /// Whether the microphone is on.
    pub microphone: RwSignal<bool>,
    /// Whether the camera (or another source) is on.
    pub camera: RwSignal<bool>,
    /// What the picture is of.
    pub source: RwSignal<PublishedSource>,
    /// Of a video file, how its provider declares it to play.
    pub playback: RwSignal<Option<Playback>>,
    /// Where a video file stopped that failed, in seconds.
    pub failed_at_s: RwSignal<Option<u32>>,
    /// What is true of its stamped frames; `None` while they carry no stamps.
    pub truth: RwSignal<Option<FrameTruth>>,
    /// The round trip to this member, in seconds; `None` until known.
    pub round_trip_s: RwSignal<Option<f64>>,
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
    pub seen_by: RwSignal<Option<Receiver>>,
    /// The rows; empty on one's own tile.
    pub figures: RwSignal<Vec<Figure>>,
    /// Notes the frames that the tile's `<video>` shows.
    pub frames: StoredValue<FrameWatch, LocalStorage>,
    /// How the picture was shown; `None` on one's own tile, and while nobody looks at it.
    pub playout: RwSignal<Option<Playout>>,
    /// What was measured and what happened; empty on one's own tile.
    pub history: RwSignal<History>,
    /// What stands behind the figures, while somebody looks at them.
    pub details: RwSignal<ConnectionDetails>,
}

/// One message of the conversation.
#[derive(Debug, Clone)]
pub struct ChatLine {
    /// Names it here.
    pub number: MessageNumber,
    /// Its author's id for it.
    pub id: String,
    /// The author's name; `None` for one's own.
    pub author: Option<String>,
    /// Text with line breaks, never markup.
    pub text: String,
    /// When, on the author's clock, in milliseconds since 1970.
    pub sent_at_ms: u64,
    /// How far it came.
    pub state: ArcRwSignal<DeliveryState>,
}

/// The files of a room, oldest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransfersModel {
    /// All of them, both ways.
    pub list: RwSignal<Vec<TransferModel>>,
    /// Those that wait for this person's answer.
    pub offered: RwSignal<Vec<TransferModel>>,
    /// How many wait for it, those included that are not in the lists yet or are still to come.
    pub all_offered: RwSignal<Offered>,
    /// What was chosen and cannot be offered yet.
    pub backlog: RwSignal<Backlog>,
    /// What was chosen and is not sent.
    pub left_out: RwSignal<LeftOut>,
}

impl TransfersModel {
    /// Those that wait for this person's answer.
    #[must_use]
    pub fn offered_here(&self) -> Vec<TransferModel> {
        self.offered.get()
    }
}

/// One file on its way to or from one member. Equal ones have the same `handle`.
#[derive(Debug, Clone, Copy)]
pub struct TransferModel {
    /// Names it in [`RoomActions`].
    pub handle: TransferHandle,
    /// How it is now.
    pub view: RwSignal<TransferView>,
    /// The other side's name, possibly empty.
    pub member_name: RwSignal<String>,
    /// Where the file can be saved from, once it is here.
    pub url: RwSignal<Option<String>>,
}

/// What a room's controls do. Calls return at once; what comes of them shows in the [`RoomModel`].
#[derive(Debug, Clone, Copy)]
pub struct RoomActions {
    /// Says something to everybody present, or tells why that text is not sent; one too long is a notice too.
    pub send_chat: Callback<String, Result<(), TextRefused>>,
    /// Offers files to a member, or to everybody present.
    pub offer_files: Callback<(Option<MemberId>, PickedFiles)>,
    /// Gives up the files that were chosen and cannot be offered yet.
    pub cancel_backlog: Callback<()>,
    /// Takes a file that is offered.
    pub accept_file: Callback<TransferHandle>,
    /// Takes every file that is offered.
    pub accept_all_files: Callback<Offered>,
    /// Takes none of them.
    pub decline_all_files: Callback<()>,
    /// Does not take it.
    pub decline_file: Callback<TransferHandle>,
    /// Gives a transfer up.
    pub cancel_file: Callback<TransferHandle>,
    /// Holds a transfer back (true) or lets it go on.
    pub pause_file: Callback<(TransferHandle, bool)>,
    /// Microphone on or off.
    pub toggle_microphone: Callback<()>,
    /// Camera on or off; on asks for the camera where there is none yet.
    pub toggle_camera: Callback<()>,
    /// Publishes another main source (called from a click, which a screen needs).
    pub choose_source: Callback<SourceChoice>,
    /// Opens and plays a video file.
    pub file: Callback<FileCommand>,
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
    /// Begins a run.
    pub start_run: Callback<()>,
    /// Ends it.
    pub stop_run: Callback<()>,
    /// Takes no part in a member's run any more.
    pub refuse_run: Callback<String>,
    /// Saves what it left (called from a click).
    pub export: Callback<Export>,
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
    /// The video file that is shown, or may be.
    pub file: FileModel,
    /// Whether to enter with the microphone on.
    pub microphone: RwSignal<bool>,
    /// What is set.
    pub settings: SettingsModel,
    /// The preview.
    pub preview: StreamSignal,
    /// Nothing is captured before a click, since an address led here.
    pub is_held: RwSignal<bool>,
    /// What the address wishes for; nothing where it counts without a click.
    pub wishes: StoredValue<Vec<Wish>>,
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
    /// Opens and plays a video file.
    pub file: Callback<FileCommand>,
    /// Turns on what waits for a click.
    pub release: Callback<()>,
    /// Asks for camera and microphone again.
    pub ask_again: Callback<()>,
    /// Takes a notice away.
    pub dismiss: Callback<NoticeCode>,
}

/// A video file as a source: what there is of it, and how it plays here.
#[derive(Debug, Clone, Copy)]
pub struct FileModel {
    /// Whether the place where a file is chosen and played is open.
    pub is_open: RwSignal<bool>,
    /// Whether one is being opened.
    pub is_loading: RwSignal<bool>,
    /// The name of the one that is shown; `None` while there is none.
    pub name: RwSignal<Option<String>>,
    /// How it plays, as it is declared to the others.
    pub playback: RwSignal<Playback>,
    /// Where it is, in seconds.
    pub position_s: RwSignal<f64>,
    /// How long it is, in seconds; `None` where it does not say.
    pub duration_s: RwSignal<Option<f64>>,
    /// Width and height, in pixels.
    pub size: RwSignal<(u32, u32)>,
    /// Whether it begins again at its end.
    pub is_looping: RwSignal<bool>,
    /// How loud it is here, from 0 to 1.
    pub volume: RwSignal<f64>,
    /// Whether every frame is stamped: known-source mode.
    pub is_stamping: RwSignal<bool>,
    /// What painting a frame takes of this page's thread, in microseconds; `None` while none is painted.
    pub paint_cost_us: RwSignal<Option<u32>>,
    /// The browser wants a click before it plays it, or plays its sound.
    pub needs_gesture: RwSignal<bool>,
}

/// What a person does with a video file.
#[derive(Debug, Clone)]
pub enum FileCommand {
    /// Shows this one.
    Open(MediaFile),
    /// Shows the clip that is shipped.
    OpenSample,
    /// Plays on, with its sound (called from a click).
    Play,
    /// Stands still.
    Pause,
    /// Jumps to a place, in seconds.
    Seek(f64),
    /// Plays from the beginning.
    Restart,
    /// Begins again at its end, or not.
    Loop(bool),
    /// How loud it is here, from 0 to 1.
    Volume(f64),
    /// Stamps every frame, or not.
    Stamp(bool),
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
    /// A video file.
    File,
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
            Self::File => "file",
            Self::None => "none",
        }
    }

    /// The choice of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Camera, Self::Screen, Self::File, Self::None]
            .into_iter()
            .find(|choice| choice.as_str() == word)
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
