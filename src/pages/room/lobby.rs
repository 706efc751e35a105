//! The lobby: preview, choices, and entering the room.

use leptos::prelude::*;
use sightline_browser::MediaStream;
use sightline_protocol::limits::MAX_DISPLAY_NAME_CHARS;

use crate::{
    chunk,
    components::{
        call::{
            controls::SwitchButton, file_source::FileSource, knock_picture::load_about_room,
            source_choice::SourceControl, source_resume::SourceResume,
        },
        invitation::link_wishes::load_link_wishes,
        kit::{
            check_link::CheckLink,
            icon::{Icon, IconName},
            level_meter::LevelMeter,
            page_header::PageHeader,
            video::Video,
            when::When,
        },
        later::Later,
        notices::{notice::NoticeList, page::NoticePage, text::notice_text},
        room_part::RoomPart,
        settings::{device_select::DeviceSelect, menu::load_lobby_settings},
    },
    language::Language,
    route::RoomLink,
    sentence,
    session::model::{LobbyActions, LobbyModel, Setting, SourceChoice},
};

/// The lobby of a room.
#[component]
pub fn Lobby(
    /// The room.
    room: RoomLink,
    /// The signals of the lobby.
    model: LobbyModel,
    /// The actions of the lobby.
    actions: LobbyActions,
) -> AnyView {
    let obstacle = Memo::new(move |_| {
        model.notices.with(|notices| notices.iter().copied().find(|code| !code.is_warning()))
    });
    let room = StoredValue::new(room);
    (move || match obstacle.get() {
        Some(code) => view! { <NoticePage code=code text=notice_text /> }.into_any(),
        None => view! { <Choices room=room.get_value() model=model actions=actions /> }.into_any(),
    })
    .into_any()
}

#[component]
fn Choices(room: RoomLink, model: LobbyModel, actions: LobbyActions) -> AnyView {
    let language = Language::from_context();
    let wants_no_camera = Signal::derive(move || model.source.get() != SourceChoice::Camera);
    let is_silent = Signal::derive(move || !model.microphone.get());
    let toggle_microphone = Callback::new(move |()| {
        if model.is_microphone_missing.get_untracked() {
            actions.ask_again.run(());
        } else {
            model.microphone.update(|is_on| *is_on = !*is_on);
        }
    });
    view! {
        <PageHeader />
        <main class="lobby" data-testid="lobby">
            <section class="lobby-preview">
                <Preview model=model release=actions.release toggle_microphone=toggle_microphone />
                <NoticeList notices=model.notices text=notice_text dismiss=actions.dismiss ask_again=actions.ask_again />
                <RoomPart view=load_other_sources(model, actions) />
            </section>
            <form
                class="lobby-form"
                on:submit=move |event| {
                    event.prevent_default();
                    actions.join.run(());
                }
            >
                <header class="lobby-header">
                    <RoomPart view=load_lobby_settings(model.settings) />
                    <h1>{language.text(sentence!(lobby.title))}</h1>
                    <p class="lobby-room" translate="no">
                        <span class="sr-only">{language.text(sentence!(lobby.room))}": "</span>
                        {room.name.to_string()}
                    </p>
                </header>
                <Later view=load_link_wishes(model) />
                <label class="field">
                    <span class="field-label">{language.text(sentence!(lobby.name))}</span>
                    <input
                        class="input"
                        type="text"
                        autocomplete="name"
                        maxlength=MAX_DISPLAY_NAME_CHARS.to_string()
                        data-testid="name-input"
                        placeholder=language.text(sentence!(lobby.name_placeholder))
                        prop:value=model.name
                        on:input=move |event| model.name.set(event_target_value(&event))
                    />
                </label>
                // Behind the name, which small windows show without scrolling.
                <Later view=load_about_room(room.secret.is_some(), model.source, model.preview) />
                <SourceControl source=model.source choose=actions.choose_source />
                <DeviceSelect
                    devices=model.settings.cameras
                    chosen=model.settings.preferences.signal(Setting::Camera)
                    label=sentence!(lobby.camera)
                    prompt=None
                    is_useless=wants_no_camera
                    test_id="camera-select"
                />
                <DeviceSelect
                    devices=model.settings.microphones
                    chosen=model.settings.preferences.signal(Setting::Microphone)
                    label=sentence!(lobby.microphone)
                    prompt=None
                    is_useless=is_silent
                    test_id="mic-select"
                />
                <div class="lobby-join">
                    <button type="submit" class="button primary large" data-testid="join">
                        {language.text(sentence!(lobby.join))}
                        <Icon name=IconName::ARROW />
                    </button>
                </div>
                <p class="lobby-check">
                    <CheckLink class="check-link" />
                </p>
            </form>
        </main>
    }
    .into_any()
}

chunk! {
    /// [`OtherSources`], loaded on demand.
    fn load_other_sources, preload_other_sources in room(model: LobbyModel, actions: LobbyActions) {
        view! { <OtherSources model=model actions=actions /> }.into_any()
    }
}

/// The controls for sources other than the camera.
#[component]
fn OtherSources(model: LobbyModel, actions: LobbyActions) -> AnyView {
    view! {
        <SourceResume
            is_wanted=model.needs_source_gesture
            choose=actions.choose_source
            file=model.file
            play=actions.file
        />
        <FileSource model=model.file act=actions.file />
    }
    .into_any()
}

#[component]
fn Preview(model: LobbyModel, release: Callback<()>, toggle_microphone: Callback<()>) -> AnyView {
    let language = Language::from_context();
    let has_picture =
        Memo::new(move |_| model.source.get() != SourceChoice::None && model.preview.with(Option::is_some));
    // A microphone that is blocked or missing is not on.
    let has_microphone = Signal::derive(move || model.microphone.get() && !model.is_microphone_missing.get());
    let is_mirrored = Signal::derive(move || {
        let is_turned_away =
            |preview: &Option<MediaStream>| preview.as_ref().is_some_and(MediaStream::faces_away);
        model.source.get() == SourceChoice::Camera && !model.preview.with(is_turned_away)
    });
    let can_be_shown =
        Signal::derive(move || model.is_held.get() && model.source.get() != SourceChoice::None);
    let words = Signal::derive(move || {
        let sentence = match (model.source.get(), model.is_asking.get()) {
            (SourceChoice::None, _) => sentence!(lobby.camera_off),
            _ if model.is_held.get() => sentence!(lobby.held),
            (SourceChoice::Camera | SourceChoice::Screen | SourceChoice::File, true) => {
                sentence!(lobby.asking)
            }
            (SourceChoice::Camera | SourceChoice::Screen | SourceChoice::File, false) => {
                sentence!(lobby.no_picture)
            }
        };
        sentence(language.locale())
    });
    view! {
        <div class="preview" class:has-picture=has_picture>
            <Video
                stream=model.preview
                is_muted=true
                is_mirrored=is_mirrored
                test_id="preview"
                label=language.text(sentence!(lobby.preview))
            />
            <div class="preview-placeholder">
                <Icon name=IconName::CAMERA_OFF />
                <p role="status" translate="no">{words}</p>
                <When is=can_be_shown>
                    <button
                        type="button"
                        class="button small"
                        data-testid="show-preview"
                        on:click=move |_| release.run(())
                    >
                        {language.text(sentence!(lobby.show))}
                    </button>
                </When>
            </div>
            <div class="preview-controls">
                <SwitchButton
                    is_on=has_microphone
                    icons=(IconName::MICROPHONE, IconName::MICROPHONE_OFF)
                    words=(sentence!(lobby.mute), sentence!(lobby.unmute))
                    test_id="toggle-mic"
                    press=toggle_microphone
                />
                <When is=has_microphone>
                    <LevelMeter level=model.level />
                </When>
            </div>
        </div>
    }
    .into_any()
}
