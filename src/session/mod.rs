//! Connects browser events to the core, and the core's outputs to browser calls and signals.
//!
//! Components read the handles in [`model`] and call the actions there. In `src`, only this module and the connection doctor
//! (`pages::check`) make peer connections. One [`Session`] is one visit of one room page: first the lobby, then an
//! [`Entry`](entrance::Entry) with which the room is [`enter`](engine::enter)ed.
//!
//! | module | subject |
//! |---|---|
//! | [`entrance`], [`engine`], `driver` | from lobby to room; what runs in the room: inputs, outputs, measurements |
//! | `input`, [`model`], `room_view`, `figures_view`, `room_actions` | the inputs of the driver; the signals that components
//! read, and the actions that they call |
//! | `link`, `tabs`, `files`, `media`, `frame_watches` | browser objects: links, signaling between tabs, transfers, local devices and
//! files, frames of the tiles |
//! | [`knock_wish`] | whether to show the hosts of a locked room a picture |
//! | [`address`], `identity`, [`preferences`], `chat_history`, [`device`] | addresses of server and room; name, seat, settings,
//! conversation, and the key of this device with the people that it remembers, as they are stored |

pub mod address;
mod chat_history;
pub mod departure;
pub mod device;
mod driver;
pub mod engine;
pub mod entrance;
mod figures_view;
mod files;
mod frame_watches;
pub(crate) mod identity;
mod input;
pub mod knock_wish;
mod link;
mod log;
mod media;
pub mod model;
pub mod preferences;
mod room_actions;
mod room_view;
mod signals;
mod tabs;

pub use files::picked_ahead;

use leptos::prelude::*;
use sightline_browser::{
    js::queue::{EventSink, event_queue},
    media::devices,
    page::environment,
};
use sightline_core::notice::NoticeCode;
use sightline_protocol::DisplayName;

use self::{
    entrance::{Entrance, PendingEntry},
    input::LocalChange,
    media::LocalMedia,
    model::{FileCommand, LobbyActions, LobbyModel, SettingsModel, SourceChoice},
    preferences::Preferences,
};
use crate::{
    consent::{Arrival, Opening, Permit, Wish},
    parameters::Parameters,
    route::RoomLink,
};

/// More changes than a person makes before the room is there; if some are lost, the state at that time is enough.
const MAX_CHANGES: usize = 256;

/// The stage of a room page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The person chooses what to publish.
    Lobby,
    /// The person is in the room.
    Room,
    /// The person left the room.
    Left,
}

/// One visit of a room page.
#[derive(Clone, Copy)]
pub struct Session {
    /// The present stage.
    pub stage: RwSignal<Stage>,
    /// The signals of the lobby.
    pub lobby: LobbyModel,
    /// The actions of the lobby.
    pub lobby_actions: LobbyActions,
    /// The parameters for entering the room, once the stage is [`Stage::Room`].
    pub entry: StoredValue<PendingEntry, LocalStorage>,
    entrance: StoredValue<Entrance, LocalStorage>,
}

impl Session {
    /// Ends the visit: devices are released and the place in the room is forgotten.
    pub fn close(self) {
        self.entrance.try_with_value(Entrance::close);
    }
}

/// Opens a room page: the lobby, or at once the room if the address or a reload says so. Everything ends with the owner under
/// which this is called.
#[must_use]
pub fn open(room: RoomLink, parameters: &Parameters, arrival: Arrival) -> Session {
    let (changes, changed) = event_queue(MAX_CHANGES);
    let is_automated = environment::is_automated();
    let preferences = Preferences::load(parameters, is_automated);
    let media = LocalMedia::new(preferences, parameters, changes.map(|()| LocalChange::Media));
    let place = identity::remembered_place(&room);
    let permit = Permit { is_automated, links_may_join: preferences.links_may_join() };
    let opening = Opening::decide(parameters, arrival, permit, place.as_ref());
    let settings = settings_model(&media);
    let lobby = lobby_model(parameters, opening, &media, settings);
    let resume = place.map(|place| place.resume);
    let stage = RwSignal::new(Stage::Lobby);
    let left = Callback::new(move |()| stage.set(Stage::Left));
    let entrance = Entrance::new(room, resume, parameters, media.clone(), settings, changed, left);

    follow_choices(lobby, opening, parameters.sample, &media, changes);
    if !environment::has_web_rtc() {
        signals::insert(lobby.notices, NoticeCode::UnsupportedBrowser);
    }
    let entry = StoredValue::new_local(entrance.entry());
    let entrance = StoredValue::new_local(entrance);
    let held = StoredValue::new_local(media.clone());
    let join = move || {
        let name = DisplayName::cut(&lobby.name.get_untracked());
        let show = Box::new(move || stage.set(Stage::Room));
        if entrance.with_value(|entrance| entrance.enter(name, show)) {
            // A screen can be shared only within the click.
            held.with_value(LocalMedia::release);
        }
    };
    if opening.joins {
        join();
    }
    let lobby_actions = lobby_actions(lobby, media, Callback::new(move |()| join()));
    let session = Session { stage, lobby, lobby_actions, entry, entrance };
    on_cleanup(move || session.close());
    session
}

fn settings_model(media: &LocalMedia) -> SettingsModel {
    let shown = media.signals();
    let media = StoredValue::new_local(media.clone());
    SettingsModel {
        preferences: media.with_value(LocalMedia::preferences),
        cameras: shown.cameras,
        microphones: shown.microphones,
        speakers: shown.speakers,
        prompt_for_speaker: devices::has_speaker_prompt()
            .then(|| Callback::new(move |()| media.with_value(LocalMedia::prompt_for_speaker))),
    }
}

fn lobby_model(
    parameters: &Parameters,
    opening: Opening,
    media: &LocalMedia,
    settings: SettingsModel,
) -> LobbyModel {
    let name = parameters.name.clone().unwrap_or_else(identity::remembered_name);
    let wishes = if opening.is_held { Wish::of(parameters) } else { Vec::new() };
    let shown = media.signals();
    LobbyModel {
        name: RwSignal::new(name.as_str().to_owned()),
        source: shown.source,
        needs_source_gesture: shown.needs_gesture,
        file: shown.file,
        microphone: RwSignal::new(opening.microphone),
        is_microphone_missing: shown.is_microphone_missing,
        settings,
        preview: shown.preview,
        is_held: shown.is_held,
        wishes: StoredValue::new(wishes),
        is_asking: shown.is_asking,
        level: shown.level,
        notices: shown.notices,
    }
}

/// Makes the devices follow the choices in the lobby and the settings.
fn follow_choices(
    lobby: LobbyModel,
    opening: Opening,
    is_sample: bool,
    media: &LocalMedia,
    changes: EventSink<LocalChange>,
) {
    if opening.is_held {
        media.hold(opening.source, is_sample, opening.microphone);
    } else {
        // The camera is first, so that one question covers both.
        media.want_both(opening.source, opening.microphone);
        if opening.source == SourceChoice::File && is_sample {
            media.handle_file(FileCommand::OpenSample);
        }
    }
    let listening = media.clone();
    Effect::watch(
        move || lobby.microphone.get(),
        move |is_on, _, _| listening.want_microphone(*is_on),
        false,
    );
    let media = media.clone();
    media.preferences().watch(move |setting| {
        media.handle_setting(setting);
        changes.push(LocalChange::Setting(setting));
    });
}

fn lobby_actions(lobby: LobbyModel, media: LocalMedia, join: Callback<()>) -> LobbyActions {
    let media = StoredValue::new_local(media);
    LobbyActions {
        join,
        choose_source: Callback::new(move |source| {
            media.try_with_value(|media| media.want_source(source));
        }),
        file: Callback::new(move |command| {
            media.try_with_value(|media| media.handle_file(command));
        }),
        release: Callback::new(move |()| {
            media.try_with_value(LocalMedia::release);
        }),
        ask_again: Callback::new(move |()| {
            media.try_with_value(LocalMedia::ask_again);
        }),
        dismiss: Callback::new(move |code| signals::remove(lobby.notices, &code)),
    }
}
