//! Where browser events meet the core, and its outputs become browser calls and signals.
//!
//! Components read the handles in [`model`] and call the actions there; nothing else in `src` knows a peer
//! connection. One [`Session`] is one visit of one room page: the lobby first, then the room.

pub mod address;
mod chat_history;
mod driver;
mod engine;
mod figures_view;
mod files;
mod identity;
mod input;
mod link;
mod media;
pub mod model;
pub mod preferences;
mod room_view;
mod signals;

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    certificate::Certificate,
    clock, devices, environment,
    queue::{EventSink, EventStream, event_queue},
    random,
};
use sightline_core::{notice::NoticeCode, signalling::JoinRequest};
use sightline_protocol::{DisplayName, InstanceId, RoomName};

use self::{
    address::FutureWay,
    engine::Entry,
    identity::Place,
    input::{Command, Input, TransferAction},
    media::LocalMedia,
    model::{FileCommand, LobbyActions, LobbyModel, RoomActions, RoomModel, SettingsModel, SourceChoice},
    preferences::Preferences,
    room_view::RoomView,
};
use crate::parameters::Parameters;

/// More than a minute of everything that eight links can report; past that the page was asleep.
const MAX_INPUTS: usize = 4096;

/// Where a person is on a room page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Choosing what to publish.
    Lobby,
    /// In the room.
    Room,
}

/// One visit of a room page.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// Lobby or room.
    pub stage: RwSignal<Stage>,
    /// What the lobby shows.
    pub lobby: LobbyModel,
    /// What the lobby does.
    pub lobby_actions: LobbyActions,
    /// What the room shows.
    pub room: RoomModel,
    /// What the room does.
    pub room_actions: RoomActions,
}

/// Opens a room page: the lobby, or where the address or a reload says so the room at once. Everything ends with the
/// owner this is called under. `left` is called when the person has left.
#[must_use]
pub fn open(room: RoomName, parameters: &Parameters, left: Callback<()>) -> Session {
    let (inputs, stream) = event_queue(MAX_INPUTS);
    let preferences = Preferences::load(parameters);
    let media = LocalMedia::new(preferences, parameters, inputs.map(|()| Input::MediaChanged));
    let place = identity::remembered_place(&room);
    let settings = settings_model(&media);
    let source = place.as_ref().map(|place| place.source).or(parameters.source);
    let lobby = lobby_model(parameters, place.as_ref(), &media, settings);
    let model =
        RoomView::new_model(address::invitation(&room, parameters.tabs_only), media.signals(), settings);
    let stage = RwSignal::new(Stage::Lobby);
    let way = address::find_way(&room, parameters.tabs_only);
    let run_limit = parameters.run_s.map(|seconds| Duration::from_secs(seconds.into()));
    let start = Start { stream, way, run_limit };
    let entrance = Entrance::new(room, place, model, media.clone(), inputs.clone(), start);

    follow_choices(lobby, source.unwrap_or(SourceChoice::Camera), &media, &inputs);
    if source == Some(SourceChoice::File) && parameters.sample {
        media.handle_file(FileCommand::OpenSample);
    }
    if !environment::has_web_rtc() {
        signals::insert(lobby.notices, NoticeCode::UnsupportedBrowser);
    }
    let join = {
        let entrance = entrance.clone();
        move || {
            let name = DisplayName::cut(&lobby.name.get_untracked());
            if entrance.enter(&name) {
                stage.set(Stage::Room);
            }
        }
    };
    if parameters.autojoin || entrance.is_return() {
        join();
    }
    let entrance = StoredValue::new_local(entrance);
    on_cleanup(move || {
        entrance.try_with_value(Entrance::close);
    });

    let join = StoredValue::new_local(join);
    let room_actions = room_actions(model, inputs, media, left);
    let lobby_actions = LobbyActions {
        join: Callback::new(move |()| join.with_value(|join| join())),
        choose_source: room_actions.choose_source,
        file: room_actions.file,
        ask_again: room_actions.ask_again,
        dismiss: room_actions.dismiss,
    };
    Session { stage, lobby, lobby_actions, room: model, room_actions }
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
fn follow_choices(lobby: LobbyModel, source: SourceChoice, media: &LocalMedia, inputs: &EventSink<Input>) {
    // First the camera, so that one question is for both.
    media.want_both(source, lobby.microphone.get_untracked());
    let listening = media.clone();
    Effect::watch(
        move || lobby.microphone.get(),
        move |is_on, _, _| listening.want_microphone(*is_on),
        false,
    );
    let (media, inputs) = (media.clone(), inputs.clone());
    media.preferences().watch(move |setting| {
        media.handle_setting(setting);
        inputs.push(Input::SettingChanged(setting));
    });
}

fn room_actions(
    model: RoomModel,
    inputs: EventSink<Input>,
    media: LocalMedia,
    left: Callback<()>,
) -> RoomActions {
    let inputs = StoredValue::new_local(inputs);
    let media = StoredValue::new_local(media);
    let push = move |command| {
        inputs.try_with_value(|inputs| inputs.push(Input::Command(command)));
    };
    let act_on_transfer = move |action| push(Command::Transfer(action));
    let on_media = move |act: fn(&LocalMedia)| {
        Callback::new(move |()| {
            media.try_with_value(act);
        })
    };
    RoomActions {
        send_chat: Callback::new(move |text| push(Command::SendChat(text))),
        offer_files: Callback::new(move |(to, files)| act_on_transfer(TransferAction::Offer(to, files))),
        accept_file: Callback::new(move |handle| act_on_transfer(TransferAction::Accept(handle))),
        decline_file: Callback::new(move |handle| act_on_transfer(TransferAction::Decline(handle))),
        cancel_file: Callback::new(move |handle| act_on_transfer(TransferAction::Cancel(handle))),
        pause_file: Callback::new(move |(handle, is_paused)| {
            act_on_transfer(TransferAction::Pause(handle, is_paused));
        }),
        toggle_microphone: on_media(LocalMedia::toggle_microphone),
        toggle_camera: on_media(LocalMedia::toggle_camera),
        choose_source: Callback::new(move |source| {
            media.try_with_value(|media| media.want_source(source));
        }),
        file: Callback::new(move |command| {
            media.try_with_value(|media| media.handle_file(command));
        }),
        ask_again: on_media(LocalMedia::ask_again),
        leave: left,
        resume_playback: Callback::new(move |()| model.needs_gesture.set(false)),
        playback_blocked: Callback::new(move |()| model.needs_gesture.set(true)),
        dismiss: Callback::new(move |code| signals::remove(model.notices, &code)),
        retry: Callback::new(move |()| push(Command::Retry)),
        watch_figures: Callback::new(move |wanted| push(Command::WatchFigures(wanted))),
        start_run: Callback::new(move |()| push(Command::StartRun)),
        stop_run: Callback::new(move |()| push(Command::StopRun)),
        export: Callback::new(move |export| push(Command::Export(export))),
    }
}

/// As often as the socket is sought again.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// Waits until the person tries again, or some seconds, as for the socket; false where they leave.
async fn may_retry(stream: &mut EventStream<Input>) -> bool {
    let due = clock::now() + RETRY_AFTER;
    loop {
        let (timer, next) = (clock::sleep_until(due), stream.next());
        pin_mut!(timer, next);
        match select(next, timer).await {
            Either::Left((Some(Input::Command(Command::Retry)), _)) | Either::Right(_) => return true,
            Either::Left((Some(Input::Command(Command::Leave)) | None, _)) => return false,
            Either::Left((Some(_), _)) => {}
        }
    }
}

/// What the one visit of the room uses up.
struct Start {
    stream: EventStream<Input>,
    way: FutureWay,
    /// How long a run is to last that begins with the visit.
    run_limit: Option<Duration>,
}

/// What is needed to enter the room, once.
#[derive(Clone)]
struct Entrance {
    room: RoomName,
    place: Option<Place>,
    model: RoomModel,
    media: LocalMedia,
    inputs: EventSink<Input>,
    start: Rc<RefCell<Option<Start>>>,
    certificate: Rc<RefCell<Option<Certificate>>>,
    owner: Owner,
}

impl Entrance {
    fn new(
        room: RoomName,
        place: Option<Place>,
        model: RoomModel,
        media: LocalMedia,
        inputs: EventSink<Input>,
        start: Start,
    ) -> Self {
        let certificate = Rc::new(RefCell::new(None));
        let made = Rc::clone(&certificate);
        // Made while the person is still in the lobby, so that the first offer need not wait for it.
        spawn_local(async move { *made.borrow_mut() = Certificate::generate().await.ok() });
        // Here by then too, and should the server be gone by then. Where it cannot be had it is asked for on entering.
        spawn_local(async {
            let _ = engine::load().await;
        });
        Self {
            room,
            place,
            model,
            media,
            inputs,
            start: Rc::new(RefCell::new(Some(start))),
            certificate,
            owner: Owner::current().unwrap_or_default(),
        }
    }

    /// Whether this tab was in the room before it was reloaded.
    fn is_return(&self) -> bool {
        self.place.is_some()
    }

    /// Starts the session; false where it was started before, or the browser cannot.
    fn enter(&self, name: &DisplayName) -> bool {
        if !environment::has_web_rtc() {
            return false;
        }
        let Some(start) = self.start.borrow_mut().take() else { return false };
        identity::remember_name(name);
        self.model.local.name.set(name.as_str().to_owned());
        self.media.hide_level();
        let request = JoinRequest {
            room: self.room.clone(),
            name: name.clone(),
            instance: InstanceId::from_random(random::bits()),
            resume: self.place.as_ref().map(|place| place.resume.clone()),
        };
        let entry = Entry {
            room: self.room.clone(),
            request,
            media: self.media.clone(),
            model: self.model,
            owner: self.owner.clone(),
            way: start.way,
            certificate: Rc::clone(&self.certificate),
            inputs: self.inputs.clone(),
            run_limit: start.run_limit,
        };
        let notices = self.model.notices;
        let mut stream = start.stream;
        spawn_local(async move {
            while engine::load().await.is_err() {
                signals::insert(notices, NoticeCode::ServerUnreachable);
                if !may_retry(&mut stream).await {
                    return;
                }
                signals::remove(notices, &NoticeCode::ServerUnreachable);
            }
            if let Ok(running) = engine::start(entry, stream).await {
                running.await;
            }
        });
        true
    }

    /// The page is left: the room, and camera and microphone too.
    fn close(&self) {
        self.inputs.push(Input::Command(Command::Leave));
        identity::forget_place(&self.room);
        if !self.media.preferences().keeps_chat() {
            chat_history::forget(&self.room);
        }
        self.media.close();
    }
}
