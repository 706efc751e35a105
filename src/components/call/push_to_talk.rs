//! Listens for the key to talk, and says that it is held.

use leptos::{ev, prelude::*};
use sightline_browser::page::keyboard::{is_space, key_press_elsewhere};

use super::panels::Panels;
use crate::{
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    push_to_talk::{PushToTalk, Talk},
    sentence,
    session::model::{RoomActions, RoomModel, Setting, switch_value},
};

/// Has the microphone on while the space bar is held, and shows that.
#[component]
pub fn TalkKey(
    /// The room, with the microphone.
    model: RoomModel,
    /// The action that talks.
    actions: RoomActions,
    /// The panels: a dialog takes the key.
    panels: Panels,
) -> AnyView {
    let language = Language::from_context();
    let key = RwSignal::new(PushToTalk::default());
    let is_on = move |setting| {
        model.settings.preferences.signal(setting).with_untracked(|value| *value == switch_value(true))
    };
    let apply = move |talk: Option<Talk>| {
        if let Some(talk) = talk {
            let _ = actions.talk.try_run(talk == Talk::Begin);
        }
    };
    let release = move || apply(key.try_update(PushToTalk::handle_release).flatten());
    let pressed = window_event_listener(ev::keydown, move |event| {
        let may_begin = is_on(Setting::PushToTalk)
            && is_on(Setting::Shortcuts)
            && !panels.has_dialog()
            && !model.local.microphone.get_untracked();
        let Some(press) = key_press_elsewhere(&event) else { return };
        apply(key.try_update(|key| key.handle_press(&press, may_begin)).flatten());
        // The key would scroll the page, and its repetitions too.
        if is_space(&event) && key.with_untracked(|key| key.is_talking()) {
            event.prevent_default();
        }
    });
    let released = window_event_listener(ev::keyup, move |event| {
        if is_space(&event) && key.with_untracked(|key| key.is_talking()) {
            event.prevent_default();
            release();
        }
    });
    // Elsewhere the release of the key is not reported.
    let left = window_event_listener(ev::blur, move |_| release());
    let hidden = window_event_listener(ev::visibilitychange, move |_| release());
    on_cleanup(move || {
        [pressed, released, left, hidden].into_iter().for_each(WindowListenerHandle::remove);
        release();
    });
    let is_talking = Signal::derive(move || key.with(|key| key.is_talking()) && model.local.microphone.get());
    view! {
        <div class="talk-hint-place" role="status">
            <When is=is_talking>
                <p class="talk-hint" data-testid="talk-hint">
                    <Icon name=IconName::MICROPHONE />
                    {language.text(sentence!(people.talking))}
                </p>
            </When>
        </div>
    }
    .into_any()
}
