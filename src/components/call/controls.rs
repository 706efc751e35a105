//! The bar of controls in a call.

use leptos::prelude::*;

use super::{hand::HandButton, panels::Panels, reactions::ReactionsMenu, source_choice::SourceControl};
use crate::{
    components::kit::icon::{Icon, IconName},
    language::{Language, Sentence},
    sentence,
    session::{
        departure::Unfinished,
        model::{RoomActions, RoomModel},
    },
};

/// Buttons for microphone, camera, panels and leaving.
#[component]
pub fn Controls(
    /// The state of microphone and camera.
    model: RoomModel,
    /// The actions of the buttons.
    actions: RoomActions,
    /// The panels that the buttons open and close.
    panels: Panels,
    /// Number of unseen messages.
    unread: Signal<usize>,
) -> AnyView {
    let language = Language::from_context();
    let local = model.local;
    let chat_label = Signal::derive(move || {
        let locale = language.locale();
        let title = sentence!(chat.title)(locale);
        match unread.get() {
            0 => title.to_owned(),
            count => format!("{title}, {count} {}", sentence!(chat.unread)(locale)),
        }
    });
    let badge = Signal::derive(move || match unread.get() {
        count @ 0..=9 => count.to_string(),
        _ => "9+".to_owned(),
    });
    view! {
        <footer class="controls" role="group" aria-label=language.text(sentence!(room.controls))>
            <div class="controls-group">
                <SwitchButton
                    is_on=local.microphone
                    icons=(IconName::MICROPHONE, IconName::MICROPHONE_OFF)
                    words=(sentence!(room.mute), sentence!(room.unmute))
                    test_id="toggle-mic"
                    press=actions.toggle_microphone
                />
                <SwitchButton
                    is_on=local.camera
                    icons=(IconName::CAMERA, IconName::CAMERA_OFF)
                    words=(sentence!(room.camera_off), sentence!(room.camera_on))
                    test_id="toggle-camera"
                    press=actions.toggle_camera
                />
            </div>
            // In a narrow window a row above the other controls.
            <div class="controls-more">
                <SourceControl source=model.source choose=actions.choose_source is_compact=true />
                <div class="controls-group">
                    <HandButton model=model actions=actions />
                    <ReactionsMenu react=actions.react />
                </div>
            </div>
            <div class="controls-group">
                <button
                    node_ref=panels.chat_toggle
                    type="button"
                    class="round-button chat-toggle"
                    data-testid="chat-toggle"
                    aria-label=chat_label
                    aria-expanded=Signal::derive(move || panels.chat.get().to_string())
                    on:click=move |_| panels.toggle_chat()
                >
                    <Icon name=IconName::CHAT />
                    <span class="badge" aria-hidden="true" translate="no" hidden=Signal::derive(move || unread.get() == 0)>
                        {badge}
                    </span>
                </button>
                <button
                    node_ref=panels.figures_toggle
                    type="button"
                    class="round-button"
                    class:is-active=panels.figures
                    data-testid="stats-toggle"
                    data-tip=language.text(sentence!(figures.open))
                    aria-label=language.text(sentence!(figures.open))
                    aria-expanded=Signal::derive(move || panels.figures.get().to_string())
                    on:click=move |_| panels.toggle_figures()
                >
                    <Icon name=IconName::CHART />
                </button>
            </div>
            <button
                type="button"
                class="round-button danger"
                data-testid="leave"
                data-tip=language.text(sentence!(room.leave))
                aria-label=language.text(sentence!(room.leave))
                on:click=move |_| {
                    if Unfinished::of(model).is_something() {
                        panels.leaving.set(true);
                    } else {
                        actions.leave.run(());
                    }
                }
            >
                <Icon name=IconName::LEAVE />
            </button>
        </footer>
    }
    .into_any()
}

/// A round toggle button; its label says what a press does.
#[component]
pub fn SwitchButton(
    /// Whether the thing is on.
    #[prop(into)]
    is_on: Signal<bool>,
    /// Icons for on and off.
    icons: (IconName, IconName),
    /// Labels for what a press does: while on, while off.
    words: (Sentence, Sentence),
    /// The element's `data-testid`.
    test_id: &'static str,
    /// Called with each press.
    press: Callback<()>,
) -> AnyView {
    let language = Language::from_context();
    let icon = Signal::derive(move || if is_on.get() { icons.0 } else { icons.1 });
    let label = Signal::derive(move || (if is_on.get() { words.0 } else { words.1 })(language.locale()));
    view! {
        <button
            type="button"
            class="round-button"
            class:is-off=Signal::derive(move || !is_on.get())
            data-testid=test_id
            data-tip=label
            aria-label=label
            on:click=move |_| press.run(())
        >
            <Icon name=icon />
        </button>
    }
    .into_any()
}
