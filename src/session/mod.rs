//! Where browser events meet the core, and its outputs become browser calls and signals.
//!
//! Components read the handles in [`model`] and call the actions there; nothing else in `src` knows a peer
//! connection. One [`Session`] is one visit of one room page: the lobby first, and an [`Entry`](entrance::Entry) with which
//! the room is [`enter`](engine::enter)ed.

pub mod address;
mod chat_history;
mod driver;
pub mod engine;
pub mod entrance;
mod figures_view;
mod files;
mod identity;
mod input;
mod link;
mod media;
pub mod model;
pub mod preferences;
mod room_actions;
mod room_view;
mod signals;

use leptos::prelude::*;
use sightline_browser::{
    devices, environment,
    queue::{EventSink, event_queue},
};
use sightline_core::notice::NoticeCode;
use sightline_protocol::{DisplayName, RoomName};

use self::{
    entrance::{Entrance, PendingEntry},
    identity::Place,
    input::LocalChange,
    media::LocalMedia,
    model::{FileCommand, LobbyActions, LobbyModel, SettingsModel, SourceChoice},
    preferences::Preferences,
};
use crate::parameters::Parameters;

/// More than a person changes before the room is there; past that, what is there then is all that it has to know.
const MAX_CHANGES: usize = 256;

/// Where a person is on a room page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Choosing what to publish.
    Lobby,
    /// In the room.
    Room,
}

/// One visit of a room page.
#[derive(Clone, Copy)]
pub struct Session {
    /// Lobby or room.
    pub stage: RwSignal<Stage>,
    /// What the lobby shows.
    pub lobby: LobbyModel,
    /// What the lobby does.
    pub lobby_actions: LobbyActions,
    /// What the room is entered with, once the stage is the room.
    pub entry: StoredValue<PendingEntry, LocalStorage>,
}

/// Opens a room page: the lobby, or where the address or a reload says so the room at once. Everything ends with the
/// owner this is called under. `left` is called when the person has left.
#[must_use]
pub fn open(room: RoomName, parameters: &Parameters, left: Callback<()>) -> Session {
    let (changes, changed) = event_queue(MAX_CHANGES);
    let preferences = Preferences::load(parameters);
    let media = LocalMedia::new(preferences, parameters, changes.map(|()| LocalChange::Media));
    let place = identity::remembered_place(&room);
    let is_return = place.is_some();
    let settings = settings_model(&media);
    let source = place.as_ref().map(|place| place.source).or(parameters.source);
    let lobby = lobby_model(parameters, place.as_ref(), &media, settings);
    let resume = place.map(|place| place.resume);
    let entrance = Entrance::new(room, resume, parameters, media.clone(), settings, changed, left);

    follow_choices(lobby, source.unwrap_or(SourceChoice::Camera), &media, changes);
    if source == Some(SourceChoice::File) && parameters.sample {
        media.handle_file(FileCommand::OpenSample);
    }
    if !environment::has_web_rtc() {
        signals::insert(lobby.notices, NoticeCode::UnsupportedBrowser);
    }
    let entry = StoredValue::new_local(entrance.entry());
    let entrance = StoredValue::new_local(entrance);
    let stage = RwSignal::new(Stage::Lobby);
    let join = move || {
        // A second time there is nothing left to enter with.
        if stage.get_untracked() == Stage::Room {
            return;
        }
        let name = DisplayName::cut(&lobby.name.get_untracked());
        if entrance.with_value(|entrance| entrance.enter(name)) {
            stage.set(Stage::Room);
        }
    };
    if parameters.autojoin || is_return {
        join();
    }
    on_cleanup(move || {
        entrance.try_with_value(Entrance::close);
    });
    let lobby_actions = lobby_actions(lobby, media, Callback::new(move |()| join()));
    Session { stage, lobby, lobby_actions, entry }
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
    place: Option<&Place>,
    media: &LocalMedia,
    settings: SettingsModel,
) -> LobbyModel {
    let name = parameters.name.clone().unwrap_or_else(identity::remembered_name);
    let has_camera = parameters.source.is_none_or(|source| source == SourceChoice::Camera);
    let shown = media.signals();
    LobbyModel {
        name: RwSignal::new(name.as_str().to_owned()),
        source: shown.source,
        needs_source_gesture: shown.needs_gesture,
        file: shown.file,
        microphone: RwSignal::new(place.map_or(has_camera, |place| place.microphone)),
        settings,
        preview: shown.preview,
        is_asking: shown.is_asking,
        level: shown.level,
        notices: shown.notices,
    }
}

/// The devices follow what is chosen in the lobby, and what is set at any time.
fn follow_choices(
    lobby: LobbyModel,
    source: SourceChoice,
    media: &LocalMedia,
    changes: EventSink<LocalChange>,
) {
    // First the camera, so that one question is for both.
    media.want_both(source, lobby.microphone.get_untracked());
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
        ask_again: Callback::new(move |()| {
            media.try_with_value(LocalMedia::ask_again);
        }),
        dismiss: Callback::new(move |code| signals::remove(lobby.notices, &code)),
    }
}
