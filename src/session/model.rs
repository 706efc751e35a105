//! The signals that components show, as small `Copy` handles. Only the session writes them.

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
    media::{faces_away, other_camera},
    notice::NoticeCode,
    picture::StillPicture,
    room::{HostAction, LinkState, ShownReaction, VisitorView},
    signaling::SignalingStatus,
    transfer::{Backlog, LeftOut, Offered, TransferHandle, TransferView},
    trust::{Acquaintance, Person, PersonId, ShortCode, Verification},
};
use sightline_protocol::{
    MemberId, Reaction,
    control::{Playback, PublishedSource},
};

use crate::consent::Wish;

pub use crate::source_choice::SourceChoice;

pub use super::preferences::{Preferences, Setting, kept_ice_servers, read_ice_servers, switch_value};
pub use sightline_core::measure::{Playout, Receiver};

/// A media stream, which stays on this thread.
pub type StreamSignal = RwSignal<Option<MediaStream>, LocalStorage>;

/// The signals of a room.
#[derive(Debug, Clone, Copy)]
pub struct RoomModel {
    /// The state of the signaling connection.
    pub status: RwSignal<SignalingStatus>,
    /// The current notices, oldest first, without repetition.
    pub notices: RwSignal<Vec<NoticeCode>>,
    /// The local tile.
    pub local: TileModel,
    /// The tiles of the other members, in the order of their arrival.
    pub others: RwSignal<Vec<TileModel>>,
    /// The hosts, the lock, and who waits.
    pub host: HostModel,
    /// The picture that the hosts of the locked room see of this person, while this person waits there.
    pub shown_picture: RwSignal<Option<StillPicture>>,
    /// Whether the room was entered since the page opened.
    pub has_entered: RwSignal<bool>,
    /// Whether the room is shown in place of the lobby.
    pub is_shown: RwSignal<bool>,
    /// Whether the first connection is being made, so that nothing is drawn but the stage.
    pub is_reaching: RwSignal<bool>,
    /// Whether the page shows everything, or will not: until then it is busy.
    pub is_drawn: RwSignal<bool>,
    /// The messages, oldest first.
    pub chat: RwSignal<Vec<ChatLine>>,
    /// Whether older messages were dropped.
    pub is_chat_cut: RwSignal<bool>,
    /// The transfers of the room.
    pub transfers: TransfersModel,
    /// The invitation without personal parameters (an absolute URL).
    pub invitation: RwSignal<String>,
    /// Whether the room is protected by its link.
    pub is_protected: bool,
    /// Whether the browser requires a click before it plays sound.
    pub needs_gesture: RwSignal<bool>,
    /// The main source that the person wants.
    pub source: RwSignal<SourceChoice>,
    /// Whether the browser requires a click before it shares a screen.
    pub needs_source_gesture: RwSignal<bool>,
    /// The video file that is shown or can be chosen.
    pub file: FileModel,
    /// The state of the run.
    pub run: RwSignal<RunShown>,
    /// Whether something of the latest run was saved.
    pub is_report_saved: RwSignal<bool>,
    /// The ids of the members whose runs this page takes part in.
    pub measured_by: RwSignal<Vec<String>>,
    /// The settings and the lists of devices.
    pub settings: SettingsModel,
    /// The people that this device remembers.
    pub remembered: RwSignal<Remembered>,
}

/// What this device remembers of people whose code matched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Remembered {
    /// Not read yet.
    #[default]
    Unread,
    /// This browser stores no keys, so it recognizes nobody.
    Off,
    /// These people, the latest one last.
    People(Vec<Person>),
    /// Everybody was forgotten, with the key of this device. The next room begins with another key.
    Forgotten,
}

/// The people that this device remembers, and how to forget them.
#[derive(Debug, Clone, Copy)]
pub struct RememberedPeople {
    /// The people.
    pub list: RwSignal<Remembered>,
    /// Forgets a person; `None` forgets everybody and the key of this device.
    pub forget: Callback<Option<PersonId>>,
}

/// The hosts of a room, its lock, and who waits at it.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostModel {
    /// Whether this person is a host.
    pub is_host: RwSignal<bool>,
    /// Whether nobody new is admitted without a host's yes.
    pub is_locked: RwSignal<bool>,
    /// The ids of the hosts.
    pub hosts: RwSignal<Vec<String>>,
    /// Who waits to be let in; empty unless this person is a host.
    pub visitors: RwSignal<Vec<VisitorView>>,
    /// Whether a removal replaces the secret in the link.
    pub changes_link: RwSignal<bool>,
    /// The id of the member that the host is asked about before it is removed.
    pub removing: RwSignal<Option<String>>,
}

/// The state of a run, for display.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunShown {
    /// Idle, running or ended.
    pub state: RunState,
    /// Duration so far, or of the last run, in seconds.
    pub seconds: u64,
}

/// The formats in which a run can be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// The report as JSON.
    Json,
    /// The samples of the report as CSV.
    Csv,
    /// The raw stats reports, in the format of rtcstats.
    RtcStats,
}

/// What the person says of the code of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeJudgment {
    /// The id of the member.
    pub member: String,
    /// The code that the person saw.
    pub code: ShortCode,
    /// Whether the member has the same.
    pub is_matching: bool,
}

/// The signals of one tile. Copying is cheap; equal tiles have the same `member`.
#[derive(Debug, Clone, Copy)]
pub struct TileModel {
    /// The word `local`, or the member's id.
    pub member: StoredValue<String>,
    /// The name; empty if the member gave none (the component then shows "Guest").
    pub name: RwSignal<String>,
    /// Whether the name could be read; if not, nobody knows who this is.
    pub has_name: RwSignal<bool>,
    /// Whether the connection to this member is protected by the link of the room.
    pub is_protected: bool,
    /// The code to compare with this member, and what the person said of it.
    pub verification: RwSignal<Verification>,
    /// What this device knows of this member from earlier calls.
    pub acquaintance: RwSignal<Acquaintance>,
    /// The state of the link; the local tile is always connected.
    pub state: RwSignal<LinkState>,
    /// Whether the member's messages take effect.
    pub standing: RwSignal<Standing>,
    /// Whether the link goes through a relay; `None` until known.
    pub path: RwSignal<Option<LinkPath>>,
    /// The candidate pair in use, in words; `None` until known.
    pub pair: RwSignal<Option<String>>,
    /// Whether the microphone is on.
    pub microphone: RwSignal<bool>,
    /// Whether the camera (or another main source) is on.
    pub camera: RwSignal<bool>,
    /// The kind of main source.
    pub source: RwSignal<PublishedSource>,
    /// The declared playback state of a video file.
    pub playback: RwSignal<Option<Playback>>,
    /// Position at which a video file failed, in seconds.
    pub failed_at_s: RwSignal<Option<u32>>,
    /// The counts of stamped frames; `None` while the source is not stamped.
    pub truth: RwSignal<Option<FrameTruth>>,
    /// The round-trip time to this member, in seconds; `None` until known.
    pub round_trip_s: RwSignal<Option<f64>>,
    /// Whether the member speaks now.
    pub is_speaking: RwSignal<bool>,
    /// The place of the raised hand, 1 for the member that raised it first; `None` while the hand is down.
    pub hand: RwSignal<Option<u32>>,
    /// The reaction that the member shows.
    pub reaction: RwSignal<Option<ShownReaction>>,
    /// Whether the member's page shows private messages.
    pub reads_private: RwSignal<bool>,
    /// The received stream; on the local tile the preview.
    pub stream: StreamSignal,
    /// Whether to mirror the picture; only the local camera preview is mirrored.
    pub is_mirrored: RwSignal<bool>,
    /// Bars and cause of the received picture; on the local tile those of the receiver with the worst picture. `None` until
    /// known.
    pub quality: RwSignal<Option<Quality>>,
    /// How this member receives the local picture; on the local tile the receiver with the worst picture. `None` until known.
    pub seen_by: RwSignal<Option<Receiver>>,
    /// The figures of the panel; empty on the local tile.
    pub figures: RwSignal<Vec<Figure>>,
    /// Notes the frames that the tile's `<video>` shows.
    pub frames: StoredValue<FrameWatch, LocalStorage>,
    /// How the picture was played out; `None` on the local tile and while the panel is closed.
    pub playout: RwSignal<Option<Playout>>,
    /// Five minutes of figures and events; empty on the local tile.
    pub history: RwSignal<History>,
    /// The details behind the figures, while the panel is open.
    pub details: RwSignal<ConnectionDetails>,
}

/// One chat message for display.
#[derive(Debug, Clone)]
pub struct ChatLine {
    /// Identifies the message on this page.
    pub number: MessageNumber,
    /// The id that the author gave the message.
    pub id: String,
    /// The author's name; `None` for a local message.
    pub author: Option<String>,
    /// Whether the message is for one member only.
    pub is_private: bool,
    /// The name of the only receiver of a local message.
    pub addressee: Option<String>,
    /// Text with line breaks, never markup.
    pub text: String,
    /// Milliseconds since 1970 on the author's clock.
    pub sent_at_ms: u64,
    /// The progress of delivery.
    pub state: ArcRwSignal<DeliveryState>,
}

/// The transfers of a room, oldest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransfersModel {
    /// All transfers in both directions.
    pub list: RwSignal<Vec<TransferModel>>,
    /// The transfers that wait for this person's answer.
    pub offered: RwSignal<Vec<TransferModel>>,
    /// The transfers that wait for an answer, including those that are not in the lists yet or are still to come.
    pub all_offered: RwSignal<Offered>,
    /// The chosen files that cannot be offered yet.
    pub backlog: RwSignal<Backlog>,
    /// The chosen files that are not sent.
    pub left_out: RwSignal<LeftOut>,
    /// Whether received files are being saved together.
    pub is_saving: RwSignal<bool>,
    /// Whether some of them could not be saved.
    pub has_save_failed: RwSignal<bool>,
}

impl TransfersModel {
    /// The transfers that wait for this person's answer.
    #[must_use]
    pub fn offered_here(&self) -> Vec<TransferModel> {
        self.offered.get()
    }
}

/// One transfer. Equal ones have the same `handle`.
#[derive(Debug, Clone, Copy)]
pub struct TransferModel {
    /// Identifies the transfer in [`RoomActions`].
    pub handle: TransferHandle,
    /// The present state of the transfer.
    pub view: RwSignal<TransferView>,
    /// The name of the other side; may be empty.
    pub member_name: RwSignal<String>,
    /// The address from which the file can be saved, once it is complete.
    pub url: RwSignal<Option<String>>,
    /// The person saved it.
    pub is_saved: RwSignal<bool>,
}

/// The actions of a room's controls. They return at once; the results appear in the [`RoomModel`].
#[derive(Debug, Clone, Copy)]
pub struct RoomActions {
    /// Sends a text to one member, or to all members in the room, or returns why it is not sent; a text that is too long also raises
    /// a notice.
    pub send_chat: Callback<(Option<MemberId>, String), Result<(), TextRefused>>,
    /// Raises (true) or lowers the hand.
    pub raise_hand: Callback<bool>,
    /// Shows a reaction to everyone.
    pub react: Callback<Reaction>,
    /// Has the microphone on (true) while the person holds the key to talk.
    pub talk: Callback<bool>,
    /// Offers files to one member, or to all.
    pub offer_files: Callback<(Option<MemberId>, PickedFiles)>,
    /// Gives up the chosen files that cannot be offered yet.
    pub cancel_backlog: Callback<()>,
    /// Accepts a file.
    pub accept_file: Callback<TransferHandle>,
    /// Takes every file that is offered.
    pub accept_all_files: Callback<Offered>,
    /// Takes none of them.
    pub decline_all_files: Callback<()>,
    /// Declines a file.
    pub decline_file: Callback<TransferHandle>,
    /// Cancels a transfer.
    pub cancel_file: Callback<TransferHandle>,
    /// Removes ended transfers from the list.
    pub clear_files: Callback<Vec<TransferHandle>>,
    /// Saves received files together, in a folder or an archive (called from a click).
    pub save_files: Callback<Vec<TransferHandle>>,
    /// Pauses (true) or resumes a transfer.
    pub pause_file: Callback<(TransferHandle, bool)>,
    /// Switches the microphone on or off.
    pub toggle_microphone: Callback<()>,
    /// Switches the camera on or off; asks for the camera if there is none yet.
    pub toggle_camera: Callback<()>,
    /// Changes the main source (called from a click, which a screen needs).
    pub choose_source: Callback<SourceChoice>,
    /// Performs a command about the video file.
    pub file: Callback<FileCommand>,
    /// Asks for camera and microphone again.
    pub ask_again: Callback<()>,
    /// Leaves the room, and opens the first page.
    pub leave: Callback<()>,
    /// Plays what autoplay blocked (called from a click).
    pub resume_playback: Callback<()>,
    /// Reports that the `<video>` of this tile could not play because autoplay was blocked.
    pub playback_blocked: Callback<()>,
    /// Removes a notice.
    pub dismiss: Callback<NoticeCode>,
    /// Connects again after the signaling connection ended for good (server unreachable, replaced, full).
    pub retry: Callback<()>,
    /// Says whether figures are shown (true): history and details are collected only then.
    pub watch_figures: Callback<bool>,
    /// Starts a run.
    pub start_run: Callback<()>,
    /// Ends the run.
    pub stop_run: Callback<()>,
    /// Takes what the person says of a member's code.
    pub judge_code: Callback<CodeJudgment>,
    /// Forgets a person that this device remembers; `None` forgets everybody and the key of this device.
    pub forget: Callback<Option<PersonId>>,
    /// Asks the server for something that only a host may do.
    pub host: Callback<HostAction>,
    /// Takes no further part in a member's run.
    pub refuse_run: Callback<String>,
    /// Saves the result of a run (called from a click).
    pub export: Callback<Export>,
}

/// The signals of the lobby.
#[derive(Debug, Clone, Copy)]
pub struct LobbyModel {
    /// The name, as the person typed it.
    pub name: RwSignal<String>,
    /// The source to publish.
    pub source: RwSignal<SourceChoice>,
    /// Whether the browser requires a click before it shares a screen.
    pub needs_source_gesture: RwSignal<bool>,
    /// The video file that is shown or can be chosen.
    pub file: FileModel,
    /// Whether to enter with the microphone on.
    pub microphone: RwSignal<bool>,
    /// Whether there is no microphone although it was asked for.
    pub is_microphone_missing: RwSignal<bool>,
    /// The settings and the lists of devices.
    pub settings: SettingsModel,
    /// The preview of the source.
    pub preview: StreamSignal,
    /// Whether nothing is captured before a click, because an address led here.
    pub is_held: RwSignal<bool>,
    /// The wishes of the address; empty where they take effect without a click.
    pub wishes: StoredValue<Vec<Wish>>,
    /// Whether the camera or microphone is being asked for.
    pub is_asking: RwSignal<bool>,
    /// The microphone's level, from 0 to 1.
    pub level: RwSignal<f64>,
    /// The current notices.
    pub notices: RwSignal<Vec<NoticeCode>>,
}

/// The actions of the lobby's controls. Choices are written to the [`LobbyModel`], which the session watches.
#[derive(Debug, Clone, Copy)]
pub struct LobbyActions {
    /// Enters the room.
    pub join: Callback<()>,
    /// Changes the main source (called from a click, which a screen needs).
    pub choose_source: Callback<SourceChoice>,
    /// Performs a command about the video file.
    pub file: Callback<FileCommand>,
    /// Asks for the held source.
    pub release: Callback<()>,
    /// Asks for camera and microphone again.
    pub ask_again: Callback<()>,
    /// Removes a notice.
    pub dismiss: Callback<NoticeCode>,
}

/// A video file as a source: the file, and how it plays here.
#[derive(Debug, Clone, Copy)]
pub struct FileModel {
    /// Whether the panel for choosing and playing a file is open.
    pub is_open: RwSignal<bool>,
    /// Whether a file is being opened.
    pub is_loading: RwSignal<bool>,
    /// The name of the file that is shown; `None` without a file.
    pub name: RwSignal<Option<String>>,
    /// The declared playback state.
    pub playback: RwSignal<Playback>,
    /// The position, in seconds.
    pub position_s: RwSignal<f64>,
    /// The duration, in seconds; `None` where the file does not contain it.
    pub duration_s: RwSignal<Option<f64>>,
    /// Width and height, in pixels.
    pub size: RwSignal<(u32, u32)>,
    /// Whether the file starts again at its end.
    pub is_looping: RwSignal<bool>,
    /// The volume here, from 0 to 1.
    pub volume: RwSignal<f64>,
    /// Whether every frame is stamped (known-source mode).
    pub is_stamping: RwSignal<bool>,
    /// Time of this page's thread for painting one frame, in microseconds; `None` while no frame is painted.
    pub paint_cost_us: RwSignal<Option<u32>>,
    /// Whether the browser requires a click before it plays the file or its sound.
    pub needs_gesture: RwSignal<bool>,
}

/// A command about a video file.
#[derive(Debug, Clone)]
pub enum FileCommand {
    /// Shows this file.
    Open(MediaFile),
    /// Shows the shipped clip.
    OpenSample,
    /// Continues to play, with sound (called from a click).
    Play,
    /// Pauses the file.
    Pause,
    /// Jumps to a position, in seconds.
    Seek(f64),
    /// Plays the file from the beginning.
    Restart,
    /// Sets whether the file starts again at its end.
    Loop(bool),
    /// Sets the volume here, from 0 to 1.
    Volume(f64),
    /// Sets whether every frame is stamped.
    Stamp(bool),
}

/// The settings, and the devices to choose from.
#[derive(Debug, Clone, Copy)]
pub struct SettingsModel {
    /// The settings; writing to a value changes it.
    pub preferences: Preferences,
    /// The cameras to choose from.
    pub cameras: RwSignal<Vec<DeviceChoice>>,
    /// The microphones to choose from.
    pub microphones: RwSignal<Vec<DeviceChoice>>,
    /// The loudspeakers to choose from, where the browser lists them.
    pub speakers: RwSignal<Vec<DeviceChoice>>,
    /// Opens the browser's own dialog for loudspeakers (called from a gesture), where it has one.
    pub prompt_for_speaker: Option<Callback<()>>,
}

impl SettingsModel {
    /// Chooses the camera on the other side of a phone, or the next one.
    pub fn switch_camera(&self) {
        let chosen = self.preferences.signal(Setting::Camera);
        let other = self.cameras.with_untracked(|cameras| {
            let labels: Vec<_> = cameras.iter().map(|camera| camera.label.as_str()).collect();
            let present =
                chosen.with_untracked(|chosen| cameras.iter().position(|camera| camera.id == *chosen));
            Some(cameras[other_camera(&labels, present)?].id.clone())
        });
        if let Some(other) = other {
            chosen.set(other);
        }
    }

    /// Whether the chosen camera faces away from the person.
    pub fn shows_what_the_person_sees(&self) -> bool {
        let chosen = self.preferences.signal(Setting::Camera);
        let (cameras, chosen) = (self.cameras.try_get_untracked(), chosen.try_get_untracked());
        let chosen = cameras
            .zip(chosen)
            .and_then(|(cameras, chosen)| cameras.into_iter().find(|camera| camera.id == chosen));
        chosen.is_some_and(|camera| faces_away(&camera.label))
    }
}

/// A device in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceChoice {
    /// The browser's `deviceId`.
    pub id: String,
    /// The browser's label; empty before the permission is given.
    pub label: String,
}
